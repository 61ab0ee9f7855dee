/** OCSP requests {RFC 6960 4.1}. */
import { listDer, openDer, readDer } from '../der/read.ts';
import { contextConstructed, TAG } from '../der/tag.ts';
import { readOid } from '../der/value.ts';
import { PkiFault } from '../fault.ts';
import { OCSP_CERTIFICATES_MAX, OCSP_NONCE_MAX_BYTES, OCSP_REQUEST_MAX_BYTES } from '../limits.ts';
import { OID } from '../oid.ts';
import { readSerial, type SerialNumber } from '../x509/certificate.ts';
import { readExtension } from '../x509/extension.ts';
import type { DerElement } from '../der/read.ts';

/** How a request names an authority. */
export type OcspDigest = 'sha1' | 'sha256';

/** One certificate that is asked about. */
export interface OcspQuestion {
  /** The CertID as it stood, to be repeated in the answer. */
  readonly der: Uint8Array;
  /** Undefined for a digest that is not in use, so that nobody can be meant by it. */
  readonly digest: OcspDigest | undefined;
  readonly issuerNameDigest: Uint8Array;
  readonly issuerKeyDigest: Uint8Array;
  readonly serial: SerialNumber;
}

/** A request that was read. */
export interface OcspRequest {
  readonly questions: readonly OcspQuestion[];
  /** The nonce extension's value as it stood, to be repeated in the answer. */
  readonly nonce: Uint8Array | undefined;
}

/**
 * Reads a request. A signature on it proves nothing here and is passed over.
 *
 * @param bytes - the body of the POST, DER, from outside.
 * @throws PkiFault LIMIT above 4 KiB or 16 certificates; DER_MALFORMED; OCSP_MALFORMED when it asks
 *   about nothing or its nonce has another length than 1 to 128 octets; CERTIFICATE_MALFORMED for a
 *   bad serial number; CERTIFICATE_UNSUPPORTED for an unknown critical extension.
 */
export function parseOcspRequest(bytes: Uint8Array): OcspRequest {
  if (bytes.length > OCSP_REQUEST_MAX_BYTES) {
    throw new PkiFault('LIMIT', `Cannot read OCSP request: ${bytes.length} bytes are too many`);
  }
  const what = 'OCSP request';
  const outer = openDer(readDer(Uint8Array.from(bytes), TAG.sequence, what), what);
  const reader = openDer(outer.take(TAG.sequence, what), what);
  outer.takeOptional(contextConstructed(0));
  outer.end(what);
  if (reader.takeOptional(contextConstructed(0)) !== undefined) {
    // DER leaves a default out, and there is no other version.
    throw new PkiFault('OCSP_MALFORMED', 'Cannot read OCSP request: it is not of version 1');
  }
  reader.takeOptional(contextConstructed(1));
  const elements = listDer(reader.take(TAG.sequence, 'list of certificates'), what);
  if (elements.length === 0) {
    throw new PkiFault('OCSP_MALFORMED', 'Cannot read OCSP request: it asks about nothing');
  }
  if (elements.length > OCSP_CERTIFICATES_MAX) {
    throw new PkiFault(
      'LIMIT',
      `Cannot read OCSP request: over ${OCSP_CERTIFICATES_MAX} questions`,
    );
  }
  const questions = elements.map((element) => readQuestion(element));
  const extensions = reader.takeOptional(contextConstructed(2));
  reader.end(what);
  return { questions, nonce: extensions === undefined ? undefined : findNonce(extensions) };
}

function readQuestion(element: DerElement): OcspQuestion {
  if (element.tag !== TAG.sequence) {
    throw new PkiFault('DER_MALFORMED', 'Cannot read OCSP request: a question that is none');
  }
  const reader = openDer(element, 'question');
  const id = reader.take(TAG.sequence, 'certificate id');
  const extensions = reader.takeOptional(contextConstructed(0));
  reader.end('question');
  if (extensions !== undefined) readExtensionValues(extensions);
  const parts = openDer(id, 'certificate id');
  const algorithm = openDer(parts.take(TAG.sequence, 'digest'), 'digest');
  const oid = readOid(algorithm.take(TAG.oid, 'digest'));
  algorithm.takeOptional(TAG.null);
  algorithm.end('digest');
  const issuerNameDigest = parts.take(TAG.octetString, 'digest of name').content;
  const issuerKeyDigest = parts.take(TAG.octetString, 'digest of key').content;
  const serial = readSerial(parts.take(TAG.integer, 'serial number'));
  parts.end('certificate id');
  return { der: id.raw, digest: DIGESTS.get(oid), issuerNameDigest, issuerKeyDigest, serial };
}

const DIGESTS: ReadonlyMap<string, OcspDigest> = new Map([
  [OID.sha1, 'sha1'],
  [OID.sha256, 'sha256'],
]);

function findNonce(extensions: DerElement): Uint8Array | undefined {
  const nonce = readExtensionValues(extensions).get(OID.ocspNonce);
  if (nonce === undefined) return undefined;
  const { length } = readDer(nonce, TAG.octetString, 'nonce').content;
  if (length < 1 || length > OCSP_NONCE_MAX_BYTES) {
    throw new PkiFault('OCSP_MALFORMED', `Cannot read OCSP request: a nonce of ${length} octets`);
  }
  return nonce;
}

function readExtensionValues(element: DerElement): ReadonlyMap<string, Uint8Array> {
  const reader = openDer(element, 'extensions');
  const list = listDer(reader.take(TAG.sequence, 'extensions'), 'extensions');
  reader.end('extensions');
  const values = new Map<string, Uint8Array>();
  for (const extension of list) {
    const { oid, isCritical, value } = readExtension(extension);
    if (isCritical && oid !== OID.ocspNonce) {
      throw new PkiFault('CERTIFICATE_UNSUPPORTED', `Cannot read OCSP request: ${oid} is critical`);
    }
    if (values.has(oid)) {
      throw new PkiFault('OCSP_MALFORMED', `Cannot read OCSP request: ${oid} repeats`);
    }
    values.set(oid, value);
  }
  return values;
}
