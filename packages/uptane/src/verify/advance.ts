/**
 * The rules by which trust moves from one metadata file to the next, one function a role.
 *
 * - Root is vouched for by the Root before it and by itself, and is exactly the next version.
 * - Timestamp, Snapshot and Targets are signed by keys that the Root in force names, or, for a
 *   delegation, by keys of the file that delegates.
 * - No version goes back; Snapshot is the one that Timestamp names, Targets the one Snapshot names.
 * - Metadata that has run out is good for comparing versions and for nothing else: `checkFresh` is
 *   asked before anything is derived from it.
 *
 * Trust is minted here and nowhere else. No I/O, no clock: the time is a parameter.
 */
import { createHash } from 'node:crypto';
import { UptaneFault } from '../fault.ts';
import type { PublicKey } from '../metadata/key.ts';
import type { KeyId, RoleName } from '../metadata/names.ts';
import type { TopLevelRole } from '../metadata/repository.ts';
import type {
  Metadata,
  MetadataFileInfo,
  RoleKeys,
  Root,
  Signed,
  Snapshot,
  Targets,
  Timestamp,
} from '../metadata/roles.ts';
import { checkThreshold } from './threshold.ts';
import type { Trusted } from './trusted.ts';

/**
 * Takes a Root as the anchor: built in at the factory {uptane H1}, or stored by an earlier cycle.
 *
 * @param root - it must at least vouch for itself.
 * @throws UptaneFault SIGNATURE_THRESHOLD when it does not.
 */
export function anchorRoot(root: Signed<Root>): Trusted<Root> {
  checkThreshold(root, root.body.keys, keysOf(root.body, 'root'));
  return mint(root);
}

/**
 * Moves trust from one Root to the next {uptane L6} {uptane L7} {uptane C1}.
 *
 * @throws UptaneFault SIGNATURE_THRESHOLD unless a threshold of the old keys and one of the new signed.
 * @throws UptaneFault ROOT_VERSION unless it is the very next version.
 */
export function advanceRoot(trusted: Trusted<Root>, candidate: Signed<Root>): Trusted<Root> {
  checkThreshold(candidate, trusted.body.keys, keysOf(trusted.body, 'root'));
  checkThreshold(candidate, candidate.body.keys, keysOf(candidate.body, 'root'));
  if (candidate.body.version !== trusted.body.version + 1) {
    throw new UptaneFault(
      'ROOT_VERSION',
      `Cannot advance Root: expected version ${trusted.body.version + 1}, got ${candidate.body.version}`,
    );
  }
  return mint(candidate);
}

/**
 * Moves trust to a Timestamp {uptane L8} {uptane C4}.
 *
 * @param current - the one trusted so far, expired or not; undefined after its keys were rotated.
 * @throws UptaneFault SIGNATURE_THRESHOLD, or ROLLBACK when it or the Snapshot it names went back.
 */
export function advanceTimestamp(
  root: Trusted<Root>,
  current: Trusted<Timestamp> | undefined,
  candidate: Signed<Timestamp>,
): Trusted<Timestamp> {
  checkThreshold(candidate, root.body.keys, keysOf(root.body, 'timestamp'));
  if (current !== undefined) {
    checkNotBack(current.body.version, candidate.body.version, 'Timestamp');
    checkNotBack(current.body.snapshot.version, candidate.body.snapshot.version, 'Snapshot');
  }
  return mint(candidate);
}

/** What a Snapshot is held against. */
export interface SnapshotContext {
  readonly root: Trusted<Root>;
  readonly timestamp: Trusted<Timestamp>;
  /** The Snapshot trusted so far. */
  readonly current: Trusted<Snapshot> | undefined;
}

/**
 * Moves trust to a Snapshot {uptane L9} {uptane C3}.
 *
 * @throws UptaneFault METADATA_HASH when it is not what Timestamp names, SIGNATURE_THRESHOLD, ROLLBACK
 * when a listed version went back, SNAPSHOT_FILE_MISSING when a listed file vanished.
 */
export function advanceSnapshot(
  context: SnapshotContext,
  candidate: Signed<Snapshot>,
): Trusted<Snapshot> {
  checkFileInfo(context.timestamp.body.snapshot, candidate);
  const stored = trustStoredSnapshot(context.root, candidate);
  checkNoRollback(context.current, candidate);
  checkNamedVersion(context.timestamp.body.snapshot, candidate.body, 'snapshot');
  return stored;
}

/**
 * Takes a Snapshot from an earlier cycle as a guard against rollback: signatures only, since the
 * Timestamp that named it is gone.
 *
 * @throws UptaneFault SIGNATURE_THRESHOLD, for instance after its keys were rotated.
 */
export function trustStoredSnapshot(
  root: Trusted<Root>,
  candidate: Signed<Snapshot>,
): Trusted<Snapshot> {
  checkThreshold(candidate, root.body.keys, keysOf(root.body, 'snapshot'));
  return mint(candidate);
}

/** Who vouches for a Targets file, and which version is in force. */
export interface TargetsContext {
  readonly role: RoleName;
  readonly keys: ReadonlyMap<KeyId, PublicKey>;
  readonly roleKeys: RoleKeys;
  /** What Snapshot says of the file; undefined where no Snapshot takes part {uptane M1}. */
  readonly info: MetadataFileInfo | undefined;
  /** The file trusted so far, where no Snapshot guards its version. */
  readonly current: Trusted<Targets> | undefined;
}

/**
 * Moves trust to a Targets file, top-level or delegated {uptane L10}.
 *
 * @throws UptaneFault METADATA_HASH, SIGNATURE_THRESHOLD, VERSION_MISMATCH when Snapshot names another
 * version, ROLLBACK when the version went back.
 */
export function advanceTargets(
  context: TargetsContext,
  candidate: Signed<Targets>,
): Trusted<Targets> {
  if (context.info !== undefined) checkFileInfo(context.info, candidate);
  checkThreshold(candidate, context.keys, context.roleKeys);
  if (context.info !== undefined) checkNamedVersion(context.info, candidate.body, context.role);
  if (context.current !== undefined) {
    checkNotBack(context.current.body.version, candidate.body.version, context.role);
  }
  return mint(candidate);
}

/**
 * Checks that metadata has not run out at the attested time {uptane G4}: freeze.
 *
 * @throws UptaneFault EXPIRED from the instant of its expiry on.
 */
export function checkFresh(metadata: Trusted<Metadata>, now: Temporal.Instant): void {
  const { kind, expires } = metadata.body;
  if (Temporal.Instant.compare(expires, now) <= 0) {
    throw new UptaneFault('EXPIRED', `Cannot use ${kind}: it ran out at ${expires.toString()}`);
  }
}

/**
 * Finds whose signatures count for a top-level role.
 *
 * @throws UptaneFault ROLE_UNKNOWN when the Root names nobody.
 */
export function keysOf(root: Root, role: TopLevelRole | 'time'): RoleKeys {
  const keys = root.roles.get(role);
  if (keys === undefined) {
    throw new UptaneFault('ROLE_UNKNOWN', `Cannot verify ${role}: Root names no keys for it`);
  }
  return keys;
}

/** {uptane L9}: no listed version goes back, no listed file vanishes. */
function checkNoRollback(current: Trusted<Snapshot> | undefined, next: Signed<Snapshot>): void {
  for (const [role, info] of current?.body.files ?? []) {
    const now = next.body.files.get(role);
    if (now === undefined) {
      throw new UptaneFault('SNAPSHOT_FILE_MISSING', `Cannot trust Snapshot: it dropped "${role}"`);
    }
    checkNotBack(info.version, now.version, role);
  }
}

function checkNotBack(trusted: number, offered: number, what: string): void {
  if (offered < trusted) {
    throw new UptaneFault('ROLLBACK', `Cannot trust ${what}: version ${offered} after ${trusted}`);
  }
}

function checkNamedVersion(info: MetadataFileInfo, body: Snapshot | Targets, role: string): void {
  if (body.version !== info.version) {
    throw new UptaneFault(
      'VERSION_MISMATCH',
      `Cannot trust "${role}": version ${body.version} instead of ${info.version}`,
      { role },
    );
  }
}

/** Length and every listed hash of a metadata file. */
function checkFileInfo(info: MetadataFileInfo, file: Signed<Metadata>): void {
  if (info.hashes === undefined && info.lengthBytes === undefined) return;
  const input = file.digestInput();
  const { lengthBytes } = info;
  const fits =
    lengthBytes === undefined ||
    (file.lengthIsExact ? input.length === lengthBytes : input.length <= lengthBytes);
  if (!fits) throw new UptaneFault('METADATA_HASH', 'Cannot trust metadata: its length differs');
  for (const [hashFunction, digest] of info.hashes ?? []) {
    if (createHash(hashFunction).update(input).digest('hex') !== digest) {
      throw new UptaneFault('METADATA_HASH', `Cannot trust metadata: its ${hashFunction} differs`);
    }
  }
}

function mint<Body extends Metadata>(signed: Signed<Body>): Trusted<Body> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: called behind the checks above
  return signed as Trusted<Body>;
}
