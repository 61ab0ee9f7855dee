import { createHash } from 'node:crypto';
import type { JsonObject } from '@immota/base';
import { encodeCanonical } from '@immota/uptane';

/** SHA-256 in hex. */
export function sha256Hex(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** SHA-256 over the canonical JSON of an object, in hex. */
export function sha256OfJson(object: JsonObject): string {
  return sha256Hex(encodeCanonical(object, 'escaped'));
}
