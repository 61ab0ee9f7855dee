/**
 * What slots need of a file system, and no more: so that a test can stop the power at every single
 * operation, and flash without a file system can stand behind the same operations.
 */
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { VehicleFault } from '../vehicle-fault.ts';

/** An open file. What was written is durable after `sync`, and not before. */
export interface SlotFile {
  /** Reads from a position on; 0 at the end. May give fewer bytes than there is room for. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of the bytes. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  truncate(lengthBytes: number): Promise<void>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The files of one ECU's slots. */
export interface SlotFiles {
  /** Opens a file to read; undefined when there is none. */
  openToRead(name: string): Promise<SlotFile | undefined>;
  /** Opens a file to write, as it is; makes it empty when there is none. */
  openToWrite(name: string): Promise<SlotFile>;
  /** Makes new names durable. */
  syncNames(): Promise<void>;
}

/** Makes the files of a folder, which is made when it is missing. */
export function filesOfFolder(folder: string): SlotFiles {
  return {
    openToRead: async (name) => {
      const handle = await tryOpen(join(folder, name), 'r');
      return handle === undefined ? undefined : fileOf(handle);
    },
    openToWrite: async (name) => {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const path = join(folder, name);
      // `r+` keeps what is there and `wx+` makes it: no flag does both without truncating.
      const handle = (await tryOpen(path, 'r+')) ?? (await open(path, 'wx+', 0o600));
      return fileOf(handle);
    },
    syncNames: async () => {
      // Windows does not open folders.
      if (process.platform === 'win32') return;
      const handle = await open(folder, 'r');
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}

function fileOf(handle: FileHandle): SlotFile {
  return {
    read: async (into, position) => (await handle.read(into, 0, into.length, position)).bytesRead,
    write: async (bytes, position) => {
      try {
        for (let done = 0; done < bytes.length;) {
          const left = bytes.length - done;
          done += (await handle.write(bytes, done, left, position + done)).bytesWritten;
        }
      } catch (error) {
        if (!hasCode(error, 'ENOSPC')) throw error;
        throw new VehicleFault('DISK_FULL', 'Cannot write slot: the disk is full', {
          cause: error,
        });
      }
    },
    truncate: async (lengthBytes) => handle.truncate(lengthBytes),
    sync: async () => handle.sync(),
    close: async () => handle.close(),
  };
}

async function tryOpen(path: string, flags: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, flags);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
