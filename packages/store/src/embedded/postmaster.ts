/** Tells whether a server runs on a data folder, and ends one that nobody keeps. */
import { readFile, readlink, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { StoreFault } from '../fault.ts';
import { EMBEDDED_POLL_MS, EMBEDDED_STOP_MS } from '../limits.ts';
import { isRunning } from './process.ts';

/** What a running server wrote into its data folder. */
export interface Postmaster {
  readonly pid: number;
  readonly port: number;
  readonly socketFolder: string;
  /** It takes connections. */
  readonly isReady: boolean;
}

const PID_FILE = 'postmaster.pid';

/** No kernel of ours gives out a process id as high as this. */
const NO_PID = 2_147_483_646;

/**
 * Finds the server that runs on a data folder.
 *
 * @param data - the cluster's data folder.
 * @returns undefined when none runs.
 */
export async function findPostmaster(data: string): Promise<Postmaster | undefined> {
  const lines = await loadLines(data);
  const pid = Number.parseInt(lines[0] ?? '', 10);
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  if (!isRunning(pid) || !(await isServer(pid, data))) return undefined;
  return {
    pid,
    port: Number.parseInt(lines[3] ?? '', 10),
    socketFolder: (lines[4] ?? '').trim(),
    isReady: (lines[7] ?? '').trim() === 'ready',
  };
}

/**
 * Makes harmless what a dead server left behind.
 *
 * After a restart of the machine, or in a container where process ids are few, its number may belong to
 * somebody else, and PostgreSQL would refuse to start. Only the number is changed, so that
 * PostgreSQL can still see by the rest whether children of the dead one write to the data.
 *
 * @param data - the cluster's data folder; no server runs on it, and none is being started.
 */
export async function disarmLeftover(data: string): Promise<void> {
  const [, ...rest] = await loadLines(data);
  if (rest.length === 0) return;
  // The folder is the server's user's: a file written in place could be a link to one of root's.
  const draft = join(data, `${PID_FILE}.draft`);
  await rm(draft, { force: true });
  await writeFile(draft, [String(NO_PID), ...rest].join('\n'), { flag: 'wx', mode: 0o644 });
  await rename(draft, join(data, PID_FILE));
}

/**
 * Stops a server: first politely, cutting off its clients, then at once. Neither loses what was committed.
 *
 * @param data - the cluster's data folder.
 * @throws StoreFault EMBEDDED_FAILED when it is still there then.
 */
export async function stopPostmaster(data: string): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one signal after the other
    const running = await findPostmaster(data);
    if (running === undefined) return;
    process.kill(running.pid, signal);
    // oxlint-disable-next-line no-await-in-loop -- as above
    if (await waitForEnd(data)) return;
  }
  throw new StoreFault('EMBEDDED_FAILED', `Cannot stop the server on ${data}`);
}

/**
 * Waits until no server runs on a data folder.
 *
 * @param data - the cluster's data folder.
 * @returns whether none runs.
 */
export async function waitForEnd(data: string): Promise<boolean> {
  const deadlineMs = performance.now() + EMBEDDED_STOP_MS;
  while ((await findPostmaster(data)) !== undefined) {
    if (performance.now() >= deadlineMs) return false;
    // oxlint-disable-next-line no-await-in-loop -- waiting for another process
    await pause(EMBEDDED_POLL_MS);
  }
  return true;
}

async function loadLines(data: string): Promise<readonly string[]> {
  const text = await readFile(join(data, PID_FILE), 'utf8').catch(() => '');
  return text.split('\n');
}

/**
 * A server's working folder is its data folder; one that is dead and not yet buried has none. Where
 * this cannot be seen, the number is believed.
 */
async function isServer(pid: number, data: string): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  try {
    return (await readlink(`/proc/${pid}/cwd`)) === (await realpath(data));
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EACCES';
  }
}
