/** How long signed metadata is good, and when it is made anew. */

/** Lifetimes of metadata. */
export interface Lifetimes {
  /** Root of both repositories. */
  readonly rootHours: number;
  /** Image Targets and delegations, signed offline. */
  readonly imageTargetsHours: number;
  /** Image Snapshot, signed here. */
  readonly imageSnapshotHours: number;
  /** Image Timestamp, signed here. */
  readonly imageTimestampHours: number;
  /** The Director's three files for a vehicle, signed here. */
  readonly directorHours: number;
}

/**
 * The house's lifetimes. Root a year, as the Standard's best practices advise. The Director's files
 * three days and not one: a vehicle that was offered an image checks them again after a long download and after
 * its reboot, and must not be stranded by a weekend.
 */
export const LIFETIMES: Lifetimes = {
  rootHours: 365 * 24,
  imageTargetsHours: 180 * 24,
  imageSnapshotHours: 7 * 24,
  imageTimestampHours: 2 * 24,
  directorHours: 3 * 24,
};

/** Of its lifetime, the part that must remain: below it metadata is signed anew. */
const REMAINING_MIN = 0.5;

/**
 * Tells whether metadata runs out so soon that it is to be signed anew.
 *
 * @param expires - its expiry.
 * @param lifetimeHours - how long it was good when it was new.
 */
export function isEnding(
  expires: Temporal.Instant,
  now: Temporal.Instant,
  lifetimeHours: number,
): boolean {
  const remainingMs = expires.epochMilliseconds - now.epochMilliseconds;
  return remainingMs < lifetimeHours * REMAINING_MIN * 3_600_000;
}

/** When metadata that is made now runs out. */
export function expiryOf(now: Temporal.Instant, lifetimeHours: number): Temporal.Instant {
  const seconds = Math.floor(now.epochMilliseconds / 1000) + lifetimeHours * 3600;
  return Temporal.Instant.fromEpochMilliseconds(seconds * 1000);
}
