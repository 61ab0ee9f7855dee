/** A clock that stands until it is moved, and chance that repeats. */
import { createHash } from 'node:crypto';
import type { Clock, Entropy } from '@immota/base';
import type { Timer } from '@immota/store';

/** A clock that a test moves. */
export interface TestClock extends Clock {
  /** Moves it forward. */
  advance(duration: Temporal.DurationLike): void;
}

/** Makes a clock that stands at an instant. */
export function standingClock(start = '2026-11-22T10:00:00Z'): TestClock {
  let now = Temporal.Instant.from(start);
  return {
    now: () => now,
    advance(duration) {
      now = now.add(duration);
    },
  };
}

/** A timer whose instants come when a test says so. */
export interface ManualTimer extends Timer {
  /** Calls everything that waits at this moment. */
  fire(): void;
}

/** Makes a timer that waits for the test. */
export function manualTimer(): ManualTimer {
  const waiting = new Set<() => void>();
  return {
    schedule(_, action) {
      waiting.add(action);
      return { cancel: () => waiting.delete(action) };
    },
    fire() {
      const due = [...waiting];
      waiting.clear();
      for (const action of due) action();
    },
  };
}

/** Makes chance that is the same in each run. */
export function repeatingEntropy(seed: string): Entropy {
  let count = 0;
  return {
    bytes(lengthBytes) {
      const bytes = new Uint8Array(lengthBytes);
      for (let offset = 0; offset < lengthBytes; offset += 32) {
        count += 1;
        const block = createHash('sha256').update(`${seed}:${count}`).digest();
        bytes.set(block.subarray(0, lengthBytes - offset), offset);
      }
      return bytes;
    },
  };
}
