/**
 * A whole vehicle: a T-BOX, an ECU with two slots and a microcontroller with one bank, brought to new
 * software together while the power of each fails at every operation on its storage, and the T-BOX's at
 * every write of its journal.
 */
import { Chance } from '../chance.ts';
import { caseId, parseCaseId } from './case-id.ts';
import type { Wellness } from './cut-bench.ts';
import { type CutClass, type CutOptions, type CutReport, CutTally } from './cut-report.ts';
import type { Variant } from './exhaust.ts';
import { LINUX_VARIANT } from './linux-bench.ts';
import { mcuVariant } from './mcu-bench.ts';
import { isJournalSynced } from './planted.ts';
import { createSamples } from './samples.ts';
import type { NodeSetup } from './vehicle-node.ts';
import { JOURNAL, tellVehicle, type TraceLine, type VehicleCut } from './vehicle-story.ts';

const SLOTS: Variant = { ...LINUX_VARIANT, samples: createSamples(2200, 2600) };
const ONE_BANK = mcuVariant(
  { part: 'stm32l0', divisor: 1, sectors: 100, oldBytes: 700, newBytes: 900, blockBytes: 512 },
  1,
);
const ECUS = [
  { name: 'TBOX', kind: 'self', variant: SLOTS },
  { name: 'BRAKE', kind: 'banked', variant: SLOTS },
  { name: 'PUMP', kind: 'in-place', variant: ONE_BANK },
] as const satisfies readonly {
  readonly name: string;
  readonly kind: NodeSetup['kind'];
  readonly variant: Variant;
}[];
const VICTIMS: readonly string[] = [JOURNAL, ...ECUS.map(({ name }) => name)];

interface Story {
  /** Whose new image is not healthy. */
  readonly sick?: string;
  /** What the technician says in the end, where one has to stand by. */
  readonly technician?: 'go' | 'stop';
}
const STORIES: ReadonlyMap<string, Story> = new Map<string, Story>([
  ['all-well', {}],
  ...ECUS.map(({ name }) => [`sick-${name}`, { sick: name }] as const),
  ['technician-go', { technician: 'go' }],
  ['technician-no', { technician: 'stop' }],
]);
/** Cuts in a row of a random run. */
const RANDOM_CUTS = 6;
/** No story takes as many. */
const OPERATIONS_MAX = 5000;

/** One run: its vehicle, and what its T-BOX wrote. */
export interface RecordedRun {
  readonly id: string;
  readonly kinds: readonly NodeSetup['kind'][];
  readonly isSick: readonly boolean[];
  /** Whether a technician had to stand by, before and after. */
  readonly isGated: boolean;
  readonly trace: readonly TraceLine[];
}

/** See the head of the file. */
export const VEHICLE: CutClass = {
  name: 'vehicle',
  run: async (options) => (await cutVehicles(options)).report,
};

/** Runs the class, and gives what was recorded of each run as well. */
export async function cutVehicles(
  options: CutOptions,
): Promise<{ readonly report: CutReport; readonly runs: readonly RecordedRun[] }> {
  const tally = new CutTally();
  const runs: RecordedRun[] = [];
  const programmed = await programAll(options);
  for (const [story, { sick, technician }] of STORIES) {
    const named = options.only === undefined ? undefined : parseCaseId(options.only);
    if (named !== undefined && !named.place.endsWith(`/${story}`)) continue;
    const ecus = programmed.map((ecu): NodeSetup => {
      const wellness: Wellness = ecu.name === sick ? 'sick' : 'well';
      return { ...ecu, wellness };
    });
    const tell = async (cuts: readonly VehicleCut[]): Promise<number> => {
      const id = caseId(`${cuts.map(({ victim }) => victim).join('-') || 'none'}/${story}`, cuts);
      const ending = await tellVehicle({
        id,
        ecus,
        cuts,
        technician,
        isSynced: isJournalSynced(options.plant),
        tell: options.tell,
      });
      if (ending.struck > 0 || ending.failures.length > 0) tally.add(ending.failures);
      tally.count('lives of a T-BOX', ending.lives);
      const isSick = ecus.map(({ wellness }) => wellness === 'sick');
      const isGated = technician !== undefined;
      const { trace } = ending;
      runs.push({ id, kinds: ecus.map(({ kind }) => kind), isSick, isGated, trace });
      return ending.struck;
    };
    if (named !== undefined) {
      const victims = named.place.slice(0, -story.length - 1).split('-');
      await tell(named.cuts.map((cut, index) => ({ ...cut, victim: victims[index] ?? '' })));
      continue;
    }
    await tell([]);
    for (const victim of VICTIMS) await cutEverywhere(victim, options, tell);
    for (let run = 0; run < (options.isBounded ? 60 : 1500); run += 1) {
      await tell(randomCuts(new Chance(`vehicle ${options.seed} ${story} ${run}`)));
    }
  }
  return { report: tally.report(), runs };
}

/** One victim, at each of its operations; then again somewhere in what follows. */
async function cutEverywhere(
  victim: string,
  { seed, isBounded }: CutOptions,
  tell: (cuts: readonly VehicleCut[]) => Promise<number>,
): Promise<void> {
  const nestings = isBounded ? 0 : 6;
  // Where a microcontroller's hundreds of words are written, a gate takes a part of them.
  const stride = isBounded && victim === 'PUMP' ? 9 : 1;
  for (let operation = 1 + (seed % stride); operation < OPERATIONS_MAX; operation += stride) {
    const first: VehicleCut = { victim, operation, kind: 'torn', seed };
    if ((await tell([first])) === 0) return;
    const chance = new Chance(`again ${seed} ${victim} ${operation}`);
    for (let again = 0; again < nestings; again += 1) await tell([first, randomCut(chance)]);
  }
}

function randomCuts(chance: Chance): readonly VehicleCut[] {
  return Array.from({ length: RANDOM_CUTS }, () => randomCut(chance));
}

function randomCut(chance: Chance): VehicleCut {
  const victim = chance.pick(VICTIMS);
  const reach = victim === 'PUMP' ? 200 : 30;
  return {
    victim,
    operation: 1 + chance.below(reach),
    kind: chance.pick(['torn', 'before', 'after']),
    seed: chance.below(1000),
  };
}

async function programAll(options: CutOptions): Promise<readonly Omit<NodeSetup, 'wellness'>[]> {
  const made: Omit<NodeSetup, 'wellness'>[] = [];
  for (const { name, kind, variant } of ECUS) {
    const bench = variant.create({ ...options, plant: undefined });
    const { samples } = variant;
    const slots = await bench.start(() => 'well');
    await slots.boot();
    const writer = await slots.write(samples.old.image);
    await writer.write(samples.old.bytes);
    await writer.finish();
    await slots.activate();
    await slots.boot();
    await slots.confirm();
    made.push({ name, kind, bench, samples });
  }
  return made;
}
