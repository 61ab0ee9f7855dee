/** The key one image is encrypted with. Every ECU that gets the image gets this key, wrapped. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Brand, Entropy } from '@immota/base';
import { ImageFault } from '../image-fault.ts';

/**
 * Holding a ContentKey tells you: it is a secret key of 32 bytes. As a KeyObject it shows nothing
 * when it is logged or turned into JSON.
 */
export type ContentKey = Brand<KeyObject, 'ContentKey'>;

/** How long a content key is. */
export const CONTENT_KEY_LENGTH_BYTES = 32;

/**
 * Draws a new content key. One key is for one image.
 *
 * @param entropy - where chance comes from.
 */
export function generateContentKey(entropy: Entropy): ContentKey {
  return parseContentKey(entropy.bytes(CONTENT_KEY_LENGTH_BYTES));
}

/**
 * Reads a content key.
 *
 * @param bytes - the 32 bytes of the key.
 * @throws ImageFault KEY_MALFORMED when they are not 32.
 */
export function parseContentKey(bytes: Uint8Array): ContentKey {
  if (bytes.length !== CONTENT_KEY_LENGTH_BYTES) {
    throw new ImageFault(
      'KEY_MALFORMED',
      `Cannot parse content key: ${bytes.length} bytes instead of ${CONTENT_KEY_LENGTH_BYTES}`,
    );
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return createSecretKey(bytes) as ContentKey;
}

/** Gives the bytes of a content key, for a store that keeps secrets. */
export function encodeContentKey(key: ContentKey): Uint8Array {
  return key.export();
}
