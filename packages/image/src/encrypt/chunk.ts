/**
 * One chunk of an encrypted image: AES-256-GCM with the nonce
 * `prefix (7) ‖ index (4, big-endian) ‖ last (1)`.
 *
 * The index refuses a chunk that was moved, repeated or left out; the last flag a cut behind any
 * chunk, and anything appended.
 *
 * @source Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its
 * Nonce-Reuse Misuse-Resistance (STREAM), CRYPTO 2015
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { assert } from '@immota/base';
import { ImageFault } from '../image-fault.ts';
import { HEADER_LENGTH_BYTES, type ImageKeys } from './header.ts';

/** How long the tag at the end of each chunk is. */
export const TAG_LENGTH_BYTES = 16;

/** Where a chunk stands. */
export interface ChunkPosition {
  /** 0 for the first, below 2^32. */
  readonly index: number;
  /** The last chunk alone may be shorter than the others. */
  readonly isLast: boolean;
}

const CIPHER = 'aes-256-gcm';
const NONCE_LENGTH_BYTES = 12;
const INDEX_OFFSET = 7;

/**
 * Encrypts a chunk.
 *
 * @param keys - of the image.
 * @param position - where it stands; two chunks of an image never share one.
 * @param plaintext - not longer than a chunk.
 * @returns ciphertext and tag, in memory of their own.
 */
export function sealChunk(
  keys: ImageKeys,
  position: ChunkPosition,
  plaintext: Uint8Array,
): Uint8Array {
  const cipher = createCipheriv(CIPHER, keys.chunkKey, nonceOf(keys, position), {
    authTagLength: TAG_LENGTH_BYTES,
  });
  const sealed = Buffer.allocUnsafeSlow(plaintext.length + TAG_LENGTH_BYTES);
  const ciphertext = cipher.update(plaintext);
  cipher.final();
  sealed.set(ciphertext);
  sealed.set(cipher.getAuthTag(), plaintext.length);
  releaseBytes(ciphertext);
  return sealed;
}

/**
 * Decrypts a chunk, all of it or nothing.
 *
 * @param keys - of the image.
 * @param position - where it must stand.
 * @param sealed - ciphertext and tag.
 * @returns the plaintext, in memory of its own.
 * @throws ImageFault CHUNK_AUTHENTICATION when it was changed, is another chunk, or has a length
 * that no chunk in this place has. None of its bytes gets out.
 */
export function openChunk(
  keys: ImageKeys,
  position: ChunkPosition,
  sealed: Uint8Array,
): Uint8Array {
  const plaintext = tryOpenChunk(keys, position, sealed);
  if (plaintext === undefined) {
    throw new ImageFault(
      'CHUNK_AUTHENTICATION',
      `Cannot open image: chunk ${position.index} is not what was encrypted there`,
    );
  }
  return plaintext;
}

/** Decrypts a chunk, or gives undefined where openChunk refuses. */
export function tryOpenChunk(
  keys: ImageKeys,
  position: ChunkPosition,
  sealed: Uint8Array,
): Uint8Array | undefined {
  const lengthBytes = sealed.length - TAG_LENGTH_BYTES;
  if (!isChunkLength(lengthBytes, position, keys.chunkSizeBytes)) return undefined;
  const decipher = createDecipheriv(CIPHER, keys.chunkKey, nonceOf(keys, position), {
    authTagLength: TAG_LENGTH_BYTES,
  });
  decipher.setAuthTag(sealed.subarray(lengthBytes));
  const plaintext = decipher.update(sealed.subarray(0, lengthBytes));
  try {
    decipher.final();
    return plaintext;
  } catch {
    // Nothing else can fail here: the tag is wrong, and what was decrypted must not be seen.
    plaintext.fill(0);
    releaseBytes(plaintext);
    return undefined;
  }
}

/** One image has one encoding: only the last chunk is short, and only the sole one is empty. */
function isChunkLength(lengthBytes: number, position: ChunkPosition, sizeBytes: number): boolean {
  if (!position.isLast) return lengthBytes === sizeBytes;
  return lengthBytes <= sizeBytes && lengthBytes >= (position.index === 0 ? 0 : 1);
}

function nonceOf(keys: ImageKeys, { index, isLast }: ChunkPosition): Uint8Array {
  assert(Number.isInteger(index) && index >= 0 && index < 2 ** 32, 'a chunk index has 32 bits');
  const nonce = new Uint8Array(NONCE_LENGTH_BYTES);
  nonce.set(keys.noncePrefix);
  new DataView(nonce.buffer).setUint32(INDEX_OFFSET, index);
  nonce[NONCE_LENGTH_BYTES - 1] = isLast ? 1 : 0;
  return nonce;
}

/**
 * Gives the memory of bytes back at once. The collector would do it too, but so late that opening
 * an image costs a hundred megabytes of garbage.
 *
 * @param bytes - made by this package, whole; nobody may look at them again. Bytes that share
 * their memory with others are left alone.
 */
export function releaseBytes(bytes: Uint8Array): void {
  if (bytes.buffer instanceof ArrayBuffer && bytes.byteLength === bytes.buffer.byteLength) {
    bytes.buffer.transfer(0);
  }
}

/** Where a chunk lies in the encrypted image: for a ranged request that resumes there. */
export function chunkOffset(chunkSizeBytes: number, index: number): number {
  return HEADER_LENGTH_BYTES + index * (chunkSizeBytes + TAG_LENGTH_BYTES);
}

/**
 * Tells how long an image will be when it is encrypted.
 *
 * @param lengthBytes - of the image.
 * @param chunkSizeBytes - of its chunks.
 */
export function encryptedLength(lengthBytes: number, chunkSizeBytes: number): number {
  const chunks = Math.max(1, Math.ceil(lengthBytes / chunkSizeBytes));
  return HEADER_LENGTH_BYTES + lengthBytes + chunks * TAG_LENGTH_BYTES;
}
