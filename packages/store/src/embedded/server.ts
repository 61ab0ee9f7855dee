/** Starts the server of a cluster, or joins the one that runs. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, type PathLike } from 'node:fs';
import { chown, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { NoticeListener } from '../database/engine.ts';
import { StoreFault } from '../fault.ts';
import {
  EMBEDDED_CONNECTIONS_MAX,
  EMBEDDED_LOCK_MS,
  EMBEDDED_LOG_MAX_BYTES,
  EMBEDDED_LOG_TAIL_BYTES,
  EMBEDDED_POLL_MS,
  EMBEDDED_START_MS,
  TEST_CONNECTIONS_MAX,
} from '../limits.ts';
import { ensureCluster } from './cluster.ts';
import { chooseSocketFolder, type Home, removeSocketFolder } from './home.ts';
import { findHold, type Hold, holdOpen, startKeeper } from './keeper.ts';
import { withFileLock } from './lock.ts';
import {
  disarmLeftover,
  findPostmaster,
  type Postmaster,
  stopPostmaster,
  waitForEnd,
} from './postmaster.ts';
import { isRunning } from './process.ts';
import { removeOldSoftware, type Software } from './software.ts';

const run = promisify(execFile);
const PORT = 5432;

/** A server that this process uses. */
export interface EmbeddedServer {
  /** The folder of its socket. */
  readonly host: string;
  readonly port: number;
  /** Of the role that owns the database. */
  readonly password: string;
  /** Of the superuser; for tests only. */
  readonly adminPassword: string;
  /** Starts it again if its keeper is gone: it was stopped by hand, or died too often. */
  revive(): Promise<void>;
  /** Gives up the use. The last user waits until the server has stopped. */
  leave(): Promise<void>;
}

/** How a server is run by whoever starts it. */
export interface ServerOptions {
  /** How long it stays up after its last user left. */
  readonly graceSeconds: number;
  /** Whether a power cut may cost the data: tests. */
  readonly isDisposable: boolean;
  readonly notice: NoticeListener;
}

/**
 * Makes this process a user of a cluster's server: of the running one, else of one it starts.
 *
 * @param home - the cluster's place.
 * @param software - the binaries.
 * @param options - how to run it.
 * @throws StoreFault EMBEDDED_FAILED, with the server's last words, when it does not start.
 * @throws StoreFault DATA_FOLDER_UNUSABLE when the cluster is of another major version.
 */
export async function joinServer(
  home: Home,
  software: Software,
  options: ServerOptions,
): Promise<EmbeddedServer> {
  const ticket = join(home.users, `${process.pid}.${randomBytes(8).toString('hex')}`);
  const enter = (): Promise<Joined> =>
    withFileLock(home.lock, EMBEDDED_LOCK_MS, async () => {
      const found = (await joinRunning(home)) ?? (await startServer(home, software, options));
      await writeFile(ticket, '');
      return found;
    });
  let joined = await enter();
  const host = joined.postmaster.socketFolder;
  let reviving: Promise<void> | undefined;
  return {
    host,
    port: joined.postmaster.port,
    password: await readFile(home.password, 'utf8'),
    adminPassword: await readFile(home.adminPassword, 'utf8'),
    async revive() {
      if (joined.hold.isKept()) return;
      reviving ??= enter()
        .then((again) => {
          joined.hold.release();
          joined = again;
          return undefined;
        })
        .finally(() => {
          reviving = undefined;
        });
      await reviving;
    },
    async leave() {
      await rm(ticket, { force: true });
      joined.hold.release();
      if (options.graceSeconds === 0) await waitIfLast(home, host);
    },
  };
}

interface Joined {
  readonly hold: Hold;
  readonly postmaster: Postmaster;
}

/** A keeper that is alive either brings its server up or ends with it. */
async function joinRunning(home: Home): Promise<Joined | undefined> {
  const hold = findHold(home.pipe);
  if (hold === undefined) return undefined;
  const postmaster = await waitForReady(home, () => hold.isKept());
  if (postmaster !== undefined) return { hold, postmaster };
  hold.release();
  return undefined;
}

async function startServer(
  home: Home,
  software: Software,
  options: ServerOptions,
): Promise<Joined> {
  if ((await findPostmaster(home.data)) !== undefined) {
    options.notice({
      code: 'RECOVERED',
      message: 'A database server that nobody kept was found and stopped; it is started again',
    });
    await stopPostmaster(home.data);
  }
  await ensureCluster(home, software, options.isDisposable);
  await disarmLeftover(home.data);
  await removeOldSoftware(home.folder, software);
  const socketFolder = await chooseSocketFolder(home);
  if (home.account !== undefined) await chown(socketFolder, home.account.uid, home.account.gid);
  await makePipe(home);
  const log = await openLog(home.log);
  const bridge = holdOpen(home.pipe);
  try {
    const isKept = startKeeper({
      account: home.account,
      pipe: home.pipe,
      graceSeconds: options.graceSeconds,
      command: describeCommand(home, software, socketFolder, options.isDisposable),
      log,
    });
    return await takeOver(home, bridge, isKept);
  } finally {
    closeSync(log);
  }
}

/** The bridge reads as well as writes, so it could not see the keeper's death: it is given up. */
async function takeOver(home: Home, bridge: number, isKept: () => boolean): Promise<Joined> {
  try {
    const postmaster = await waitForReady(home, isKept);
    const hold = findHold(home.pipe);
    if (hold !== undefined && postmaster !== undefined) return { hold, postmaster };
  } finally {
    closeSync(bridge);
  }
  throw new StoreFault(
    'EMBEDDED_FAILED',
    `Cannot start the embedded server: ${await loadLogTail(home.log)}`,
  );
}

/** @returns the server once it takes connections, or undefined when it will not. */
async function waitForReady(home: Home, isKept: () => boolean): Promise<Postmaster | undefined> {
  const deadlineMs = performance.now() + EMBEDDED_START_MS;
  while (performance.now() < deadlineMs) {
    // oxlint-disable-next-line no-await-in-loop -- waiting for another process
    const postmaster = await findPostmaster(home.data);
    if (!isKept()) return undefined;
    if (postmaster?.isReady === true) return postmaster;
    // oxlint-disable-next-line no-await-in-loop -- as above
    await pause(EMBEDDED_POLL_MS);
  }
  return undefined;
}

function describeCommand(
  home: Home,
  software: Software,
  socketFolder: string,
  isDisposable: boolean,
): readonly string[] {
  const settings = {
    listen_addresses: '',
    unix_socket_directories: socketFolder,
    unix_socket_permissions: '0700',
    port: String(PORT),
    max_connections: String(isDisposable ? TEST_CONNECTIONS_MAX : EMBEDDED_CONNECTIONS_MAX),
    // Worker processes for reading ahead cost more memory than a single machine's fleet gains.
    io_method: 'sync',
    log_line_prefix: '%m [%p] ',
    // Clients hear of their own errors; the log keeps what concerns the server, and no row's content.
    log_min_messages: 'log',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    ...(isDisposable
      ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off' }
      : {}),
  };
  return [
    join(software.folder, 'bin', 'postgres'),
    '-D',
    home.data,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
}

/** A new one each time: readers of an old one, of a keeper that hangs on, are cut off. */
async function makePipe(home: Home): Promise<void> {
  await rm(home.pipe, { force: true });
  try {
    await run('mkfifo', ['-m', '600', home.pipe]);
  } catch (error) {
    throw new StoreFault('EMBEDDED_FAILED', 'Cannot make a named pipe', { cause: error });
  }
  if (home.account !== undefined) await chown(home.pipe, home.account.uid, home.account.gid);
}

async function openLog(file: string): Promise<number> {
  const lengthBytes = await stat(file).then(
    ({ size }) => size,
    () => 0,
  );
  if (lengthBytes > EMBEDDED_LOG_MAX_BYTES) await rename(file, `${file}.1`);
  return openSync(file, 'a', 0o600);
}

async function loadLogTail(file: PathLike): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - EMBEDDED_LOG_TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read({ position: start });
    return buffer.toString('utf8', 0, Math.min(bytesRead, EMBEDDED_LOG_TAIL_BYTES)).trim();
  } finally {
    await handle.close();
  }
}

/** Others who use the server keep it; without them the keeper stops it now. */
async function waitIfLast(home: Home, socketFolder: string): Promise<void> {
  await withFileLock(home.lock, EMBEDDED_LOCK_MS, async () => {
    if (await hasUsers(home)) return;
    if (!(await waitForEnd(home.data))) await stopPostmaster(home.data);
    if (socketFolder !== home.run) await removeSocketFolder(socketFolder);
  });
}

/** Tickets of processes that died are thrown away. */
async function hasUsers(home: Home): Promise<boolean> {
  let count = 0;
  for (const name of await readdir(home.users).catch(() => [])) {
    if (isRunning(Number.parseInt(name, 10))) count += 1;
    // oxlint-disable-next-line no-await-in-loop -- a handful of files
    else await rm(join(home.users, name), { force: true });
  }
  return count > 0;
}
