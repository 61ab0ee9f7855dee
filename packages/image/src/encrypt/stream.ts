/** Encrypts and opens images that come as asynchronous streams. */
import { assert } from '@immota/base';
import { createHashTap, type HashTap, type ImageDigest } from '../hashing.ts';
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

/** How to open a stream. */
export interface OpenStreamOptions extends OpenOptions {
  /** Whether the digest has SHA-512 too; no when left out. */
  readonly sha512?: boolean;
  /**
   * Takes each chunk back when the next one is asked for: memory then stays that of a few chunks.
   * A consumer that keeps a chunk would find it empty.
   */
  readonly borrow?: boolean;
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
  options: EncryptOptions,
): EncryptedImage {
  const sealer = createSealer(options);
  async function* encrypt(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const bytes of source) yield* sealer.push(bytes);
    yield* sealer.finish();
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
  async function* open(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const bytes of source) yield* lend(opener.push(bytes), tap, borrow);
    yield* lend(opener.finish(), tap, borrow);
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
  chunks: readonly Uint8Array[],
  tap: HashTap,
  borrow: boolean,
): Generator<Uint8Array, void, undefined> {
  for (const chunk of chunks) {
    tap.update(chunk);
    yield chunk;
    if (borrow) releaseBytes(chunk);
  }
}
