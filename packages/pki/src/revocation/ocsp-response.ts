/** OCSP answers {RFC 6960 4.2}, signed by the authority that issued the certificates. */
import { createHash } from 'node:crypto';

import { concatBytes, equalBytes } from '@immota/base';

import type { Authority } from '../authority/authority.ts';
import { openDer, readDer } from '../der/read.ts';
import { contextConstructed, TAG } from '../der/tag.ts';
import { readOctetsOfBits } from '../der/value.ts';
import {
  type Der,
  writeBits,
  writeDer,
  writeEnumerated,
  writeExplicit,
  writeGeneralizedTime,
  writeImplicit,
  writeOctets,
  writeOid,
  writeSequence,
} from '../der/write.ts';
import { PkiFault } from '../fault.ts';
import { OID } from '../oid.ts';
import { keyIdOf, type SerialNumber } from '../x509/certificate.ts';
import { encodeExtension } from '../x509/extension.ts';
import { encodeSignatureAlgorithm } from '../x509/signature.ts';
import { type OcspQuestion, type OcspRequest, parseOcspRequest } from './ocsp-request.ts';
import { REVOCATION_REASONS, type Revocation, type RevocationList } from './revocation-list.ts';

/** The outcomes of {RFC 6960 4.2.1} that are given. */
const STATUS = { successful: 0, malformedRequest: 1, internalError: 2 } as const;

/** What answers are given from. */
export interface OcspContext {
  readonly issuer: Authority;
  readonly list: RevocationList;
  /** Whether the authority ever issued this number; of others nothing is known, and so nothing good. */
  readonly isIssued: (serial: SerialNumber) => boolean;
  /** When the list is from: now, where it is asked live. */
  readonly thisUpdate: Temporal.Instant;
  /** When the answer is to be asked for again. */
  readonly nextUpdate: Temporal.Instant;
}

/**
 * Answers a request. What is no request gets the answer that RFC 6960 has for it, unsigned.
 *
 * @param bytes - the body of the POST, from outside.
 * @param context - authority, list and dates.
 * @returns an OCSPResponse, DER.
 * @throws PkiFault ISSUE_REFUSED when the list is another authority's; ALGORITHM when its key cannot
 *   sign X.509; and whatever the signer throws.
 */
export async function answerOcsp(bytes: Uint8Array, context: OcspContext): Promise<Der> {
  const { issuer, list } = context;
  if (!equalBytes(list.issuerKeyId, keyIdOf(issuer.certificate.publicKeyDer))) {
    throw new PkiFault('ISSUE_REFUSED', 'Cannot answer: the list is another authority’s');
  }
  let request: OcspRequest;
  try {
    request = parseOcspRequest(bytes);
  } catch (error) {
    if (error instanceof PkiFault) return encodeOcspRefusal('malformedRequest');
    throw error;
  }
  return await encodeAnswer(request, context);
}

/** Encodes an answer without content. */
export function encodeOcspRefusal(status: 'malformedRequest' | 'internalError'): Der {
  return writeSequence(writeEnumerated(STATUS[status]));
}

async function encodeAnswer(request: OcspRequest, context: OcspContext): Promise<Der> {
  const { issuer, thisUpdate } = context;
  const { nonce } = request;
  const answers = request.questions.map((question) => encodeSingle(question, context));
  const responder = writeOctets(digestOfKey(issuer.certificate.publicKeyDer, 'sha1'));
  const content = writeSequence(
    writeExplicit(2, responder),
    writeGeneralizedTime(thisUpdate),
    writeDer(TAG.sequence, concatBytes(answers)),
    nonce === undefined
      ? undefined
      : writeExplicit(1, writeSequence(encodeExtension(OID.ocspNonce, false, nonce))),
  );
  const algorithm = encodeSignatureAlgorithm(issuer.signer);
  const signature = writeBits(await issuer.signer.sign(content));
  const basic = writeOctets(writeSequence(content, algorithm, signature));
  const body = writeExplicit(0, writeSequence(writeOid(OID.ocspBasic), basic));
  return writeSequence(writeEnumerated(STATUS.successful), body);
}

function encodeSingle(question: OcspQuestion, context: OcspContext): Der {
  const { list, isIssued, thisUpdate, nextUpdate } = context;
  const revocation = list.revocations.get(question.serial);
  const isOurs = isAbout(question, context.issuer);
  let status = writeImplicit(2, new Uint8Array());
  if (isOurs && revocation !== undefined) status = encodeRevoked(revocation);
  else if (isOurs && isIssued(question.serial)) status = writeImplicit(0, new Uint8Array());
  return writeSequence(
    question.der,
    status,
    writeGeneralizedTime(thisUpdate),
    writeExplicit(0, writeGeneralizedTime(nextUpdate)),
  );
}

function encodeRevoked({ at, reason }: Revocation): Der {
  const code = writeExplicit(0, writeEnumerated(REVOCATION_REASONS[reason]));
  const parts = [writeGeneralizedTime(at), reason === 'unspecified' ? new Uint8Array() : code];
  return writeDer(contextConstructed(1), concatBytes(parts));
}

function isAbout(question: OcspQuestion, { certificate }: Authority): boolean {
  const { digest, issuerNameDigest, issuerKeyDigest } = question;
  if (digest === undefined) return false;
  const name = createHash(digest).update(certificate.subject.der).digest();
  return (
    equalBytes(name, issuerNameDigest) &&
    equalBytes(digestOfKey(certificate.publicKeyDer, digest), issuerKeyDigest)
  );
}

/** RFC 6960 names a key by a digest of its bits alone. SHA-1 serves as a name here, not as a proof. */
function digestOfKey(publicKeyDer: Uint8Array, digest: 'sha1' | 'sha256'): Uint8Array {
  const reader = openDer(readDer(publicKeyDer, TAG.sequence, 'public key'), 'public key');
  reader.take(TAG.sequence, 'key algorithm');
  const bits = readOctetsOfBits(reader.take(TAG.bitString, 'key bits'));
  return createHash(digest).update(bits).digest();
}
