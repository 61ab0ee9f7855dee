/** A cloud of its own for a benchmark: real keys, and a real PostgreSQL server that syncs to the disk. */
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type CloudContext,
  initialiseCloud,
  type Platform,
  type PlatformOptions,
  type RunningCloud,
  type ServeOptions,
  startCloud,
  startPlatform,
} from '@immota/cloud';
import { type Database, openDatabase, sql } from '@immota/store';

/** A cloud that serves, and the server of its database. */
export interface BenchCloud {
  readonly running: RunningCloud;
  readonly postgres: PostgresTime;
  close(): Promise<void>;
}

/** What the processes of a PostgreSQL server have used. */
export interface PostgresTime {
  /** CPU milliseconds of all of them so far, those that ended too. */
  readMs(): number;
}

/** How each cloud of a benchmark is opened. No rate limit: one machine plays a whole fleet. */
function serveOptions(folder: string): ServeOptions {
  return {
    folder,
    clock: { now: () => Temporal.Now.instant() },
    entropy: { bytes: (count) => new Uint8Array(randomBytes(count)) },
    host: '127.0.0.1',
    rate: { burst: 1e9, perSecond: 1e6 },
    failed: (error) => {
      console.error(error);
    },
  };
}

/** Makes a new cloud in a folder below the one for temporary files. @returns its data folder. */
export async function makeCloudFolder(): Promise<string> {
  const folder = join(mkdtempSync(join(tmpdir(), 'immota-bench-')), 'data');
  await initialiseCloud({
    ...serveOptions(folder),
    organization: 'Bench Motors',
    profile: 'classic',
    withOfflineKeys: true,
  });
  return folder;
}

/** Removes what {@link makeCloudFolder} made. */
export async function removeCloudFolder(folder: string): Promise<void> {
  await rm(join(folder, '..'), { recursive: true, force: true, maxRetries: 5 });
}

/** Starts a cloud in this process. */
export async function openBenchCloud(
  folder: string,
  options: Partial<ServeOptions> = {},
): Promise<BenchCloud> {
  const running = await startCloud({ ...serveOptions(folder), ...options });
  const postgres = await watchPostgres(running.cloud.context);
  return { running, postgres, close: () => running.close() };
}

/** Starts a whole platform in this process, the operator API too. */
export async function openBenchPlatform(
  folder: string,
  options: Partial<PlatformOptions> = {},
): Promise<Platform> {
  return await startPlatform({ ...serveOptions(folder), ...options });
}

/**
 * Lets the server of a cloud's database keep when each transaction was committed. Servers read this when
 * they start, so the cloud is opened afterwards.
 */
export async function keepCommitTimes(folder: string): Promise<void> {
  const database = await openDatabase({ dataFolder: join(folder, 'database') });
  const command = readFileSync(`/proc/${await findPostmaster(database)}/cmdline`, 'utf8');
  await database.close();
  const words = command.split('\0');
  const data = words[words.indexOf('-D') + 1];
  if (data === undefined) throw new TypeError('the server tells where its data are');
  appendFileSync(join(data, 'postgresql.conf'), '\ntrack_commit_timestamp = on\n');
}

/** Finds the processes of the database's server on this machine, and reads their CPU time. */
async function watchPostgres({ database }: Pick<CloudContext, 'database'>): Promise<PostgresTime> {
  return postgresOf(await findPostmaster(database));
}

async function findPostmaster<Schema>(database: Database<Schema>): Promise<number> {
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(
    database.kysely,
  );
  const postmaster = statOf(rows[0]?.pid ?? 0)?.parent;
  if (postmaster === undefined) throw new TypeError('the database must run on this machine');
  return postmaster;
}

function postgresOf(postmaster: number): PostgresTime {
  return {
    readMs: () => {
      const own = statOf(postmaster);
      const listed = readFileSync(`/proc/${postmaster}/task/${postmaster}/children`, 'utf8');
      const children = listed.trim().split(' ').map(Number);
      const ticks = children.reduce((sum, pid) => sum + (statOf(pid)?.ticks ?? 0), 0);
      return (ticks + (own?.ticks ?? 0) + (own?.endedTicks ?? 0)) * TICK_MS;
    },
  };
}

/** Of Linux, as it tells programs; the kernel's own may be shorter. */
const TICK_MS = 10;

interface ProcessStat {
  readonly parent: number;
  readonly ticks: number;
  /** Of children that ended. */
  readonly endedTicks: number;
}

function statOf(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  // The second field is the program's name in parentheses; what follows has no blanks within.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [, parent = 0] = fields;
  const [user = 0, system = 0, childUser = 0, childSystem = 0] = fields.slice(11);
  return { parent, ticks: user + system, endedTicks: childUser + childSystem };
}
