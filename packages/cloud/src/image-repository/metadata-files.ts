/** The Image repository's and the Director's metadata under the names that clients ask for {uptane B16} {uptane D1}. */
import type { Dialect, RepositoryName } from '@immota/uptane';
import { METADATA_CACHE_BYTES } from '../limits.ts';
import type { CloudDatabase } from '../schema/database.ts';
import { type RepositoryState, parseTargetsRole } from '../trust/repository-state.ts';
import type { TrustStore } from '../trust/trust-store.ts';

/** A metadata file to be served. */
export interface ServedMetadata {
  readonly bytes: Uint8Array;
  /** Whether the name carries the version, so that it never changes. */
  readonly isImmutable: boolean;
}

/** Finds metadata. */
export interface MetadataFiles {
  /**
   * Finds a file.
   *
   * @param path - below the repository's folder, percent-encoded, from outside.
   */
  find(
    repository: RepositoryName,
    dialect: Dialect,
    path: string,
  ): Promise<ServedMetadata | undefined>;
}

interface Wanted {
  readonly role: string;
  readonly version: number | undefined;
}

const ONLINE: ReadonlySet<string> = new Set(['root', 'timestamp', 'snapshot']);

/** Makes the finder: what is in force comes from memory, older versions from the database. */
export function createMetadataFiles(database: CloudDatabase, trust: TrustStore): MetadataFiles {
  const kept = new Map<string, Uint8Array>();
  let keptBytes = 0;
  const load = async (
    repository: RepositoryName,
    dialect: Dialect,
    { role, version = 0 }: Wanted,
  ): Promise<Uint8Array | undefined> => {
    const key = `${repository} ${dialect.name} ${version} ${role}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const row = await database.kysely
      .selectFrom('metadata_file')
      .select('bytes')
      .where('repository', '=', repository)
      .where('dialect', '=', dialect.name)
      .where('role', '=', role)
      .where('version', '=', version)
      .executeTakeFirst();
    if (row === undefined) return undefined;
    if (keptBytes + row.bytes.length > METADATA_CACHE_BYTES) {
      kept.clear();
      keptBytes = 0;
    }
    kept.set(key, row.bytes);
    keptBytes += row.bytes.length;
    return row.bytes;
  };
  return {
    async find(repository, dialect, path) {
      const wanted = parsePath(dialect, path);
      if (wanted === undefined) return undefined;
      const state = repository === 'director' ? trust.director() : trust.image(dialect.name);
      const current = findCurrent(state, wanted.role);
      if (current === undefined) return undefined;
      const { version } = wanted;
      // The next version is asked for all day by the whole fleet, and is nearly never there.
      if (version !== undefined && version > current.version) return undefined;
      if (version === undefined || version === current.version) {
        return { bytes: current.bytes, isImmutable: version !== undefined };
      }
      const bytes = await load(repository, dialect, wanted);
      return bytes === undefined ? undefined : { bytes, isImmutable: true };
    },
  };
}

/** `1.root.json`, `timestamp.json`, `7.snapshot.json`, `targets.json`, `delegations/supplier.json` … */
function parsePath(dialect: Dialect, path: string): Wanted | undefined {
  const { delegationFolder } = dialect;
  const isDelegated = delegationFolder !== '' && path.startsWith(delegationFolder);
  const file = isDelegated ? path.slice(delegationFolder.length) : path;
  if (!file.endsWith('.json') || file.includes('/')) return undefined;
  const match = /^(?:([1-9]\d{0,14})\.)?(.+)\.json$/.exec(file);
  const [, digits, encoded = ''] = match ?? [];
  let role: string;
  try {
    role = decodeURIComponent(encoded);
    if (!ONLINE.has(role)) parseTargetsRole(role);
  } catch {
    return undefined;
  }
  const isTop = ONLINE.has(role) || role === 'targets';
  if (isDelegated ? isTop : !isTop && delegationFolder !== '') return undefined;
  // {uptane B16}: Timestamp alone has no version in its name.
  if (role === 'timestamp' && digits !== undefined) return undefined;
  return { role, version: digits === undefined ? undefined : Number(digits) };
}

function findCurrent(
  state: RepositoryState,
  role: string,
): { readonly version: number; readonly bytes: Uint8Array } | undefined {
  const metadata =
    role === 'root'
      ? state.root
      : role === 'timestamp'
        ? state.timestamp
        : role === 'snapshot'
          ? state.snapshot
          : state.targets.get(parseTargetsRole(role));
  return metadata && { version: metadata.body.version, bytes: metadata.bytes };
}
