/**
 * Publishes metadata that was signed elsewhere. Nothing is stored that a client would refuse: the new
 * files go through the client's own rules, on top of what is published, before they are kept.
 */
import type { EventId } from '@immota/api';
import { type Clock, findFaultCode } from '@immota/base';
import { sql, transaction } from '@immota/store';
import {
  AKTUALIZR,
  checkFresh,
  decodeEnvelope,
  decodeRoot,
  decodeSnapshot,
  decodeTargets,
  decodeTimestamp,
  type Dialect,
  limits,
  parseMetadataVersion,
  type RepositoryName,
  TUF,
} from '@immota/uptane';
import { type EventSink, FLEET_STREAM } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import { checkSameInBoth, checkUploaded } from './check-targets.ts';
import type { Keystore } from './keystore.ts';
import type { Lifetimes } from './lifetimes.ts';
import { makeSnapshot, makeTimestamp } from './online-files.ts';
import {
  parseTargetsRole,
  type RepositoryState,
  type StoredFile,
  trustFiles,
} from './repository-state.ts';

/** The channel that is told of each publication; the payload is the repository's name. */
export const METADATA_CHANNEL = 'immota_metadata';
/** The advisory lock under which one publication happens at a time: `trust` in bytes. */
const PUBLISH_LOCK = 0x74_72_75_73_74;

/** What publishing needs. */
export interface TrustContext {
  readonly database: CloudDatabase;
  readonly keystore: Keystore;
  readonly lifetimes: Lifetimes;
  readonly clock: Clock;
  readonly events: EventSink;
}

/** A file that somebody wants published. */
export interface OfferedFile {
  readonly repository: RepositoryName;
  /** The Image repository is published in both dialects, the Director's Root in `aktualizr`. */
  readonly dialect: Dialect['name'];
  /** `root`, `targets` or a delegated role. */
  readonly role: string;
  readonly bytes: Uint8Array;
}

const ROLE_NAME = /^(?!\d+\.)[A-Za-z0-9_-][A-Za-z0-9_.-]{0,49}$/;

/** The dialects that each repository is published in. */
export const DIALECTS: Readonly<Record<RepositoryName, readonly Dialect[]>> = {
  director: [AKTUALIZR],
  image: [AKTUALIZR, TUF],
};

/**
 * Publishes files, all or none.
 *
 * Each Root follows the one before {uptane L6} {uptane L7}, the first vouches for itself; each Targets
 * file is exactly one version on, signed by a threshold of who may {uptane D2}, and not expired; every image it
 * lists was uploaded as it says; both dialects of the Image repository state the same. Snapshot and
 * Timestamp are made here.
 *
 * @param offered - in any order; both dialects of an Image role together.
 * @throws CloudFault METADATA_REFUSED, KEY_MISSING; UptaneFault as a client would refuse. Then nothing
 * changed, and the refusal is on record.
 */
export async function publishMetadata(
  context: TrustContext,
  offered: readonly OfferedFile[],
): Promise<void> {
  try {
    await transaction(context.database, (tx) => publishAll(context, tx, offered), {
      isolation: 'read committed',
    });
  } catch (error) {
    const code = findFaultCode(error);
    if (code !== undefined) {
      await record(context, 'metadata.refused', {
        code,
        files: offered.map(({ repository, dialect, role }) => `${repository}/${dialect}/${role}`),
      });
    }
    throw error;
  }
}

async function publishAll(
  context: TrustContext,
  tx: CloudTransaction,
  offered: readonly OfferedFile[],
): Promise<void> {
  await lockRepositories(tx);
  for (const repository of ['director', 'image'] as const) {
    const here = offered.filter((file) => file.repository === repository);
    if (here.length === 0) continue;
    const states: RepositoryState[] = [];
    for (const dialect of DIALECTS[repository]) {
      const files = here.filter((file) => file.dialect === dialect.name);
      states.push(await publishDialect(context, tx, { repository, dialect, files }));
    }
    if (here.some(({ dialect }) => DIALECTS[repository].every(({ name }) => name !== dialect))) {
      throw refused(`${repository} is not published in this dialect`);
    }
    checkSameInBoth(states);
    if (repository === 'image') await checkUploaded(tx, states);
    await sql`select pg_notify(${METADATA_CHANNEL}, ${repository})`.execute(tx);
  }
}

/** Keeps one process at a time publishing. */
export async function lockRepositories(tx: CloudTransaction): Promise<void> {
  await sql`select pg_advisory_xact_lock(${PUBLISH_LOCK})`.execute(tx);
}

interface Publication {
  readonly repository: RepositoryName;
  readonly dialect: Dialect;
  readonly files: readonly OfferedFile[];
}

async function publishDialect(
  context: TrustContext,
  tx: CloudTransaction,
  { repository, dialect, files }: Publication,
): Promise<RepositoryState> {
  const now = context.clock.now();
  const stored = await loadFiles(tx, repository, dialect);
  const fresh = files
    .map((file) => openOffered(dialect, file, now))
    .toSorted((left, right) => left.version - right.version);
  for (const file of fresh) checkNext(file, [...stored, ...fresh]);
  const guards = stored.filter(({ role }) => role === 'snapshot' || role === 'timestamp');
  const kept = [...stored, ...fresh].filter((file) => !guards.includes(file));
  const current = newestOf(kept);
  // Thresholds, root chain and delegations, by the client's own rules.
  let state = trustFiles(dialect, current);
  for (const { role } of fresh) checkReachable(state, role, now);
  checkFresh(state.root, now);
  let made: readonly StoredFile[] = [];
  if (repository === 'image' && state.targets.size > 0) {
    made = await makeOnlineFiles({ ...context, now }, dialect, { current, guards });
    state = trustFiles(dialect, [...current, ...made]);
  }
  await saveFiles(context, tx, { repository, dialect, files: [...fresh, ...made] });
  return state;
}

/** Makes Snapshot and Timestamp one version on, and checks them against the Root in force. */
async function makeOnlineFiles(
  signing: TrustContext & { readonly now: Temporal.Instant },
  dialect: Dialect,
  { current, guards }: { current: readonly StoredFile[]; guards: readonly StoredFile[] },
): Promise<readonly StoredFile[]> {
  const next = (role: string): number =>
    Math.max(0, ...guards.filter((file) => file.role === role).map(({ version }) => version)) + 1;
  const targets = new Map(
    current
      .filter(({ role }) => role !== 'root')
      .map((file) => [parseTargetsRole(file.role), file] as const),
  );
  const snapshot = await makeSnapshot(signing, dialect, { targets, version: next('snapshot') });
  const timestamp = await makeTimestamp(signing, dialect, {
    snapshot,
    version: next('timestamp'),
  });
  return [snapshot, timestamp];
}

/** Decodes as far as names and versions; the rules follow when all are together. */
function openOffered(dialect: Dialect, file: OfferedFile, now: Temporal.Instant): StoredFile {
  const lengthMax = file.role === 'root' ? limits.ROOT_MAX_BYTES : limits.TARGETS_MAX_BYTES;
  const envelope = decodeEnvelope(dialect, file.bytes, lengthMax);
  if (file.role !== 'root') parseTargetsRole(file.role);
  // The vehicles' client knows no other names, and each is the name of a file.
  if (!ROLE_NAME.test(file.role)) throw refused(`"${file.role}" cannot be the name of a file`);
  return {
    role: file.role,
    version: parseMetadataVersion(envelope.signed['version']),
    // The canonical form where it is what others hash: then served, hashed and signed bytes are the same.
    bytes: envelope.digestInput(),
    created_at: now,
  };
}

function checkNext(file: StoredFile, all: readonly StoredFile[]): void {
  const versions = all.filter(({ role }) => role === file.role && file.version > 0);
  const isRepeated = versions.some((other) => other !== file && other.version === file.version);
  const hasPredecessor =
    file.version === 1 || versions.some(({ version }) => version === file.version - 1);
  if (isRepeated || !hasPredecessor) {
    throw refused(`"${file.role}" of version ${file.version} is not the next one`);
  }
}

/** The role must count for clients, and the file must be fresh. */
function checkReachable(state: RepositoryState, role: string, now: Temporal.Instant): void {
  if (role === 'root') return;
  const targets = state.targets.get(parseTargetsRole(role));
  if (targets === undefined) throw refused(`nobody delegates to "${role}"`);
  checkFresh(targets, now);
}

/** Every Root, and the newest of each other role. */
function newestOf(files: readonly StoredFile[]): readonly StoredFile[] {
  const newest = new Map<string, StoredFile>();
  for (const file of files) {
    const known = newest.get(file.role);
    if (known === undefined || known.version < file.version) newest.set(file.role, file);
  }
  return [
    ...files
      .filter(({ role }) => role === 'root')
      .toSorted((left, right) => left.version - right.version),
    ...[...newest.values()].filter(({ role }) => role !== 'root'),
  ];
}

/** Loads every Root, and the newest of each other role, as they are stored. */
export async function loadFiles(
  tx: CloudTransaction,
  repository: RepositoryName,
  dialect: Dialect,
): Promise<readonly StoredFile[]> {
  const { rows } = await sql<StoredFile>`
    select role, version, bytes, created_at from metadata_file as file
    where repository = ${repository} and dialect = ${dialect.name} and (role = 'root' or version = (
      select max(version) from metadata_file as newest where newest.repository = file.repository
      and newest.dialect = file.dialect and newest.role = file.role))
    order by version`.execute(tx);
  return rows;
}

/** Stores files that were verified, and puts them on record. */
export async function saveFiles(
  context: TrustContext,
  tx: CloudTransaction,
  { repository, dialect, files }: Omit<Publication, 'files'> & { files: readonly StoredFile[] },
): Promise<void> {
  if (files.length === 0) return;
  const described = files.map((file) => ({ ...file, expires_at: expiryIn(dialect, file) }));
  await tx
    .insertInto('metadata_file')
    .values(described.map((file) => ({ ...file, repository, dialect: dialect.name })))
    .execute();
  await context.events.append(
    tx,
    described.map(({ role, version, expires_at: expires }) => ({
      stream: FLEET_STREAM,
      kind: 'metadata.published',
      at: context.clock.now(),
      body: {
        repository,
        dialect: dialect.name,
        role,
        version,
        expires: expires.toString({ smallestUnit: 'second' }),
      },
    })),
  );
}

function expiryIn(dialect: Dialect, { role, bytes }: StoredFile): Temporal.Instant {
  switch (role) {
    case 'root':
      return decodeRoot(dialect, bytes, limits.ROOT_MAX_BYTES).body.expires;
    case 'snapshot':
      return decodeSnapshot(dialect, bytes, limits.SNAPSHOT_MAX_BYTES).body.expires;
    case 'timestamp':
      return decodeTimestamp(dialect, bytes, limits.TIMESTAMP_MAX_BYTES).body.expires;
    default: {
      const options = { role: parseTargetsRole(role), lengthMax: limits.TARGETS_MAX_BYTES };
      return decodeTargets(dialect, bytes, options).body.expires;
    }
  }
}

async function record(
  { database, events, clock }: TrustContext,
  kind: EventId,
  body: { readonly code: string; readonly files: readonly string[] },
): Promise<void> {
  const event = { stream: FLEET_STREAM, kind, at: clock.now(), body };
  await transaction(database, (tx) => events.append(tx, [event]), { isolation: 'read committed' });
}

function refused(why: string): CloudFault {
  return new CloudFault('METADATA_REFUSED', `Cannot publish metadata: ${why}`);
}
