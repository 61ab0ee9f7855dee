/**
 * An image on its way to the disk: appended to, made durable at every checkpoint, hashed as it comes.
 *
 * After a power cut the file may be longer than what reached the flash. Bytes behind a checkpoint are
 * written only after the checkpoint was made durable, so what is up to the last checkpoint below the
 * end is sound, and the rest is cut off.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { createHashTap, type HashTap } from '@immota/image';
import type { HashFunction, Measurement } from '@immota/uptane';
import { VehicleFault } from '../vehicle-fault.ts';

const READ_LENGTH_BYTES = 262_144;

/** An image on its way. It owns the open file until `close`. */
export class PartialFile {
  readonly #handle: FileHandle;
  readonly #checkpointBytes: number;
  #tap: HashTap = createHashTap({ sha512: true });
  #lengthBytes = 0;

  /** Use `openPartialFile`. */
  constructor(handle: FileHandle, checkpointBytes: number) {
    this.#handle = handle;
    this.#checkpointBytes = checkpointBytes;
  }

  /** How many bytes there are. */
  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** Takes back what an earlier process has left, up to its last checkpoint. */
  async recover(): Promise<void> {
    const { size } = await this.#handle.stat();
    const sound = Math.max(0, Math.floor((size - 1) / this.#checkpointBytes));
    await this.#handle.truncate(sound * this.#checkpointBytes);
    this.#lengthBytes = sound * this.#checkpointBytes;
    this.#tap = createHashTap({ sha512: true });
    for await (const bytes of readRange(this.#handle, 0)) this.#tap.update(bytes);
  }

  /** Begins anew. */
  async reset(): Promise<void> {
    await this.#handle.truncate(0);
    this.#lengthBytes = 0;
    this.#tap = createHashTap({ sha512: true });
  }

  /** Appends bytes. */
  async append(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.length > 0) {
      const room = this.#checkpointBytes - (this.#lengthBytes % this.#checkpointBytes);
      const part = rest.subarray(0, room);
      await writeAll(this.#handle, part, this.#lengthBytes);
      this.#tap.update(part);
      this.#lengthBytes += part.length;
      if (part.length === room) await this.#handle.sync();
      rest = rest.subarray(part.length);
    }
  }

  /** Makes all of it durable and tells what it is. Nothing can be appended afterwards. */
  async finish(): Promise<Measurement> {
    await this.#handle.sync();
    return measurementOf(this.#tap);
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/**
 * Opens or makes the file of an image on its way.
 *
 * @param path - of the file.
 * @param checkpointBytes - how much is made durable at a time.
 */
export async function openPartialFile(path: string, checkpointBytes: number): Promise<PartialFile> {
  const handle = await open(path, await flagsFor(path), 0o600);
  try {
    const file = new PartialFile(handle, checkpointBytes);
    await file.recover();
    return file;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads a file from an offset on, and closes it. */
export async function* readFileFrom(
  path: string,
  offsetBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const handle = await open(path, 'r');
  try {
    yield* readRange(handle, offsetBytes);
  } finally {
    await handle.close();
  }
}

/** Measures a file with every hash function that metadata may list. */
export async function measureFile(path: string): Promise<Measurement> {
  const tap = createHashTap({ sha512: true });
  for await (const bytes of readFileFrom(path, 0)) tap.update(bytes);
  return measurementOf(tap);
}

/** Takes the measurement out of a tap. */
export function measurementOf(tap: HashTap): Measurement {
  const { lengthBytes, sha256, sha512 } = tap.digest();
  const hashes = new Map<HashFunction, string>([['sha256', sha256]]);
  if (sha512 !== undefined) hashes.set('sha512', sha512);
  return { lengthBytes, hashes };
}

async function* readRange(
  handle: FileHandle,
  offsetBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let position = offsetBytes; ;) {
    const buffer = new Uint8Array(READ_LENGTH_BYTES);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  try {
    for (let done = 0; done < bytes.length;) {
      const { bytesWritten } = await handle.write(
        bytes,
        done,
        bytes.length - done,
        position + done,
      );
      done += bytesWritten;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
      throw new VehicleFault('DISK_FULL', 'Cannot download: the disk is full', { cause: error });
    }
    throw error;
  }
}

/** `r+` keeps what is there and `wx+` makes it: no flag does both without truncating. */
async function flagsFor(path: string): Promise<'r+' | 'wx+'> {
  try {
    await (await open(path, 'r')).close();
    return 'r+';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 'wx+';
    throw error;
  }
}
