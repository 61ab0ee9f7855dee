/** As whom the embedded server runs. PostgreSQL refuses to run as root, so root lends it a user. */
import { execFile } from 'node:child_process';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EMBEDDED_PROBE_MS } from '../limits.ts';

const run = promisify(execFile);

/** An unprivileged user of this machine. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In this order: one of our own, PostgreSQL's, and the one that every machine has. */
const NAMES = ['immota', 'postgres', 'nobody'] as const;

/**
 * Chooses the user that the server runs as.
 *
 * @param home - the cluster's folder: who owns its data goes on owning it.
 * @returns undefined when this process may run the server as itself, since it is not root.
 */
export async function findAccount(home: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const accounts = await loadAccounts();
  const owner = await stat(join(home, 'data')).then(
    ({ uid }) => accounts.find((account) => account.uid === uid),
    () => undefined,
  );
  if (owner !== undefined) return owner;
  return NAMES.map((name) => accounts.find((account) => account.name === name)).find(
    (account) => account !== undefined,
  );
}

/**
 * Tells whether a command succeeds when run as a user, from a folder all may enter.
 *
 * @param account - undefined for ourselves.
 * @param script - for the shell; what varies comes in as `$1`, `$2` …, never inside the text.
 * @param values - `$1`, `$2` …
 */
export async function probe(
  account: Account | undefined,
  script: string,
  values: readonly string[],
): Promise<boolean> {
  try {
    await run('/bin/sh', ['-c', script, 'probe', ...values], {
      cwd: '/',
      env: cleanEnvironment(),
      timeout: EMBEDDED_PROBE_MS,
      ...spawnAs(account),
    });
    return true;
  } catch {
    return false;
  }
}

/** The options that make a child process run as a user. */
export function spawnAs(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid };
}

/** The server needs none of our environment, and our environment may hold secrets. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  return { PATH: '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

async function loadAccounts(): Promise<readonly Account[]> {
  const text = await readFile('/etc/passwd', 'utf8').catch(() => '');
  const lines = text.split('\n');
  return lines.flatMap((line) => {
    const [name = '', , uid = '', gid = ''] = line.split(':');
    const account = { name, uid: Number.parseInt(uid, 10), gid: Number.parseInt(gid, 10) };
    return account.uid > 0 && account.gid > 0 ? [account] : [];
  });
}
