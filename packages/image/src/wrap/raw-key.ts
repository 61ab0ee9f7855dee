/** Keys of key agreement and encapsulation as the bare bytes that HPKE speaks of. */
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { ImageFault } from '../image-fault.ts';

/** How long an X25519 key or share is, private or public. */
export const X25519_LENGTH_BYTES = 32;

/** How long an ML-KEM-768 encapsulation key is. */
export const ML_KEM_PUBLIC_LENGTH_BYTES = 1184;

/** How long an ML-KEM-768 ciphertext is. */
export const ML_KEM_CIPHERTEXT_LENGTH_BYTES = 1088;

/** Which algorithm raw bytes belong to. */
export type RawKeyType = 'x25519' | 'ml-kem-768';

/**
 * Makes a public key of its raw bytes.
 *
 * @throws ImageFault KEY_MALFORMED when they are none: wrong length, or not reduced (ML-KEM).
 */
export function publicKeyOf(asymmetricKeyType: RawKeyType, bytes: Uint8Array): KeyObject {
  try {
    return createPublicKey({ key: bytes, format: 'raw-public', asymmetricKeyType });
  } catch (error) {
    throw new ImageFault('KEY_MALFORMED', `Cannot parse ${asymmetricKeyType} public key`, {
      cause: error,
    });
  }
}

/** Makes an X25519 private key of any 32 bytes. */
export function x25519PrivateKeyOf(bytes: Uint8Array): KeyObject {
  return createPrivateKey({
    key: bytes,
    format: 'raw-private',
    asymmetricKeyType: 'x25519',
  });
}

/** Makes an ML-KEM-768 decapsulation key of its seed, 64 bytes. */
export function mlKemPrivateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({
    key: seed,
    format: 'raw-seed',
    asymmetricKeyType: 'ml-kem-768',
  });
}

/** Gives the raw bytes of the public half of a key. */
export function rawPublicOf(key: KeyObject): Uint8Array {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ format: 'raw-public' });
}
