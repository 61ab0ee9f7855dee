/** Certificates in a CMS container without signature (RFC 5652, {RFC 5272 4.1}: certs-only). */
import { concatBytes } from '@immota/base';

import { listDer, openDer, readDer } from '../der/read.ts';
import { contextConstructed, TAG } from '../der/tag.ts';
import { readOid, readSmallUnsigned } from '../der/value.ts';
import {
  type Der,
  writeDer,
  writeExplicit,
  writeInteger,
  writeOid,
  writeSequence,
} from '../der/write.ts';
import { PkiFault } from '../fault.ts';
import { PEM_BLOCKS_MAX } from '../limits.ts';
import { OID } from '../oid.ts';
import { type Certificate, parseCertificate } from '../x509/certificate.ts';

const VERSION_1 = 1;

/** Encodes certificates, in order. */
export function encodeCertsOnly(certificates: readonly Certificate[]): Der {
  const empty = writeDer(TAG.set, new Uint8Array());
  const signedData = writeSequence(
    writeInteger(VERSION_1),
    empty,
    writeSequence(writeOid(OID.data)),
    writeDer(contextConstructed(0), concatBytes(certificates.map(({ der }) => der))),
    empty,
  );
  return writeSequence(writeOid(OID.signedData), writeExplicit(0, signedData));
}

/**
 * Reads certificates, in order.
 *
 * @param bytes - DER from outside; the caller has bounded its length.
 * @throws PkiFault DER_MALFORMED; EST_MALFORMED when it is no certs-only container or has none in it;
 *   LIMIT above 64 certificates; as `parseCertificate`.
 */
export function parseCertsOnly(bytes: Uint8Array): readonly Certificate[] {
  const what = 'certs-only';
  const outer = openDer(readDer(bytes, TAG.sequence, what), what);
  if (readOid(outer.take(TAG.oid, 'content type')) !== OID.signedData)
    throw malformed('another type');
  const wrapper = openDer(outer.take(contextConstructed(0), 'content'), what);
  outer.end(what);
  const reader = openDer(wrapper.take(TAG.sequence, 'signed data'), what);
  wrapper.end(what);
  if (readSmallUnsigned(reader.take(TAG.integer, 'version')) !== VERSION_1) {
    throw malformed('another version');
  }
  reader.take(TAG.set, 'digest algorithms');
  reader.take(TAG.sequence, 'content info');
  const certificates = listDer(reader.take(contextConstructed(0), 'certificates'), what);
  // Revocation lists may follow; nobody here asked for them.
  reader.takeOptional(contextConstructed(1));
  if (reader.take(TAG.set, 'signers').content.length > 0) throw malformed('it is signed');
  reader.end(what);
  if (certificates.length === 0) throw malformed('it holds no certificate');
  if (certificates.length > PEM_BLOCKS_MAX) {
    throw new PkiFault('LIMIT', `Cannot read certs-only: more than ${PEM_BLOCKS_MAX} certificates`);
  }
  return certificates.map(({ raw }) => parseCertificate(raw));
}

function malformed(why: string): PkiFault {
  return new PkiFault('EST_MALFORMED', `Cannot read certs-only: ${why}`);
}
