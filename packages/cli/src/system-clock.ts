import type { Clock } from '@immota/base';

/** The clock of this machine. */
export const SYSTEM_CLOCK: Clock = { now: () => Temporal.Now.instant() };
