/** Spellings of public keys that both dialects share. */
import { createPublicKey } from 'node:crypto';
import { type JsonObject, type SignatureAlgorithm, utf8 } from '@immota/base';
import {
  ed25519Raw,
  type PublicKey,
  publicKeyFromDer,
  publicKeyFromEd25519,
  publicKeyFromPem,
} from '../metadata/key.ts';
import { encodeCanonical } from './canonical.ts';
import { findText, readObject, readText } from './reader.ts';

/**
 * Reads `keyval.public`: 64 hex digits for Ed25519, PEM for all others.
 *
 * @param object - the key object.
 * @param algorithm - undefined when the key's kind is unknown here.
 */
export function decodePublic(
  object: JsonObject,
  algorithm: SignatureAlgorithm | undefined,
): PublicKey {
  // What a kind that nobody here knows keeps under `keyval` is its own business.
  if (algorithm === undefined) return unusable(object);
  const text = readText(readObject(object, 'keyval'), 'public');
  if (algorithm === 'ed25519') {
    return /^[0-9a-fA-F]{64}$/.test(text)
      ? publicKeyFromEd25519(Uint8Array.fromHex(text))
      : unusable(object);
  }
  return publicKeyFromPem(algorithm, text);
}

/** Writes the public half as `keyval.public` spells it. */
export function encodePublic(algorithm: SignatureAlgorithm, der: Uint8Array): string {
  if (algorithm === 'ed25519') return ed25519Raw(der).toHex();
  const key = createPublicKey({ key: Buffer.from(der), type: 'spki', format: 'der' });
  return key.export({ type: 'spki', format: 'pem' });
}

function unusable(object: JsonObject): PublicKey {
  const spelling = `${findText(object, 'keytype') ?? ''}:${findText(object, 'scheme') ?? ''}`;
  const value = encodeCanonical(readObject(object, 'keyval'), 'escaped');
  return publicKeyFromDer(undefined, new Uint8Array([...utf8(spelling), ...value]));
}
