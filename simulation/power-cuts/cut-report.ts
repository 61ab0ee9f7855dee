/** What cutting the power everywhere came to, for one kind of ECU or for whole vehicles. */

/**
 * `bricked`: it does not start, runs nothing although it could, or never gets to the end of the update.
 * `unverified`: it runs bytes that nobody has verified, or an older release than it may. `mixed`: an ECU
 * went back behind what it had acknowledged, or a vehicle ended with software that does not fit together.
 */
export type CutFailureKind = 'bricked' | 'unverified' | 'mixed';

/** See the head of the file. */
export interface CutFailure {
  readonly kind: CutFailureKind;
  /** Which one, so that `--case` repeats it. */
  readonly id: string;
  readonly detail: string;
}

/** What came of one class. */
export interface CutReport {
  /** Distinct cuts: each another operation, another way of tearing it, or another second cut. */
  readonly cuts: number;
  readonly failures: readonly CutFailure[];
  /** What else happened and how often: a name and a number each. */
  readonly counts: ReadonlyMap<string, number>;
}

/** How to run a class. */
export interface CutOptions {
  /** Of all noise and chance. */
  readonly seed: number;
  /** A part that fits into a gate. */
  readonly isBounded: boolean;
  /** One case alone. */
  readonly only?: string | undefined;
  /** A bug that is planted, to see that it is found; see `planted.ts`. */
  readonly plant?: string | undefined;
  /** Hears what happens in the case that runs alone. */
  readonly tell?: ((line: string) => void) | undefined;
}

/** Something whose power is cut everywhere. */
export interface CutClass {
  readonly name: string;
  readonly run: (options: CutOptions) => Promise<CutReport>;
}

/** After so many cases that failed, a class is not looked at further: a bug shows in all of them. */
const FAILURES_ENOUGH = 12;

/** Gathers a report. */
export class CutTally {
  readonly #failures: CutFailure[] = [];
  readonly #counts = new Map<string, number>();
  #cuts = 0;

  /** Whether it is known by now that something is wrong. */
  get isHopeless(): boolean {
    return this.#failures.length >= FAILURES_ENOUGH;
  }

  /** Counts a cut, and what came of it. */
  add(failures: readonly CutFailure[]): void {
    this.#cuts += 1;
    this.#failures.push(...failures);
  }

  /** Counts something else. */
  count(name: string, count = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  /** All of it. */
  report(): CutReport {
    return { cuts: this.#cuts, failures: this.#failures, counts: this.#counts };
  }
}
