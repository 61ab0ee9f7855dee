import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { StoreFault } from '../fault.ts';
import { EMBEDDED_POLL_MS } from '../limits.ts';

/** A lock between processes. The kernel releases it when its holder dies, however it dies. */
export interface FileLock {
  /** Lets the next one in. */
  release(): void;
}

/**
 * Takes a lock on a file.
 *
 * Node has no `flock`; SQLite has, on every platform, and comes with Node. Nothing is ever written.
 *
 * @param file - made when missing; its folder is there.
 * @param patienceMs - how long to wait for the present holder; 0 tries once.
 * @throws StoreFault DATA_FOLDER_BUSY when it is still held then.
 */
export async function takeFileLock(file: string, patienceMs: number): Promise<FileLock> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const handle = tryLock(file);
    if (handle !== undefined) {
      return {
        release: () => {
          handle.close();
        },
      };
    }
    if (performance.now() >= deadlineMs) {
      throw new StoreFault('DATA_FOLDER_BUSY', `Cannot use ${file}: another process holds it`);
    }
    // oxlint-disable-next-line no-await-in-loop -- waiting for another process
    await pause(EMBEDDED_POLL_MS);
  }
}

/**
 * Does work that no other process does at the same time.
 *
 * @param file - as for `takeFileLock`.
 * @param patienceMs - as for `takeFileLock`.
 * @param work - runs while the lock is held.
 */
export async function withFileLock<Result>(
  file: string,
  patienceMs: number,
  work: () => Promise<Result>,
): Promise<Result> {
  const lock = await takeFileLock(file, patienceMs);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

function tryLock(file: string): DatabaseSync | undefined {
  const handle = new DatabaseSync(file, { timeout: 0 });
  try {
    handle.exec('BEGIN EXCLUSIVE');
    return handle;
  } catch (error) {
    handle.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
}

/** SQLITE_BUSY is 5. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && error.errcode === 5;
}
