/**
 * Blobs in a folder.
 *
 * `blobs/ab/abcd…` holds what is stored, whole and synced before it gets that name; `drafts/` what is
 * being written; `uploads/` what arrives in parts. A crash leaves at most drafts, which `sweep`
 * removes. Names come from checked hashes and our own random numbers, never from outside.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreFault } from '../fault.ts';
import { BLOB_READ_BLOCK_BYTES } from '../limits.ts';
import {
  type BlobBody,
  type BlobHash,
  type BlobRange,
  type BlobStore,
  parseBlobHash,
} from './blob-store.ts';
import { onStorage, syncFolder, unlessMissing, writeAll } from './durable.ts';
import { type BlobFolders, blobOf, checkHash, checkLength, publish, shardOf } from './folders.ts';
import { createUploads } from './upload.ts';

/** Where the blobs are. */
export interface FolderBlobStoreOptions {
  /** A folder that belongs to the store. Made when missing. Several processes may use it. */
  readonly folder: string;
}

/**
 * Opens a store of blobs in a folder.
 *
 * @param options - where.
 * @throws StoreFault BLOB_STORAGE when the folder cannot be made.
 */
export async function openFolderBlobStore(options: FolderBlobStoreOptions): Promise<BlobStore> {
  const folders: BlobFolders = {
    blobs: join(options.folder, 'blobs'),
    drafts: join(options.folder, 'drafts'),
    uploads: join(options.folder, 'uploads'),
  };
  await onStorage('open blob store', async () => {
    await Promise.all(
      Object.values(folders).map((folder) => mkdir(folder, { recursive: true, mode: 0o700 })),
    );
    await syncFolder(options.folder);
  });
  const uploads = createUploads(folders);
  return {
    put: (hash, source, lengthMaxBytes) => put(folders, hash, source, lengthMaxBytes),
    get: (hash, range) => get(folders, hash, range),
    size: (hash) => findSize(folders, hash),
    has: async (hash) => (await findSize(folders, hash)) !== undefined,
    delete: (hash) => remove(folders, hash),
    list: () => list(folders),
    ...uploads,
    sweep: async (before) => (await sweepDrafts(folders, before)) + (await uploads.sweep(before)),
  };
}

async function put(
  folders: BlobFolders,
  hash: BlobHash,
  source: AsyncIterable<Uint8Array>,
  lengthMaxBytes: number,
): Promise<number> {
  const draft = join(folders.drafts, randomBytes(16).toString('hex'));
  const handle = await onStorage('open draft', () => open(draft, 'wx', 0o600));
  try {
    const running = createHash('sha256');
    let lengthBytes = 0;
    try {
      for await (const chunk of source) {
        checkLength(lengthBytes + chunk.length, lengthMaxBytes);
        running.update(chunk);
        const positionBytes = lengthBytes;
        await onStorage(`write blob ${hash}`, () => writeAll(handle, chunk, positionBytes));
        lengthBytes += chunk.length;
      }
      checkHash(running, hash);
      await onStorage(`write blob ${hash}`, () => handle.sync());
    } finally {
      await handle.close();
    }
    await publish(folders, draft, hash);
    return lengthBytes;
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function get(
  folders: BlobFolders,
  hash: BlobHash,
  range: BlobRange | undefined,
): Promise<BlobBody> {
  const handle = await onStorage(`open blob ${hash}`, () =>
    unlessMissing(open(blobOf(folders, hash), 'r')),
  );
  if (handle === undefined) {
    throw new StoreFault('BLOB_MISSING', `Cannot open blob ${hash}: it is not stored`);
  }
  try {
    const { size } = await onStorage(`open blob ${hash}`, () => handle.stat());
    if (range !== undefined) checkRange(range, size);
    const body = handle.createReadStream({
      highWaterMark: BLOB_READ_BLOCK_BYTES,
      start: range?.startBytes ?? 0,
      // The stream's end is the last byte, ours is the one after it.
      ...(range === undefined ? {} : { end: range.endBytes - 1 }),
    });
    return { lengthBytes: size, body };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

function checkRange({ startBytes, endBytes }: BlobRange, lengthBytes: number): void {
  const isRange =
    Number.isSafeInteger(startBytes) &&
    Number.isSafeInteger(endBytes) &&
    startBytes >= 0 &&
    startBytes < endBytes &&
    endBytes <= lengthBytes;
  if (!isRange) {
    throw new StoreFault(
      'BLOB_RANGE',
      `Cannot read blob: no bytes ${startBytes} to ${endBytes} in ${lengthBytes}`,
    );
  }
}

async function findSize(folders: BlobFolders, hash: BlobHash): Promise<number | undefined> {
  const found = await onStorage(`find blob ${hash}`, () =>
    unlessMissing(stat(blobOf(folders, hash))),
  );
  return found?.size;
}

async function remove(folders: BlobFolders, hash: BlobHash): Promise<void> {
  await onStorage(`delete blob ${hash}`, async () => {
    await rm(blobOf(folders, hash), { force: true });
    await unlessMissing(syncFolder(shardOf(folders, hash)));
  });
}

async function* list(folders: BlobFolders): AsyncIterable<BlobHash> {
  const shards = await onStorage('list blobs', () => readdir(folders.blobs));
  for (const shard of shards.toSorted()) {
    const names = await onStorage('list blobs', () => readdir(join(folders.blobs, shard)));
    for (const name of names.toSorted()) yield parseBlobHash(name);
  }
}

async function sweepDrafts(folders: BlobFolders, before: Temporal.Instant): Promise<number> {
  return onStorage('sweep drafts', async () => {
    let count = 0;
    for (const name of await readdir(folders.drafts)) {
      const file = join(folders.drafts, name);
      const found = await unlessMissing(stat(file));
      if (found === undefined || found.mtimeMs >= before.epochMilliseconds) continue;
      await rm(file, { force: true });
      count += 1;
    }
    return count;
  });
}
