/** ECUReset {14229-1:2020 10.3}. */
import { makeCall, type UdsCall } from '../call.ts';
import { SERVICES } from '../service-id.ts';

/** Ways to reset, by the sub-function. */
export const RESETS = {
  hard: 1,
  keyOffOn: 2,
  soft: 3,
  enableRapidPowerShutDown: 4,
  disableRapidPowerShutDown: 5,
} as const;

/** One of them. */
export type UdsReset = keyof typeof RESETS;

/**
 * Resets the ECU.
 *
 * @returns seconds until the power is down, for a rapid shut-down alone.
 */
export function resetEcu(reset: UdsReset): UdsCall<number | undefined> {
  const request = Uint8Array.of(SERVICES.ecuReset, RESETS[reset]);
  return makeCall([request], 1, (reader) =>
    reset === 'enableRapidPowerShutDown' ? reader.uint(1) : undefined,
  );
}

/** Finds the way to reset of a sub-function. */
export function findReset(subFunction: number): UdsReset | undefined {
  for (const reset of ['hard', 'keyOffOn', 'soft'] as const) {
    if (RESETS[reset] === subFunction) return reset;
  }
  if (subFunction === RESETS.enableRapidPowerShutDown) return 'enableRapidPowerShutDown';
  return subFunction === RESETS.disableRapidPowerShutDown ? 'disableRapidPowerShutDown' : undefined;
}
