/** The RXSWINs that a release gives to hardware {R156 7.2.1.2.1}, signed with it. */
import { z } from '@hono/zod-openapi';
import type { JsonObject } from '@immota/base';
import type { HardwareIdentifier, InstallableName } from '@immota/uptane';
import { CloudFault } from '../fault.ts';

/** Regulations that one release touches, times the ECUs that each means. */
const RXSWINS_MAX = 256;

/** As it stands in a release document. */
export const rxswinListSchema = z
  .array(
    z.object({
      regulation: z.string().min(1).max(20),
      hardwareId: z.string(),
      rxswin: z.string().min(1).max(100),
      before: z.string().min(1).max(100).optional(),
      approvalNumber: z.string().min(1).max(100).optional(),
    }),
  )
  .max(RXSWINS_MAX);

/** One of them, read. */
export interface ReleaseRxswin {
  /** As UN numbers it: `R79`. */
  readonly regulation: string;
  readonly hardwareIdentifier: HardwareIdentifier;
  readonly rxswin: string;
  /** The RXSWIN that it takes the place of. */
  readonly before: string | undefined;
  /** Of the extension or new approval, where it is known when the release is signed. */
  readonly approvalNumber: string | undefined;
}

type Goal = ReadonlyMap<HardwareIdentifier, InstallableName>;

/**
 * Reads the RXSWINs of a release {R156 7.1.1.3}: each stands for software of this release, and hardware has
 * one of a regulation.
 *
 * @throws CloudFault RELEASE_MALFORMED.
 */
export function readRxswins(
  rxswins: z.infer<typeof rxswinListSchema>,
  goal: Goal,
): readonly ReleaseRxswin[] {
  const hardware = new Map<string, HardwareIdentifier>([...goal.keys()].map((one) => [one, one]));
  const seen = new Set<string>();
  const read = rxswins.map(({ regulation, hardwareId, rxswin, before, approvalNumber }) => {
    const hardwareIdentifier = hardware.get(hardwareId);
    if (hardwareIdentifier === undefined) {
      throw malformed(`the RXSWIN "${rxswin}" is for hardware "${hardwareId}" without a goal`);
    }
    const key = `${regulation}\n${hardwareId}`;
    if (seen.has(key)) throw malformed(`"${hardwareId}" has two RXSWINs of ${regulation}`);
    seen.add(key);
    return { regulation, hardwareIdentifier, rxswin, before, approvalNumber };
  });
  checkShared(read, goal);
  return read;
}

/** Says beside each goal what its ECUs are to store: a list of regulation and RXSWIN. */
export function rxswinsByImage({
  goal,
  rxswins,
}: {
  readonly goal: Goal;
  readonly rxswins: readonly ReleaseRxswin[];
}): ReadonlyMap<InstallableName, JsonObject> {
  const lists = Map.groupBy(rxswins, ({ hardwareIdentifier }) => hardwareIdentifier);
  const custom = new Map<InstallableName, JsonObject>();
  for (const [hardware, list] of lists) {
    const name = goal.get(hardware);
    if (name === undefined) continue;
    custom.set(name, {
      rxswins: list.map(({ regulation, rxswin }) => ({ regulation, rxswin })),
    });
  }
  return custom;
}

/** What an ECU is to store is signed beside its image: hardware that shares an image shares the list. */
function checkShared(rxswins: readonly ReleaseRxswin[], goal: Goal): void {
  const lists = new Map<InstallableName, string>();
  for (const [hardware, name] of goal) {
    const own = rxswins
      .filter(({ hardwareIdentifier }) => hardwareIdentifier === hardware)
      .map(({ regulation, rxswin }) => `${regulation}\n${rxswin}`)
      .toSorted()
      .join('\n\n');
    if ((lists.get(name) ?? own) !== own) {
      throw malformed(`image "${name}" has different RXSWINs on different hardware`);
    }
    lists.set(name, own);
  }
}

function malformed(why: string): CloudFault {
  return new CloudFault('RELEASE_MALFORMED', `Cannot read release: ${why}`);
}
