/** Calls a machine when its deadline is there, without a new timer for each message. */
import type { Timer } from '../ports.ts';

/** See the head of the file. */
export class Alarm {
  readonly #timer: Timer;
  readonly #findDeadlineMs: () => number | undefined;
  readonly #ring: () => void;
  #setForMs = Infinity;
  #cancel: (() => void) | undefined;

  constructor(timer: Timer, findDeadlineMs: () => number | undefined, ring: () => void) {
    this.#timer = timer;
    this.#findDeadlineMs = findDeadlineMs;
    this.#ring = ring;
  }

  /** Looks at the deadline again. One that moved away is left to ring too early, and then moves. */
  update(): void {
    const deadlineMs = this.#findDeadlineMs();
    if (deadlineMs === undefined || deadlineMs >= this.#setForMs) return;
    this.#cancel?.();
    this.#setForMs = deadlineMs;
    const delayMs = Math.max(0, deadlineMs - this.#timer.elapsedMs());
    this.#cancel = this.#timer.schedule(delayMs, () => {
      this.#setForMs = Infinity;
      this.#cancel = undefined;
      this.#ring();
      this.update();
    });
  }

  /** Never rings again, unless it is updated. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#setForMs = Infinity;
  }
}
