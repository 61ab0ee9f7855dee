/** Keeps the Image repository's online files from running out, and warns of the offline ones. */
import { sql, transaction } from '@immota/store';
import type { Dialect } from '@immota/uptane';
import { FLEET_STREAM, type NewEvent } from '../event-log/event-sink.ts';
import type { CloudTransaction } from '../schema/database.ts';
import { isEnding } from './lifetimes.ts';
import { makeSnapshot, makeTimestamp } from './online-files.ts';
import {
  DIALECTS,
  loadFiles,
  lockRepositories,
  METADATA_CHANNEL,
  saveFiles,
  type TrustContext,
} from './publish.ts';
import { parseTargetsRole, type StoredFile, trustFiles } from './repository-state.ts';

/** Offline files are announced this long before they run out: people must meet to sign. */
const WARNING_HOURS = 30 * 24;
const NOT_TARGETS: ReadonlySet<string> = new Set(['root', 'snapshot', 'timestamp']);

/**
 * Signs Snapshot and Timestamp of the Image repository anew when they end soon, and puts on record which
 * offline files do.
 *
 * @param isForced - whether they are made anew though they do not end soon.
 * @returns whether anything was published.
 * @throws CloudFault KEY_MISSING.
 */
export async function refreshRepositories(
  context: TrustContext,
  isForced = false,
): Promise<boolean> {
  return await transaction(
    context.database,
    async (tx) => {
      await lockRepositories(tx);
      let isChanged = false;
      for (const dialect of DIALECTS.image) {
        const files = await loadFiles(tx, 'image', dialect);
        const made = files.some(({ role }) => role === 'targets')
          ? await makeEnding(context, { dialect, files, isForced })
          : [];
        await saveFiles(context, tx, { repository: 'image', dialect, files: made });
        isChanged ||= made.length > 0;
      }
      if (isChanged) await sql`select pg_notify(${METADATA_CHANNEL}, 'image')`.execute(tx);
      await context.events.append(tx, await findEnding(context, tx));
      return isChanged;
    },
    { isolation: 'read committed' },
  );
}

async function makeEnding(
  context: TrustContext,
  work: {
    readonly dialect: Dialect;
    readonly files: readonly StoredFile[];
    readonly isForced: boolean;
  },
): Promise<readonly StoredFile[]> {
  const { dialect, files, isForced } = work;
  const { lifetimes, clock } = context;
  const now = clock.now();
  const signing = { ...context, now };
  const state = trustFiles(dialect, files);
  const { snapshot, timestamp } = state;
  const made: StoredFile[] = [];
  let current = files.find(({ role }) => role === 'snapshot');
  const snapshotEnds =
    isForced ||
    snapshot === undefined ||
    isEnding(snapshot.body.expires, now, lifetimes.imageSnapshotHours);
  if (snapshotEnds || current === undefined) {
    const targets = new Map(
      files
        .filter(({ role }) => !NOT_TARGETS.has(role))
        .map((file) => [parseTargetsRole(file.role), file] as const),
    );
    const version = (current?.version ?? 0) + 1;
    current = await makeSnapshot(signing, dialect, { targets, version });
    made.push(current);
  }
  const timestampEnds =
    timestamp === undefined || isEnding(timestamp.body.expires, now, lifetimes.imageTimestampHours);
  if (timestampEnds || made.length > 0) {
    const version = (timestamp?.body.version ?? 0) + 1;
    made.push(await makeTimestamp(signing, dialect, { snapshot: current, version }));
  }
  const replaced = new Set(made.map(({ role }) => role));
  // What is made must verify with the Root in force: the keystore may hold other keys by mistake.
  trustFiles(dialect, [...files.filter(({ role }) => !replaced.has(role)), ...made]);
  return made;
}

/** One event for each offline file that ends soon and has not been announced. */
async function findEnding(
  { clock }: TrustContext,
  tx: CloudTransaction,
): Promise<readonly NewEvent[]> {
  const at = clock.now();
  const until = at.add({ hours: WARNING_HOURS });
  const { rows } = await sql<{
    readonly repository: string;
    readonly dialect: string;
    readonly role: string;
    readonly version: number;
  }>`
    select repository, dialect, role, version from (
      select distinct on (repository, dialect, role) * from metadata_file
      where role not in ('snapshot', 'timestamp') order by repository, dialect, role, version desc
    ) as newest
    where expires_at < ${until} and not exists (
      select from event where kind = 'metadata.expiring' and stream = ${FLEET_STREAM}
      and body ->> 'repository' = repository and body ->> 'dialect' = dialect
      and body ->> 'role' = role and (body ->> 'version')::bigint = version)`.execute(tx);
  return rows.map((row) => ({
    stream: FLEET_STREAM,
    kind: 'metadata.expiring',
    at,
    body: { ...row },
  }));
}
