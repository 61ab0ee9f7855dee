/** Time that stands still until a test moves it, and chance that is real. */
import type { Surroundings } from '@immota/vehicle';
import { entropy } from './folder.ts';

/** When every test begins. */
export const NOW: Temporal.Instant = Temporal.Instant.from('2026-06-01T12:00:00Z');

/**
 * Waits shorter than this pass by themselves: pauses between attempts and between looks at an ECU.
 * Longer ones, such as the windows of guards, pass when a test says so.
 */
const SHORT_MS = 31_000;

interface Pending {
  readonly dueMs: number;
  readonly action: () => void;
}

/** Surroundings whose time a test moves. */
export interface TestSurroundings extends Surroundings {
  /** Moves clock and timer on, and calls what is due. */
  advance(milliseconds: number): void;
  /** Sets the machine's clock alone, as a flat battery or an attacker would. */
  setClock(instant: Temporal.Instant): void;
  /** How many long waits are under way. */
  pendingCount(): number;
}

/** Makes surroundings that begin at NOW. */
export function testSurroundings(): TestSurroundings {
  let elapsedMs = 0;
  let instant = NOW;
  const pending = new Set<Pending>();
  const pass = (milliseconds: number): void => {
    elapsedMs += milliseconds;
    instant = instant.add({ milliseconds: Math.round(milliseconds) });
  };
  return {
    entropy,
    clock: { now: () => instant },
    timer: {
      elapsedMs: () => elapsedMs,
      schedule: (delayMs, action) => {
        if (delayMs < SHORT_MS) {
          const immediate = setImmediate(() => {
            pass(delayMs);
            action();
          });
          return () => clearImmediate(immediate);
        }
        const entry = { dueMs: elapsedMs + delayMs, action };
        pending.add(entry);
        return () => pending.delete(entry);
      },
    },
    advance: (milliseconds) => {
      pass(milliseconds);
      for (const entry of pending) {
        if (entry.dueMs > elapsedMs) continue;
        pending.delete(entry);
        entry.action();
      }
    },
    setClock: (next) => {
      instant = next;
    },
    pendingCount: () => pending.size,
  };
}
