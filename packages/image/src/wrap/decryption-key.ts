/**
 * The private key an ECU unwraps content keys with. It is made in the ECU and stays there, beside
 * the key that signs the ECU's reports: {uptane H4} one key does one thing.
 */
import { createSecretKey, hash, type KeyObject } from 'node:crypto';
import { assert, type Entropy, unreachable } from '@immota/base';
import { ImageFault } from '../image-fault.ts';
import type { EncryptionProfile } from './profile.ts';
import { mlKemPrivateKeyOf, rawPublicOf, x25519PrivateKeyOf } from './raw-key.ts';
import {
  formatRecipient,
  parseRecipientPublicKey,
  recipientKeysOf,
  type RecipientPublicKey,
} from './recipient.ts';

/** A decryption key. Its secrets are KeyObjects, which show nothing when they are logged. */
export type DecryptionKey =
  | {
      readonly kind: 'classic';
      readonly publicKey: RecipientPublicKey;
      readonly rawPublic: Uint8Array;
      readonly secret: KeyObject;
      readonly x25519: KeyObject;
    }
  | {
      readonly kind: 'hybrid';
      readonly publicKey: RecipientPublicKey;
      readonly rawPublic: Uint8Array;
      readonly secret: KeyObject;
      readonly x25519: KeyObject;
      readonly mlKem: KeyObject;
    };

/** How long the secret of a decryption key is, in either profile. */
const DECRYPTION_SECRET_LENGTH_BYTES = 32;

const ML_KEM_SEED_LENGTH_BYTES = 64;
const EXPANDED_LENGTH_BYTES = 96;

/**
 * Makes a new decryption key.
 *
 * @param profile - of the ECU.
 * @param entropy - where chance comes from.
 */
export function generateDecryptionKey(profile: EncryptionProfile, entropy: Entropy): DecryptionKey {
  return parseDecryptionKey(profile, entropy.bytes(DECRYPTION_SECRET_LENGTH_BYTES));
}

/**
 * Reads a decryption key from its secret.
 *
 * @param profile - which key the secret belongs to.
 * @param secret - 32 bytes: the X25519 private key, or the X-Wing seed.
 * @throws ImageFault KEY_MALFORMED when they are not 32.
 * @source draft-connolly-cfrg-xwing-kem, expandDecapsulationKey
 */
export function parseDecryptionKey(profile: EncryptionProfile, secret: Uint8Array): DecryptionKey {
  if (secret.length !== DECRYPTION_SECRET_LENGTH_BYTES) {
    throw new ImageFault(
      'KEY_MALFORMED',
      `Cannot parse decryption key: ${secret.length} bytes instead of ${DECRYPTION_SECRET_LENGTH_BYTES}`,
    );
  }
  switch (profile) {
    case 'classic': {
      const x25519 = x25519PrivateKeyOf(secret);
      const publicKey = recipientOf(profile, rawPublicOf(x25519));
      const { raw } = recipientKeysOf(publicKey);
      return {
        kind: profile,
        publicKey,
        rawPublic: raw,
        secret: createSecretKey(secret),
        x25519,
      };
    }
    case 'hybrid': {
      const expanded = hash('shake256', secret, {
        outputEncoding: 'buffer',
        outputLength: EXPANDED_LENGTH_BYTES,
      });
      const mlKem = mlKemPrivateKeyOf(expanded.subarray(0, ML_KEM_SEED_LENGTH_BYTES));
      const x25519 = x25519PrivateKeyOf(expanded.subarray(ML_KEM_SEED_LENGTH_BYTES));
      expanded.fill(0);
      const rawPublic = Buffer.concat([rawPublicOf(mlKem), rawPublicOf(x25519)]);
      return {
        kind: profile,
        publicKey: recipientOf(profile, rawPublic),
        rawPublic,
        secret: createSecretKey(secret),
        x25519,
        mlKem,
      };
    }
    default:
      return unreachable(profile);
  }
}

/** Gives the secret of a decryption key, for the ECU's own key store. */
export function encodeDecryptionKey(key: DecryptionKey): Uint8Array {
  const secret = key.secret.export();
  assert(secret.length === DECRYPTION_SECRET_LENGTH_BYTES, 'a decryption secret has 32 bytes');
  return secret;
}

function recipientOf(profile: EncryptionProfile, raw: Uint8Array): RecipientPublicKey {
  return parseRecipientPublicKey(formatRecipient(profile, raw));
}
