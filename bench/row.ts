/** One line of a benchmark: our figure beside its peer's or limit's, measured in the same run. */

/** What a ratio must be. */
export interface Aim {
  readonly atLeast?: number;
  readonly atMost?: number;
}

/** See the head of the file. */
export interface Row {
  /** Short and stable, such as `tuf-refresh-10000`. */
  readonly id: string;
  readonly what: string;
  readonly ours: number;
  readonly unit: string;
  /** Who or what it is held against. */
  readonly peer: string;
  readonly peers: number;
  /** As the aim counts it: peer by ours where less is better, ours by peer where more is. */
  readonly ratio: number;
  readonly aim: Aim;
  readonly note?: string;
}

/** A benchmark that could not run, and why. */
export interface NotRun {
  readonly id: string;
  readonly why: string;
}

/** What a benchmark gives. */
export interface BenchResult {
  readonly rows: readonly Row[];
  readonly notRun?: readonly NotRun[];
}

/** Tells whether a row meets its aim. */
export function meetsAim({ ratio, aim }: Row): boolean {
  return ratio >= (aim.atLeast ?? -Infinity) && ratio <= (aim.atMost ?? Infinity);
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const high = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? high : ((sorted[middle - 1] ?? Number.NaN) + high) / 2;
}
