/** Time that a test moves. Pauses of up to a second pass by themselves, so that nobody has to wait. */
import type { Surroundings } from '@immota/vehicle';
import { entropy } from './folder.ts';

const SHORT_MS = 1000;

/** Surroundings with such a timer. */
export interface ManualSurroundings extends Surroundings {
  /** Moves the timer on, and calls what is due. */
  advance(milliseconds: number): void;
}

/** Makes them; the clock is not used by Secondaries. */
export function manualSurroundings(): ManualSurroundings {
  let elapsedMs = 0;
  const pending = new Set<{ readonly dueMs: number; readonly action: () => void }>();
  return {
    entropy,
    clock: { now: () => Temporal.Instant.from('2026-11-22T09:00:00Z') },
    timer: {
      elapsedMs: () => elapsedMs,
      schedule: (delayMs, action) => {
        if (delayMs <= SHORT_MS) {
          const immediate = setImmediate(action);
          return () => clearImmediate(immediate);
        }
        const entry = { dueMs: elapsedMs + delayMs, action };
        pending.add(entry);
        return () => pending.delete(entry);
      },
    },
    advance: (milliseconds) => {
      elapsedMs += milliseconds;
      for (const entry of pending) {
        if (entry.dueMs > elapsedMs) continue;
        pending.delete(entry);
        entry.action();
      }
    },
  };
}
