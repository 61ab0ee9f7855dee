/** Targets files into the model: images, their custom fields, delegations. */
import { isJsonObject, type JsonObject, type JsonValue, member } from '@immota/base';
import { UptaneFault } from '../fault.ts';
import {
  DELEGATIONS_MAX,
  ECUS_MAX,
  KEYS_MAX,
  NAME_MAX_LENGTH,
  SUCCINCT_BITS_MAX,
} from '../limits.ts';
import {
  type EcuIdentifier,
  type HardwareIdentifier,
  parseDelegatedRoleName,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseTargetName,
  parseVehicleIdentifier,
  type RoleName,
  type TargetName,
} from '../metadata/names.ts';
import type {
  DelegatedNames,
  DelegatedRole,
  Delegation,
  Delegations,
  EcuAssignment,
  EncryptedForm,
  Signed,
  TargetFile,
  TargetFiles,
  Targets,
  WrappedKey,
} from '../metadata/roles.ts';
import { decodeRole, readKeys, readRoleOf } from './decode-metadata.ts';
import type { Dialect } from './dialect.ts';
import {
  asObject,
  checkMeasurementShape,
  decodeText,
  findCount,
  findObject,
  findText,
  readArray,
  readCount,
  readFlag,
  readMeasurement,
  readObject,
  readText,
} from './reader.ts';

const NOTHING: JsonObject = {};
const NO_ECUS: ReadonlyMap<EcuIdentifier, EcuAssignment> = new Map();

/**
 * What the `custom` members mean: `uptane`, as the standard and our vehicles use them, so that one
 * of a wrong shape is refused; or `opaque`, another maker's business, as in a plain TUF repository.
 */
export type CustomReading = 'uptane' | 'opaque';

/**
 * Decodes a Targets file, top-level or delegated.
 *
 * @param options - the role's name, for refusals; the bound of its bytes; how to read `custom`, by
 *   default as Uptane's.
 * @throws UptaneFault MALFORMED, ROLE_TYPE, THRESHOLD_INVALID, SIGNATURE_DUPLICATE or LIMIT.
 */
export function decodeTargets(
  dialect: Dialect,
  bytes: Uint8Array,
  options: {
    readonly role: RoleName;
    readonly lengthMax: number;
    readonly custom?: CustomReading | undefined;
  },
): Signed<Targets> {
  const file = {
    bytes,
    lengthMax: options.lengthMax,
    kind: 'targets',
    role: options.role,
  } as const;
  const opaque = options.custom === 'opaque';
  return decodeRole(dialect, file, (signed, head) => {
    const custom = opaque ? readOpaque(signed) : (findObject(signed, 'custom') ?? NOTHING);
    const vehicle = opaque ? undefined : member(custom, 'vehicleIdentifier');
    const delegations = findObject(signed, 'delegations');
    const targets = readObject(signed, 'targets');
    return {
      kind: 'targets',
      ...head,
      files: opaque ? new OpaqueFiles(targets) : readTargetFiles(targets),
      delegations:
        delegations === undefined || Object.keys(delegations).length === 0
          ? undefined
          : readDelegations(dialect, delegations),
      vehicleIdentifier: vehicle === undefined ? undefined : parseVehicleIdentifier(vehicle),
      custom,
    };
  });
}

function readTargetFiles(targets: JsonObject): ReadonlyMap<TargetName, TargetFile> {
  const files = new Map<TargetName, TargetFile>();
  for (const name of Object.keys(targets)) {
    files.set(parseTargetName(name), readTargetFile(asObject(targets[name], 'target')));
  }
  return files;
}

/**
 * Images whose `custom` means nothing to us. All of them are checked at once, and each is put
 * together when it is asked for: of ten thousand a client wants one.
 */
class OpaqueFiles implements TargetFiles {
  readonly #targets: JsonObject;
  readonly #names: readonly string[];

  constructor(targets: JsonObject) {
    this.#targets = targets;
    this.#names = Object.keys(targets);
    for (const name of this.#names) {
      parseTargetName(name);
      checkMeasurementShape(asObject(targets[name], 'target'));
    }
  }

  get size(): number {
    return this.#names.length;
  }

  get(name: TargetName): TargetFile | undefined {
    const found = member(this.#targets, name);
    return isJsonObject(found) ? readOpaqueFile(found) : undefined;
  }

  *[Symbol.iterator](): Generator<readonly [TargetName, TargetFile]> {
    for (const name of this.#names) {
      yield [parseTargetName(name), readOpaqueFile(readObject(this.#targets, name))];
    }
  }
}

function readOpaque(object: JsonObject): JsonObject {
  const found = member(object, 'custom');
  return isJsonObject(found) ? found : NOTHING;
}

function readOpaqueFile(object: JsonObject): TargetFile {
  const { lengthBytes, hashes } = readMeasurement(object);
  return {
    lengthBytes,
    hashes,
    ecus: NO_ECUS,
    hardwareIdentifiers: [],
    releaseCounter: undefined,
    mustMatch: NOTHING,
    uri: undefined,
    encrypted: undefined,
    custom: readOpaque(object),
  };
}

function readTargetFile(object: JsonObject): TargetFile {
  const found = member(object, 'custom');
  const custom = isJsonObject(found) ? found : NOTHING;
  const { lengthBytes, hashes } = readMeasurement(object);
  const mustMatch = findObject(custom, 'mustMatch') ?? NOTHING;
  const encryption = findObject(custom, 'encryption');
  return {
    lengthBytes,
    hashes,
    ecus: readEcus(custom, encryption),
    hardwareIdentifiers: readHardware(custom),
    releaseCounter: findCount(mustMatch, 'releaseCounter'),
    mustMatch,
    uri: findText(custom, 'uri'),
    encrypted: encryption === undefined ? undefined : readEncryptedForm(encryption),
    custom,
  };
}

function readEcus(
  custom: JsonObject,
  encryption: JsonObject | undefined,
): ReadonlyMap<EcuIdentifier, EcuAssignment> {
  const listed = findObject(custom, 'ecuIdentifiers');
  if (listed === undefined) return NO_ECUS;
  const entries = Object.entries(listed);
  if (entries.length > ECUS_MAX) {
    throw new UptaneFault('LIMIT', `Cannot read target: more than ${ECUS_MAX} ECUs`);
  }
  const keys = encryption === undefined ? undefined : findObject(encryption, 'keys');
  return new Map(
    entries.map(([identifier, ecu]) => [
      parseEcuIdentifier(identifier),
      {
        hardwareIdentifier: parseHardwareIdentifier(member(asObject(ecu, 'ECU'), 'hardwareId')),
        wrappedKey: keys === undefined ? undefined : findWrappedKey(keys, identifier),
      },
    ]),
  );
}

function findWrappedKey(keys: JsonObject, identifier: string): WrappedKey | undefined {
  const key = findObject(keys, identifier);
  if (key === undefined) return undefined;
  return { method: readText(key, 'method'), value: decodeText(readText(key, 'value'), 'base64') };
}

function readEncryptedForm(object: JsonObject): EncryptedForm {
  return {
    ...readMeasurement(object),
    name: parseTargetName(member(object, 'filename')),
    method: readText(object, 'method'),
  };
}

function readHardware(custom: JsonObject): readonly HardwareIdentifier[] {
  if (member(custom, 'hardwareIds') === undefined) return [];
  return readArray(custom, 'hardwareIds', ECUS_MAX).map(parseHardwareIdentifier);
}

function readDelegations(dialect: Dialect, object: JsonObject): Delegations {
  const keys = readKeys(dialect, readObject(object, 'keys'), DELEGATIONS_MAX);
  const succinct = findObject(object, 'succinct_roles');
  if (succinct !== undefined) {
    if (member(object, 'roles') !== undefined) {
      throw new UptaneFault('MALFORMED', 'Cannot read delegations: both listed and succinct');
    }
    return { keys, entries: [readSuccinct(succinct)] };
  }
  const names = new Set<RoleName>();
  const entries = readArray(object, 'roles', DELEGATIONS_MAX).map((item) => {
    const entry = readDelegation(asObject(item, 'delegation'));
    // One role under two rules would make priority ambiguous {uptane C5}.
    for (const { name } of entry.roles) {
      if (names.has(name)) {
        throw new UptaneFault('MALFORMED', `Cannot read delegations: role "${name}" stands twice`);
      }
      names.add(name);
    }
    return entry;
  });
  return { keys, entries };
}

/** One delegation; with a `roles` list of its own, several roles must agree {uptane C8}. */
function readDelegation(object: JsonObject): Delegation {
  const several = member(object, 'roles') !== undefined;
  const roles = several
    ? readArray(object, 'roles', KEYS_MAX).map((role) => readDelegatedRole(asObject(role, 'role')))
    : [readDelegatedRole(object)];
  const agreeing = several ? readCount(object, 'min_roles_in_agreement') : 1;
  if (agreeing < 1 || agreeing > roles.length) {
    throw new UptaneFault(
      'THRESHOLD_INVALID',
      `Cannot read delegation: ${agreeing} roles to agree`,
    );
  }
  const hardware = member(object, 'hardwareIds');
  return {
    names: readNames(object),
    hardwareIdentifiers:
      hardware === undefined
        ? undefined
        : new Set(readArray(object, 'hardwareIds', ECUS_MAX).map(parseHardwareIdentifier)),
    // {uptane C7}: not terminating unless it says so.
    terminating: readFlag(object, 'terminating', false),
    roles,
    agreeing,
  };
}

function readDelegatedRole(object: JsonObject): DelegatedRole {
  const name = parseDelegatedRoleName(member(object, 'name'));
  return { name, ...readRoleOf(name, object) };
}

function readNames(object: JsonObject): DelegatedNames {
  if (member(object, 'paths') !== undefined) {
    if (member(object, 'path_hash_prefixes') !== undefined) {
      throw new UptaneFault('MALFORMED', 'Cannot read delegation: both paths and hash prefixes');
    }
    return { kind: 'paths', patterns: readArray(object, 'paths', KEYS_MAX).map(readPattern) };
  }
  const prefixes = readArray(object, 'path_hash_prefixes', KEYS_MAX).map(readPattern);
  return { kind: 'hash-prefixes', prefixes };
}

function readPattern(value: JsonValue): string {
  if (typeof value !== 'string' || value.length > NAME_MAX_LENGTH) {
    throw new UptaneFault('MALFORMED', 'Cannot read delegation: a pattern is no short text');
  }
  return value;
}

/** TUF's succinct roles: 2^bits equal bins, named by prefix and index. */
function readSuccinct(object: JsonObject): Delegation {
  const bitLength = readCount(object, 'bit_length');
  if (bitLength < 1 || bitLength > SUCCINCT_BITS_MAX) {
    throw new UptaneFault('MALFORMED', `Cannot read succinct roles: ${bitLength} bits`);
  }
  const namePrefix = readText(object, 'name_prefix');
  return {
    names: { kind: 'succinct', bitLength, namePrefix },
    hardwareIdentifiers: undefined,
    terminating: true,
    roles: [{ name: parseDelegatedRoleName(namePrefix), ...readRoleOf(namePrefix, object) }],
    agreeing: 1,
  };
}
