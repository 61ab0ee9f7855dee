/** The real world: what a vehicle's process runs on unless a simulation gives it another. */
import { randomBytes } from 'node:crypto';
import type { Surroundings } from './ports.ts';

/** Makes the machine's own clock, timer and chance. */
export function systemSurroundings(): Surroundings {
  return {
    clock: { now: () => Temporal.Now.instant() },
    entropy: { bytes: (lengthBytes) => new Uint8Array(randomBytes(lengthBytes)) },
    timer: {
      elapsedMs: () => performance.now(),
      schedule: (delayMs, action) => {
        // Node's timers hold 31 bits; a longer wait would fire at once.
        const timeout = setTimeout(action, Math.min(delayMs, 0x7fff_ffff));
        return () => clearTimeout(timeout);
      },
    },
  };
}
