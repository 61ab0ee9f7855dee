import type { Clock } from '@immota/base';

/** The clock of this machine. */
export const SYSTEM_CLOCK: Clock = { now: () => Temporal.Now.instant() };

/** Where this machine stands, as IANA names it. */
export function localTimeZone(): string {
  return Temporal.Now.timeZoneId();
}
