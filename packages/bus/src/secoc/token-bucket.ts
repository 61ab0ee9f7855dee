/** How often something may happen: bursts up to a number, then one each so many milliseconds. */

/** What a bucket holds. */
export interface TokenBucketOptions {
  /** At once; at least 1. */
  readonly capacity: number;
  /** Until one more; above 0. */
  readonly refillMs: number;
}

/** See the head of the file. Its time is handed in, and is never taken to go back. */
export class TokenBucket {
  readonly #options: TokenBucketOptions;
  #tokens: number;
  #filledAtMs: number | undefined;

  /** A bucket begins full. */
  constructor(options: TokenBucketOptions) {
    this.#options = options;
    this.#tokens = options.capacity;
  }

  /** Tells whether one could be taken now. */
  has(atMs: number): boolean {
    const { capacity, refillMs } = this.#options;
    const filledAtMs = this.#filledAtMs ?? atMs;
    if (atMs > filledAtMs) {
      this.#tokens = Math.min(capacity, this.#tokens + (atMs - filledAtMs) / refillMs);
    }
    this.#filledAtMs = Math.max(atMs, filledAtMs);
    return this.#tokens >= 1;
  }

  /** Takes one if there is one, and tells. */
  take(atMs: number): boolean {
    if (!this.has(atMs)) return false;
    this.#tokens -= 1;
    return true;
  }
}
