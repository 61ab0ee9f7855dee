/** Watches conditions all through a step, and says so when one ceases to hold. */
import type { Timer } from '../ports.ts';
import { type Condition, findUnmetConditions, type UnmetCondition } from './condition.ts';
import { WATCH_INTERVAL_MS, WATCH_PAUSE_MS } from './limits.ts';
import type { VehicleSignals } from './vehicle-signals.ts';

/** What is watched, and whom it concerns. */
export interface WatchOptions {
  readonly conditions: readonly Condition[];
  readonly signals: VehicleSignals;
  readonly timer: Timer;
  /** Called once, with all that is not met; watching has ended then. */
  readonly onCeased: (unmet: readonly UnmetCondition[]) => void;
  /** For how long a condition may fail: the voltage dips when a relay closes. Otherwise not at all. */
  readonly graceMs?: number | undefined;
}

/**
 * Watches from now on: at each change of a signal, and often enough to notice when a signal falls silent.
 *
 * @returns what ends it.
 */
export function watchConditions(options: WatchOptions): () => void {
  const watch = new Watch(options);
  watch.look();
  return () => watch.stop();
}

class Watch {
  readonly #options: WatchOptions;
  readonly #unlisten: (() => void) | undefined;
  #cancel: (() => void) | undefined;
  #lookedAtMs = -Infinity;
  #failingSinceMs: number | undefined;
  #isOver = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#unlisten = options.signals.listen?.(() => {
      if (options.timer.elapsedMs() - this.#lookedAtMs >= WATCH_PAUSE_MS) this.look();
    });
  }

  look(): void {
    if (this.#isOver) return;
    const { conditions, signals, timer, onCeased, graceMs = 0 } = this.#options;
    const atMs = timer.elapsedMs();
    this.#lookedAtMs = atMs;
    const unmet = findUnmetConditions(conditions, signals, atMs);
    if (unmet.length === 0) this.#failingSinceMs = undefined;
    else this.#failingSinceMs ??= atMs;
    if (this.#failingSinceMs !== undefined && atMs - this.#failingSinceMs >= graceMs) {
      this.stop();
      onCeased(unmet);
      return;
    }
    this.#cancel?.();
    this.#cancel = timer.schedule(WATCH_INTERVAL_MS, () => this.look());
  }

  stop(): void {
    this.#isOver = true;
    this.#cancel?.();
    this.#unlisten?.();
  }
}
