/** What `put` and uploads share: the places, and the one way a file becomes a blob. */
import type { Hash } from 'node:crypto';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreFault } from '../fault.ts';
import type { BlobHash } from './blob-store.ts';
import { onStorage, syncFolder } from './durable.ts';

/** The folders of a store, all on one file system: a rename between two would copy. */
export interface BlobFolders {
  readonly blobs: string;
  readonly drafts: string;
  readonly uploads: string;
}

/**
 * Gives a whole and synced file its name as a blob.
 *
 * @param folders - the store's.
 * @param file - moved away.
 * @param hash - of its bytes; checked by the caller.
 */
export async function publish(folders: BlobFolders, file: string, hash: BlobHash): Promise<void> {
  const shard = shardOf(folders, hash);
  await onStorage(`store blob ${hash}`, async () => {
    if ((await mkdir(shard, { recursive: true, mode: 0o700 })) !== undefined) {
      await syncFolder(folders.blobs);
    }
    await rename(file, join(shard, hash));
    await syncFolder(shard);
  });
}

/**
 * Compares what came with what was announced.
 *
 * @throws StoreFault BLOB_MISMATCH.
 */
export function checkHash(found: Hash, expected: BlobHash): void {
  const digest = found.digest('hex');
  if (digest !== expected) {
    throw new StoreFault(
      'BLOB_MISMATCH',
      `Cannot store blob: expected SHA-256 ${expected}, found ${digest}`,
    );
  }
}

/** @throws StoreFault BLOB_TOO_LONG when `lengthBytes` is more than allowed. */
export function checkLength(lengthBytes: number, lengthMaxBytes: number): void {
  if (lengthBytes > lengthMaxBytes) {
    throw new StoreFault(
      'BLOB_TOO_LONG',
      `Cannot store blob: it is longer than the ${lengthMaxBytes} bytes allowed`,
    );
  }
}

/** Names the folder that holds a blob: 256 of them keep each listing short. */
export function shardOf(folders: BlobFolders, hash: BlobHash): string {
  return join(folders.blobs, hash.slice(0, 2));
}

/** Names the file that holds a blob. */
export function blobOf(folders: BlobFolders, hash: BlobHash): string {
  return join(shardOf(folders, hash), hash);
}
