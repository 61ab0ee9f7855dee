/** The public keys that content keys are wrapped for, as the inventory keeps them. */
import { diffieHellman, type KeyObject } from 'node:crypto';
import type { Brand } from '@immota/base';
import { ImageFault } from '../image-fault.ts';
import { type EncryptionProfile, parseEncryptionProfile } from './profile.ts';
import {
  ML_KEM_PUBLIC_LENGTH_BYTES,
  publicKeyOf,
  X25519_LENGTH_BYTES,
  x25519PrivateKeyOf,
} from './raw-key.ts';

/**
 * The profile, a colon and the key in unpadded base64url: `classic:` with 32 bytes of X25519, or
 * `hybrid:` with 1216 of X-Wing (ML-KEM-768, then X25519).
 *
 * Holding a RecipientPublicKey tells you: its profile is known, its text is the only one for these
 * bytes, its ML-KEM key is reduced, and its X25519 point is not of small order.
 */
export type RecipientPublicKey = Brand<string, 'RecipientPublicKey'>;

/** A recipient's key, ready for use. */
export type RecipientKeys =
  | { readonly kind: 'classic'; readonly raw: Uint8Array; readonly x25519: KeyObject }
  | {
      readonly kind: 'hybrid';
      readonly raw: Uint8Array;
      readonly x25519: KeyObject;
      readonly mlKem: KeyObject;
    };

const RAW_LENGTH_BYTES: Readonly<Record<EncryptionProfile, number>> = {
  classic: X25519_LENGTH_BYTES,
  hybrid: ML_KEM_PUBLIC_LENGTH_BYTES + X25519_LENGTH_BYTES,
};

/** Longer than any: `hybrid:` and 1216 bytes in base64url. */
const TEXT_LENGTH_MAX = 1700;

/** Meets each key once, to learn whether its point is of small order. Protects nothing. */
const PROBE = x25519PrivateKeyOf(new Uint8Array(X25519_LENGTH_BYTES).fill(1));

/**
 * Reads a recipient's public key.
 *
 * @param value - the text an ECU gave at its registration.
 * @throws ImageFault KEY_MALFORMED when it is none.
 */
export function parseRecipientPublicKey(value: unknown): RecipientPublicKey {
  if (typeof value !== 'string' || value.length > TEXT_LENGTH_MAX) {
    throw new ImageFault('KEY_MALFORMED', 'Cannot parse recipient key: not a text of its length');
  }
  const colon = value.indexOf(':');
  const profile = parseEncryptionProfile(value.slice(0, Math.max(0, colon)));
  const raw = Buffer.from(value.slice(colon + 1), 'base64url');
  if (raw.length !== RAW_LENGTH_BYTES[profile] || formatRecipient(profile, raw) !== value) {
    throw new ImageFault('KEY_MALFORMED', `Cannot parse recipient key: not a ${profile} key`);
  }
  const { x25519 } = importRecipient(profile, raw);
  agree(PROBE, x25519);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return value as RecipientPublicKey;
}

/** Tells which profile a recipient's key is of. */
export function profileOf(recipient: RecipientPublicKey): EncryptionProfile {
  return parseEncryptionProfile(recipient.slice(0, recipient.indexOf(':')));
}

/** Makes the text of a recipient's key. */
export function formatRecipient(profile: EncryptionProfile, raw: Uint8Array): string {
  return `${profile}:${Buffer.from(raw).toString('base64url')}`;
}

/** Makes keys of a recipient's text. */
export function recipientKeysOf(recipient: RecipientPublicKey): RecipientKeys {
  const raw = Buffer.from(recipient.slice(recipient.indexOf(':') + 1), 'base64url');
  return importRecipient(profileOf(recipient), raw);
}

/**
 * Agrees on an X25519 secret.
 *
 * @throws ImageFault KEY_MALFORMED when the point is of small order, so that all would know the secret.
 */
export function agree(privateKey: KeyObject, publicKey: KeyObject): Uint8Array {
  try {
    return diffieHellman({ privateKey, publicKey });
  } catch (error) {
    throw new ImageFault('KEY_MALFORMED', 'Cannot agree on a secret: a point of small order', {
      cause: error,
    });
  }
}

function importRecipient(profile: EncryptionProfile, raw: Uint8Array): RecipientKeys {
  if (profile === 'classic') return { kind: 'classic', raw, x25519: publicKeyOf('x25519', raw) };
  const mlKem = publicKeyOf('ml-kem-768', raw.subarray(0, ML_KEM_PUBLIC_LENGTH_BYTES));
  const x25519 = publicKeyOf('x25519', raw.subarray(ML_KEM_PUBLIC_LENGTH_BYTES));
  return { kind: 'hybrid', raw, x25519, mlKem };
}
