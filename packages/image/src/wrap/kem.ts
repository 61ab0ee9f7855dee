/**
 * The two key encapsulation mechanisms: DHKEM(X25519, HKDF-SHA256) and X-Wing.
 *
 * @source RFC 9180, section 4.1; draft-connolly-cfrg-xwing-kem
 */
import { createHash, decapsulate, encapsulate } from 'node:crypto';
import { concatBytes, type Entropy, unreachable } from '@immota/base';
import type { DecryptionKey } from './decryption-key.ts';
import { derive, expandLabel, extractLabel, kemSuiteId } from './key-schedule.ts';
import {
  ML_KEM_CIPHERTEXT_LENGTH_BYTES,
  publicKeyOf,
  rawPublicOf,
  X25519_LENGTH_BYTES,
  x25519PrivateKeyOf,
} from './raw-key.ts';
import { agree, type RecipientKeys } from './recipient.ts';

/** A secret that only the recipient can find again, and what it needs for that. */
export interface Encapsulation {
  readonly sharedSecret: Uint8Array;
  readonly encapsulated: Uint8Array;
}

/** Identifier of DHKEM(X25519, HKDF-SHA256). */
export const KEM_X25519 = 0x0020;

/** Identifier of X-Wing. */
export const KEM_X_WING = 0x647a;

const SECRET_LENGTH_BYTES = 32;
const DHKEM = kemSuiteId(KEM_X25519);
const AGREED_LABEL = extractLabel(DHKEM, 'eae_prk');
const SECRET_LABEL = expandLabel(DHKEM, 'shared_secret', SECRET_LENGTH_BYTES);
const NO_SALT: Uint8Array = new Uint8Array(0);
/** The draft's drawing of an X-wing: `\.//^\`. */
const X_WING_LABEL: Uint8Array = Uint8Array.of(0x5c, 0x2e, 0x2f, 0x2f, 0x5e, 0x5c);

/**
 * Makes a secret for a recipient.
 *
 * @param recipient - whose it is.
 * @param entropy - where the ephemeral X25519 key comes from; ML-KEM draws from node:crypto, which
 * lets nobody else choose.
 */
export function encapsulateFor(recipient: RecipientKeys, entropy: Entropy): Encapsulation {
  const ephemeral = x25519PrivateKeyOf(entropy.bytes(X25519_LENGTH_BYTES));
  const share = rawPublicOf(ephemeral);
  const agreed = agree(ephemeral, recipient.x25519);
  switch (recipient.kind) {
    case 'classic':
      return { sharedSecret: extract(agreed, share, recipient.raw), encapsulated: share };
    case 'hybrid': {
      const { sharedKey, ciphertext } = encapsulate(recipient.mlKem);
      return {
        sharedSecret: combine(sharedKey, agreed, [share, recipient.raw.subarray(-32)]),
        encapsulated: concatBytes([ciphertext, share]),
      };
    }
    default:
      return unreachable(recipient);
  }
}

/**
 * Finds the secret again.
 *
 * @param key - the recipient's.
 * @param encapsulated - of the length that the key's profile has.
 * @throws ImageFault KEY_MALFORMED when the share in it is a point of small order.
 */
export function decapsulateWith(key: DecryptionKey, encapsulated: Uint8Array): Uint8Array {
  switch (key.kind) {
    case 'classic': {
      const agreed = agree(key.x25519, publicKeyOf('x25519', encapsulated));
      return extract(agreed, encapsulated, key.rawPublic);
    }
    case 'hybrid': {
      const share = encapsulated.subarray(ML_KEM_CIPHERTEXT_LENGTH_BYTES);
      const agreed = agree(key.x25519, publicKeyOf('x25519', share));
      const ciphertext = encapsulated.subarray(0, ML_KEM_CIPHERTEXT_LENGTH_BYTES);
      const sharedKey = decapsulate(key.mlKem, ciphertext);
      return combine(sharedKey, agreed, [share, key.rawPublic.subarray(-32)]);
    }
    default:
      return unreachable(key);
  }
}

/** ExtractAndExpand of DHKEM: binds the secret to both shares. */
function extract(agreed: Uint8Array, share: Uint8Array, recipient: Uint8Array): Uint8Array {
  const input = { salt: NO_SALT, material: concatBytes([AGREED_LABEL, agreed]) };
  return derive(input, concatBytes([SECRET_LABEL, share, recipient]), SECRET_LENGTH_BYTES);
}

/** The combiner of X-Wing. ML-KEM binds its own ciphertext, so that X25519's alone is hashed. */
function combine(
  sharedKey: Uint8Array,
  agreed: Uint8Array,
  [share, recipient]: readonly [Uint8Array, Uint8Array],
): Uint8Array {
  return createHash('sha3-256')
    .update(sharedKey)
    .update(agreed)
    .update(share)
    .update(recipient)
    .update(X_WING_LABEL)
    .digest();
}
