/**
 * Cuts the power at every write and erase of every story, and again at every one of what follows; and
 * then at random places, several times in a row.
 */
import { Chance } from '../chance.ts';
import { caseId, parseCaseId } from './case-id.ts';
import type { Cut, CutBench } from './cut-bench.ts';
import { type CutOptions, type CutReport, CutTally } from './cut-report.ts';
import { STORIES, type Story } from './plan.ts';
import { type CutCase, type Interrupted, runCase } from './run-case.ts';
import type { SamplePair } from './samples.ts';

/** One kind of storage. */
export interface Variant {
  readonly name: string;
  readonly samples: SamplePair;
  /** How to tear an operation; each is a cut of its own. */
  readonly kinds: readonly Cut['kind'][];
  /** Makes an ECU that was never programmed. */
  readonly create: (options: CutOptions) => CutBench;
}

/** How much of it. */
export interface Thoroughness {
  /** Seeds for each operation whose outcome is noise. */
  readonly tears: number;
  /** Every how many-th first cut is followed by a second one at every operation. */
  readonly nestedEvery: number;
  readonly randomRuns: number;
}

/** Cuts in a row of a random run: MCUboot's simulator takes five. */
const RANDOM_CUTS = 5;
/** No story of these images takes as many. */
const OPERATIONS_MAX = 5000;

/** See the head of the file. */
export async function exhaust(
  variants: readonly Variant[],
  options: CutOptions,
  thoroughness: Thoroughness,
): Promise<CutReport> {
  const tally = new CutTally();
  for (const variant of variants) {
    for (const story of STORIES) {
      const place = `${variant.name}/${story}`;
      if (options.only !== undefined && parseCaseId(options.only)?.place !== place) continue;
      if (tally.isHopeless) break;
      const bench = await prepare(variant, story, options);
      const base = { id: '', story, samples: variant.samples, bench, tell: options.tell };
      await new Exhaustion({ variant, base, place, options, thoroughness, tally }).run();
    }
  }
  return tally.report();
}

/** An ECU as it is before a story: with the old image, for all but the first one of its life. */
async function prepare(variant: Variant, story: Story, options: CutOptions): Promise<CutBench> {
  const bench = variant.create(options);
  if (story === 'first') return bench;
  const slots = await bench.start(() => 'well');
  await slots.boot();
  const { image, bytes } = variant.samples.old;
  const writer = await slots.write(image);
  await writer.write(bytes);
  await writer.finish();
  await slots.activate();
  await slots.boot();
  await slots.confirm();
  return bench;
}

interface ExhaustionSetup {
  readonly variant: Variant;
  readonly base: CutCase;
  readonly place: string;
  readonly options: CutOptions;
  readonly thoroughness: Thoroughness;
  readonly tally: CutTally;
}

class Exhaustion {
  readonly #setup: ExhaustionSetup;

  constructor(setup: ExhaustionSetup) {
    this.#setup = setup;
  }

  async run(): Promise<void> {
    const { options, base, tally } = this.#setup;
    const named = options.only === undefined ? undefined : parseCaseId(options.only)?.cuts;
    if (named !== undefined) {
      await this.#tell(named);
      return;
    }
    const clean = await runCase({ ...base, id: caseId(this.#setup.place, []) }, []);
    tally.count('stories without a cut');
    if (clean.failures.length > 0) tally.add(clean.failures);
    for (const kind of this.#setup.variant.kinds) await this.#cutEverywhere(kind);
    for (let run = 0; run < this.#setup.thoroughness.randomRuns; run += 1) {
      await this.#cutAtRandom(run);
    }
  }

  async #cutEverywhere(kind: Cut['kind']): Promise<void> {
    const { tears, nestedEvery } = this.#setup.thoroughness;
    const isNoise = kind === 'torn' || kind === 'marginal';
    for (let tear = 0; tear < (isNoise ? tears : 1); tear += 1) {
      for (let operation = 1; operation < OPERATIONS_MAX; operation += 1) {
        const first: Cut = { operation, kind, seed: this.#seedOf(tear) };
        const { struck, interrupted } = await this.#tell([first]);
        if (struck === 0) break;
        const isNested = kind === 'torn' && tear === 0 && operation % nestedEvery === 0;
        if (isNested && interrupted !== undefined) await this.#cutAgain(first, interrupted);
      }
    }
  }

  /** Every operation of what follows a cut: the recovery, and the rest of the story. */
  async #cutAgain(first: Cut, interrupted: Interrupted): Promise<void> {
    for (let operation = 1; operation < OPERATIONS_MAX; operation += 1) {
      const second: Cut = { operation, kind: 'torn', seed: this.#seedOf(operation) };
      const { struck } = await this.#tell([first, second], interrupted);
      if (struck === 0) break;
    }
  }

  async #cutAtRandom(run: number): Promise<void> {
    const { options, place, variant } = this.#setup;
    const chance = new Chance(`power cuts ${options.seed} ${place} ${run}`);
    const cuts = Array.from({ length: RANDOM_CUTS }, () => ({
      operation: 1 + chance.below(60),
      kind: chance.pick(variant.kinds),
      seed: chance.below(1000),
    }));
    await this.#tell(cuts);
  }

  async #tell(
    cuts: readonly Cut[],
    from?: Interrupted,
  ): Promise<{ readonly struck: number; readonly interrupted: Interrupted | undefined }> {
    const { base, place, tally, options } = this.#setup;
    const id = caseId(place, cuts);
    const cutCase = { ...base, id };
    // A case that is told alone is told from its beginning.
    const rest = from === undefined ? cuts : cuts.slice(1);
    const { failures, struck, interrupted, sessions } = await runCase(cutCase, rest, from);
    if (struck > 0 || failures.length > 0) tally.add(failures);
    if (tally.isHopeless) return { struck: 0, interrupted: undefined };
    tally.count('starts', sessions);
    options.tell?.(`${id}: ${struck} of ${cuts.length} cuts struck`);
    return { struck, interrupted };
  }

  /** Another noise for each seed of the whole run. */
  #seedOf(tear: number): number {
    return this.#setup.options.seed * 100 + tear;
  }
}
