/** The outer shape of every signed document: `signatures` and `signed` {uptane B3}. */
import { createHash } from 'node:crypto';
import {
  concatBytes,
  InputFault,
  type JsonDocument,
  type JsonObject,
  member,
  readJson,
  utf8,
} from '@immota/base';
import { UptaneFault } from '../fault.ts';
import { SIGNATURES_MAX } from '../limits.ts';
import type { Signature } from '../metadata/key.ts';
import { parseKeyId } from '../metadata/names.ts';
import { encodeCanonical } from './canonical.ts';
import type { Dialect } from './dialect.ts';
import {
  asObject,
  decodeText,
  findObject,
  findText,
  readArray,
  readHashes,
  readObject,
  readText,
} from './reader.ts';

/** A signed document, taken apart; nothing about it is verified. */
export interface Envelope {
  readonly signed: JsonObject;
  readonly payload: Uint8Array;
  readonly signatures: readonly Signature[];
  readonly bytes: Uint8Array;
  digestInput(): Uint8Array;
}

/**
 * Takes a signed document apart.
 *
 * @param bytes - the document.
 * @param lengthMaxBytes - its bound; nothing is parsed beyond it.
 * @throws UptaneFault LIMIT when it is longer, MALFORMED when its shape is wrong, SIGNATURE_DUPLICATE
 * when a key identifier stands twice among the signatures.
 */
export function decodeEnvelope(
  dialect: Dialect,
  bytes: Uint8Array,
  lengthMaxBytes: number,
): Envelope {
  const { value, members } = readDocument(bytes, lengthMaxBytes);
  const document = asObject(value, 'document');
  const span = members?.get('signed');
  // Bytes that are canonical as they came need not be written again: they are what was signed.
  const payload = span === undefined ? undefined : bytes.subarray(span.start, span.end);
  return takeApart(dialect, document, { file: bytes, payload, canonical: members && bytes });
}

/** Reads a JSON object. @throws UptaneFault LIMIT or MALFORMED. */
export function parseDocument(bytes: Uint8Array, lengthMaxBytes: number): JsonObject {
  return asObject(readDocument(bytes, lengthMaxBytes).value, 'document');
}

function readDocument(bytes: Uint8Array, lengthMaxBytes: number): JsonDocument {
  try {
    return readJson(bytes, lengthMaxBytes);
  } catch (error) {
    if (!(error instanceof InputFault)) throw error;
    const code = error.code === 'JSON_LIMIT' ? 'LIMIT' : 'MALFORMED';
    throw new UptaneFault(code, error.message, { cause: error });
  }
}

/**
 * Takes a parsed envelope apart; reports nest envelopes inside a manifest's.
 *
 * @param document - the object with `signatures` and `signed`.
 * @param bytes - the file it came from; undefined when it is part of another.
 */
export function openEnvelope(
  dialect: Dialect,
  document: JsonObject,
  bytes: Uint8Array | undefined,
): Envelope {
  return takeApart(dialect, document, { file: bytes });
}

/** What is known of a document's bytes before it is taken apart. */
interface KnownBytes {
  readonly file?: Uint8Array | undefined;
  readonly payload?: Uint8Array | undefined;
  readonly canonical?: Uint8Array | undefined;
}

function takeApart(dialect: Dialect, document: JsonObject, known: KnownBytes): Envelope {
  const signed = readObject(document, 'signed');
  let { canonical } = known;
  const canonicalDocument = (): Uint8Array =>
    (canonical ??= encodeCanonical(document, dialect.canonicalForm));
  const file = known.file ?? canonicalDocument();
  const payload = known.payload ?? encodeCanonical(signed, dialect.canonicalForm);
  return {
    signed,
    payload,
    signatures: readSignatures(dialect, document, payload),
    bytes: file,
    digestInput: () => (dialect.hashesCover === 'bytes' ? file : canonicalDocument()),
  };
}

function readSignatures(
  dialect: Dialect,
  document: JsonObject,
  payload: Uint8Array,
): readonly Signature[] {
  const seen = new Set<string>();
  return readArray(document, 'signatures', SIGNATURES_MAX).map((item) => {
    const entry = asObject(item, 'signature');
    const keyId = parseKeyId(member(entry, 'keyid'));
    if (seen.has(keyId)) {
      throw new UptaneFault('SIGNATURE_DUPLICATE', 'Cannot read signatures: one key stands twice');
    }
    seen.add(keyId);
    checkPayloadHash(entry, payload);
    const bytes = decodeSignature(readText(entry, 'sig'), dialect.signatureAlphabet);
    return { keyId, bytes, method: findText(entry, 'method') };
  });
}

/** A spelling that is none is a signature that verifies nothing; the others may still suffice. */
function decodeSignature(text: string, alphabet: Dialect['signatureAlphabet']): Uint8Array {
  try {
    return decodeText(text, alphabet);
  } catch (error) {
    if (error instanceof UptaneFault) return new Uint8Array();
    throw error;
  }
}

/** {uptane J1}: where a signature names its payload's hash, it must be this payload's. */
function checkPayloadHash(entry: JsonObject, payload: Uint8Array): void {
  const stated = findObject(entry, 'hashes');
  if (stated === undefined) return;
  for (const [hashFunction, digest] of readHashes(stated)) {
    if (createHash(hashFunction).update(payload).digest('hex') !== digest) {
      throw new UptaneFault(
        'MALFORMED',
        'Cannot read signatures: a stated payload hash is another',
      );
    }
  }
}

/** One signature that somebody made over a payload. */
export interface MadeSignature extends Signature {
  /** Further attributes, as manifests carry {uptane J1}. */
  readonly attributes?: JsonObject;
}

/**
 * Puts a signed document together.
 *
 * The file is in the `escaped` form in both dialects: that is canonical for the vehicles' client,
 * which hashes the canonical form, and JSON for all. OLPC's form is for signing only: it leaves line
 * ends in texts as they are, as PEM keys have them, and no parser of JSON takes those.
 *
 * @param signed - the payload's object.
 * @param signatures - in the order they shall stand.
 */
export function encodeEnvelope(
  dialect: Dialect,
  signed: JsonObject,
  signatures: readonly MadeSignature[],
): Uint8Array<ArrayBuffer> {
  return envelopeAround(dialect, encodeCanonical(signed, 'escaped'), signatures);
}

/**
 * Puts a signed document together around a payload that is written already.
 *
 * @param payload - in the `escaped` form.
 * @param signatures - in the order they shall stand.
 */
export function envelopeAround(
  dialect: Dialect,
  payload: Uint8Array,
  signatures: readonly MadeSignature[],
): Uint8Array<ArrayBuffer> {
  const list = signatures.map((signature) => signatureObject(dialect, signature));
  return concatBytes([
    utf8('{"signatures":'),
    encodeCanonical(list, 'escaped'),
    utf8(',"signed":'),
    payload,
    utf8('}'),
  ]);
}

/** The JSON object of a signed document. */
export function envelopeObject(
  dialect: Dialect,
  signed: JsonObject,
  signatures: readonly MadeSignature[],
): JsonObject {
  return {
    signatures: signatures.map((signature) => signatureObject(dialect, signature)),
    signed,
  };
}

function signatureObject(
  dialect: Dialect,
  { keyId, method, bytes, attributes }: MadeSignature,
): JsonObject {
  return {
    ...attributes,
    keyid: keyId,
    ...(method === undefined ? {} : { method }),
    sig: dialect.signatureAlphabet === 'hex' ? bytes.toHex() : bytes.toBase64(),
  };
}
