/** Public keys from outside, and what they verify. */
import { createPublicKey, type KeyObject, verify, constants } from 'node:crypto';

import type { SignatureAlgorithm } from '@immota/base';

import { PkiFault } from '../fault.ts';
import { PRIVATE_KEY_LENGTH_MAX_BYTES } from '../limits.ts';

/** Octets of the salt of an RSA-PSS signature: as many as SHA-256 gives. */
export const RSA_PSS_SALT_LENGTH_BYTES = 32;

const RSA_MODULUS_LENGTHS: ReadonlySet<number | undefined> = new Set([2048, 3072, 4096]);
const RSA_EXPONENT = 65_537n;

/** A public key of an algorithm the house accepts. */
export interface PublicKey {
  readonly algorithm: SignatureAlgorithm;
  readonly key: KeyObject;
}

/**
 * Reads a public key.
 *
 * @param publicKeyDer - SubjectPublicKeyInfo, DER.
 * @throws PkiFault LIMIT above 16 KiB; KEY_MALFORMED when it is no public key; ALGORITHM when its
 *   kind, curve, modulus or exponent is not one of the house's.
 */
export function parsePublicKey(publicKeyDer: Uint8Array): PublicKey {
  if (publicKeyDer.length > PRIVATE_KEY_LENGTH_MAX_BYTES) {
    throw new PkiFault(
      'LIMIT',
      `Cannot read public key: ${publicKeyDer.length} bytes are too many`,
    );
  }
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(publicKeyDer), format: 'der', type: 'spki' });
  } catch (error) {
    throw new PkiFault('KEY_MALFORMED', 'Cannot read public key: it is none', { cause: error });
  }
  return { algorithm: algorithmOfKey(key), key };
}

/**
 * Tells which of the house's algorithms a key serves.
 *
 * @param key - its public or its private half.
 * @throws PkiFault ALGORITHM when it is none of them, or an RSA key of another size.
 */
export function algorithmOfKey(key: KeyObject): SignatureAlgorithm {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === 'ed25519') return 'ed25519';
  if (type === 'ml-dsa-65') return 'ml-dsa-65';
  if (type === 'ec' && details?.namedCurve === 'prime256v1') return 'ecdsa-p256';
  if (
    type === 'rsa' &&
    RSA_MODULUS_LENGTHS.has(details?.modulusLength) &&
    details?.publicExponent === RSA_EXPONENT
  ) {
    return 'rsa-pss';
  }
  throw new PkiFault('ALGORITHM', `Cannot use key: ${String(type)} of this kind is not accepted`);
}

/**
 * Tells whether a key made a signature, in the form that the `Signer` port names for its algorithm.
 *
 * @param publicKey - whose signature it should be.
 * @param message - the exact bytes that were signed.
 * @param signature - as it came.
 */
export function isSignedBy(
  publicKey: PublicKey,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { algorithm, key } = publicKey;
  if (algorithm === 'rsa-pss') {
    const padding = constants.RSA_PKCS1_PSS_PADDING;
    const options = { key, padding, saltLength: RSA_PSS_SALT_LENGTH_BYTES };
    return verify('sha256', message, options, signature);
  }
  if (algorithm === 'ecdsa-p256') return verify('sha256', message, key, signature);
  return verify(undefined, message, key, signature);
}
