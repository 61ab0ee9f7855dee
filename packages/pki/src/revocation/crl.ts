/** Certificate revocation lists {RFC 5280 5} for those who cannot ask the gateway. */
import { concatBytes, equalBytes } from '@immota/base';

import type { Authority } from '../authority/authority.ts';
import { TAG } from '../der/tag.ts';
import {
  type Der,
  writeBits,
  writeDer,
  writeEnumerated,
  writeExplicit,
  writeInteger,
  writeSequence,
  writeTime,
  writeUnsigned,
} from '../der/write.ts';
import { PkiFault } from '../fault.ts';
import { OID } from '../oid.ts';
import { keyIdOf } from '../x509/certificate.ts';
import { encodeAuthorityKeyId, encodeExtension } from '../x509/extension.ts';
import { encodeSignatureAlgorithm } from '../x509/signature.ts';
import { REVOCATION_REASONS, type Revocation, type RevocationList } from './revocation-list.ts';

const VERSION_2 = 1;

/** When a list is from, and when the next will be there at the latest. */
export interface CrlEdition {
  /** Grows with every edition; from 0. */
  readonly number: number;
  readonly thisUpdate: Temporal.Instant;
  readonly nextUpdate: Temporal.Instant;
}

/**
 * Encodes and signs the list of an authority.
 *
 * @param issuer - the authority, whose list it is.
 * @param list - what it has revoked.
 * @param edition - number and dates.
 * @returns a CertificateList, DER.
 * @throws PkiFault ISSUE_REFUSED when the list is another authority's, or ends before it begins;
 *   ALGORITHM when its key cannot sign X.509.
 */
export async function encodeCrl(
  issuer: Authority,
  list: RevocationList,
  edition: CrlEdition,
): Promise<Der> {
  const { number, thisUpdate, nextUpdate } = edition;
  const { certificate, signer } = issuer;
  const keyId = keyIdOf(certificate.publicKeyDer);
  if (!equalBytes(list.issuerKeyId, keyId)) {
    throw new PkiFault('ISSUE_REFUSED', 'Cannot issue revocation list: it is another authority’s');
  }
  if (Temporal.Instant.compare(thisUpdate, nextUpdate) >= 0) {
    throw new PkiFault('ISSUE_REFUSED', 'Cannot issue revocation list: it ends before it begins');
  }
  const algorithm = encodeSignatureAlgorithm(signer);
  const entries = [...list.revocations.values()].map((revocation) => encodeEntry(revocation));
  const extensions = [
    encodeAuthorityKeyId(keyId),
    encodeExtension(OID.crlNumber, false, writeInteger(number)),
  ];
  const content = writeSequence(
    writeInteger(VERSION_2),
    algorithm,
    certificate.subject.der,
    writeTime(thisUpdate),
    writeTime(nextUpdate),
    // {RFC 5280 5.1.2.6}: without revocations the whole field is absent.
    entries.length === 0 ? undefined : writeDer(TAG.sequence, concatBytes(entries)),
    writeExplicit(0, writeSequence(...extensions)),
  );
  return writeSequence(content, algorithm, writeBits(await signer.sign(content)));
}

function encodeEntry({ serial, reason, at }: Revocation): Der {
  // {RFC 5280 5.3.1}: the reason "unspecified" is left out.
  const code = writeEnumerated(REVOCATION_REASONS[reason]);
  const extensions =
    reason === 'unspecified'
      ? undefined
      : writeSequence(encodeExtension(OID.reasonCode, false, code));
  return writeSequence(writeUnsigned(Buffer.from(serial, 'hex')), writeTime(at), extensions);
}
