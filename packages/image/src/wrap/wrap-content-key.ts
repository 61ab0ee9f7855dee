/**
 * Wraps an image's content key for one ECU: HPKE in base mode, one message.
 *
 * ```
 * offset length
 *      0      1  version: 1
 *      1      1  profile: 1 classic, 2 hybrid
 *      2      n  encapsulated secret: 32 or 1120
 *    2+n     48  the content key under AES-256-GCM, and its tag
 * ```
 *
 * @source RFC 9180, sections 5 and 6
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concatBytes, type Entropy, utf8 } from '@immota/base';
import {
  CONTENT_KEY_LENGTH_BYTES,
  type ContentKey,
  encodeContentKey,
  parseContentKey,
} from '../encrypt/content-key.ts';
import { ImageFault } from '../image-fault.ts';
import { IDENTIFIER_LENGTH_MAX_BYTES } from '../limits.ts';
import type { DecryptionKey } from './decryption-key.ts';
import { decapsulateWith, encapsulateFor, KEM_X25519, KEM_X_WING } from './kem.ts';
import { createSuite, type MessageKey, scheduleKey, type Suite } from './key-schedule.ts';
import type { EncryptionProfile } from './profile.ts';
import { ML_KEM_CIPHERTEXT_LENGTH_BYTES, X25519_LENGTH_BYTES } from './raw-key.ts';
import { recipientKeysOf, type RecipientPublicKey } from './recipient.ts';

/** What a wrapped key is good for, and nothing else. */
export interface WrapContext {
  /** The ECU that may unwrap it; 1 to 255 bytes of UTF-8. */
  readonly ecuIdentifier: string;
  /** The hardware the image is for; 1 to 255 bytes of UTF-8. */
  readonly hardwareIdentifier: string;
  /** SHA-256 of the image itself, not of its encrypted form; lower-case hexadecimal. */
  readonly imageSha256: string;
}

interface ProfileFormat {
  readonly byte: number;
  readonly encapsulatedLengthBytes: number;
  readonly suite: Suite;
}

const VERSION = 1;
const HEAD_LENGTH_BYTES = 2;
const TAG_LENGTH_BYTES = 16;
const SEALED_LENGTH_BYTES = CONTENT_KEY_LENGTH_BYTES + TAG_LENGTH_BYTES;
const CIPHER = 'aes-256-gcm';
const INFO_LABEL = utf8('immota content key 1');
const SHA256_HEX = /^[0-9a-f]{64}$/;

const FORMATS: Readonly<Record<EncryptionProfile, ProfileFormat>> = {
  classic: {
    byte: 1,
    encapsulatedLengthBytes: X25519_LENGTH_BYTES,
    suite: createSuite(KEM_X25519),
  },
  hybrid: {
    byte: 2,
    encapsulatedLengthBytes: ML_KEM_CIPHERTEXT_LENGTH_BYTES + X25519_LENGTH_BYTES,
    suite: createSuite(KEM_X_WING),
  },
};

/**
 * Wraps a content key for one ECU. The recipient's key decides the profile.
 *
 * @param recipient - the ECU's public key.
 * @param contentKey - of the image.
 * @param context - what the wrapped key is bound to.
 * @param entropy - where the ephemeral key comes from.
 * @returns 82 bytes in `classic`, 1170 in `hybrid`.
 * @throws ImageFault CONTEXT_MALFORMED.
 */
export function wrapContentKey(
  recipient: RecipientPublicKey,
  contentKey: ContentKey,
  context: WrapContext,
  entropy: Entropy,
): Uint8Array {
  const info = encodeContext(context);
  const keys = recipientKeysOf(recipient);
  const { byte, suite } = FORMATS[keys.kind];
  const { sharedSecret, encapsulated } = encapsulateFor(keys, entropy);
  const sealed = seal(scheduleKey(suite, sharedSecret, info), encodeContentKey(contentKey));
  return concatBytes([Uint8Array.of(VERSION, byte), encapsulated, sealed]);
}

/**
 * Unwraps a content key in the ECU.
 *
 * @param wrapped - what came in the ECU's Director metadata.
 * @param key - the ECU's own.
 * @param context - the ECU's own identifiers, and the hash from verified metadata.
 * @throws ImageFault WRAP_MALFORMED, WRAP_PROFILE, CONTEXT_MALFORMED, or WRAP_AUTHENTICATION when
 * it was wrapped for another key or another context, or was changed.
 */
export function unwrapContentKey(
  wrapped: Uint8Array,
  key: DecryptionKey,
  context: WrapContext,
): ContentKey {
  // {uptane K7} the key that decrypts the image comes wrapped in the ECU's Targets metadata.
  const info = encodeContext(context);
  const profile = findProfile(wrapped);
  if (profile === undefined) {
    throw new ImageFault('WRAP_MALFORMED', 'Cannot unwrap content key: not a wrapped key');
  }
  if (profile !== key.kind) {
    throw new ImageFault(
      'WRAP_PROFILE',
      `Cannot unwrap content key: it is ${profile} and the key is ${key.kind}`,
    );
  }
  const { suite, encapsulatedLengthBytes } = FORMATS[profile];
  const sealedOffset = HEAD_LENGTH_BYTES + encapsulatedLengthBytes;
  const sharedSecret = findSecret(key, wrapped.subarray(HEAD_LENGTH_BYTES, sealedOffset));
  const message = scheduleKey(suite, sharedSecret, info);
  return parseContentKey(open(message, wrapped.subarray(sealedOffset)));
}

/** Decapsulates; a share of small order is a changed one like any other. */
function findSecret(key: DecryptionKey, encapsulated: Uint8Array): Uint8Array {
  try {
    return decapsulateWith(key, encapsulated);
  } catch (error) {
    if (error instanceof ImageFault) throw notForUs(error);
    throw error;
  }
}

function notForUs(cause: unknown): ImageFault {
  return new ImageFault(
    'WRAP_AUTHENTICATION',
    'Cannot unwrap content key: it is for another ECU, hardware or image, or was changed',
    { cause },
  );
}

function findProfile(wrapped: Uint8Array): EncryptionProfile | undefined {
  if (wrapped[0] !== VERSION) return undefined;
  const profile: EncryptionProfile = wrapped[1] === FORMATS.classic.byte ? 'classic' : 'hybrid';
  const { byte, encapsulatedLengthBytes } = FORMATS[profile];
  const lengthBytes = HEAD_LENGTH_BYTES + encapsulatedLengthBytes + SEALED_LENGTH_BYTES;
  return wrapped[1] === byte && wrapped.length === lengthBytes ? profile : undefined;
}

/** HPKE's `info`: a label, then each identifier behind its length, then the hash. */
function encodeContext(context: WrapContext): Uint8Array {
  if (!SHA256_HEX.test(context.imageSha256)) {
    throw new ImageFault('CONTEXT_MALFORMED', 'Cannot bind content key: not a SHA-256 in hex');
  }
  const ecu = encodeIdentifier(context.ecuIdentifier);
  const hardware = encodeIdentifier(context.hardwareIdentifier);
  return concatBytes([
    INFO_LABEL,
    Uint8Array.of(ecu.length),
    ecu,
    Uint8Array.of(hardware.length),
    hardware,
    Buffer.from(context.imageSha256, 'hex'),
  ]);
}

function encodeIdentifier(identifier: string): Uint8Array {
  const bytes = utf8(identifier);
  // A lone surrogate would be encoded as U+FFFD, and two identifiers become one.
  if (
    !identifier.isWellFormed() ||
    bytes.length < 1 ||
    bytes.length > IDENTIFIER_LENGTH_MAX_BYTES
  ) {
    throw new ImageFault('CONTEXT_MALFORMED', 'Cannot bind content key: not an identifier');
  }
  return bytes;
}

function seal({ key, nonce }: MessageKey, plaintext: Uint8Array): Uint8Array {
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_LENGTH_BYTES });
  return concatBytes([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function open({ key, nonce }: MessageKey, sealed: Uint8Array): Uint8Array {
  const decipher = createDecipheriv(CIPHER, key, nonce, { authTagLength: TAG_LENGTH_BYTES });
  decipher.setAuthTag(sealed.subarray(-TAG_LENGTH_BYTES));
  const opened = decipher.update(sealed.subarray(0, -TAG_LENGTH_BYTES));
  try {
    decipher.final();
  } catch (error) {
    opened.fill(0);
    throw notForUs(error);
  }
  return opened;
}
