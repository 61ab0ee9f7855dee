/** The model into metadata files: the writer's half of the dialects. */
import { createHash } from 'node:crypto';
import {
  isJsonObject,
  type JsonObject,
  type JsonValue,
  type SignatureAlgorithm,
} from '@immota/base';
import { UptaneFault } from '../fault.ts';
import type { Hashes, Measurement } from '../metadata/hashes.ts';
import type { KeyId, RoleName, VehicleIdentifier } from '../metadata/names.ts';
import type { TopLevelRole } from '../metadata/repository.ts';
import { encodeCanonical } from './canonical.ts';
import type { Dialect } from './dialect.ts';
import { writeInstant } from './reader.ts';

/** The version of the TUF specification that the `tuf` dialect follows. */
const SPEC_VERSION = '1.0.34';

/** A public key that metadata shall list. */
export interface ListedKey {
  readonly keyId: KeyId;
  readonly algorithm: SignatureAlgorithm;
  readonly publicKeyDer: Uint8Array;
}

/** Keys and threshold of a role, to be written. */
export interface RoleDescription {
  readonly keys: readonly ListedKey[];
  readonly threshold: number;
}

/** What every metadata file to be written has {uptane B4}. */
export interface HeadDescription {
  readonly version: number;
  readonly expires: Temporal.Instant;
}

/** A Root to be written {uptane B5} {uptane B6}. */
export interface RootDescription extends HeadDescription {
  readonly roles: Readonly<Record<TopLevelRole, RoleDescription>>;
  /** The time source's keys, in the Director's Root. */
  readonly time?: RoleDescription | undefined;
  readonly consistentSnapshot: boolean;
}

/** Another metadata file, as Timestamp or Snapshot shall name it. */
export interface FileDescription {
  readonly version: number;
  readonly bytes: Uint8Array;
}

/** A delegated role to be written. */
export interface NamedRoleDescription extends RoleDescription {
  readonly name: RoleName;
}

/** A delegation to be written {uptane C10}. */
export interface DelegationDescription extends NamedRoleDescription {
  readonly paths: readonly string[];
  readonly hardwareIdentifiers?: readonly string[] | undefined;
  readonly terminating: boolean;
  /** Further roles, in order, that must state the same as the first {uptane C8}. */
  readonly sharedWith?: readonly NamedRoleDescription[] | undefined;
  /** How many of all these roles must agree; all of them unless it is said. */
  readonly agreeing?: number | undefined;
}

/** An image to be written; `custom` as the dialect-neutral model names its members. */
export interface TargetDescription extends Measurement {
  readonly name: string;
  readonly custom: JsonObject;
}

/** A Targets file to be written {uptane B7}. */
export interface TargetsDescription extends HeadDescription {
  readonly files: readonly TargetDescription[];
  readonly delegations?: readonly DelegationDescription[] | undefined;
  readonly vehicleIdentifier?: VehicleIdentifier | undefined;
  readonly custom?: JsonObject | undefined;
}

/** The names of keys that are in use: a Director signs with the same three for a whole fleet. */
const KEY_IDS = new WeakMap<Uint8Array, Map<Dialect, KeyId>>();

/**
 * Names a key: the SHA-256 of its canonical key object, as both dialects' own tools do.
 *
 * {uptane B2}: algorithm, scheme and value together.
 */
export function keyIdOf(
  dialect: Dialect,
  algorithm: SignatureAlgorithm,
  publicKeyDer: Uint8Array,
): KeyId {
  const names = KEY_IDS.get(publicKeyDer) ?? new Map<Dialect, KeyId>();
  KEY_IDS.set(publicKeyDer, names);
  const known = names.get(dialect);
  if (known !== undefined) return known;
  const object = dialect.encodeKey(algorithm, publicKeyDer);
  const digest = createHash('sha256').update(encodeCanonical(object, dialect.canonicalForm));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: 64 hex digits
  const keyId = digest.digest('hex') as KeyId;
  names.set(dialect, keyId);
  return keyId;
}

/** The payload of a Root file. */
export function rootPayload(dialect: Dialect, root: RootDescription): JsonObject {
  const { roles, time } = root;
  const all = { ...roles, ...(time === undefined ? {} : { time }) };
  return payload(dialect, 'root', root, {
    consistent_snapshot: root.consistentSnapshot,
    keys: keyTable(dialect, Object.values(all)),
    roles: Object.fromEntries(Object.entries(all).map(([name, role]) => [name, roleObject(role)])),
  });
}

/** The payload of a Timestamp file. */
export function timestampPayload(
  dialect: Dialect,
  timestamp: HeadDescription & { readonly snapshot: FileDescription },
): JsonObject {
  return payload(dialect, 'timestamp', timestamp, {
    meta: { 'snapshot.json': fileInfo(timestamp.snapshot) },
  });
}

/** The payload of a Snapshot file. */
export function snapshotPayload(
  dialect: Dialect,
  snapshot: HeadDescription & { readonly files: ReadonlyMap<RoleName, FileDescription> },
): JsonObject {
  const files = [...snapshot.files].map(([role, file]) => [`${role}.json`, fileInfo(file)]);
  return payload(dialect, 'snapshot', snapshot, { meta: Object.fromEntries(files) });
}

/**
 * The payload of a Targets file. Texts are brought to NFC {uptane B1}.
 *
 * @throws UptaneFault MALFORMED when two names are one after that: one image would be lost.
 */
export function targetsPayload(dialect: Dialect, targets: TargetsDescription): JsonObject {
  const custom = {
    ...targets.custom,
    ...(targets.vehicleIdentifier === undefined
      ? {}
      : { vehicleIdentifier: targets.vehicleIdentifier }),
  };
  const entries = targets.files.map(({ name, lengthBytes, hashes, custom: own }): Member => [
    name.normalize('NFC'),
    {
      ...(Object.keys(own).length === 0 ? {} : { custom: normalized(own) }),
      hashes: hashObject(hashes),
      length: lengthBytes,
    },
  ]);
  return payload(dialect, 'targets', targets, {
    ...(Object.keys(custom).length === 0 ? {} : { custom: normalized(custom) }),
    ...delegationsMember(dialect, targets.delegations),
    targets: uniqueObject(entries),
  });
}

function delegationsMember(
  dialect: Dialect,
  delegations: readonly DelegationDescription[] | undefined,
): JsonObject {
  if (delegations === undefined || delegations.length === 0) return {};
  return {
    delegations: {
      keys: keyTable(dialect, delegations.flatMap(rolesOf)),
      roles: delegations.map((delegation) => {
        const { paths, hardwareIdentifiers, terminating } = delegation;
        const hardware =
          hardwareIdentifiers === undefined ? {} : { hardwareIds: hardwareIdentifiers };
        return { paths, terminating, ...hardware, ...delegatedRoles(delegation) };
      }),
    },
  };
}

function rolesOf(delegation: DelegationDescription): readonly NamedRoleDescription[] {
  return [delegation, ...(delegation.sharedWith ?? [])];
}

/** One role beside the paths, as every client reads it; several in a list of their own. */
function delegatedRoles(delegation: DelegationDescription): JsonObject {
  const roles = rolesOf(delegation).map((role) => ({ name: role.name, ...roleObject(role) }));
  const [only, ...others] = roles;
  if (only !== undefined && others.length === 0) return only;
  return { roles, min_roles_in_agreement: delegation.agreeing ?? roles.length };
}

/** Puts a payload together. In canonical order from the start it is written without being sorted. */
function payload(
  dialect: Dialect,
  kind: TopLevelRole,
  { version, expires }: HeadDescription,
  body: JsonObject,
): JsonObject {
  const members: JsonObject = {
    _type: dialect.typeNames[kind],
    ...body,
    expires: writeInstant(expires),
    ...(dialect.fourRoles ? { spec_version: SPEC_VERSION } : {}),
    version,
  };
  const names = Object.keys(members).toSorted();
  return Object.fromEntries(names.map((name) => [name, members[name] ?? null]));
}

function keyTable(dialect: Dialect, roles: readonly RoleDescription[]): JsonObject {
  const keys = roles.flatMap((role) => role.keys);
  return Object.fromEntries(
    keys.map(({ keyId, algorithm, publicKeyDer }) => [
      keyId,
      dialect.encodeKey(algorithm, publicKeyDer),
    ]),
  );
}

function roleObject({ keys, threshold }: RoleDescription): JsonObject {
  return { keyids: keys.map(({ keyId }) => keyId), threshold };
}

/** Version, length and hash; the bytes are canonical, so both dialects' hashes are the same. */
function fileInfo({ version, bytes }: FileDescription): JsonObject {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { hashes: { sha256 }, length: bytes.length, version };
}

/** Digests as a JSON object. */
export function hashObject(hashes: Hashes): JsonObject {
  return Object.fromEntries(hashes);
}

type Member = readonly [name: string, value: JsonValue];

function uniqueObject(members: readonly Member[]): JsonObject {
  const object: JsonObject = Object.fromEntries(members);
  if (Object.keys(object).length !== members.length) {
    throw new UptaneFault('MALFORMED', 'Cannot write metadata: two names in it are the same');
  }
  return object;
}

/** Brings every text to NFC, names of members included {uptane B1}. @throws UptaneFault MALFORMED. */
export function normalized(object: JsonObject): JsonObject {
  return uniqueObject(
    Object.entries(object).map(([name, inner]) => [name.normalize('NFC'), normalizedValue(inner)]),
  );
}

function normalizedValue(value: JsonValue): JsonValue {
  if (typeof value === 'string') return value.normalize('NFC');
  if (isJsonObject(value)) return normalized(value);
  return Array.isArray(value) ? (value as readonly JsonValue[]).map(normalizedValue) : value;
}
