/** Metadata files into the model: shape only, no trust. */
import { type JsonObject, member } from '@immota/base';
import { UptaneFault } from '../fault.ts';
import { KEYS_MAX, THRESHOLD_MAX } from '../limits.ts';
import type { PublicKey } from '../metadata/key.ts';
import {
  type KeyId,
  parseDelegatedRoleName,
  parseKeyId,
  type RoleName,
  TARGETS_ROLE,
} from '../metadata/names.ts';
import { TOP_LEVEL_ROLES, type TopLevelRole } from '../metadata/repository.ts';
import type {
  Metadata,
  MetadataFileInfo,
  RoleKeys,
  Root,
  Signed,
  Snapshot,
  Timestamp,
} from '../metadata/roles.ts';
import { parseMetadataVersion } from '../metadata/version.ts';
import type { Dialect } from './dialect.ts';
import { decodeEnvelope, type Envelope } from './envelope.ts';
import {
  asObject,
  findCount,
  findObject,
  readArray,
  readCount,
  readFlag,
  readHashes,
  readInstant,
  readObject,
  readText,
} from './reader.ts';

const NOT_TARGETS: ReadonlySet<string> = new Set(['root.json', 'timestamp.json', 'snapshot.json']);

/** What every kind of metadata has {uptane B4}. */
interface Head {
  readonly version: Root['version'];
  readonly expires: Temporal.Instant;
}

/**
 * Decodes a Root file.
 *
 * @throws UptaneFault MALFORMED, ROLE_TYPE, THRESHOLD_INVALID, SIGNATURE_DUPLICATE or LIMIT.
 */
export function decodeRoot(dialect: Dialect, bytes: Uint8Array, lengthMax: number): Signed<Root> {
  return decodeRole(dialect, { bytes, lengthMax, kind: 'root', role: 'root' }, (signed, head) => ({
    kind: 'root',
    ...head,
    consistentSnapshot: readFlag(signed, 'consistent_snapshot', false),
    keys: readKeys(dialect, readObject(signed, 'keys'), KEYS_MAX),
    roles: readRoles(dialect, readObject(signed, 'roles')),
  }));
}

/** Decodes a Timestamp file. @throws UptaneFault as {@link decodeRoot}. */
export function decodeTimestamp(
  dialect: Dialect,
  bytes: Uint8Array,
  lengthMax: number,
): Signed<Timestamp> {
  const file = { bytes, lengthMax, kind: 'timestamp', role: 'timestamp' } as const;
  return decodeRole(dialect, file, (signed, head) => {
    const info = readFileInfo(readObject(readObject(signed, 'meta'), 'snapshot.json'));
    // {uptane B14}: our dialect promises the Snapshot's hash; TUF leaves it to the repository.
    if (dialect.hashesCover === 'canonical' && info.hashes === undefined) {
      throw new UptaneFault('MALFORMED', 'Cannot read Timestamp: it states no hash of Snapshot');
    }
    return { kind: 'timestamp', ...head, snapshot: info };
  });
}

/** Decodes a Snapshot file. @throws UptaneFault as {@link decodeRoot}. */
export function decodeSnapshot(
  dialect: Dialect,
  bytes: Uint8Array,
  lengthMax: number,
): Signed<Snapshot> {
  const file = { bytes, lengthMax, kind: 'snapshot', role: 'snapshot' } as const;
  return decodeRole(dialect, file, (signed, head) => {
    const files = new Map<RoleName, MetadataFileInfo>();
    for (const [name, info] of Object.entries(readObject(signed, 'meta'))) {
      // Some makers' Snapshots list their Root too; only Targets files are Snapshot's to fix.
      if (NOT_TARGETS.has(name)) continue;
      files.set(readRoleOfFile(name), readFileInfo(asObject(info, name)));
    }
    return { kind: 'snapshot', ...head, files };
  });
}

/** What a role's file is and how long it may be. */
export interface RoleFile<Kind extends TopLevelRole> {
  readonly bytes: Uint8Array;
  readonly lengthMax: number;
  readonly kind: Kind;
  /** The role's name in refusals: the kind, or the name of a delegated role. */
  readonly role: string;
}

/**
 * Decodes one file: envelope, `_type`, head, then what the kind adds. Refusals come out with the
 * role's name.
 */
export function decodeRole<Body extends Metadata>(
  dialect: Dialect,
  file: RoleFile<Body['kind']>,
  readBody: (signed: JsonObject, head: Head) => Body,
): Signed<Body> {
  try {
    const envelope: Envelope = decodeEnvelope(dialect, file.bytes, file.lengthMax);
    const { signed } = envelope;
    const type = readText(signed, '_type');
    if (type !== dialect.typeNames[file.kind]) {
      throw new UptaneFault('ROLE_TYPE', `Cannot use metadata of type "${type}" as ${file.kind}`);
    }
    checkSpecVersion(dialect, signed);
    const head: Head = {
      version: parseMetadataVersion(member(signed, 'version')),
      expires: readInstant(signed, 'expires'),
    };
    const { payload, signatures, bytes } = envelope;
    const digestInput = (): Uint8Array => envelope.digestInput();
    const lengthIsExact = dialect.hashesCover === 'bytes';
    const body = readBody(signed, head);
    return { body, payload, signatures, bytes, digestInput, lengthIsExact };
  } catch (error) {
    if (!(error instanceof UptaneFault)) throw error;
    throw error.located({ role: file.role });
  }
}

/** TUF 1.0.x §4.3: a client reads its own major version of the specification only. */
function checkSpecVersion(dialect: Dialect, signed: JsonObject): void {
  if (!dialect.fourRoles) return;
  const version = readText(signed, 'spec_version');
  if (!/^1(?:\.\d+){1,2}$/.test(version)) {
    throw new UptaneFault('MALFORMED', `Cannot read metadata of specification "${version}"`);
  }
}

/** Reads the key table of Root or of a delegating file. @throws UptaneFault LIMIT or MALFORMED. */
export function readKeys(
  dialect: Dialect,
  object: JsonObject,
  countMax: number,
): ReadonlyMap<KeyId, PublicKey> {
  const entries = Object.entries(object);
  if (entries.length > countMax) {
    throw new UptaneFault('LIMIT', `Cannot read keys: more than ${countMax}`);
  }
  return new Map(
    entries.map(([keyId, key]) => [parseKeyId(keyId), dialect.decodeKey(asObject(key, 'key'))]),
  );
}

/**
 * Reads `keyids` and `threshold`.
 *
 * @throws UptaneFault THRESHOLD_INVALID unless 1 ≤ threshold ≤ 1000: zero would let anything pass.
 */
function readRoleKeys(object: JsonObject): RoleKeys {
  const listed = readArray(object, 'keyids', KEYS_MAX).map(parseKeyId);
  const keyIds = new Set(listed);
  if (keyIds.size !== listed.length) {
    throw new UptaneFault('MALFORMED', 'Cannot read role: a key identifier stands twice');
  }
  const threshold = member(object, 'threshold');
  if (typeof threshold !== 'number' || !Number.isSafeInteger(threshold)) {
    throw new UptaneFault('MALFORMED', 'Cannot read role: its threshold is no whole number');
  }
  if (threshold < 1 || threshold > THRESHOLD_MAX) {
    throw new UptaneFault('THRESHOLD_INVALID', `Cannot read role: threshold ${threshold}`);
  }
  return { keyIds, threshold };
}

function readRoles(dialect: Dialect, object: JsonObject): Root['roles'] {
  const roles = new Map<TopLevelRole | 'time', RoleKeys>();
  for (const name of [...TOP_LEVEL_ROLES, 'time'] as const) {
    const role = findObject(object, name);
    if (role !== undefined) roles.set(name, readRoleOf(name, role));
    else if (name === 'root' || (dialect.fourRoles && name !== 'time')) {
      throw new UptaneFault('MALFORMED', `Cannot read Root: it has no role "${name}"`);
    }
  }
  return roles;
}

/** Reads a role's keys; refusals carry the role's name. */
export function readRoleOf(name: string, object: JsonObject): RoleKeys {
  try {
    return readRoleKeys(object);
  } catch (error) {
    throw error instanceof UptaneFault ? error.located({ role: name }) : error;
  }
}

function readFileInfo(object: JsonObject): MetadataFileInfo {
  const hashes = findObject(object, 'hashes');
  const length = findCount(object, 'length');
  if (length === 0) throw new UptaneFault('MALFORMED', 'Cannot read a file of no length');
  return {
    version: parseMetadataVersion(readCount(object, 'version')),
    lengthBytes: length,
    hashes: hashes === undefined ? undefined : readHashes(hashes),
  };
}

function readRoleOfFile(name: string): RoleName {
  const role = name.endsWith('.json') ? name.slice(0, -'.json'.length) : '';
  return role === 'targets' ? TARGETS_ROLE : parseDelegatedRoleName(role);
}
