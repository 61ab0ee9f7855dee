/**
 * Why there is no way to a release, in the fewest words that are true: a set of facts that clash, none of
 * which can be taken away without a way being there {uptane E7}.
 *
 * Each fact only ever forbids. So a set of facts without a way stays so when more are added, and deleting
 * what is not needed, larger parts first, ends at such a set. A fact is taken away thus: an ECU is left out ·
 * hardware need not reach its goal · an image installs over anything · it requires or bars this no more.
 */
import type { HardwareIdentifier } from '@immota/uptane';
import { type EcuConfiguration, findPath, type PathResult } from './find-path.ts';
import type { Constraint, Release, ReleaseImage } from './release-document.ts';

/** Combinations tried for one explanation in all: some seconds of one vehicle that somebody looks at. */
const COMBINATIONS_MAX = 400_000;

/** One fact of a clash. */
export type ClashFact =
  | { readonly kind: 'runs'; readonly ecu: EcuConfiguration }
  | {
      readonly kind: 'goal';
      readonly hardwareIdentifier: HardwareIdentifier;
      readonly image: string;
      /** Whether no ECU of the vehicle is of this hardware. */
      readonly isAbsent: boolean;
    }
  | { readonly kind: 'installs-over'; readonly image: ReleaseImage }
  | {
      readonly kind: 'requires' | 'conflicts';
      readonly image: ReleaseImage;
      readonly constraint: Constraint;
    }
  | { readonly kind: 'bound' };

/** The way, or what stands against it. */
export interface Explanation {
  readonly found: PathResult;
  /** Empty when there is a way. */
  readonly clash: readonly ClashFact[];
}

/**
 * Finds the shortest safe way, or a smallest set of facts that clash.
 *
 * @param ecus - all ECUs of the vehicle.
 * @returns a clash with the fact `bound` when a search ended at its limit: then it may hold more than it needs.
 */
export function explainPath(release: Release, ecus: readonly EcuConfiguration[]): Explanation {
  const found = findPath(release, ecus);
  if (found.kind === 'path') return { found, clash: [] };
  if (found.reason === 'HARDWARE_UNKNOWN') return { found, clash: goalsOf(release, ecus) };
  const stuck = new Set(found.ecus);
  const group = ecus.filter(({ ecu }) => stuck.has(ecu));
  if (found.isBounded === true) return { found, clash: [{ kind: 'bound' }] };
  const trial = new Trial(release);
  const facts = factsOf(release, group);
  // Where the plain search stops early, at an ECU that nothing reaches, other ECUs do not matter.
  if (trial.hasWay(facts) !== false) return { found, clash: [{ kind: 'bound' }] };
  const clash = reduce(facts, trial);
  return { found, clash: trial.isBounded ? [...clash, { kind: 'bound' }] : clash };
}

/** Deletes what is not needed: halves first, single facts in the end, so that each that stays was tried. */
function reduce(facts: readonly ClashFact[], trial: Trial): readonly ClashFact[] {
  let kept = facts;
  for (
    let size = Math.ceil(facts.length / 2);
    size >= 1;
    size = size > 1 ? Math.ceil(size / 2) : 0
  ) {
    for (let at = 0; at < kept.length;) {
      const without = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (trial.hasWay(without) === false) kept = without;
      else at += size;
    }
  }
  return kept;
}

/** Searches under some of the facts alone. */
class Trial {
  /** Whether a search ended at the bound: what it would have found is not known. */
  isBounded = false;
  readonly #release: Release;
  readonly #budget = { combinations: COMBINATIONS_MAX };

  constructor(release: Release) {
    this.#release = release;
  }

  /** @returns undefined when the search ended at its bound. */
  hasWay(facts: readonly ClashFact[]): boolean | undefined {
    const { release, ecus, free } = relax(this.#release, facts);
    const found = findPath(release, ecus, { free, budget: this.#budget });
    if (found.kind === 'path' || found.reason === 'HARDWARE_UNKNOWN') return true;
    if (found.isBounded !== true) return false;
    this.isBounded = true;
    return undefined;
  }
}

/** A release and a vehicle of which nothing is said but these facts. */
function relax(
  release: Release,
  facts: readonly ClashFact[],
): {
  readonly release: Release;
  readonly ecus: readonly EcuConfiguration[];
  readonly free: ReadonlySet<HardwareIdentifier>;
} {
  const said = new Set<unknown>(
    facts.map((fact) => {
      if (fact.kind === 'requires' || fact.kind === 'conflicts') return fact.constraint;
      return fact.kind === 'installs-over' ? fact.image : undefined;
    }),
  );
  const demanded = new Set(
    facts.flatMap((fact) => (fact.kind === 'goal' ? [fact.hardwareIdentifier] : [])),
  );
  const images = release.images.map((image) => ({
    ...image,
    installsOver: said.has(image) ? image.installsOver : ('any' as const),
    requires: image.requires.filter((constraint) => said.has(constraint)),
    conflicts: image.conflicts.filter((constraint) => said.has(constraint)),
  }));
  return {
    release: {
      ...release,
      images,
      goal: new Map([...release.goal].filter(([hardware]) => demanded.has(hardware))),
    },
    ecus: facts.flatMap((fact) => (fact.kind === 'runs' ? [fact.ecu] : [])),
    free: new Set([...release.goal.keys()].filter((hardware) => !demanded.has(hardware))),
  };
}

/** Every fact about some ECUs. Those that come first are given up first: other ECUs, then demands on images. */
function factsOf(release: Release, ecus: readonly EcuConfiguration[]): readonly ClashFact[] {
  const own = new Set(ecus.map(({ hardwareIdentifier }) => hardwareIdentifier));
  const images = release.images.filter(({ hardwareIdentifier }) => own.has(hardwareIdentifier));
  return [
    ...images.flatMap((image): readonly ClashFact[] => [
      ...image.conflicts.map((constraint) => ({ kind: 'conflicts', image, constraint }) as const),
      ...image.requires.map((constraint) => ({ kind: 'requires', image, constraint }) as const),
    ]),
    ...ecus.map((ecu) => ({ kind: 'runs', ecu }) as const),
    ...goalsOf(release, ecus).filter(({ isAbsent }) => !isAbsent),
    ...images
      .filter(({ installsOver }) => installsOver !== 'any')
      .map((image) => ({ kind: 'installs-over', image }) as const),
  ];
}

function goalsOf(
  release: Release,
  ecus: readonly EcuConfiguration[],
): readonly Extract<ClashFact, { readonly kind: 'goal' }>[] {
  const own = new Set(ecus.map(({ hardwareIdentifier }) => hardwareIdentifier));
  return [...release.goal].map(([hardwareIdentifier, image]) => ({
    kind: 'goal',
    hardwareIdentifier,
    image,
    isAbsent: !own.has(hardwareIdentifier),
  }));
}
