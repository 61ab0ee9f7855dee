/** Watches how fast bytes come {uptane I9}: whoever feeds them drop by drop blocks an update. */
import type { Timer } from '../ports.ts';
import { VehicleFault } from '../vehicle-fault.ts';

/** The slowest that is no attack. */
export interface RateFloor {
  readonly bytesPerSecond: number;
  /** Averaged over this. */
  readonly windowMs: number;
}

/** A watch under way. */
export interface RateGuard {
  /** Counts bytes that came. */
  add(lengthBytes: number): void;
  stop(): void;
}

/**
 * Watches one download, the wait for its first byte included.
 *
 * @param refuse - called once, with VehicleFault SLOW_RETRIEVAL, when a window brought too little.
 */
export function guardRate(
  timer: Timer,
  floor: RateFloor,
  refuse: (fault: VehicleFault) => void,
): RateGuard {
  let receivedBytes = 0;
  let cancel: (() => void) | undefined;
  const watch = (): void => {
    receivedBytes = 0;
    cancel = timer.schedule(floor.windowMs, () => {
      const least = (floor.bytesPerSecond * floor.windowMs) / 1000;
      if (receivedBytes >= least) return watch();
      const rate = Math.floor((receivedBytes * 1000) / floor.windowMs);
      refuse(new VehicleFault('SLOW_RETRIEVAL', `Cannot download: only ${rate} bytes a second`));
    });
  };
  watch();
  return {
    add: (lengthBytes) => {
      receivedBytes += lengthBytes;
    },
    stop: () => cancel?.(),
  };
}
