/** SecurityAccess {14229-1:2020 10.4}. */
import { makeCall, type UdsCall } from '../call.ts';
import { SERVICES } from '../service-id.ts';
import { UdsFault } from '../uds-fault.ts';

/** The highest level: both of its sub-functions are below the reserved ones. */
const LEVEL_MAX = 0x41;

/**
 * Asks for a seed.
 *
 * @param level - odd, 1 to 0x41.
 * @returns the seed; all zeros when the level is unlocked already.
 * @throws UdsFault VALUE_RANGE.
 */
export function requestSeed(level: number, record = new Uint8Array()): UdsCall<Uint8Array> {
  const head = Uint8Array.of(SERVICES.securityAccess, checkLevel(level));
  return makeCall([head, record], 1, (reader) => reader.rest());
}

/** Sends the key to a seed. @throws UdsFault VALUE_RANGE. */
export function sendKey(level: number, key: Uint8Array): UdsCall<undefined> {
  const head = Uint8Array.of(SERVICES.securityAccess, checkLevel(level) + 1);
  return makeCall([head, key], 1, () => undefined);
}

/** Tells whether a sub-function asks for a seed; those that bring keys are even. */
export function isSeedRequest(subFunction: number): boolean {
  return subFunction % 2 === 1;
}

/** Finds the level of a sub-function, whichever of its two it is. */
export function levelOf(subFunction: number): number {
  return isSeedRequest(subFunction) ? subFunction : subFunction - 1;
}

function checkLevel(level: number): number {
  if (!Number.isInteger(level) || level < 1 || level > LEVEL_MAX || level % 2 === 0) {
    throw new UdsFault('VALUE_RANGE', `Cannot ask for security level ${level}`);
  }
  return level;
}
