/** What stands in the messages of the in-vehicle link. JSON where it is small, bytes where it is not. */
import {
  concatBytes,
  InputFault,
  isJsonObject,
  type JsonObject,
  parseJson,
  SIGNATURE_ALGORITHMS,
  utf8,
} from '@immota/base';
import {
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseTargetName,
  type TargetName,
  UptaneFault,
} from '@immota/uptane';
import { z } from 'zod';
import { VehicleFault } from '../vehicle-fault.ts';
import { BUNDLE_FILES_MAX, MESSAGE_MAX_BYTES, REFUSAL_MAX_CHARACTERS } from './limits.ts';
import type { MetadataBundle } from './metadata-bundle.ts';
import type { SecondaryInfo, SecondaryStatus } from './secondary-link.ts';

/** What is said of an image before it is pulled. */
export interface OfferMessage {
  readonly name: TargetName;
  readonly lengthBytes: number;
  /** The bytes are a delta from what the ECU runs. */
  readonly isDelta?: true;
}

/** Asks for bytes of an image. */
export interface PullMessage {
  /** The request that offered the image. */
  readonly request: number;
  readonly offsetBytes: number;
  /** Bytes that may come before the next credit. */
  readonly creditBytes: number;
}

/** Why a peer said no. */
export interface RefusalMessage {
  readonly code: string;
  readonly message: string;
}

/** Pages of 256 bytes to 256 KiB, as deltas may have. */
const DELTA_PAGES: ReadonlySet<number> = new Set(
  Array.from({ length: 11 }, (_, doubled) => 256 << doubled),
);
const bytesText = z.base64().max(MESSAGE_MAX_BYTES);
const nonceText = z.string().regex(/^(?:[0-9a-f]{2}){16,32}$/);
const infoSchema = z.strictObject({
  ecuIdentifier: z.string(),
  hardwareIdentifier: z.string(),
  verification: z.enum(['full', 'partial']),
  algorithm: z.enum(SIGNATURE_ALGORITHMS),
  publicKey: bytesText,
  encryptionKeyDocument: bytesText.nullable(),
});
const statusSchema = z.strictObject({
  phase: z.enum(['idle', 'receiving', 'prepared', 'activating', 'trial']),
  preparedSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .nullable(),
  canRevert: z.boolean(),
  // Left out by ECUs without such a bank, and by those of before there were any.
  deltaPageBytes: z
    .int()
    .refine((bytes) => DELTA_PAGES.has(bytes))
    .optional(),
});
const offerSchema = z.strictObject({
  name: z.string(),
  lengthBytes: z.int().min(0),
  isDelta: z.literal(true).optional(),
});
const refusalSchema = z.strictObject({
  code: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/),
  message: z.string(),
});
const nonceSchema = z.strictObject({ nonce: nonceText });

const NAME_HEAD_BYTES = 2;
const LENGTH_HEAD_BYTES = 4;
const PULL_LENGTH_BYTES = 14;
// The control characters are what is looked for: a peer's words must not move a terminal's cursor.
// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** Encodes who an ECU is. */
export function encodeInfo(info: SecondaryInfo): Uint8Array {
  return encodeJson({
    ecuIdentifier: info.ecuIdentifier,
    hardwareIdentifier: info.hardwareIdentifier,
    verification: info.verification,
    algorithm: info.identity.algorithm,
    publicKey: info.identity.publicKeyDer.toBase64(),
    encryptionKeyDocument: info.encryptionKeyDocument?.toBase64() ?? null,
  });
}

/** Decodes who an ECU is. @throws VehicleFault LINK_PROTOCOL, as all decoders of this file do. */
export function decodeInfo(payload: Uint8Array): SecondaryInfo {
  return decoded(() => {
    const info = infoSchema.parse(parseJson(payload, MESSAGE_MAX_BYTES));
    const { algorithm, publicKey, encryptionKeyDocument: document } = info;
    return {
      ecuIdentifier: parseEcuIdentifier(info.ecuIdentifier),
      hardwareIdentifier: parseHardwareIdentifier(info.hardwareIdentifier),
      verification: info.verification,
      identity: { algorithm, publicKeyDer: Uint8Array.fromBase64(publicKey) },
      encryptionKeyDocument: document === null ? undefined : Uint8Array.fromBase64(document),
    };
  });
}

/** Encodes a nonce. */
export function encodeNonce(nonce: string): Uint8Array {
  return encodeJson({ nonce });
}

/** Decodes a nonce: 16 to 32 bytes in hex. */
export function decodeNonce(payload: Uint8Array): string {
  return decoded(() => nonceSchema.parse(parseJson(payload, MESSAGE_MAX_BYTES)).nonce);
}

/** Encodes any document. */
export function encodeJson(document: JsonObject): Uint8Array {
  return utf8(JSON.stringify(document));
}

/** Decodes any document; what it says is for others to check. */
export function decodeDocument(payload: Uint8Array): JsonObject {
  return decoded(() => {
    const document = parseJson(payload, MESSAGE_MAX_BYTES);
    if (isJsonObject(document)) return document;
    throw new InputFault('JSON_MALFORMED', 'Cannot read document: it is no object');
  });
}

/** Encodes what an ECU is doing. */
export function encodeStatus(status: SecondaryStatus): Uint8Array {
  const { phase, preparedSha256, canRevert, deltaPageBytes } = status;
  const pages = deltaPageBytes === undefined ? {} : { deltaPageBytes };
  return encodeJson({ phase, preparedSha256: preparedSha256 ?? null, canRevert, ...pages });
}

/** Decodes what an ECU is doing. */
export function decodeStatus(payload: Uint8Array): SecondaryStatus {
  return decoded(() => {
    const status = statusSchema.parse(parseJson(payload, MESSAGE_MAX_BYTES));
    const { phase, preparedSha256, canRevert, deltaPageBytes } = status;
    const common = { phase, preparedSha256: preparedSha256 ?? undefined, canRevert };
    return deltaPageBytes === undefined ? common : { ...common, deltaPageBytes };
  });
}

/** Encodes an offer. */
export function encodeOffer({ name, lengthBytes, isDelta }: OfferMessage): Uint8Array {
  return encodeJson({ name, lengthBytes, ...(isDelta === true ? { isDelta } : {}) });
}

/** Decodes an offer. */
export function decodeOffer(payload: Uint8Array): OfferMessage {
  return decoded(() => {
    const { name, lengthBytes, isDelta } = offerSchema.parse(parseJson(payload, MESSAGE_MAX_BYTES));
    const offer = { name: parseTargetName(name), lengthBytes };
    return isDelta === undefined ? offer : { ...offer, isDelta };
  });
}

/** Encodes a refusal. */
export function encodeRefusal({ code, message }: RefusalMessage): Uint8Array {
  return encodeJson({ code, message: plainText(message) });
}

/** Decodes a refusal; its text is made harmless. */
export function decodeRefusal(payload: Uint8Array): RefusalMessage {
  return decoded(() => {
    const { code, message } = refusalSchema.parse(parseJson(payload, MESSAGE_MAX_BYTES));
    return { code, message: plainText(message) };
  });
}

/** Encodes a request for bytes: 2, 8 and 4 bytes, big-endian. */
export function encodePull({ request, offsetBytes, creditBytes }: PullMessage): Uint8Array {
  const bytes = new Uint8Array(PULL_LENGTH_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, request);
  view.setBigUint64(2, BigInt(offsetBytes));
  view.setUint32(10, creditBytes);
  return bytes;
}

/** Decodes a request for bytes. */
export function decodePull(payload: Uint8Array): PullMessage {
  const view = viewOf(payload, PULL_LENGTH_BYTES);
  const offset = view.getBigUint64(2);
  if (offset > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed('an offset beyond reason');
  return {
    request: view.getUint16(0),
    offsetBytes: Number(offset),
    creditBytes: view.getUint32(10),
  };
}

/** Encodes how many bytes more may come. */
export function encodeCredit(creditBytes: number): Uint8Array {
  const bytes = new Uint8Array(LENGTH_HEAD_BYTES);
  new DataView(bytes.buffer).setUint32(0, creditBytes);
  return bytes;
}

/** Decodes how many bytes more may come. */
export function decodeCredit(payload: Uint8Array): number {
  return viewOf(payload, LENGTH_HEAD_BYTES).getUint32(0);
}

/** Encodes a bundle: for each file the name behind its length in 2 bytes, the bytes behind theirs in 4. */
export function encodeBundle(bundle: MetadataBundle): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const [name, bytes] of bundle) {
    const nameBytes = utf8(name);
    const head = new Uint8Array(NAME_HEAD_BYTES);
    new DataView(head.buffer).setUint16(0, nameBytes.length);
    parts.push(head, nameBytes, encodeCredit(bytes.length), bytes);
  }
  return concatBytes(parts);
}

/** Decodes a bundle. The files are parts of the payload, not copies. */
export function decodeBundle(payload: Uint8Array): MetadataBundle {
  const bundle = new Map<string, Uint8Array>();
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for (let offset = 0; offset < payload.length;) {
    const take = (lengthBytes: number): number => {
      const at = offset;
      offset += lengthBytes;
      if (offset > payload.length) throw malformed('a bundle that ends within a file');
      return at;
    };
    const nameLengthBytes = view.getUint16(take(NAME_HEAD_BYTES));
    const nameAt = take(nameLengthBytes);
    const name = decoded(() => decoder.decode(payload.subarray(nameAt, nameAt + nameLengthBytes)));
    const lengthBytes = view.getUint32(take(LENGTH_HEAD_BYTES));
    const at = take(lengthBytes);
    if (bundle.has(name)) throw malformed('a bundle with a file twice');
    if (bundle.size === BUNDLE_FILES_MAX) throw malformed('a bundle with too many files');
    bundle.set(name, payload.subarray(at, at + lengthBytes));
  }
  return bundle;
}

/** Checks that a message without content has none. */
export function decodeNothing(payload: Uint8Array): void {
  if (payload.length > 0) throw malformed('content where none belongs');
}

function plainText(text: string): string {
  return text.slice(0, REFUSAL_MAX_CHARACTERS).replaceAll(CONTROL, ' ').toWellFormed();
}

function viewOf(payload: Uint8Array, lengthBytes: number): DataView {
  if (payload.length !== lengthBytes) throw malformed(`${payload.length} bytes`);
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
}

function decoded<Result>(decode: () => Result): Result {
  try {
    return decode();
  } catch (error) {
    if (
      error instanceof z.ZodError ||
      error instanceof InputFault ||
      error instanceof UptaneFault
    ) {
      throw malformed('content that does not fit', error);
    }
    // TextDecoder and base64 refuse with these.
    if (error instanceof TypeError || error instanceof SyntaxError) {
      throw malformed('an encoding that does not fit', error);
    }
    throw error;
  }
}

function malformed(what: string, cause?: unknown): VehicleFault {
  return new VehicleFault('LINK_PROTOCOL', `Cannot read message of peer: ${what}`, { cause });
}
