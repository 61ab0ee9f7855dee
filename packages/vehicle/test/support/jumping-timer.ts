/** Time that jumps from one event to the next, as soon as everybody waits. */
import type { Timer } from '@immota/vehicle';

/** See the head of the file. */
export interface JumpingTimer extends Timer {
  /** Lets time pass until the promise is settled. @throws what it was rejected with. */
  until<Result>(promise: Promise<Result>): Promise<Result>;
  /** Lets so much time pass. */
  pass(spanMs: number): Promise<void>;
}

interface Entry {
  readonly atMs: number;
  readonly action: () => void;
}

/** Begins at 0. */
export function jumpingTimer(): JumpingTimer {
  let nowMs = 0;
  const entries: Entry[] = [];
  const step = async (limitMs: number): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    setImmediate(resolve);
    await promise;
    const next = entries[0];
    if (next === undefined || next.atMs > limitMs) return false;
    entries.shift();
    nowMs = next.atMs;
    next.action();
    return true;
  };
  return {
    elapsedMs: () => nowMs,
    schedule: (delayMs, action) => {
      const entry = { atMs: nowMs + delayMs, action };
      const index = entries.findIndex(({ atMs }) => atMs > entry.atMs);
      entries.splice(index < 0 ? entries.length : index, 0, entry);
      return () => {
        const found = entries.indexOf(entry);
        if (found >= 0) entries.splice(found, 1);
      };
    },
    until: async (promise) => {
      const settled = Promise.allSettled([promise]).then(() => true);
      while (!(await Promise.race([settled, step(Number.POSITIVE_INFINITY).then(() => false)])));
      return promise;
    },
    pass: async (spanMs) => {
      const endMs = nowMs + spanMs;
      while (await step(endMs));
      nowMs = endMs;
    },
  };
}
