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
 * The chunk size unless a caller wants another: 256 KiB. Measured with decryption and SHA-256, it
 * runs at 0.96 of the speed of 1 MiB chunks, 64 KiB at 0.91 and 16 KiB at 0.66, because each chunk
 * costs a cipher object; and an ECU must hold a whole chunk before it may use a byte of it.
 */
const CHUNK_SIZE_LOG2 = 18;

/** How to encrypt. */
export interface EncryptOptions {
  /** The image's own content key. */
  readonly key: ContentKey;
  /** Where the salt comes from. */
  readonly entropy: Entropy;
  /** 12 to 22; 18 when left out. */
  readonly chunkSizeLog2?: number;
  /** Whether the summary has SHA-512 too; yes when left out. */
  readonly sha512?: boolean;
  /** How long the encrypted image may become; 64 GiB when left out. */
  readonly lengthMaxBytes?: number;
}

/**
 * What was encrypted and what came of it: {uptane B11} Director metadata names length and hashes of
 * the encrypted image beside those of the image.
 */
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
   * @throws ImageFault LENGTH_LIMIT when the encrypted image would be too long.
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
  const lengthMaxBytes = Math.min(
    options.lengthMaxBytes ?? ENCRYPTED_LENGTH_MAX_BYTES,
    ENCRYPTED_LENGTH_MAX_BYTES,
  );
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
      if (encryptedLength(lengthBytes, chunkSizeBytes) > lengthMaxBytes) {
        throw new ImageFault(
          'LENGTH_LIMIT',
          `Cannot encrypt image: it would be longer than ${lengthMaxBytes} bytes`,
        );
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
