/** Token buckets: how many requests each client may make. */
import type { Clock } from '@immota/base';
import { RATE_ENTRIES } from './limits.ts';

/** A rate: so many at once, so many a second in the long run. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

/** See the head of the file. A client that is forgotten for lack of room begins with a full bucket. */
export class RateLimiter {
  readonly #clock: Clock;
  readonly #rate: Rate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(clock: Clock, rate: Rate) {
    this.#clock = clock;
    this.#rate = rate;
  }

  /** Takes a token. @returns false when there is none. */
  take(client: string): boolean {
    const { burst, perSecond } = this.#rate;
    const nowMs = this.#clock.now().epochMilliseconds;
    const bucket = this.#buckets.get(client);
    if (bucket === undefined) {
      this.#buckets.set(client, { tokens: burst - 1, atMs: nowMs });
      if (this.#buckets.size > RATE_ENTRIES) {
        const { value } = this.#buckets.keys().next();
        if (value !== undefined) this.#buckets.delete(value);
      }
      return true;
    }
    // A clock that is set back adds nothing.
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.tokens = Math.min(burst, bucket.tokens + (elapsedMs * perSecond) / 1000);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return false;
    bucket.tokens -= 1;
    return true;
  }
}
