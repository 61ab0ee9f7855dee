/**
 * The HKDF of HPKE and its key schedule in base mode, for one message.
 *
 * @source RFC 9180, sections 4 and 5.1
 */
import { createHmac } from 'node:crypto';
import { concatBytes, utf8 } from '@immota/base';

/** What every label of one KEM or one suite begins with. */
export interface LabelContext {
  /** `HPKE-v1` and the suite identifier. */
  readonly prefix: Uint8Array;
}

/** What one message is encrypted with. */
export interface MessageKey {
  readonly key: Uint8Array;
  readonly nonce: Uint8Array;
}

/** What a suite contributes to every key schedule. */
export interface Suite {
  readonly label: LabelContext;
  /** The hash of the identifier of no pre-shared key, with the mode byte before it. */
  readonly modeAndPskHash: Uint8Array;
}

const VERSION = 'HPKE-v1';
const KDF_HKDF_SHA256 = 0x0001;
const AEAD_AES_256_GCM = 0x0002;
const MODE_BASE = 0x00;
const KEY_LENGTH_BYTES = 32;
const NONCE_LENGTH_BYTES = 12;
const EMPTY: Uint8Array = new Uint8Array(0);

/** The labels of a KEM. */
export function labelKem(kemId: number): LabelContext {
  return { prefix: concatBytes([utf8(`${VERSION}KEM`), uint16(kemId)]) };
}

/** The suite of a KEM with HKDF-SHA256 and AES-256-GCM. */
export function createSuite(kemId: number): Suite {
  const ids = [uint16(kemId), uint16(KDF_HKDF_SHA256), uint16(AEAD_AES_256_GCM)];
  const label = { prefix: concatBytes([utf8(`${VERSION}HPKE`), ...ids]) };
  const pskHash = labeledExtract(label, EMPTY, 'psk_id_hash', [EMPTY]);
  return { label, modeAndPskHash: concatBytes([Uint8Array.of(MODE_BASE), pskHash]) };
}

/**
 * Runs the key schedule of base mode; the sequence number is 0.
 *
 * @param suite - of the message.
 * @param sharedSecret - from the KEM.
 * @param info - what the key is bound to.
 */
export function scheduleKey(suite: Suite, sharedSecret: Uint8Array, info: Uint8Array): MessageKey {
  const infoHash = labeledExtract(suite.label, EMPTY, 'info_hash', [info]);
  const context = concatBytes([suite.modeAndPskHash, infoHash]);
  const secret = labeledExtract(suite.label, sharedSecret, 'secret', [EMPTY]);
  const key = labeledExpand(suite.label, secret, ['key', context], KEY_LENGTH_BYTES);
  const nonce = labeledExpand(suite.label, secret, ['base_nonce', context], NONCE_LENGTH_BYTES);
  return { key, nonce };
}

/** LabeledExtract of RFC 9180. `parts` are the input keying material. */
export function labeledExtract(
  { prefix }: LabelContext,
  salt: Uint8Array,
  label: string,
  parts: readonly Uint8Array[],
): Uint8Array {
  const hmac = createHmac('sha256', salt)
    .update(prefix.subarray(0, VERSION.length))
    .update(prefix.subarray(VERSION.length))
    .update(label);
  for (const part of parts) hmac.update(part);
  return hmac.digest();
}

/** LabeledExpand of RFC 9180 for at most one block: a label with its info, and 1 to 32 bytes. */
export function labeledExpand(
  { prefix }: LabelContext,
  pseudorandomKey: Uint8Array,
  [label, info]: readonly [string, Uint8Array],
  lengthBytes: number,
): Uint8Array {
  const block = createHmac('sha256', pseudorandomKey)
    .update(uint16(lengthBytes))
    .update(prefix)
    .update(label)
    .update(info)
    .update(Uint8Array.of(1))
    .digest();
  return block.subarray(0, lengthBytes);
}

function uint16(value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(value >> 8, value & 0xff);
}
