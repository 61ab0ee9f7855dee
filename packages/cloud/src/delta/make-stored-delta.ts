/**
 * Makes one delta of two stored images, in a folder that is gone afterwards, and stores it. An image that is
 * encrypted gets a delta that is encrypted with the image's own content key: whoever may open the one may open
 * the other. Its header has a salt of its own, so the keys of its chunks are others than the image's (ADR 84).
 */
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createWriteStream } from 'node:fs';
import { Worker } from 'node:worker_threads';
import type { Entropy } from '@immota/base';
import { createHashTap, encryptImage, openImage, tapHashes } from '@immota/image';
import { type BlobHash, type BlobStore, parseBlobHash } from '@immota/store';
import type { StoredImage } from '../image-repository/catalogue.ts';
import {
  DELTA_IN_PLACE_MAX_BYTES,
  DELTA_MAKE_MAX_BYTES,
  DELTA_MAKE_MS,
  DELTA_WORTH_PART,
} from '../limits.ts';

/** Where images come from, and where the work is done. */
export interface DeltaMaking {
  readonly blobs: BlobStore;
  readonly entropy: Entropy;
  /** Holds images in the clear while a delta is made, readable by their owner alone. */
  readonly folder: string;
  /** Ends the work. */
  readonly signal: AbortSignal;
}

/** What a delta is made of. */
export interface StoredPair {
  readonly base: StoredImage;
  readonly image: StoredImage;
  /** Of the bank that the delta rewrites; 0 for one into another slot. */
  readonly pageBytes: number;
}

/** A delta that is stored. */
export interface StoredDelta {
  readonly blob: BlobHash;
  readonly lengthBytes: number;
}

/**
 * Makes and stores a delta.
 *
 * @returns undefined when it would save too little.
 * @throws StoreFault BLOB_MISSING; ImageFault; the signal's reason.
 */
export async function makeStoredDelta(
  making: DeltaMaking,
  { base, image, pageBytes }: StoredPair,
): Promise<StoredDelta | undefined> {
  const longest = Math.max(base.lengthBytes, image.lengthBytes);
  // No microcontroller has a bank as large, and both images are in memory while it is made.
  if (longest > (pageBytes === 0 ? DELTA_MAKE_MAX_BYTES : DELTA_IN_PLACE_MAX_BYTES)) {
    return undefined;
  }
  await mkdir(making.folder, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(making.folder, 'making-'));
  try {
    const basePath = join(folder, 'base');
    const imagePath = join(folder, 'image');
    const deltaPath = join(folder, 'delta');
    await writePlain(making, base, basePath);
    await writePlain(making, image, imagePath);
    const order: DeltaOrder = { basePath, imagePath, deltaPath, pageBytes };
    await runWorker(order, making.signal);
    const { size } = await stat(deltaPath);
    if (size > DELTA_WORTH_PART * image.lengthBytes) return undefined;
    return await storeDelta(making, image, deltaPath);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** What the worker is given, from one file to the other. */
type DeltaOrder = Readonly<Record<'basePath' | 'imagePath' | 'deltaPath', string>> & {
  readonly pageBytes: number;
};

async function writePlain(
  { blobs, signal }: DeltaMaking,
  image: StoredImage,
  path: string,
): Promise<void> {
  const { encrypted } = image;
  const { body } = await blobs.get(parseBlobHash(encrypted?.hashes.get('sha256') ?? image.sha256));
  const source =
    encrypted === undefined
      ? body
      : openImage(body, { key: encrypted.contentKey, lengthMaxBytes: encrypted.lengthBytes });
  await pipeline(source, createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal });
}

async function runWorker(workerData: DeltaOrder, stop: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([stop, AbortSignal.timeout(DELTA_MAKE_MS)]);
  signal.throwIfAborted();
  const worker = new Worker(new URL('delta-worker.ts', import.meta.url), { workerData });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.once('error', reject);
  worker.once('exit', () => {
    resolve();
  });
  const end = (): void => {
    void worker.terminate();
  };
  signal.addEventListener('abort', end, { once: true });
  try {
    await promise;
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', end);
  }
}

async function storeDelta(
  { blobs, entropy }: DeltaMaking,
  image: StoredImage,
  path: string,
): Promise<StoredDelta> {
  const plain = createReadStream(path);
  const { encrypted } = image;
  const source =
    encrypted === undefined ? plain : encryptImage(plain, { key: encrypted.contentKey, entropy });
  const tap = createHashTap({ sha512: false });
  const id = await blobs.beginUpload();
  await blobs.appendUpload(id, 0, tapHashes(source, tap), DELTA_MAKE_MAX_BYTES);
  const { sha256, lengthBytes } = tap.digest();
  const blob = parseBlobHash(sha256);
  await blobs.finishUpload(id, blob);
  return { blob, lengthBytes };
}
