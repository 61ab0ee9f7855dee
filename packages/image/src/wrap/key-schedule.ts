/**
 * The HKDF of HPKE and its key schedule in base mode, for one message.
 *
 * @source RFC 9180, sections 4 and 5.1
 */
import { createHmac, hkdfSync } from 'node:crypto';
import { concatBytes, utf8 } from '@immota/base';

/** What one message is encrypted with. */
export interface MessageKey {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
}

/** What a suite contributes to every key schedule: its labels, built once. */
export interface Suite {
  readonly infoLabel: Uint8Array;
  readonly secretLabel: Uint8Array;
  readonly keyLabel: Uint8Array;
  readonly nonceLabel: Uint8Array;
  /** The mode byte and the hash of the identifier of no pre-shared key. */
  readonly modeAndPskHash: Uint8Array;
}

const VERSION = utf8('HPKE-v1');
const KDF_HKDF_SHA256 = 0x0001;
const AEAD_AES_256_GCM = 0x0002;
const MODE_BASE = 0x00;
const KEY_LENGTH_BYTES = 32;
const NONCE_LENGTH_BYTES = 12;
const EMPTY: Uint8Array = new Uint8Array(0);

/** The identifier of a KEM, as its labels have it. */
export function kemSuiteId(kemId: number): Uint8Array {
  return concatBytes([utf8('KEM'), uint16(kemId)]);
}

/** The suite of a KEM with HKDF-SHA256 and AES-256-GCM. */
export function createSuite(kemId: number): Suite {
  const ids = [uint16(kemId), uint16(KDF_HKDF_SHA256), uint16(AEAD_AES_256_GCM)];
  const suiteId = concatBytes([utf8('HPKE'), ...ids]);
  const pskHash = extract(extractLabel(suiteId, 'psk_id_hash'));
  return {
    infoLabel: extractLabel(suiteId, 'info_hash'),
    secretLabel: extractLabel(suiteId, 'secret'),
    keyLabel: expandLabel(suiteId, 'key', KEY_LENGTH_BYTES),
    nonceLabel: expandLabel(suiteId, 'base_nonce', NONCE_LENGTH_BYTES),
    modeAndPskHash: concatBytes([Uint8Array.of(MODE_BASE), pskHash]),
  };
}

/** What LabeledExtract puts before its keying material. */
export function extractLabel(suiteId: Uint8Array, label: string): Uint8Array {
  return concatBytes([VERSION, suiteId, utf8(label)]);
}

/** What LabeledExpand puts before its info. */
export function expandLabel(suiteId: Uint8Array, label: string, lengthBytes: number): Uint8Array {
  return concatBytes([uint16(lengthBytes), VERSION, suiteId, utf8(label)]);
}

/**
 * Runs the key schedule of base mode; the sequence number is 0.
 *
 * @param suite - of the message.
 * @param sharedSecret - from the KEM.
 * @param info - what the key is bound to.
 */
export function scheduleKey(suite: Suite, sharedSecret: Uint8Array, info: Uint8Array): MessageKey {
  const infoHash = extract(concatBytes([suite.infoLabel, info]));
  const context = concatBytes([suite.modeAndPskHash, infoHash]);
  // There is no pre-shared key, so that nothing follows the label of the secret.
  const secret = { salt: sharedSecret, material: suite.secretLabel };
  return {
    key: derive(secret, concatBytes([suite.keyLabel, context]), KEY_LENGTH_BYTES),
    nonce: derive(secret, concatBytes([suite.nonceLabel, context]), NONCE_LENGTH_BYTES),
  };
}

/**
 * LabeledExpand of a LabeledExtract in one call: HKDF is just that, and costs less than the HMAC
 * objects it replaces.
 *
 * @param input - the salt, and the keying material behind its label.
 * @param info - behind its label.
 * @param lengthBytes - of the result.
 */
export function derive(
  input: { readonly salt: Uint8Array; readonly material: Uint8Array },
  info: Uint8Array,
  lengthBytes: number,
): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', input.material, input.salt, info, lengthBytes));
}

/** Extract without a salt. */
function extract(material: Uint8Array): Uint8Array {
  return createHmac('sha256', EMPTY).update(material).digest();
}

function uint16(value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(value >> 8, value & 0xff);
}
