/** Encrypts an image as its bytes come. */
import { assert, type Entropy } from '@immota/base';
import { createHashTap, type ImageDigest } from '../hashing.ts';
import { ENCRYPTED_LENGTH_MAX_BYTES } from '../limits.ts';
import { ImageFault } from '../image-fault.ts';
import { encryptedLength, sealChunk } from './chunk.ts';
import type { ContentKey } from './content-key.ts';
import { createGatherer } from './gather.ts';
import { createHeader } from './header.ts';

/**
 * The chunk size unless a caller wants another: 64 KiB. Measured with decrypt, SHA-256 and write:
 * up to 128 KiB the allocator reuses memory, above it maps and clears new pages for each chunk,
 * which costs more than the cipher; below 16 KiB the cost of a cipher object shows.
 */
export const CHUNK_SIZE_LOG2 = 16;

/** How to encrypt. */
export interface EncryptOptions {
  /** The image's own content key. */
  readonly key: ContentKey;
  /** Where the salt comes from. */
  readonly entropy: Entropy;
  /** 12 to 22; 16 when left out. */
  readonly chunkSizeLog2?: number;
  /** Whether the summary has SHA-512 too; yes when left out. */
  readonly sha512?: boolean;
}

/** What was encrypted and what came of it: the facts that Targets metadata signs. */
export interface EncryptedImageSummary {
  /** Of the image itself. */
  readonly plaintext: ImageDigest;
  /** Of the encrypted image, as the Image repository serves it. */
  readonly ciphertext: ImageDigest;
  readonly chunkSizeBytes: number;
}

/** Encrypts what is pushed into it. */
export interface Sealer {
  /**
   * Takes the next bytes of the image; keeps no reference to them.
   *
   * @returns what of the encrypted image is ready, in memory of its own.
   * @throws ImageFault LENGTH_LIMIT when the image is too long to be encrypted.
   */
  push(bytes: Uint8Array): readonly Uint8Array[];
  /** Says that the image has ended, and gives the rest. */
  finish(): readonly Uint8Array[];
  /** Tells what was made, after `finish`. */
  summary(): EncryptedImageSummary;
}

/**
 * Begins to encrypt an image.
 *
 * @param options - the key, and how.
 */
export function createSealer(options: EncryptOptions): Sealer {
  const { header, keys } = createHeader(
    options.key,
    options.chunkSizeLog2 ?? CHUNK_SIZE_LOG2,
    options.entropy,
  );
  const { chunkSizeBytes } = keys;
  const plaintext = createHashTap({ sha512: options.sha512 ?? true });
  const ciphertext = createHashTap({ sha512: options.sha512 ?? true });
  const gatherer = createGatherer(chunkSizeBytes);
  let index = 0;
  let lengthBytes = 0;
  let isFinished = false;
  let ready: Uint8Array[] = [header];
  ciphertext.update(header);

  const seal = (piece: Uint8Array, isLast: boolean): void => {
    const sealed = sealChunk(keys, { index, isLast }, piece);
    ciphertext.update(sealed);
    ready.push(sealed);
    index += 1;
  };
  const sealInner = (piece: Uint8Array): void => seal(piece, false);
  const takeReady = (): readonly Uint8Array[] => {
    const taken = ready;
    ready = [];
    return taken;
  };

  return {
    push(bytes): readonly Uint8Array[] {
      assert(!isFinished, 'nothing is pushed after finish');
      lengthBytes += bytes.length;
      if (encryptedLength(lengthBytes, chunkSizeBytes) > ENCRYPTED_LENGTH_MAX_BYTES) {
        throw new ImageFault('LENGTH_LIMIT', 'Cannot encrypt image: it is too long');
      }
      plaintext.update(bytes);
      gatherer.push(bytes, sealInner);
      return takeReady();
    },
    finish(): readonly Uint8Array[] {
      assert(!isFinished, 'finish is called once');
      isFinished = true;
      seal(gatherer.rest(), true);
      return takeReady();
    },
    summary(): EncryptedImageSummary {
      assert(isFinished, 'the summary follows finish');
      return { plaintext: plaintext.digest(), ciphertext: ciphertext.digest(), chunkSizeBytes };
    },
  };
}
