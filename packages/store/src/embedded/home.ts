/** Where an embedded cluster lives, and who may enter. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rename, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Buffer } from 'node:buffer';
import { StoreFault } from '../fault.ts';
import { EMBEDDED_LOCK_MS, SOCKET_PATH_MAX_BYTES } from '../limits.ts';
import type { NoticeListener } from '../database/engine.ts';
import { type Account, findAccount, probe } from './account.ts';
import { withFileLock } from './lock.ts';

/** Root's place for what a service keeps, by the Filesystem Hierarchy Standard 3.0, 5.8. */
const SHARED_STATE = '/var/lib/immota';
const POINTER = 'cluster-is-at';
const SOCKET_FOLDER_PREFIX = 'immota-socket-';
const SOCKET_NAME = '.s.PGSQL.5432';

/** A cluster's folders and files. The server's user owns `data` and `run`; we own the rest. */
export interface Home {
  readonly folder: string;
  readonly account: Account | undefined;
  /** PostgreSQL's data. */
  readonly data: string;
  /** Holds the socket. */
  readonly run: string;
  /** The keeper's named pipe. */
  readonly pipe: string;
  /** One empty file for each process that uses the server. */
  readonly users: string;
  /** Taken while the server is started or stopped. */
  readonly lock: string;
  readonly log: string;
  /** The password of the role that owns the database, and of the superuser. */
  readonly password: string;
  readonly adminPassword: string;
}

/**
 * Makes or finds the folder of a cluster.
 *
 * Started by root, the server runs as another user, who must reach its data. A data folder below a
 * folder that only root may enter is out of his reach; the cluster then lives in `/var/lib/immota`,
 * and the data folder says where.
 *
 * @param dataFolder - absolute; made when missing.
 * @param notice - told when the cluster is elsewhere.
 * @returns undefined when there is no place for it.
 * @throws StoreFault DATA_FOLDER_UNUSABLE when there is a cluster that the user cannot reach any more.
 */
export async function prepareHome(
  dataFolder: string,
  notice: NoticeListener,
): Promise<Home | undefined> {
  const near = join(dataFolder, 'postgres');
  await makeFolder(dataFolder);
  await makeFolder(near);
  // Two that find no place at the same time must not choose two.
  return withFileLock(join(near, 'place-lock'), EMBEDDED_LOCK_MS, () => findPlace(near, notice));
}

async function findPlace(near: string, notice: NoticeListener): Promise<Home | undefined> {
  const moved = await readFile(join(near, POINTER), 'utf8').catch(() => undefined);
  const home = await describe(moved?.trim() ?? near);
  if (await canEnter(home)) return home;
  if (moved !== undefined || existsSync(home.data)) {
    throw new StoreFault(
      'DATA_FOLDER_UNUSABLE',
      `Cannot open ${home.folder}: user ${home.account?.name ?? 'unknown'} cannot reach it`,
    );
  }
  return moveAway(near, notice);
}

/**
 * Chooses the folder of the server's socket.
 *
 * @param home - its `run` folder is taken when the path is short enough for a socket.
 */
export async function chooseSocketFolder(home: Home): Promise<string> {
  const path = join(home.run, SOCKET_NAME);
  if (Buffer.byteLength(path) < SOCKET_PATH_MAX_BYTES) return home.run;
  return mkdtemp(join(tmpdir(), SOCKET_FOLDER_PREFIX));
}

/**
 * Removes a folder that `chooseSocketFolder` made for a server that has stopped.
 *
 * @param folder - as the server named it; it is removed only if it is empty and bears our prefix.
 */
export async function removeSocketFolder(folder: string): Promise<void> {
  if (folder.startsWith(join(tmpdir(), SOCKET_FOLDER_PREFIX))) {
    await rmdir(folder).catch(() => undefined);
  }
}

/** Tells whether a folder holds a cluster, here or elsewhere. */
export function hasCluster(dataFolder: string): boolean {
  const near = join(dataFolder, 'postgres');
  return existsSync(join(near, 'data')) || existsSync(join(near, POINTER));
}

async function describe(folder: string): Promise<Home> {
  return {
    folder,
    account: await findAccount(folder),
    data: join(folder, 'data'),
    run: join(folder, 'run'),
    pipe: join(folder, 'keeper.pipe'),
    users: join(folder, 'users'),
    lock: join(folder, 'lock'),
    log: join(folder, 'postgres.log'),
    password: join(folder, 'password'),
    adminPassword: join(folder, 'password-admin'),
  };
}

/** Root without any user to lend cannot run the server at all. */
async function canEnter({ folder, account }: Home): Promise<boolean> {
  if (account === undefined) return process.getuid?.() !== 0;
  return probe(account, 'cd -- "$1"', [folder]);
}

async function moveAway(near: string, notice: NoticeListener): Promise<Home | undefined> {
  const folder = join(SHARED_STATE, `postgres-${randomBytes(8).toString('hex')}`);
  try {
    await makeFolder(SHARED_STATE);
    await makeFolder(folder);
  } catch {
    return undefined;
  }
  const home = await describe(folder);
  if (!(await canEnter(home))) {
    await rmdir(folder);
    return undefined;
  }
  const pointer = join(near, POINTER);
  await writeFile(`${pointer}.draft`, `${folder}\n`);
  await rename(`${pointer}.draft`, pointer);
  notice({
    code: 'CLUSTER_ELSEWHERE',
    message: `Other users cannot enter the data folder, so the database is in ${folder}`,
  });
  return home;
}

/** Others may pass through what we make, and list nothing; a folder that was there stays as it is. */
async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true });
  if (made !== undefined) await chmod(folder, process.getuid?.() === 0 ? 0o711 : 0o700);
}
