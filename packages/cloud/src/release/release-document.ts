/**
 * A release: the images of a vehicle line that belong together, how each may be reached, and what
 * must run beside it {uptane E7}. It is a signed document; what stands in it was decided by whoever
 * holds a release key, and not by the server that carries it out.
 */
import { z } from '@hono/zod-openapi';
import { noticeSchema } from '@immota/api';
import { type JsonObject, member } from '@immota/base';
import {
  AKTUALIZR,
  decodeEnvelope,
  type HardwareIdentifier,
  type InstallableName,
  parseHardwareIdentifier,
  parseInstallableName,
  UptaneFault,
} from '@immota/uptane';

import { CloudFault } from '../fault.ts';
import { readTasks, type TechnicianTask, technicianSchema } from './technician.ts';
import { readRxswins, type ReleaseRxswin, rxswinListSchema } from './release-rxswin.ts';

/** Images in one release, with all its intermediate versions: 256 ECUs, four versions back each. */
const RELEASE_IMAGES_MAX = 1024;
/** A release document. */
export const RELEASE_MAX_BYTES = 2_097_152;
const CONSTRAINTS_MAX = 64;

const constraintSchema = z.object({
  hardwareId: z.string(),
  images: z.array(z.string()).min(1).max(CONSTRAINTS_MAX),
});

const releaseSchema = z.object({
  _type: z.literal('Release'),
  name: z.string().min(1).max(200),
  version: z.string().min(1).max(100),
  images: z
    .array(
      z.object({
        hardwareId: z.string(),
        name: z.string(),
        installsOver: z.union([z.literal('any'), z.array(z.string()).max(CONSTRAINTS_MAX)]),
        requires: z.array(constraintSchema).max(CONSTRAINTS_MAX).optional(),
        conflicts: z.array(constraintSchema).max(CONSTRAINTS_MAX).optional(),
      }),
    )
    .min(1)
    .max(RELEASE_IMAGES_MAX),
  goal: z.record(z.string(), z.string()),
  technician: technicianSchema.optional(),
  rxswins: rxswinListSchema.optional(),
  ...noticeSchema.shape,
});

/** Which images of some other hardware a constraint speaks of. */
export interface Constraint {
  readonly hardwareIdentifier: HardwareIdentifier;
  readonly images: ReadonlySet<string>;
}

/** One image of a release. */
export interface ReleaseImage {
  readonly hardwareIdentifier: HardwareIdentifier;
  readonly name: InstallableName;
  /** The images it may replace; `any` when it does not matter what was there. */
  readonly installsOver: 'any' | ReadonlySet<string>;
  /** Each must be met by every ECU of the named hardware, where the vehicle has one. */
  readonly requires: readonly Constraint[];
  /** None may be met by any ECU of the named hardware. */
  readonly conflicts: readonly Constraint[];
}

/** A release, parsed. */
export interface Release {
  readonly name: string;
  readonly version: string;
  readonly images: readonly ReleaseImage[];
  /** What each hardware shall run in the end. Hardware not named keeps what it runs. */
  readonly goal: ReadonlyMap<HardwareIdentifier, InstallableName>;
  /** For the owner, by language tag. */
  readonly description: ReadonlyMap<string, string>;
  /** How long the vehicle cannot be used while it installs. */
  readonly unusableSeconds: number;
  /** What does not work meanwhile, in words for the owner. */
  readonly unavailable: readonly string[];
  readonly isSecurity: boolean;
  /** Where a technician has to stand by {R156 7.1.4.2}. */
  readonly technician: readonly TechnicianTask[];
  /** All that people are told, as it was signed: for the vehicle to read. */
  readonly notice: JsonObject;
  readonly rxswins: readonly ReleaseRxswin[];
}

/**
 * Reads the signed part of a release.
 *
 * @param signed - whose signature was checked.
 * @throws CloudFault RELEASE_MALFORMED when its shape is wrong, or a goal names no image of it.
 */
export function parseRelease(signed: JsonObject): Release {
  const parsed = releaseSchema.safeParse(signed);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw malformed(`at "${issue?.path.join('.') ?? ''}": ${issue?.message ?? ''}`);
  }
  const { data } = parsed;
  // What the database cannot hold is no text that anybody meant.
  if (JSON.stringify(signed).includes(String.raw`\u0000`))
    throw malformed('it holds a NUL character');
  const images = readImages(data.images);
  checkUnique(images);
  const technician = translated(() => readTasks(data.technician));
  checkTasks(technician, images);
  const goal = readGoal(data.goal, images);
  return {
    name: data.name,
    version: data.version,
    images,
    goal,
    description: new Map(Object.entries(data.description ?? {})),
    unusableSeconds: data.unusableSeconds ?? 0,
    unavailable: data.unavailable ?? [],
    isSecurity: data.security ?? false,
    technician,
    notice: noticeOf(signed),
    rxswins: readRxswins(data.rxswins ?? [], goal),
  };
}

/**
 * Reads a release that is stored: from the bytes that were signed, for what a database row says beside them
 * is nobody's word.
 *
 * @throws CloudFault RELEASE_MALFORMED; UptaneFault MALFORMED when the bytes are no document.
 */
export function readStoredRelease(document: Uint8Array): Release {
  return parseRelease(decodeEnvelope(AKTUALIZR, document, RELEASE_MAX_BYTES).signed);
}

function noticeOf(signed: JsonObject): JsonObject {
  const members = Object.keys(noticeSchema.shape).flatMap((name) => {
    const value = member(signed, name);
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(members);
}

/** Names are checked by the trust core; here what it refuses is a release that cannot be read. */
function readImages(images: z.infer<typeof releaseSchema>['images']): readonly ReleaseImage[] {
  return translated(() => images.map((image) => readImage(image)));
}

/** A task for hardware that gets nothing is a slip of the pen: nobody would ever be asked. */
function checkTasks(tasks: readonly TechnicianTask[], images: readonly ReleaseImage[]): void {
  const hardware = new Set(images.map((image) => image.hardwareIdentifier));
  const idle = tasks.find((task) => !hardware.has(task.hardwareIdentifier));
  if (idle === undefined) return;
  throw malformed(
    `a technician is asked for "${idle.hardwareIdentifier}", which it does not touch`,
  );
}

function translated<Read>(read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UptaneFault)) throw error;
    throw new CloudFault('RELEASE_MALFORMED', `Cannot read release: ${error.message}`, {
      cause: error,
    });
  }
}

function readImage(image: z.infer<typeof releaseSchema>['images'][number]): ReleaseImage {
  return {
    hardwareIdentifier: parseHardwareIdentifier(image.hardwareId),
    name: parseInstallableName(image.name),
    installsOver: image.installsOver === 'any' ? 'any' : new Set(image.installsOver),
    requires: (image.requires ?? []).map(constraintOf),
    conflicts: (image.conflicts ?? []).map(constraintOf),
  };
}

function constraintOf(constraint: z.infer<typeof constraintSchema>): Constraint {
  return {
    hardwareIdentifier: parseHardwareIdentifier(constraint.hardwareId),
    images: new Set(constraint.images),
  };
}

function checkUnique(images: readonly ReleaseImage[]): void {
  const seen = new Set<string>();
  for (const { hardwareIdentifier, name } of images) {
    const key = `${hardwareIdentifier}\n${name}`;
    if (seen.has(key)) throw malformed(`image "${name}" stands twice`);
    seen.add(key);
  }
}

function readGoal(
  goal: Readonly<Record<string, string>>,
  images: readonly ReleaseImage[],
): Release['goal'] {
  const read = new Map<HardwareIdentifier, InstallableName>();
  for (const [hardware, name] of Object.entries(goal)) {
    const found = images.find(
      (image) => image.hardwareIdentifier === hardware && image.name === name,
    );
    if (found === undefined) throw malformed(`the goal "${name}" is not among its images`);
    read.set(found.hardwareIdentifier, found.name);
  }
  if (read.size === 0) throw malformed('it has no goal');
  return read;
}

function malformed(why: string): CloudFault {
  return new CloudFault('RELEASE_MALFORMED', `Cannot read release: ${why}`);
}
