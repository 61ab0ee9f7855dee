/** Makes a new cluster: all of it or nothing. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, chown, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreFault } from '../fault.ts';
import { EMBEDDED_INITDB_MS, EMBEDDED_LOG_TAIL_BYTES } from '../limits.ts';
import { cleanEnvironment, spawnAs } from './account.ts';
import type { Home } from './home.ts';
import type { Software } from './software.ts';

/** The role that our code logs in as. It owns the database and rules nothing else. */
export const OWNER = 'immota';
/** The superuser: it could read the machine's files by SQL, so our code never is it. */
export const ADMIN = 'postgres';

/**
 * Makes the cluster unless it is there.
 *
 * It is made beside its place and moved in with one rename: a process that dies half-way leaves a draft,
 * which the next one throws away. Text sorts by code point and does not depend on the
 * machine's C library, whose changes would break indexes.
 *
 * @param home - where; its lock is held.
 * @param software - the binaries.
 * @param isDisposable - whether a power cut may cost it.
 * @throws StoreFault DATA_FOLDER_UNUSABLE when another major version made the cluster that is there.
 * @throws StoreFault EMBEDDED_FAILED when making it fails.
 */
export async function ensureCluster(
  home: Home,
  software: Software,
  isDisposable: boolean,
): Promise<void> {
  await makeFolderFor(home, home.run);
  await mkdir(home.users, { recursive: true, mode: 0o700 });
  if (existsSync(home.data)) {
    await checkVersion(home, software);
    return;
  }
  const draft = `${home.data}.draft`;
  await rm(draft, { recursive: true, force: true });
  await makeFolderFor(home, draft);
  await drawPassword(home, home.adminPassword);
  const ownerPassword = await drawPassword(home, home.password);
  await runTool(home, software, [
    'initdb',
    `--pgdata=${draft}`,
    `--username=${ADMIN}`,
    `--pwfile=${home.adminPassword}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
    ...(isDisposable ? ['--no-sync'] : []),
  ]);
  // One command a line. The password is hexadecimal: it needs no quoting.
  await runTool(
    home,
    software,
    ['postgres', '--single', '-j', '-D', draft, 'postgres'],
    [
      `CREATE ROLE ${OWNER} LOGIN NOSUPERUSER ${isDisposable ? 'CREATEDB' : 'NOCREATEDB'} PASSWORD '${ownerPassword}'`,
      `CREATE DATABASE ${OWNER} OWNER ${OWNER}`,
      `REVOKE CONNECT ON DATABASE postgres FROM PUBLIC`,
      '',
    ].join(';\n\n'),
  );
  await rename(draft, home.data);
  await syncFolder(home.folder);
}

/** The draft's files are synced by initdb; the name it got must be, too. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function makeFolderFor(home: Home, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await chmod(folder, 0o700);
  if (home.account !== undefined) await chown(folder, home.account.uid, home.account.gid);
}

/** In a folder that only we write, readable by the server's user alone. */
async function drawPassword(home: Home, file: string): Promise<string> {
  const password = randomBytes(32).toString('hex');
  await rm(file, { force: true });
  await writeFile(file, password, { mode: 0o400, flag: 'wx' });
  if (home.account !== undefined) await chown(file, home.account.uid, home.account.gid);
  return password;
}

async function checkVersion(home: Home, software: Software): Promise<void> {
  const text = await readFile(join(home.data, 'PG_VERSION'), 'utf8').catch(() => '');
  // Nothing but a number may come out of a file in a folder that is not ours.
  const found = /^\d{1,3}$/.exec(text.trim())?.[0] ?? 'of an unknown version';
  const expected = await loadMajorVersion(software);
  if (found !== expected) {
    throw new StoreFault(
      'DATA_FOLDER_UNUSABLE',
      `Cannot open ${home.data}: PostgreSQL ${found} made it, and this is PostgreSQL ${expected}`,
    );
  }
}

/** The catalogue's seed names its version in the first line: `# PostgreSQL 18`. */
async function loadMajorVersion(software: Software): Promise<string> {
  const handle = await open(join(software.folder, 'share/postgresql/postgres.bki'), 'r');
  try {
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(64) });
    return /^# PostgreSQL (\d+)/.exec(buffer.toString('latin1', 0, bytesRead))?.[1] ?? 'unknown';
  } finally {
    await handle.close();
  }
}

async function runTool(
  home: Home,
  software: Software,
  command: readonly string[],
  input = '',
): Promise<void> {
  const [tool = '', ...parameters] = command;
  const child = spawn(join(software.folder, 'bin', tool), parameters, {
    cwd: home.run,
    env: cleanEnvironment(),
    timeout: EMBEDDED_INITDB_MS,
    stdio: ['pipe', 'ignore', 'pipe'],
    ...spawnAs(home.account),
  });
  let said = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    said = (said + text).slice(-EMBEDDED_LOG_TAIL_BYTES);
  });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on('error', reject);
  child.on('close', resolve);
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const status = await promise.catch((error: unknown) => {
    throw new StoreFault('EMBEDDED_FAILED', `Cannot run ${tool}`, { cause: error });
  });
  if (status !== 0) {
    throw new StoreFault(
      'EMBEDDED_FAILED',
      `Cannot make a cluster: ${tool} ended with ${String(status)}: ${said.trim()}`,
    );
  }
}
