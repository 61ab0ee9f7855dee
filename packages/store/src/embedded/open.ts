import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Engine, NoticeListener } from '../database/engine.ts';
import { openPgliteEngine } from '../database/pglite-engine.ts';
import { openServerEngine, type ServerEngineOptions } from '../database/server-engine.ts';
import { StoreFault, type StoreFaultCode } from '../fault.ts';
import { ADMIN, OWNER } from './cluster.ts';
import { hasCluster, prepareHome } from './home.ts';
import { takeFileLock } from './lock.ts';
import { type EmbeddedServer, joinServer } from './server.ts';
import { prepareSoftware } from './software.ts';

/** How this process uses the database. */
export type EmbeddedOptions = Omit<
  ServerEngineOptions,
  'kind' | 'connection' | 'revive' | 'release'
>;

/**
 * Opens the database of a data folder: on a PostgreSQL server of its own, or else on PGlite.
 *
 * What is there decides first: a folder that holds a cluster is never opened by PGlite, nor the
 * other way round, since the caller would find an empty database.
 *
 * @param dataFolder - absolute; made when missing.
 * @param options - how.
 */
export async function openEmbeddedEngine(
  dataFolder: string,
  options: EmbeddedOptions,
): Promise<Engine> {
  if (existsSync(join(dataFolder, 'pglite'))) {
    return openPglite(dataFolder, options.notice, 'the data folder holds a PGlite database');
  }
  const found = await findServer(dataFolder, options.notice);
  if (found.kind === 'none') return openPglite(dataFolder, options.notice, found.why);
  const { server } = found;
  return openServerEngine({
    ...options,
    kind: 'embedded',
    connection: describeConnection(server, 'owner'),
    revive: () => server.revive(),
    release: () => server.leave(),
  });
}

/**
 * Says how to enter an embedded server.
 *
 * @param server - a running one.
 * @param role - `owner` of the database, or `admin` of the cluster.
 */
export function describeConnection(
  server: EmbeddedServer,
  role: 'owner' | 'admin',
): { host: string; port: number; user: string; password: string; database: string } {
  const { host, port } = server;
  return role === 'owner'
    ? { host, port, user: OWNER, password: server.password, database: OWNER }
    : { host, port, user: ADMIN, password: server.adminPassword, database: 'postgres' };
}

type Found =
  | { readonly kind: 'server'; readonly server: EmbeddedServer }
  | { readonly kind: 'none'; readonly why: string };

/** A cluster that is there and cannot be served must not be hidden behind an empty database. */
async function findServer(dataFolder: string, notice: NoticeListener): Promise<Found> {
  const isOld = hasCluster(dataFolder);
  let why = `no PostgreSQL for ${process.platform}-${process.arch} runs here`;
  try {
    const home = await prepareHome(dataFolder, notice);
    if (home === undefined) {
      why = 'there is no user and place for a PostgreSQL server';
    } else {
      const software = await prepareSoftware(home.folder, home.account, notice);
      if (software !== undefined) {
        const options = { graceSeconds: 0, isDisposable: false, notice };
        return { kind: 'server', server: await joinServer(home, software, options) };
      }
    }
  } catch (error) {
    if (!isFault(error, 'EMBEDDED_FAILED') || hasCluster(dataFolder)) throw error;
    why = error.message;
  }
  if (!isOld) return { kind: 'none', why };
  throw new StoreFault(
    'DATA_FOLDER_UNUSABLE',
    `Cannot open ${dataFolder}: it holds a PostgreSQL cluster, and ${why}`,
  );
}

function isFault(error: unknown, code: StoreFaultCode): error is StoreFault {
  return error instanceof StoreFault && error.code === code;
}

async function openPglite(
  dataFolder: string,
  notice: NoticeListener,
  why: string,
): Promise<Engine> {
  const folder = join(dataFolder, 'pglite');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const lock = await takeFileLock(join(dataFolder, 'pglite.lock'), 0);
  notice({
    code: 'EMBEDDED_UNAVAILABLE',
    message: `PGlite serves the database, in this process alone: ${why}`,
  });
  try {
    return await openPgliteEngine(folder, async () => {
      lock.release();
    });
  } catch (error) {
    lock.release();
    throw new StoreFault('EMBEDDED_FAILED', `Cannot open PGlite on ${folder}`, { cause: error });
  }
}
