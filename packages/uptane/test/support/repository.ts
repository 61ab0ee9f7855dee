/**
 * A repository in memory that is right, until a test breaks one part of it: keys of any kind, real
 * signatures, files under the names that the protocol gives them.
 */
import { isJsonObject, type JsonObject, type JsonValue, type Signer } from '@immota/base';
import {
  type DelegationDescription,
  type Dialect,
  encodeEnvelope,
  keyIdOf,
  type ListedKey,
  makeSignature,
  metadataFileName,
  type MetadataVersion,
  parseDelegatedRoleName,
  type RoleDescription,
  type RoleName,
  rootPayload,
  signMetadata,
  snapshotPayload,
  TARGETS_ROLE,
  type TargetDescription,
  targetsPayload,
  timestampPayload,
  TOP_LEVEL_ROLES,
  type TopLevelRole,
  type VehicleIdentifier,
} from '@immota/uptane';
import { signerOf } from './keys.ts';

/** Far from every test's present. */
export const EXPIRY: Temporal.Instant = Temporal.Instant.from('2030-01-01T00:00:00Z');

/** `classic`: one Ed25519 key a role. `hybrid`: Ed25519 and ML-DSA-65, and both must sign. */
export type Profile = 'classic' | 'hybrid';

/** Who signs a role. */
export interface Team {
  readonly signers: readonly Signer[];
  readonly threshold: number;
}

/** A Targets file, top-level or delegated, that can be changed and published again. */
export interface TargetsState {
  version: number;
  expires: Temporal.Instant;
  team: Team;
  files: TargetDescription[];
  delegations: DelegationDescription[];
  vehicleIdentifier?: VehicleIdentifier | undefined;
  custom?: JsonObject | undefined;
}

/** Changes a payload just before it is signed. */
export type Edit = (signed: JsonObject) => JsonObject;

/** How a repository is to be. */
export interface RepositorySetup {
  readonly name: string;
  readonly dialect: Dialect;
  readonly profile: Profile;
  readonly consistentSnapshot: boolean;
}

/** The team of a role in a profile; `generation` goes up when its keys are rotated. */
export function teamOf(name: string, profile: Profile, generation = 1): Team {
  const key = `${name} ${generation}`;
  const signers = [signerOf(key), ...(profile === 'hybrid' ? [signerOf(key, 'ml-dsa-65')] : [])];
  return { signers, threshold: signers.length };
}

/** Keys as metadata lists them. */
function listedKeys(dialect: Dialect, signers: readonly Signer[]): readonly ListedKey[] {
  return signers.map(({ algorithm, publicKeyDer }) => ({
    keyId: keyIdOf(dialect, algorithm, publicKeyDer),
    algorithm,
    publicKeyDer,
  }));
}

/** Keys and threshold as metadata lists them. */
export function describeTeam(dialect: Dialect, team: Team): RoleDescription {
  return { keys: listedKeys(dialect, team.signers), threshold: team.threshold };
}

/** Replaces one member of an object; undefined takes it away. */
export function withMember(
  object: JsonObject,
  name: string,
  value: JsonValue | undefined,
): JsonObject {
  const others = Object.entries(object).filter(([each]) => each !== name);
  return Object.fromEntries(value === undefined ? others : [...others, [name, value]]);
}

/** Replaces the object under a path of names by what `edit` makes of it. */
export function editAt(object: JsonObject, path: readonly string[], edit: Edit): JsonObject {
  const [name, ...rest] = path;
  if (name === undefined) return edit(object);
  const inner = object[name];
  return withMember(object, name, editAt(isJsonObject(inner) ? inner : {}, rest, edit));
}

/** See the head of the file. */
export class TestRepository {
  readonly setup: RepositorySetup;
  readonly dialect: Dialect;
  /** What is served, by file name. */
  readonly served = new Map<string, Uint8Array>();
  /** Changes to payloads, by role. */
  readonly edits = new Map<string, Edit>();
  /** Who really signs, where it is not the team. */
  readonly impostors = new Map<string, readonly Signer[]>();
  readonly teams: Record<TopLevelRole, Team>;
  readonly versions = { root: 1, timestamp: 1, snapshot: 1 };
  readonly expiries = { root: EXPIRY, timestamp: EXPIRY, snapshot: EXPIRY };
  readonly top: TargetsState;
  readonly delegated = new Map<RoleName, TargetsState>();
  /** The time source's team, where Root shall name one. */
  timeTeam: Team | undefined;
  /** The team of the Root before this one, which must vouch for it. */
  formerRoot: Team | undefined;

  /** Makes a repository with keys of its own and nothing in it. */
  constructor(setup: RepositorySetup) {
    this.setup = setup;
    this.dialect = setup.dialect;
    const team = (role: string): Team => teamOf(`${setup.name} ${role}`, setup.profile);
    this.teams = {
      root: team('root'),
      timestamp: team('timestamp'),
      snapshot: team('snapshot'),
      targets: team('targets'),
    };
    this.top = {
      version: 1,
      expires: EXPIRY,
      team: this.teams.targets,
      files: [],
      delegations: [],
    };
  }

  /** Adds a delegated role and the delegation to it, which `from` (the top) lists last. */
  delegate(
    name: string,
    paths: readonly string[],
    options: Partial<DelegationDescription> & {
      readonly team?: Team;
      readonly from?: TargetsState;
    } = {},
  ): TargetsState {
    const role = parseDelegatedRoleName(name);
    const { team = teamOf(`${this.setup.name} ${name}`, this.setup.profile), from = this.top } =
      options;
    const { terminating = false, hardwareIdentifiers } = options;
    from.delegations.push({
      name: role,
      paths,
      terminating,
      hardwareIdentifiers,
      ...describeTeam(this.dialect, team),
    });
    const state = this.delegated.get(role) ?? {
      version: 1,
      expires: EXPIRY,
      team,
      files: [],
      delegations: [],
    };
    this.delegated.set(role, state);
    return state;
  }

  /** Signs and serves everything, Root included. */
  async publish(): Promise<this> {
    await this.publishRoot();
    return await this.publishBelowRoot();
  }

  /** Signs and serves Targets, Snapshot and Timestamp. */
  async publishBelowRoot(): Promise<this> {
    const states = new Map([[TARGETS_ROLE, this.top], ...this.delegated]);
    const files = new Map<RoleName, { version: number; bytes: Uint8Array }>();
    for (const [role, state] of states) {
      const signed = targetsPayload(this.dialect, state);
      const bytes = await this.#sign(role, signed, state.team);
      files.set(role, { version: state.version, bytes });
      this.#serve({ kind: 'targets', role, version: this.#numbered(state.version) }, bytes);
    }
    await this.publishSnapshot(files);
    return this;
  }

  /** Signs and serves a Snapshot of given files, and a Timestamp of that. */
  async publishSnapshot(
    files: ReadonlyMap<RoleName, { readonly version: number; readonly bytes: Uint8Array }>,
  ): Promise<void> {
    const { versions, expiries } = this;
    const head = { version: versions.snapshot, expires: expiries.snapshot };
    const signed = snapshotPayload(this.dialect, { ...head, files });
    const bytes = await this.#sign('snapshot', signed, this.teams.snapshot);
    this.#serve({ kind: 'snapshot', version: this.#numbered(versions.snapshot) }, bytes);
    const snapshot = { version: versions.snapshot, bytes };
    const timestamp = timestampPayload(this.dialect, {
      version: versions.timestamp,
      expires: expiries.timestamp,
      snapshot,
    });
    this.#serve(
      { kind: 'timestamp' },
      await this.#sign('timestamp', timestamp, this.teams.timestamp),
    );
  }

  /** Signs and serves a Root, with the keys of the one before as well. */
  async publishRoot(): Promise<Uint8Array> {
    const roles = Object.fromEntries(
      TOP_LEVEL_ROLES.map((role) => [role, describeTeam(this.dialect, this.teams[role])]),
    ) as Record<TopLevelRole, RoleDescription>;
    const signed = rootPayload(this.dialect, {
      version: this.versions.root,
      expires: this.expiries.root,
      consistentSnapshot: this.setup.consistentSnapshot,
      roles,
      time: this.timeTeam === undefined ? undefined : describeTeam(this.dialect, this.timeTeam),
    });
    const signers = new Set([...(this.formerRoot?.signers ?? []), ...this.teams.root.signers]);
    const team = { signers: [...signers], threshold: 1 };
    const bytes = await this.#sign('root', signed, team);
    this.#serve({ kind: 'root', version: this.versions.root }, bytes);
    return bytes;
  }

  /** Publishes the next Root, in which the given roles have new keys. */
  async rotate(...roles: readonly TopLevelRole[]): Promise<void> {
    this.formerRoot = this.teams.root;
    this.versions.root += 1;
    for (const role of roles) {
      const name = `${this.setup.name} ${role}`;
      this.teams[role] = teamOf(name, this.setup.profile, this.versions.root);
      if (role === 'targets') this.top.team = this.teams.targets;
    }
    await this.publishRoot();
  }

  /** Raises the versions of Targets, Snapshot and Timestamp and publishes them. */
  async release(): Promise<void> {
    this.top.version += 1;
    for (const state of this.delegated.values()) state.version += 1;
    await this.renew();
  }

  /** Raises the versions of Snapshot and Timestamp and publishes all. */
  async renew(): Promise<void> {
    this.versions.snapshot += 1;
    this.versions.timestamp += 1;
    await this.publishBelowRoot();
  }

  /** The name under which a role's current file is served. */
  fileNameOf(role: string): string {
    const numbered = (version: number): MetadataVersion | undefined => this.#numbered(version);
    if (role === 'root') return `${this.versions.root}.root.json`;
    if (role === 'timestamp') return 'timestamp.json';
    if (role === 'snapshot') {
      const version = numbered(this.versions.snapshot);
      return metadataFileName(this.dialect, { kind: 'snapshot', version });
    }
    const name = role === 'targets' ? TARGETS_ROLE : parseDelegatedRoleName(role);
    const state = this.delegated.get(name) ?? this.top;
    const version = numbered(state.version);
    return metadataFileName(this.dialect, { kind: 'targets', role: name, version });
  }

  #numbered(version: number): MetadataVersion | undefined {
    return this.setup.consistentSnapshot ? (version as MetadataVersion) : undefined;
  }

  #serve(file: Parameters<typeof metadataFileName>[1], bytes: Uint8Array): void {
    this.served.set(metadataFileName(this.dialect, file), bytes);
  }

  async #sign(role: string, payload: JsonObject, team: Team): Promise<Uint8Array> {
    const signed = this.edits.get(role)?.(payload) ?? payload;
    return await signMetadata(this.dialect, signed, this.impostors.get(role) ?? team.signers);
  }
}

/** Signs a payload with one key under an identifier of the test's choice. */
export async function signUnder(
  dialect: Dialect,
  signed: JsonObject,
  keys: readonly { readonly signer: Signer; readonly keyId: string }[],
): Promise<Uint8Array> {
  const signatures = await Promise.all(
    keys.map(async ({ signer, keyId }) => ({
      ...(await makeSignature(dialect, signed, signer)),
      keyId: keyId as ListedKey['keyId'],
    })),
  );
  return encodeEnvelope(dialect, signed, signatures);
}
