/**
 * The head of an encrypted image, and the keys that follow from it.
 *
 * ```
 * offset length
 *      0      7  "IMMOTA" and 0x1a
 *      7      1  version: 1
 *      8      1  chunk size: 2 to this power
 *      9      3  reserved: 0
 *     12     32  salt
 *     44     32  tag: HMAC-SHA256 of bytes 0 to 43
 * ```
 *
 * HKDF-SHA256 of the content key with the salt yields the tag's key, the chunks' key and the
 * nonces' prefix. So a content key that is used twice by mistake repeats no nonce, no chunk of one
 * image fits another, and the tag commits to the key: AES-GCM alone would let its maker craft a
 * file that opens as two different images under two keys.
 */
import {
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  timingSafeEqual,
} from 'node:crypto';
import { assert, type Entropy, utf8 } from '@immota/base';
import { ImageFault } from '../image-fault.ts';
import { CHUNK_SIZE_LOG2_MAX, CHUNK_SIZE_LOG2_MIN } from '../limits.ts';
import type { ContentKey } from './content-key.ts';

/** How long the header is. */
export const HEADER_LENGTH_BYTES = 76;

/** What a header says, and the keys that open the chunks behind it. */
export interface ImageKeys {
  readonly chunkSizeBytes: number;
  readonly chunkKey: KeyObject;
  readonly noncePrefix: Uint8Array;
}

const MAGIC: Uint8Array = Uint8Array.of(0x49, 0x4d, 0x4d, 0x4f, 0x54, 0x41, 0x1a);
const VERSION = 1;
const SALT_OFFSET = 12;
const SALT_LENGTH_BYTES = 32;
const TAG_OFFSET = SALT_OFFSET + SALT_LENGTH_BYTES;
const KEY_LENGTH_BYTES = 32;
const NONCE_PREFIX_LENGTH_BYTES = 7;
const DERIVATION = utf8('immota encrypted image 1');

/** Tells whether bytes begin like an encrypted image of any version. */
export function isEncryptedImage(prefix: Uint8Array): boolean {
  return prefix.length >= MAGIC.length && MAGIC.every((byte, index) => prefix[index] === byte);
}

/**
 * Makes the header of a new encrypted image.
 *
 * @param key - the image's content key.
 * @param chunkSizeLog2 - 12 to 22.
 * @param entropy - where the salt comes from.
 */
export function createHeader(
  key: ContentKey,
  chunkSizeLog2: number,
  entropy: Entropy,
): { readonly header: Uint8Array; readonly keys: ImageKeys } {
  assert(isChunkSizeLog2(chunkSizeLog2), 'chunks have 2^12 to 2^22 bytes');
  const header = new Uint8Array(HEADER_LENGTH_BYTES);
  header.set(MAGIC);
  header[MAGIC.length] = VERSION;
  header[MAGIC.length + 1] = chunkSizeLog2;
  header.set(entropy.bytes(SALT_LENGTH_BYTES), SALT_OFFSET);
  const { tag, keys } = deriveKeys(key, header);
  header.set(tag, TAG_OFFSET);
  return { header, keys };
}

/**
 * Checks a header and derives the keys of its image.
 *
 * @param key - the content key that should belong to it.
 * @param header - its 76 bytes.
 * @throws ImageFault HEADER_MALFORMED when it is no header of version 1.
 * @throws ImageFault HEADER_AUTHENTICATION when `key` did not make it, or it was changed.
 */
export function openHeader(key: ContentKey, header: Uint8Array): ImageKeys {
  const reserved = header.subarray(MAGIC.length + 2, SALT_OFFSET);
  if (
    header.length !== HEADER_LENGTH_BYTES ||
    !isEncryptedImage(header) ||
    header[MAGIC.length] !== VERSION ||
    !isChunkSizeLog2(header[MAGIC.length + 1] ?? 0) ||
    reserved.some((byte) => byte !== 0)
  ) {
    throw new ImageFault('HEADER_MALFORMED', 'Cannot open image: not a header of version 1');
  }
  const { tag, keys } = deriveKeys(key, header);
  if (!timingSafeEqual(tag, header.subarray(TAG_OFFSET))) {
    throw new ImageFault(
      'HEADER_AUTHENTICATION',
      'Cannot open image: its header does not belong to this content key',
    );
  }
  return keys;
}

function isChunkSizeLog2(value: number): boolean {
  return Number.isInteger(value) && value >= CHUNK_SIZE_LOG2_MIN && value <= CHUNK_SIZE_LOG2_MAX;
}

function deriveKeys(
  key: ContentKey,
  header: Uint8Array,
): { readonly tag: Uint8Array; readonly keys: ImageKeys } {
  const salt = header.subarray(SALT_OFFSET, TAG_OFFSET);
  const length = 2 * KEY_LENGTH_BYTES + NONCE_PREFIX_LENGTH_BYTES;
  const derived = new Uint8Array(hkdfSync('sha256', key, salt, DERIVATION, length));
  const tag = createHmac('sha256', derived.subarray(0, KEY_LENGTH_BYTES))
    .update(header.subarray(0, TAG_OFFSET))
    .digest();
  const keys = {
    chunkSizeBytes: 2 ** (header[MAGIC.length + 1] ?? 0),
    chunkKey: createSecretKey(derived.subarray(KEY_LENGTH_BYTES, 2 * KEY_LENGTH_BYTES)),
    noncePrefix: derived.slice(2 * KEY_LENGTH_BYTES),
  };
  derived.fill(0, 0, 2 * KEY_LENGTH_BYTES);
  return { tag, keys };
}
