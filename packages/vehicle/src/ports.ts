/**
 * Where the vehicle touches the world besides its own disk and network: time and chance. A
 * simulation hands in its own; nothing here is ever faked from within.
 */
import type { Clock, Entropy } from '@immota/base';

/** Waiting, and time that never goes back. Only a composition root or a test makes one. */
export interface Timer {
  /** Milliseconds that only grow; where they begin means nothing. */
  elapsedMs(): number;
  /**
   * Calls `action` once, not before `delayMs` have passed.
   *
   * @returns what calls it off.
   */
  schedule(delayMs: number, action: () => void): () => void;
}

/** Time and chance together, as most parts need them. */
export interface Surroundings {
  readonly clock: Clock;
  readonly timer: Timer;
  readonly entropy: Entropy;
}

/**
 * Waits.
 *
 * @param signal - ends the wait early; the promise still fulfils.
 */
export async function wait(timer: Timer, delayMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted === true) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = timer.schedule(delayMs, resolve);
  signal?.addEventListener('abort', () => resolve(), { once: true });
  await promise;
  cancel();
}

/** Draws a number from 0 up to, not including, 1. */
export function drawFraction(entropy: Entropy): number {
  const bytes = entropy.bytes(4);
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0) / 2 ** 32;
}
