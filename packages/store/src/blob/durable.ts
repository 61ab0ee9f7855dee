/** Writing so that a power cut finds the old state or the new one. */
import { type FileHandle, open } from 'node:fs/promises';
import { StoreFault } from '../fault.ts';

/**
 * Runs an operation of the file system and tells its errors from those of others.
 *
 * @param what - completes "Cannot …".
 * @param operation - touches only the file system.
 * @throws StoreFault BLOB_STORAGE with the cause.
 */
export async function onStorage<Result>(
  what: string,
  operation: () => Promise<Result>,
): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    const code = findErrorCode(error) ?? 'unknown';
    throw new StoreFault('BLOB_STORAGE', `Cannot ${what}: ${code}`, { cause: error });
  }
}

/**
 * Finds the code of a system error, such as `ENOENT`.
 *
 * @param error - anything that was caught.
 */
export function findErrorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
}

/** Gives undefined instead of failing when a file is not there. */
export async function unlessMissing<Result>(
  operation: Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (findErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes all of a chunk at a position: one call may write less. */
export async function writeAll(
  handle: FileHandle,
  chunk: Uint8Array,
  positionBytes: number,
): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    // oxlint-disable-next-line no-await-in-loop -- each continues where the one before ended
    const { bytesWritten } = await handle.write(
      chunk,
      written,
      chunk.length - written,
      positionBytes + written,
    );
    written += bytesWritten;
  }
}

/** Makes the names in a folder durable: those made, renamed and removed. Windows does so by itself. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
