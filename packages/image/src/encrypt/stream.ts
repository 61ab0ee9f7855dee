/** Encrypts and opens images that come as asynchronous streams. */
import { assert } from '@immota/base';
import { createHashTap, type ImageDigest } from '../hashing.ts';
import { releaseBytes } from './chunk.ts';
import { createOpener, type OpenOptions } from './opener.ts';
import { createSealer, type EncryptedImageSummary, type EncryptOptions } from './sealer.ts';

/** An encrypted image in the making: read it once, to its end, then ask for the summary. */
export interface EncryptedImage extends AsyncIterable<Uint8Array> {
  /** Tells what was encrypted, once the stream has ended. */
  summary(): EncryptedImageSummary;
}

/** An image being opened: read it once, to its end, then ask for the digest. */
export interface OpenedImage extends AsyncIterable<Uint8Array> {
  /** Tells what the image was, once the stream has ended without a fault. */
  digest(): ImageDigest;
}

/** How pieces are handed to the consumer of a stream. */
export interface LendOptions {
  /**
   * Takes each piece back when the next one is asked for: memory then stays that of a few chunks,
   * and the collector has nothing to do. A consumer that keeps a piece would find it empty.
   */
  readonly borrow?: boolean;
}

/** How to open a stream. */
export interface OpenStreamOptions extends OpenOptions, LendOptions {
  /** Whether the digest has SHA-512 too; no when left out. */
  readonly sha512?: boolean;
}

/**
 * Encrypts an image.
 *
 * @param source - the image, in any pieces.
 * @param options - the key, and how.
 * @returns the encrypted image: header first, then a piece for each chunk.
 * @throws ImageFault LENGTH_LIMIT, from the iteration.
 */
export function encryptImage(
  source: AsyncIterable<Uint8Array>,
  options: EncryptOptions & LendOptions,
): EncryptedImage {
  const sealer = createSealer(options);
  const borrow = options.borrow ?? false;
  async function* encrypt(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const bytes of source) yield* lend(sealer.push(bytes), borrow);
    yield* lend(sealer.finish(), borrow);
  }
  const chunks = encrypt();
  return { [Symbol.asyncIterator]: () => chunks, summary: () => sealer.summary() };
}

/**
 * Opens an encrypted image.
 *
 * Genuine chunks come before the end is known to be there: a consumer writes them where they can
 * be discarded, and uses them after the iteration has ended and the digest is the signed one.
 *
 * @param source - the encrypted image, in any pieces.
 * @param options - the key, the limit, and where to go on.
 * @returns the image, a piece for each chunk.
 * @throws ImageFault what an Opener throws, from the iteration.
 */
export function openImage(
  source: AsyncIterable<Uint8Array>,
  options: OpenStreamOptions,
): OpenedImage {
  const opener = createOpener(options);
  const tap = createHashTap({ sha512: options.sha512 ?? false });
  const borrow = options.borrow ?? false;
  let isFinished = false;
  const tapped = (chunks: readonly Uint8Array[]): readonly Uint8Array[] => {
    for (const chunk of chunks) tap.update(chunk);
    return chunks;
  };
  async function* open(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const bytes of source) yield* lend(tapped(opener.push(bytes)), borrow);
    yield* lend(tapped(opener.finish()), borrow);
    isFinished = true;
  }
  const chunks = open();
  return {
    [Symbol.asyncIterator]: () => chunks,
    digest(): ImageDigest {
      assert(isFinished, 'the digest follows the last chunk');
      return tap.digest();
    },
  };
}

function* lend(
  pieces: readonly Uint8Array[],
  borrow: boolean,
): Generator<Uint8Array, void, undefined> {
  for (const piece of pieces) {
    yield piece;
    if (borrow) releaseBytes(piece);
  }
}
