/** A flash that takes its time: each write and erase lasts as long as its part's data sheet says. */
import { type Timer, wait } from '../ports.ts';
import { eraseTimeUs, type Flash, writeTimeUs } from './flash.ts';

/** Below this nobody waits at once: timers are coarser than a unit's programming time. */
const WAIT_LEAST_MS = 1;

/**
 * Slows a flash down to the speed of its part.
 *
 * @param speed - how much faster than the part; 1 when left out.
 */
export function paceFlash(flash: Flash, timer: Timer, speed = 1): Flash {
  const { geometry } = flash;
  let owedMs = 0;
  const spend = async (microseconds: number): Promise<void> => {
    owedMs += microseconds / 1000 / speed;
    if (owedMs < WAIT_LEAST_MS) return;
    const delayMs = owedMs;
    owedMs = 0;
    await wait(timer, delayMs);
  };
  return {
    geometry,
    read: async (offsetBytes, into) => flash.read(offsetBytes, into),
    write: async (offsetBytes, bytes) => {
      await flash.write(offsetBytes, bytes);
      await spend(writeTimeUs(geometry, bytes.length));
    },
    erase: async (sector) => {
      await flash.erase(sector);
      await spend(eraseTimeUs(geometry, sector));
    },
  };
}
