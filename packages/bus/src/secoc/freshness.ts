/** What keeps a secured message from being played again: ports between messages and their counters. */

/** One freshness value. */
export interface Freshness {
  /** All of it, as it is authenticated. */
  readonly full: Uint8Array;
  /** The bits of it that travel. */
  readonly truncated: number;
}

/** Gives a sender a value that was never used. */
export interface SendingFreshness {
  /** @throws SecocFault NOT_SYNCHRONISED, FRESHNESS_EXHAUSTED. */
  next(dataId: number): Freshness;
}

/** Rebuilds for a receiver what did not travel. */
export interface ReceivingFreshness {
  /**
   * Lists values that the sender may mean, the nearest first: all of them are above the last one that
   * was accepted.
   *
   * @param countMax - more are not listed.
   * @throws SecocFault NOT_SYNCHRONISED.
   */
  candidates(dataId: number, truncated: number, countMax: number): readonly Freshness[];
  /** Finds the last value with these bits that is used up: a message that has it is a replay. */
  findPast(dataId: number, truncated: number): Freshness | undefined;
  /** Uses a value up; the message was authentic. */
  accept(dataId: number, truncated: number, full: Uint8Array): void;
}

/**
 * Where counters outlive the power. A port: `save` returns when the value is durable, and throws
 * otherwise; then nothing is sent or accepted.
 */
export interface FreshnessStore {
  /** The last value under this name; undefined when there never was one. */
  load(name: string): bigint | undefined;
  save(name: string, value: bigint): void;
}

/** Freshness of a profile without one: nothing is added, and replays are not told apart. */
export const NO_FRESHNESS: SendingFreshness & ReceivingFreshness = {
  next: () => EMPTY,
  candidates: () => [EMPTY],
  findPast: () => undefined,
  accept: () => {
    // Nothing is used up.
  },
};

const EMPTY: Freshness = { full: new Uint8Array(), truncated: 0 };
