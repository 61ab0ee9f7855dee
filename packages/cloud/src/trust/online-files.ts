/** Snapshot and Timestamp of the Image repository: made here, with online keys {uptane C3} {uptane C4}. */
import {
  type Dialect,
  type FileDescription,
  type RoleName,
  signMetadata,
  snapshotPayload,
  timestampPayload,
} from '@immota/uptane';
import { type Keystore, signersOf } from './keystore.ts';
import { expiryOf, type Lifetimes } from './lifetimes.ts';
import type { StoredFile } from './repository-state.ts';

/** What online files are made with. */
export interface OnlineSigning {
  readonly keystore: Keystore;
  readonly lifetimes: Lifetimes;
  readonly now: Temporal.Instant;
}

/**
 * Makes the next Snapshot {uptane B13}.
 *
 * @param targets - the newest file of every Targets role that was ever listed: clients refuse a
 * Snapshot that drops one.
 * @param version - one above the last.
 */
export async function makeSnapshot(
  signing: OnlineSigning,
  dialect: Dialect,
  {
    targets,
    version,
  }: { readonly targets: ReadonlyMap<RoleName, FileDescription>; version: number },
): Promise<StoredFile> {
  const { keystore, lifetimes, now } = signing;
  const expires = expiryOf(now, lifetimes.imageSnapshotHours);
  const payload = snapshotPayload(dialect, { version, expires, files: targets });
  const bytes = await signMetadata(dialect, payload, signersOf(keystore, 'image-snapshot'));
  return { role: 'snapshot', version, bytes, created_at: now };
}

/**
 * Makes the next Timestamp {uptane B14}.
 *
 * @param snapshot - the one in force.
 * @param version - one above the last.
 */
export async function makeTimestamp(
  signing: OnlineSigning,
  dialect: Dialect,
  { snapshot, version }: { readonly snapshot: FileDescription; version: number },
): Promise<StoredFile> {
  const { keystore, lifetimes, now } = signing;
  const expires = expiryOf(now, lifetimes.imageTimestampHours);
  const payload = timestampPayload(dialect, { version, expires, snapshot });
  const bytes = await signMetadata(dialect, payload, signersOf(keystore, 'image-timestamp'));
  return { role: 'timestamp', version, bytes, created_at: now };
}
