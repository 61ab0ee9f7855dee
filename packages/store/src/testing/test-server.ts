/** One real server for all test processes of a run. */
import { lstat, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { PoolConfig } from 'pg';
import { describeConnection } from '../embedded/open.ts';
import { type Home, prepareHome } from '../embedded/home.ts';
import { withFileLock } from '../embedded/lock.ts';
import { findPostmaster } from '../embedded/postmaster.ts';
import { type EmbeddedServer, joinServer } from '../embedded/server.ts';
import { prepareSoftware } from '../embedded/software.ts';
import { findDatabase, parseServerUrl, renameDatabase } from '../database/server-url.ts';
import { StoreFault } from '../fault.ts';
import { EMBEDDED_LOCK_MS, TEST_SERVER_GRACE_SECONDS } from '../limits.ts';

/** Names a server to use instead; its role must be allowed to create databases. */
const VARIABLE = 'IMMOTA_TEST_DATABASE_URL';

/** A server on which tests make databases. */
export interface TestServer {
  /** How to enter one of its databases. */
  connection(database: string): PoolConfig;
  /** The same as a URL, for `DATABASE_URL` of a child process. */
  url(database: string): string;
  /** A database that is always there. */
  readonly root: string;
  /** Whether only processes of this machine use it. */
  readonly isLocal: boolean;
}

let opening: Promise<{ server: TestServer; embedded?: EmbeddedServer }> | undefined;

/**
 * Finds the server of this test run, or starts it.
 *
 * The first process of a run starts it, the others join; it stops some seconds after the last of
 * them ended, however that ended. It forgets everything at a power cut, which makes it fast. The variable
 * `IMMOTA_TEST_DATABASE_URL` names another server to use.
 *
 * @throws StoreFault EMBEDDED_FAILED when no server runs on this machine.
 */
export async function openTestServer(): Promise<TestServer> {
  opening ??= open();
  return (await opening).server;
}

/** Gives up this process's use of the server. The end of the process does the same. */
export async function closeTestServer(): Promise<void> {
  const opened = await opening;
  opening = undefined;
  await opened?.embedded?.leave();
}

/** Tests run the server in ways an operator would hear of. */
export function ignoreNotice(): void {
  // Nobody is there to hear it.
}

async function open(): Promise<{ server: TestServer; embedded?: EmbeddedServer }> {
  const url = process.env[VARIABLE];
  if (url !== undefined && url !== '') return { server: describeForeign(url) };
  const home = await prepareHome(await chooseFolder(), ignoreNotice);
  const software =
    home === undefined ? undefined : await prepareSoftware(home.folder, home.account, ignoreNotice);
  if (home === undefined || software === undefined) {
    throw new StoreFault('EMBEDDED_FAILED', `Cannot run PostgreSQL here: set ${VARIABLE}`);
  }
  const joinIt = (): Promise<EmbeddedServer> =>
    joinServer(home, software, {
      graceSeconds: TEST_SERVER_GRACE_SECONDS,
      isDisposable: true,
      notice: ignoreNotice,
    });
  const embedded = await joinIt().catch(async () => {
    // A power cut may have broken it, or another version made it: it holds nothing of worth.
    await throwAway(home);
    return joinIt();
  });
  return { server: describeEmbedded(embedded), embedded };
}

async function throwAway(home: Home): Promise<void> {
  await withFileLock(home.lock, EMBEDDED_LOCK_MS, async () => {
    if ((await findPostmaster(home.data)) !== undefined) return;
    await rm(home.data, { recursive: true, force: true });
  });
}

/**
 * The same folder for all processes of a user, so that they find each other, and so that only the first
 * run on a machine makes a cluster. Anybody may make folders in the place of temporary files: one that is
 * not ours alone is left alone.
 */
async function chooseFolder(): Promise<string> {
  const { uid } = userInfo();
  const folder = join(tmpdir(), `immota-test-${uid}`);
  await mkdir(folder, { mode: 0o711 }).catch(() => undefined);
  const found = await lstat(folder);
  const isOurs = found.isDirectory() && found.uid === uid && (found.mode & 0o022) === 0;
  return isOurs ? folder : mkdtemp(join(tmpdir(), 'immota-test-'));
}

function describeEmbedded(embedded: EmbeddedServer): TestServer {
  const { host, port, user, password, database: root } = describeConnection(embedded, 'owner');
  return {
    root,
    isLocal: true,
    connection: (database) => ({ host, port, user, password, database }),
    url: (database) =>
      `postgres://${user}:${password}@/${database}?host=${encodeURIComponent(host)}&port=${port}`,
  };
}

function describeForeign(url: string): TestServer {
  return {
    root: findDatabase(url),
    isLocal: false,
    connection: (database) => parseServerUrl(renameDatabase(url, database)),
    url: (database) => renameDatabase(url, database),
  };
}
