/**
 * One clock for all: time stands still while anybody computes, and jumps to the next event when
 * everybody waits. Events are called one at a time, in the order of their instants, so that the same
 * seed gives the same story however busy the machine is.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { Timer as StoreTimer } from '@immota/store';
import type { Timer } from '@immota/vehicle';

/** When every run begins. */
export const BEGINNING: Temporal.Instant = Temporal.Instant.from('2026-06-01T06:00:00Z');

/** Turns of the event loop without any work before everybody counts as waiting. */
const QUIET_TURNS = 4;

/** A vehicle's timers from this length on are guards beside its work; shorter ones are what it waits for. */
const GUARD_MS = 60_000;
/** No computation takes so long, on the busiest machine. */
const STUCK_MS = 120_000;

/** One activity of a vehicle: it computes whenever it waits for no event. */
interface Activity {
  waits: number;
}

interface Event {
  readonly atMs: number;
  readonly sequence: number;
  readonly action: () => void;
  isCancelled: boolean;
}

/** Thrown when a run's events are over before its end, or real work never ends. */
export class TimeStopped extends Error {
  override readonly name = 'TimeStopped';
}

/** See the head of the file. */
export class SimulatedTime {
  readonly #events: Event[] = [];
  #sequence = 0;
  #nowMs = 0;
  #busy = 0;
  readonly #activities = new Set<Activity>();
  readonly #current = new AsyncLocalStorage<Activity>();
  readonly #watched = new Set<() => boolean>();
  #whenIdle: (() => void) | undefined;

  /** Milliseconds since the run began. */
  get nowMs(): number {
    return this.#nowMs;
  }

  /** The present instant. */
  now(): Temporal.Instant {
    return BEGINNING.add({ milliseconds: Math.round(this.#nowMs) });
  }

  /** Calls an action later. @returns what calls it off. */
  schedule(delayMs: number, action: () => void): () => void {
    this.#sequence += 1;
    const event: Event = {
      atMs: this.#nowMs + Math.max(0, delayMs),
      sequence: this.#sequence,
      action,
      isCancelled: false,
    };
    // Few events wait at a time: a sorted list is good enough, and plain.
    let index = this.#events.length;
    while (index > 0 && isAfter(this.#events[index - 1], event)) index -= 1;
    this.#events.splice(index, 0, event);
    return () => {
      event.isCancelled = true;
    };
  }

  /** Waits in simulated time. @throws the signal's reason when that ends it. */
  async wait(delayMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const goOn = this.#pause();
    const cancel = this.schedule(delayMs, () => {
      goOn();
      resolve();
    });
    const abort = (): void => {
      goOn();
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await promise;
    } finally {
      cancel();
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Holds the clock while real work, such as a query, is under way. */
  async during<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#busy += 1;
    try {
      return await work();
    } finally {
      this.#busy -= 1;
      if (this.#busy === 0) this.#whenIdle?.();
    }
  }

  /**
   * Runs an activity: the clock stands while it is not done and waits for nothing. Activities must not
   * wait for each other.
   */
  async act<Result>(work: () => Promise<Result>): Promise<Result> {
    const activity: Activity = { waits: 0 };
    this.#activities.add(activity);
    try {
      return await this.#current.run(activity, work);
    } finally {
      this.#activities.delete(activity);
    }
  }

  /** Holds the clock whenever something says that it is busy. @returns what ends that. */
  watch(isBusy: () => boolean): () => void {
    this.#watched.add(isBusy);
    return () => this.#watched.delete(isBusy);
  }

  /**
   * Lets time pass until something is so.
   *
   * @param limitMs - how far the clock may go.
   * @returns whether it became so.
   */
  async runUntil(isSo: () => boolean, limitMs: number): Promise<boolean> {
    for (;;) {
      await this.#settle();
      if (isSo()) return true;
      const next = this.#events.shift();
      if (next === undefined) throw new TimeStopped('nothing will ever happen any more');
      if (next.isCancelled) continue;
      if (next.atMs > limitMs) {
        this.#events.unshift(next);
        this.#nowMs = limitMs;
        return false;
      }
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.action();
    }
  }

  /** The timer of a vehicle; its waits end with its power. */
  timerFor(isOn: () => boolean): Timer {
    return {
      elapsedMs: () => this.#nowMs,
      schedule: (delayMs, action) => {
        const goOn = delayMs < GUARD_MS ? this.#pause() : nothing;
        const cancel = this.schedule(delayMs, () => {
          goOn();
          if (isOn()) action();
        });
        return () => {
          goOn();
          cancel();
        };
      },
    };
  }

  /** The timer of the cloud's own work: the clock stands while it runs. */
  storeTimer(isOn: () => boolean): StoreTimer {
    return {
      schedule: (delayMs, action) => {
        const cancel = this.schedule(delayMs, () => {
          if (isOn()) action();
        });
        return { cancel };
      },
    };
  }

  /** Notes that the activity under way waits. @returns what says that it goes on. */
  #pause(): () => void {
    const activity = this.#current.getStore();
    if (activity === undefined) return nothing;
    let isWaiting = true;
    activity.waits += 1;
    return () => {
      if (isWaiting) activity.waits -= 1;
      isWaiting = false;
    };
  }

  #isBusy(): boolean {
    return (
      this.#busy > 0 ||
      [...this.#activities].some(({ waits }) => waits === 0) ||
      [...this.#watched].some((isBusy) => isBusy()) ||
      isReadingOrWriting()
    );
  }

  /** Waits until nobody computes: no work that holds the clock, no file operation, nothing queued. */
  async #settle(): Promise<void> {
    const stuckAt = performance.now() + STUCK_MS;
    for (let quiet = 0; quiet < QUIET_TURNS;) {
      if (performance.now() > stuckAt) throw new TimeStopped('somebody computes for ever');
      if (this.#busy > 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        this.#whenIdle = resolve;
        await promise;
        this.#whenIdle = undefined;
        quiet = 0;
      }
      await nextTurn();
      quiet = this.#isBusy() ? 0 : quiet + 1;
    }
  }
}

function isAfter(earlier: Event | undefined, event: Event): boolean {
  return earlier !== undefined && earlier.atMs > event.atMs;
}

async function nextTurn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  await promise;
}

function nothing(): void {
  // There is nobody to tell.
}

/** Whether this process waits for its disk or for a computation beside its main thread. */
function isReadingOrWriting(): boolean {
  return process.getActiveResourcesInfo().some((name) => /^FSReq|Request$|Job$/.test(name));
}
