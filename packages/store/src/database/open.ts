import { resolve } from 'node:path';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { openEmbeddedEngine } from '../embedded/open.ts';
import { StoreFault } from '../fault.ts';
import { SERVER_VERSION_MIN } from '../limits.ts';
import type { Database } from './database.ts';
import type { Engine, NoticeListener } from './engine.ts';
import { openServerEngine } from './server-engine.ts';
import { parseServerUrl } from './server-url.ts';

/** Which database, and how much of it. Exactly one of `url` and `dataFolder` is given. */
export interface DatabaseOptions {
  /** A PostgreSQL server: `postgres://user:password@host:port/database`. */
  readonly url?: string | undefined;
  /**
   * A folder that belongs to the store, for an embedded PostgreSQL server. Made when missing. Several
   * processes may open it; they share the server, and the last one stops it.
   */
  readonly dataFolder?: string | undefined;
  /** Shown in the server's list of sessions; `immota` by default. */
  readonly applicationName?: string | undefined;
  /** Connections of this process, at most; 10 by default. */
  readonly connectionsMax?: number | undefined;
  /** How long one statement may run; 30 s by default. */
  readonly statementTimeoutMs?: number | undefined;
  /** How long to try to connect while the server is down or full; 10 s by default. */
  readonly connectPatienceMs?: number | undefined;
  /** Hears what an operator should hear; nothing is printed. */
  readonly notice?: NoticeListener | undefined;
}

/**
 * Opens a database and checks that it is fit: reachable, not too old, UTF-8, writable.
 *
 * @param options - a server's URL, or a folder.
 * @throws StoreFault URL_MALFORMED, UNREACHABLE, SERVER_UNSUITABLE for a server.
 * @throws StoreFault DATA_FOLDER_BUSY, DATA_FOLDER_UNUSABLE, EMBEDDED_FAILED for a folder.
 */
export async function openDatabase<Schema>(options: DatabaseOptions): Promise<Database<Schema>> {
  const notice = options.notice ?? (() => undefined);
  return wrapEngine<Schema>(await openEngine(options, notice), notice);
}

/**
 * Makes the handle that callers hold, once the engine answered as it must.
 *
 * @param engine - closed again when it is unfit.
 * @param notice - told when writes are not durable.
 */
export async function wrapEngine<Schema>(
  engine: Engine,
  notice: NoticeListener,
): Promise<Database<Schema>> {
  const kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: engine.pool }) });
  let closing: Promise<void> | undefined;
  const database: Database<Schema> = {
    kind: engine.kind,
    kysely,
    listen: (channel, listener) => engine.listen(channel, listener),
    close() {
      closing ??= kysely.destroy().then(() => engine.close());
      return closing;
    },
  };
  try {
    await checkServer(database, notice);
  } catch (error) {
    await database.close();
    throw error;
  }
  return database;
}

async function openEngine(options: DatabaseOptions, notice: NoticeListener): Promise<Engine> {
  const applicationName = options.applicationName ?? 'immota';
  const { connectionsMax, statementTimeoutMs, connectPatienceMs } = options;
  const bounds = { connectionsMax, statementTimeoutMs, connectPatienceMs };
  const common = { ...bounds, applicationName, notice };
  if (options.url !== undefined && options.dataFolder === undefined) {
    return openServerEngine({
      ...common,
      kind: 'server',
      connection: parseServerUrl(options.url),
    });
  }
  if (options.dataFolder !== undefined && options.url === undefined) {
    return openEmbeddedEngine(resolve(options.dataFolder), common);
  }
  throw new StoreFault('URL_MALFORMED', 'Cannot open database: give either a URL or a data folder');
}

interface ServerState {
  readonly version: number;
  readonly encoding: string;
  readonly standby: boolean;
  readonly fsync: string;
  readonly commit: string;
}

async function checkServer<Schema>(
  database: Database<Schema>,
  notice: NoticeListener,
): Promise<void> {
  const { rows } = await sql<ServerState>`
    select current_setting('server_version_num')::int as version,
      current_setting('server_encoding') as encoding, pg_is_in_recovery() as standby,
      current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit
  `.execute(database.kysely);
  const state = rows[0];
  if (state === undefined || state.version < SERVER_VERSION_MIN) {
    throw unsuitable('expected PostgreSQL 14 or newer');
  }
  if (state.encoding !== 'UTF8') throw unsuitable(`its encoding is ${state.encoding}, not UTF8`);
  if (state.standby) throw unsuitable('it is a standby that takes no writes');
  if (database.kind !== 'pglite' && (state.fsync === 'off' || state.commit === 'off')) {
    notice({
      code: 'NOT_DURABLE',
      message: 'The database server may lose acknowledged writes when the power fails',
    });
  }
}

function unsuitable(why: string): StoreFault {
  return new StoreFault('SERVER_UNSUITABLE', `Cannot use this database server: ${why}`);
}
