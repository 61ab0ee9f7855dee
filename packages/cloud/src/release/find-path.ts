/**
 * The way of one vehicle to a release {uptane E7}: the fewest bundles, each of which leaves the
 * vehicle in a configuration that every image in it allows.
 *
 * A bundle may change any number of ECUs at once. ECUs that no constraint ties together do not
 * matter to each other, so each tied group is searched alone and their steps are laid side by side.
 * The search is A*: the longest remaining chain of a single ECU never says too much, since a bundle
 * moves all ECUs at once; so the first way found is a shortest one. It ends at a bound of its own.
 */
import type { HardwareIdentifier, InstallableName } from '@immota/uptane';
import type { Constraint, Release, ReleaseImage } from './release-document.ts';

/** Configurations looked at for one group; beyond it the answer is "not found". */
const CONFIGURATIONS_MAX = 20_000;
/** Combinations of choices tried for one group, allowed or not: about a second, once for a configuration. */
const COMBINATIONS_MAX = 20_000;

/** One ECU, as the search sees it. */
export interface EcuConfiguration {
  readonly ecu: string;
  readonly hardwareIdentifier: HardwareIdentifier;
  /** The name of the image it runs; `''` when that is none we know. */
  readonly image: string;
}

/** Images by ECU that are installed together. */
export type Bundle = ReadonlyMap<string, InstallableName>;

/** What the search found. */
export type PathResult =
  | {
      readonly kind: 'path';
      /** In order; empty when the vehicle runs the release already. */
      readonly bundles: readonly Bundle[];
    }
  | {
      readonly kind: 'none';
      /** No image chain leads to the goal, or every way breaks a constraint. */
      readonly reason: 'NO_PATH' | 'HARDWARE_UNKNOWN';
      /** ECUs that cannot get there. */
      readonly ecus: readonly string[];
      /** The search ended at its bound: there may be a way that was not found. */
      readonly isBounded?: true;
    };

/** How a search differs from the plain one. */
export interface SearchOptions {
  /** Hardware that may go anywhere and need not get anywhere: to find out which demands clash. */
  readonly free?: ReadonlySet<HardwareIdentifier> | undefined;
  /** Combinations that may still be tried, counted down; a plain search has its own. */
  readonly budget?: { combinations: number } | undefined;
}

/**
 * Finds the shortest safe way from what a vehicle runs to a release.
 *
 * @param ecus - all ECUs of the vehicle, those that the release does not name included.
 * @returns HARDWARE_UNKNOWN when the vehicle has none of the hardware that the release is for.
 */
export function findPath(
  release: Release,
  ecus: readonly EcuConfiguration[],
  { free = new Set(), budget }: SearchOptions = {},
): PathResult {
  const moving = ecus.filter(({ hardwareIdentifier }) => release.goal.has(hardwareIdentifier));
  if (moving.length === 0) {
    return { kind: 'none', reason: 'HARDWARE_UNKNOWN', ecus: ecus.map(({ ecu }) => ecu) };
  }
  const graph = new ImageGraph(release, free);
  const stuck = moving.filter(
    (ecu) => graph.distance(ecu.hardwareIdentifier, ecu.image) === undefined,
  );
  if (stuck.length > 0) {
    return { kind: 'none', reason: 'NO_PATH', ecus: stuck.map(({ ecu }) => ecu) };
  }
  const ways: (readonly Bundle[])[] = [];
  for (const group of tiedGroups(release, ecus)) {
    const way = searchGroup({
      graph,
      group,
      budget: budget ?? { combinations: COMBINATIONS_MAX },
    });
    if (way === undefined || way === 'bounded') {
      const none = { kind: 'none', reason: 'NO_PATH', ecus: group.map(({ ecu }) => ecu) } as const;
      return way === undefined ? none : { ...none, isBounded: true };
    }
    ways.push(way);
  }
  return { kind: 'path', bundles: layTogether(ways) };
}

/** Images and the edges between them, with the remaining bundles to the goal for each. */
class ImageGraph {
  readonly #images = new Map<HardwareIdentifier, readonly ReleaseImage[]>();
  readonly #distances = new Map<HardwareIdentifier, ReadonlyMap<string, number>>();
  readonly #release: Release;
  readonly #free: ReadonlySet<HardwareIdentifier>;

  constructor(release: Release, free: ReadonlySet<HardwareIdentifier>) {
    this.#release = release;
    this.#free = free;
    const byHardware = Map.groupBy(release.images, (image) => image.hardwareIdentifier);
    for (const [hardware, images] of byHardware) this.#images.set(hardware, images);
  }

  find(hardware: HardwareIdentifier, name: string): ReleaseImage | undefined {
    return this.#images.get(hardware)?.find((image) => image.name === name);
  }

  isGoal(hardware: HardwareIdentifier, image: string): boolean {
    return (this.#release.goal.get(hardware) ?? image) === image;
  }

  /** The images that may follow `from`, nearest to the goal first, among those that lead there. */
  successors(hardware: HardwareIdentifier, from: string): readonly ReleaseImage[] {
    const goal = this.#release.goal.get(hardware);
    if (this.#free.has(hardware)) {
      const all = this.#images.get(hardware) ?? [];
      return all.filter((image) => image.name !== from && replaces(image, from));
    }
    if (goal === undefined || goal === from) return [];
    return (this.#images.get(hardware) ?? [])
      .filter((image) => image.name !== from && replaces(image, from))
      .filter((image) => this.distance(hardware, image.name) !== undefined)
      .toSorted((a, b) => this.#rank(hardware, a) - this.#rank(hardware, b));
  }

  #rank(hardware: HardwareIdentifier, image: ReleaseImage): number {
    return this.distance(hardware, image.name) ?? Number.MAX_SAFE_INTEGER;
  }

  /** Bundles that a single ECU needs at least; undefined when no chain leads to the goal. */
  distance(hardware: HardwareIdentifier, image: string): number | undefined {
    if (this.isGoal(hardware, image)) return 0;
    const distances = this.#distancesOf(hardware);
    const known = distances.get(image);
    if (known !== undefined) return known;
    // An image that the release does not list: only what installs over it, or over anything, helps.
    const nexts = (this.#images.get(hardware) ?? []).filter((next) => replaces(next, image));
    const nearest = Math.min(...nexts.map((next) => distances.get(next.name) ?? Infinity));
    return Number.isFinite(nearest) ? nearest + 1 : undefined;
  }

  /** Breadth first, backwards from the goal. */
  #distancesOf(hardware: HardwareIdentifier): ReadonlyMap<string, number> {
    const known = this.#distances.get(hardware);
    if (known !== undefined) return known;
    const images = this.#images.get(hardware) ?? [];
    const distances = new Map<string, number>();
    this.#distances.set(hardware, distances);
    let frontier = images.filter((image) => image.name === this.#release.goal.get(hardware));
    for (const image of frontier) distances.set(image.name, 0);
    for (let distance = 1; frontier.length > 0; distance += 1) {
      const before = images.filter(
        (image) =>
          !distances.has(image.name) && frontier.some((next) => replaces(next, image.name)),
      );
      for (const image of before) distances.set(image.name, distance);
      frontier = before;
    }
    return distances;
  }
}

function replaces(image: ReleaseImage, from: string): boolean {
  return image.installsOver === 'any' || image.installsOver.has(from);
}

/** Groups ECUs that constraints tie together, directly or through others. */
function tiedGroups(
  release: Release,
  ecus: readonly EcuConfiguration[],
): readonly (readonly EcuConfiguration[])[] {
  const parent = new Map<string, string>();
  const find = (hardware: string): string => {
    let root = hardware;
    for (let up = parent.get(root); up !== undefined; up = parent.get(root)) root = up;
    return root;
  };
  for (const image of release.images) {
    for (const { hardwareIdentifier } of [...image.requires, ...image.conflicts]) {
      const left = find(image.hardwareIdentifier);
      const right = find(hardwareIdentifier);
      if (left !== right) parent.set(left, right);
    }
  }
  const tied = new Set<string>(
    release.images.flatMap((image) => [
      ...(image.requires.length + image.conflicts.length > 0 ? [image.hardwareIdentifier] : []),
      ...[...image.requires, ...image.conflicts].map((other) => other.hardwareIdentifier),
    ]),
  );
  // Hardware without constraints: each ECU is a group of its own.
  const groups = Map.groupBy(ecus, ({ ecu, hardwareIdentifier }) =>
    tied.has(hardwareIdentifier) ? `hardware ${find(hardwareIdentifier)}` : `ecu ${ecu}`,
  );
  return [...groups.values()].filter((group) =>
    group.some(({ hardwareIdentifier }) => release.goal.has(hardwareIdentifier)),
  );
}

interface Search {
  readonly graph: ImageGraph;
  readonly group: readonly EcuConfiguration[];
  /** Shared by the whole search. */
  readonly budget: { combinations: number };
}

interface Node {
  readonly images: readonly string[];
  readonly steps: number;
  readonly before: Node | undefined;
}

function searchGroup(search: Search): readonly Bundle[] | 'bounded' | undefined {
  const { graph, group, budget } = search;
  const start: Node = { images: group.map(({ image }) => image), steps: 0, before: undefined };
  const fewest = new Map<string, number>([[start.images.join('\n'), 0]]);
  // Buckets by estimated length: estimates are small whole numbers.
  const buckets: Node[][] = [];
  const push = (node: Node): void => {
    const estimate = node.steps + remaining(graph, group, node.images);
    (buckets[estimate] ??= []).push(node);
  };
  push(start);
  for (let estimate = 0; estimate < buckets.length; estimate += 1) {
    const bucket = buckets[estimate] ?? [];
    for (let node = bucket.pop(); node !== undefined; node = bucket.pop()) {
      if (remaining(graph, group, node.images) === 0) return bundlesOf(group, node);
      for (const images of nextConfigurations(search, node.images)) {
        const key = images.join('\n');
        const steps = node.steps + 1;
        if ((fewest.get(key) ?? Infinity) <= steps) continue;
        if (fewest.size >= CONFIGURATIONS_MAX) return 'bounded';
        fewest.set(key, steps);
        push({ images, steps, before: node });
      }
    }
  }
  return budget.combinations > 0 ? undefined : 'bounded';
}

/** The longest chain that a single ECU still has before it. */
function remaining(
  graph: ImageGraph,
  group: readonly EcuConfiguration[],
  images: readonly string[],
): number {
  let longest = 0;
  for (const [index, { hardwareIdentifier }] of group.entries()) {
    const distance = graph.distance(hardwareIdentifier, images[index] ?? '');
    longest = Math.max(longest, distance ?? CONFIGURATIONS_MAX);
  }
  return longest;
}

/** Every allowed configuration one bundle away, those that move most ECUs first. */
function* nextConfigurations(
  search: Search,
  images: readonly string[],
): Generator<readonly string[]> {
  const { graph, group, budget } = search;
  const choices = group.map(({ hardwareIdentifier }, index) => {
    const current = images[index] ?? '';
    const nexts = graph.successors(hardwareIdentifier, current).map((image) => image.name);
    return [...nexts, current];
  });
  // An odometer over the choices: no recursion over what a release says.
  const at = choices.map(() => 0);
  for (; budget.combinations > 0; budget.combinations -= 1) {
    const next = choices.map((choice, index) => choice[at[index] ?? 0] ?? '');
    const moved = next.some((image, index) => image !== images[index]);
    if (moved && isAllowed(search, images, next)) yield next;
    let wheel = 0;
    while (wheel < at.length) {
      at[wheel] = (at[wheel] ?? 0) + 1;
      if ((at[wheel] ?? 0) < (choices[wheel]?.length ?? 0)) break;
      at[wheel] = 0;
      wheel += 1;
    }
    if (wheel === at.length) return;
  }
}

/**
 * Whether the constraints hold between what a bundle changes and all else. Where nothing changes nothing is
 * asked: what did not fit together before is not this bundle's doing, and must not bar the way to others.
 */
function isAllowed(
  { graph, group }: Search,
  from: readonly string[],
  images: readonly string[],
): boolean {
  const moved = new Set(
    group.flatMap(({ hardwareIdentifier }, index) =>
      images[index] === from[index] ? [] : [hardwareIdentifier],
    ),
  );
  return group.every(({ hardwareIdentifier }, index) => {
    const image = graph.find(hardwareIdentifier, images[index] ?? '');
    if (image === undefined) return true;
    const isMoved = images[index] !== from[index];
    const isAsked = (other: Constraint): boolean => isMoved || moved.has(other.hardwareIdentifier);
    const runs = (other: HardwareIdentifier): readonly string[] =>
      images.filter((_, at) => group[at]?.hardwareIdentifier === other);
    return (
      image.requires.every(
        (need) =>
          !isAsked(need) || runs(need.hardwareIdentifier).every((name) => need.images.has(name)),
      ) &&
      image.conflicts.every(
        (clash) =>
          !isAsked(clash) || !runs(clash.hardwareIdentifier).some((name) => clash.images.has(name)),
      )
    );
  });
}

function bundlesOf(group: readonly EcuConfiguration[], last: Node): readonly Bundle[] {
  const bundles: Bundle[] = [];
  for (let node = last; node.before !== undefined; node = node.before) {
    const bundle = new Map<string, InstallableName>();
    for (const [index, { ecu }] of group.entries()) {
      const image = node.images[index];
      if (image !== undefined && image !== node.before.images[index]) {
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only names of the release's images are moved to
        bundle.set(ecu, image as InstallableName);
      }
    }
    bundles.push(bundle);
  }
  return bundles.toReversed();
}

/** The first steps of all groups together, then the second ones, and so on. */
function layTogether(ways: readonly (readonly Bundle[])[]): readonly Bundle[] {
  const length = Math.max(0, ...ways.map((way) => way.length));
  return Array.from({ length }, (_, step) => {
    const bundle = new Map<string, InstallableName>();
    for (const way of ways) {
      for (const [ecu, name] of way[step] ?? []) bundle.set(ecu, name);
    }
    return bundle;
  });
}
