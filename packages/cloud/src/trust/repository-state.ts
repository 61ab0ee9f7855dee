/** What is published of one repository in one dialect, read back and verified like a client would. */
import {
  advanceRoot,
  advanceSnapshot,
  advanceTargets,
  advanceTimestamp,
  anchorRoot,
  decodeRoot,
  decodeSnapshot,
  decodeTargets,
  decodeTimestamp,
  type Dialect,
  keysOf,
  limits,
  parseDelegatedRoleName,
  type RepositoryName,
  type RoleName,
  type Root,
  type Snapshot,
  type Targets,
  TARGETS_ROLE,
  type Timestamp,
  type Trusted,
} from '@immota/uptane';
import { CloudFault } from '../fault.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';

/** A published repository in one dialect. */
export interface RepositoryState {
  readonly root: Trusted<Root>;
  /** When the newest Root was published: metadata signed before may bear keys of the past. */
  readonly rootSince: Temporal.Instant;
  readonly timestamp: Trusted<Timestamp> | undefined;
  readonly snapshot: Trusted<Snapshot> | undefined;
  readonly targets: ReadonlyMap<RoleName, Trusted<Targets>>;
}

/** A file as it is stored. */
export interface StoredFile {
  readonly role: string;
  readonly version: number;
  readonly bytes: Uint8Array;
  readonly created_at: Temporal.Instant;
}

/**
 * Loads what is published. Expiry is not asked here: what ran out still guards versions.
 *
 * @returns undefined when nothing is.
 * @throws UptaneFault when what is stored does not verify: somebody changed it.
 */
export async function loadRepositoryState(
  database: CloudDatabase['kysely'] | CloudTransaction,
  repository: RepositoryName,
  dialect: Dialect,
): Promise<RepositoryState | undefined> {
  const rows = await database
    .selectFrom('metadata_file')
    .select(['role', 'version', 'bytes', 'created_at'])
    .where('repository', '=', repository)
    .where('dialect', '=', dialect.name)
    .where((where) =>
      where.or([
        where('role', '=', 'root'),
        where(
          'version',
          '=',
          where
            .selectFrom('metadata_file as newest')
            .select((of) => of.fn.max('newest.version').as('version'))
            .whereRef('newest.repository', '=', 'metadata_file.repository')
            .whereRef('newest.dialect', '=', 'metadata_file.dialect')
            .whereRef('newest.role', '=', 'metadata_file.role'),
        ),
      ]),
    )
    .orderBy('version')
    .execute();
  return rows.length === 0 ? undefined : trustFiles(dialect, rows);
}

/**
 * Verifies the files of a repository in the order of the workflow.
 *
 * @param files - every Root; of the others the newest.
 * @throws UptaneFault as a client would refuse.
 */
export function trustFiles(dialect: Dialect, files: readonly StoredFile[]): RepositoryState {
  const roots = files.filter(({ role }) => role === 'root');
  const [first, ...later] = roots;
  if (first === undefined) {
    throw new CloudFault('REPOSITORY_STATE', 'Cannot use repository: it has no Root');
  }
  let root = anchorRoot(decodeRoot(dialect, first.bytes, limits.ROOT_MAX_BYTES));
  for (const { bytes } of later) {
    root = advanceRoot(root, decodeRoot(dialect, bytes, limits.ROOT_MAX_BYTES));
  }
  const byRole = new Map(files.map((file) => [file.role, file.bytes]));
  const timestamp = trustTimestamp(dialect, root, byRole.get('timestamp'));
  const snapshot = trustSnapshot(dialect, { root, timestamp }, byRole.get('snapshot'));
  return {
    root,
    rootSince: (roots.at(-1) ?? first).created_at,
    timestamp,
    snapshot,
    targets: trustTargets(dialect, root, byRole),
  };
}

/** After its keys were rotated away an old Timestamp is as if it were not there. */
function trustTimestamp(
  dialect: Dialect,
  root: Trusted<Root>,
  bytes: Uint8Array | undefined,
): Trusted<Timestamp> | undefined {
  if (bytes === undefined) return undefined;
  const signed = decodeTimestamp(dialect, bytes, limits.TIMESTAMP_MAX_BYTES);
  return advanceTimestamp(root, undefined, signed);
}

function trustSnapshot(
  dialect: Dialect,
  trust: { readonly root: Trusted<Root>; readonly timestamp: Trusted<Timestamp> | undefined },
  bytes: Uint8Array | undefined,
): Trusted<Snapshot> | undefined {
  const { root, timestamp } = trust;
  if (bytes === undefined || timestamp === undefined) return undefined;
  const signed = decodeSnapshot(dialect, bytes, limits.SNAPSHOT_MAX_BYTES);
  return advanceSnapshot({ root, timestamp, current: undefined }, signed);
}

/**
 * Verifies every Targets file that delegations lead to, each with the keys of who delegates to it.
 *
 * @throws CloudFault METADATA_REFUSED when a role that is delegated to has no file: each search that
 * reaches it would fail.
 */
function trustTargets(
  dialect: Dialect,
  root: Trusted<Root>,
  files: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<RoleName, Trusted<Targets>> {
  const trusted = new Map<RoleName, Trusted<Targets>>();
  const pending: { role: RoleName; keys: Root['keys']; roleKeys: ReturnType<typeof keysOf> }[] = [];
  if (files.has(TARGETS_ROLE)) {
    const roleKeys = keysOf(root.body, 'targets');
    pending.push({ role: TARGETS_ROLE, keys: root.body.keys, roleKeys });
  }
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const { role, keys, roleKeys } = visit;
    const bytes = files.get(role);
    if (bytes === undefined) {
      throw new CloudFault('METADATA_REFUSED', `Cannot delegate to "${role}": it has no file yet`);
    }
    const signed = decodeTargets(dialect, bytes, { role, lengthMax: limits.TARGETS_MAX_BYTES });
    const context = { role, keys, roleKeys, info: undefined, current: undefined };
    const targets = advanceTargets(context, signed);
    if (trusted.has(role)) continue;
    trusted.set(role, targets);
    const { delegations } = targets.body;
    for (const { names, roles } of delegations?.entries ?? []) {
      if (names.kind === 'succinct') {
        throw new CloudFault('METADATA_REFUSED', 'Cannot publish: bins are not served here');
      }
      for (const next of roles) {
        const delegated = { role: next.name, keys: delegations?.keys ?? new Map(), roleKeys: next };
        pending.push(delegated);
      }
    }
  }
  return trusted;
}

/** Reads the name of a Targets role: `targets` or a delegated one. @throws UptaneFault MALFORMED. */
export function parseTargetsRole(value: string): RoleName {
  return value === TARGETS_ROLE ? TARGETS_ROLE : parseDelegatedRoleName(value);
}
