/** X.509 certificates, version 3 {RFC 5280 4.1}. */
import { createHash } from 'node:crypto';

import { type Brand, equalBytes } from '@immota/base';

import { PkiFault } from '../fault.ts';
import { CERTIFICATE_LENGTH_MAX_BYTES } from '../limits.ts';
import { type DerElement, openDer, readDer } from '../der/read.ts';
import { contextConstructed, TAG } from '../der/tag.ts';
import { readOctetsOfBits, readSmallUnsigned, readTime, readUnsigned } from '../der/value.ts';
import { type Extensions, readExtensions } from './extension.ts';
import { type DistinguishedName, readName } from './name.ts';
import { readSignatureAlgorithm, type X509SignatureAlgorithm } from './signature.ts';

const VERSION_3 = 2;
/** Not zero and no padding: the first octet is not 00. */
const SERIAL = /^(?!00)(?:[0-9a-f]{2}){1,20}$/;

/** Holding a SerialNumber {RFC 5280 4.1.2.2} tells you: 1 to 20 octets in lower case hexadecimal, not zero, no 00 in front. */
export type SerialNumber = Brand<string, 'SerialNumber'>;

/** When something is valid, both ends included, in whole seconds. */
export interface Validity {
  readonly notBefore: Temporal.Instant;
  readonly notAfter: Temporal.Instant;
}

/** A certificate that was read. Nothing about it is verified yet: `checkChain` does that. */
export interface Certificate extends Extensions, Validity {
  /** The whole of it. */
  readonly der: Uint8Array;
  /** The part that is signed. */
  readonly tbsDer: Uint8Array;
  readonly serial: SerialNumber;
  readonly issuer: DistinguishedName;
  readonly subject: DistinguishedName;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyDer: Uint8Array;
  readonly signatureAlgorithm: X509SignatureAlgorithm;
  readonly signature: Uint8Array;
}

/**
 * Reads a certificate.
 *
 * @param der - DER from outside; it is copied.
 * @throws PkiFault LIMIT above 16 KiB or any other limit; DER_MALFORMED; CERTIFICATE_MALFORMED when a
 *   rule of RFC 5280 is broken; CERTIFICATE_UNSUPPORTED for an unknown critical extension; ALGORITHM
 *   for a signature of another kind.
 */
export function parseCertificate(der: Uint8Array): Certificate {
  if (der.length > CERTIFICATE_LENGTH_MAX_BYTES) {
    throw new PkiFault('LIMIT', `Cannot read certificate: ${der.length} bytes are too many`);
  }
  const element = readDer(Uint8Array.from(der), TAG.sequence, 'certificate');
  const outer = openDer(element, 'certificate');
  const tbs = outer.take(TAG.sequence, 'signed part');
  const outerAlgorithm = readSignatureAlgorithm(outer.take(TAG.sequence, 'signature algorithm'));
  const signature = readOctetsOfBits(outer.take(TAG.bitString, 'signature'));
  outer.end('certificate');

  const reader = openDer(tbs, 'certificate');
  const version = openDer(reader.take(contextConstructed(0), 'version'), 'version');
  if (readSmallUnsigned(version.take(TAG.integer, 'version')) !== VERSION_3) {
    throw malformed('it is not of version 3');
  }
  version.end('version');
  const serial = readSerial(reader.take(TAG.integer, 'serial number'));
  const signatureAlgorithm = readSignatureAlgorithm(reader.take(TAG.sequence, 'algorithm'));
  // {RFC 5280 4.1.1.2}: the signed algorithm and the one beside the signature are the same.
  if (!equalBytes(signatureAlgorithm.der, outerAlgorithm.der)) throw malformed('two algorithms');
  const issuer = readName(reader.take(TAG.sequence, 'issuer'));
  const validity = readValidity(reader.take(TAG.sequence, 'validity'));
  const subject = readName(reader.take(TAG.sequence, 'subject'));
  const { raw: publicKeyDer } = reader.take(TAG.sequence, 'public key');
  const extensions = openDer(reader.take(contextConstructed(3), 'extensions'), 'extensions');
  const understood = readExtensions(extensions.take(TAG.sequence, 'extensions'));
  extensions.end('extensions');
  reader.end('certificate');
  if (understood.isAuthority && subject.attributes.length === 0) {
    throw malformed('an authority without a name');
  }
  return {
    ...understood,
    ...validity,
    der: element.raw,
    tbsDer: tbs.raw,
    serial,
    issuer,
    subject,
    publicKeyDer,
    signatureAlgorithm,
    signature,
  };
}

/** Reads a serial number in hexadecimal. @throws PkiFault CERTIFICATE_MALFORMED when it is none. */
export function parseSerialNumber(value: unknown): SerialNumber {
  if (typeof value !== 'string' || !SERIAL.test(value)) {
    throw malformed('no serial number of 1 to 20 octets above zero');
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return value as SerialNumber;
}

/** Reads a serial number in DER. @throws PkiFault DER_MALFORMED, CERTIFICATE_MALFORMED. */
export function readSerial(element: DerElement): SerialNumber {
  return parseSerialNumber(Buffer.from(readUnsigned(element)).toString('hex'));
}

/** Names a certificate by the SHA-256 of its DER, in lower case hexadecimal. */
export function fingerprintOf(certificate: Certificate): string {
  return createHash('sha256').update(certificate.der).digest('hex');
}

/**
 * Names a public key as certificates do ({RFC 7093 2}, method 1).
 *
 * @param publicKeyDer - SubjectPublicKeyInfo, DER.
 * @returns 20 octets.
 * @throws PkiFault DER_MALFORMED when it is none.
 */
export function keyIdOf(publicKeyDer: Uint8Array): Uint8Array<ArrayBuffer> {
  const reader = openDer(readDer(publicKeyDer, TAG.sequence, 'public key'), 'public key');
  reader.take(TAG.sequence, 'key algorithm');
  const bits = readOctetsOfBits(reader.take(TAG.bitString, 'key bits'));
  return new Uint8Array(createHash('sha256').update(bits).digest().subarray(0, 20));
}

function readValidity(element: DerElement): Validity {
  const reader = openDer(element, 'validity');
  const notBefore = readTime(reader.takeAny('notBefore'), 'notBefore');
  const notAfter = readTime(reader.takeAny('notAfter'), 'notAfter');
  reader.end('validity');
  if (Temporal.Instant.compare(notBefore, notAfter) > 0)
    throw malformed('it ends before it begins');
  return { notBefore, notAfter };
}

function malformed(why: string): PkiFault {
  return new PkiFault('CERTIFICATE_MALFORMED', `Cannot read certificate: ${why}`);
}
