/** Lets so much through in a minute, evenly refilled. */
import type { Timer } from '../ports.ts';
import { HmiFault } from './hmi-fault.ts';

const MINUTE_MS = 60_000;

/** See the head of the file. */
export class RateLimiter {
  readonly #timer: Timer;
  readonly #perMinute: number;
  #left: number;
  #atMs: number;

  /** @param perMinute - and at once. */
  constructor(timer: Timer, perMinute: number) {
    this.#timer = timer;
    this.#perMinute = perMinute;
    this.#left = perMinute;
    this.#atMs = timer.elapsedMs();
  }

  /** Takes one. @throws HmiFault RATE when none is left. */
  take(): void {
    const nowMs = this.#timer.elapsedMs();
    const refill = ((nowMs - this.#atMs) / MINUTE_MS) * this.#perMinute;
    this.#left = Math.min(this.#perMinute, this.#left + refill);
    this.#atMs = nowMs;
    if (this.#left < 1) {
      throw new HmiFault('RATE', 'Cannot answer: too many requests, wait a minute');
    }
    this.#left -= 1;
  }
}
