/** How a Primary behaves where it has a choice. Every figure has its reason; an owner may change it. */

import { QUOTA_BYTES, RATE_FLOOR_BYTES_PER_S, RATE_WINDOW_MS } from '../download/limits.ts';
import type { RateFloor } from '../download/rate-guard.ts';

/** Spans in milliseconds, because they are handed to timers. */
export interface PrimaryPolicy {
  /** Between check-ins; undefined checks in only when asked to. */
  readonly pollIntervalMs: number | undefined;
  /** How far an interval may be from the mean, 0 to 1: a fleet that wakes at once is a flood. */
  readonly pollJitter: number;
  /** The shortest time between two check-ins, whatever wakes us: wake-ups prove nothing. */
  readonly checkInSpacingMs: number;
  /** After this long even "nothing new" is followed by a full cycle. */
  readonly fullCycleAfterMs: number;
  /** How old the last attested time may be when no newer one comes; then nothing is installed. */
  readonly timeMaxAgeMs: number;
  /** The same for an update from a folder: a workshop may be far from any network. */
  readonly offlineTimeMaxAgeMs: number;
  /** How long an owner is waited for in one cycle; the question stands until the next. */
  readonly consentPatienceMs: number;
  /** How long an ECU may take to boot and report. */
  readonly bootPatienceMs: number;
  /** Between two questions whether it has booted. */
  readonly bootPollMs: number;
  /** Failed installations of one assignment before it is left alone. */
  readonly attemptsMax: number;
  /** All downloads together may be as large as this. */
  readonly downloadQuotaBytes: number;
  /** The slowest download that is no attack. */
  readonly rateFloor: RateFloor;
  /** The certificate is renewed when this part of its life is left. */
  readonly renewAtRemaining: number;
}

const MINUTE_MS = 60_000;
const DAY_MS: number = 24 * 60 * MINUTE_MS;

/** What a vehicle does unless it is told otherwise. */
export const DEFAULT_POLICY: PrimaryPolicy = {
  pollIntervalMs: 15 * MINUTE_MS,
  pollJitter: 0.2,
  checkInSpacingMs: 5000,
  fullCycleAfterMs: DAY_MS,
  timeMaxAgeMs: 3 * DAY_MS,
  offlineTimeMaxAgeMs: 90 * DAY_MS,
  consentPatienceMs: 30 * MINUTE_MS,
  bootPatienceMs: 10 * MINUTE_MS,
  bootPollMs: 1000,
  attemptsMax: 3,
  downloadQuotaBytes: QUOTA_BYTES,
  rateFloor: { bytesPerSecond: RATE_FLOOR_BYTES_PER_S, windowMs: RATE_WINDOW_MS },
  renewAtRemaining: 1 / 3,
};
