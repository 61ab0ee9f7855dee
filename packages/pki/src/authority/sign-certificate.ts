/** The one place where certificates are made. */
import type { Entropy, Signer } from '@immota/base';

import { PkiFault } from '../fault.ts';
import { parsePublicKey } from '../keys/public-key.ts';
import { SERIAL_LENGTH_BYTES } from '../limits.ts';
import {
  type Der,
  writeBits,
  writeExplicit,
  writeInteger,
  writeSequence,
  writeTime,
  writeUnsigned,
} from '../der/write.ts';
import { type Certificate, parseCertificate, type Validity } from '../x509/certificate.ts';
import { encodeSignatureAlgorithm, isX509SignatureOf } from '../x509/signature.ts';

const FIRST_INSTANT = Temporal.Instant.from('0000-01-01T00:00:00Z');
const LAST_INSTANT = Temporal.Instant.from('9999-12-31T23:59:59Z');

/** What goes into a certificate. Of `issuer` and `issuerDer` exactly one is there. */
export type CertificateContent = {
  readonly subjectDer: Uint8Array;
  readonly publicKeyDer: Uint8Array;
  readonly validity: Validity;
  readonly entropy: Entropy;
  readonly extensions: readonly Der[];
} & (
  | { /** The authority that issues. */ readonly issuer: Certificate }
  | { /** A root's own name. */ readonly issuerDer: Uint8Array }
);

/**
 * Makes and signs a certificate, and reads it back as a stranger would.
 *
 * @param signer - the issuer's key.
 * @param content - what it says.
 * @throws PkiFault ALGORITHM unless the key is ECDSA P-256 (what every TLS peer in a vehicle reads);
 *   ISSUE_REFUSED when the dates are in the wrong order or not within the issuer's, or the signature
 *   that came back is not by the issuer's key.
 */
export async function signCertificate(
  signer: Signer,
  content: CertificateContent,
): Promise<Certificate> {
  if (signer.algorithm !== 'ecdsa-p256') {
    throw new PkiFault('ALGORITHM', `Cannot issue certificates with ${signer.algorithm}`);
  }
  const { subjectDer, publicKeyDer, validity, entropy, extensions } = content;
  const issuer = 'issuer' in content ? content.issuer : undefined;
  checkValidity(validity, issuer);
  const algorithm = encodeSignatureAlgorithm(signer);
  const tbs = writeSequence(
    writeExplicit(0, writeInteger(2)),
    writeUnsigned(drawSerial(entropy)),
    algorithm,
    'issuer' in content ? content.issuer.subject.der : content.issuerDer,
    writeSequence(writeTime(validity.notBefore), writeTime(validity.notAfter)),
    subjectDer,
    publicKeyDer,
    writeExplicit(3, writeSequence(...extensions)),
  );
  const signature = await signer.sign(tbs);
  const certificate = parseCertificate(writeSequence(tbs, algorithm, writeBits(signature)));
  // A token may be the wrong one, or fail: nothing leaves that does not verify.
  const issuerKey = parsePublicKey(issuer?.publicKeyDer ?? publicKeyDer);
  if (
    !isX509SignatureOf(issuerKey, certificate.signatureAlgorithm, certificate.tbsDer, signature)
  ) {
    throw new PkiFault('ISSUE_REFUSED', 'Cannot issue: the signature is not by the issuer’s key');
  }
  return certificate;
}

/** Draws 126 bits below 01, so that every serial number is positive and of one length. */
function drawSerial(entropy: Entropy): Uint8Array {
  const serial = Uint8Array.from(entropy.bytes(SERIAL_LENGTH_BYTES));
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

function checkValidity({ notBefore, notAfter }: Validity, issuer: Certificate | undefined): void {
  if (Temporal.Instant.compare(notBefore, notAfter) > 0) {
    throw new PkiFault('ISSUE_REFUSED', 'Cannot issue: it would end before it begins');
  }
  // {RFC 5280 4.1.2.5}: years have four digits.
  if (
    Temporal.Instant.compare(notBefore, FIRST_INSTANT) < 0 ||
    Temporal.Instant.compare(notAfter, LAST_INSTANT) > 0
  ) {
    throw new PkiFault('ISSUE_REFUSED', 'Cannot issue: a year that has not four digits');
  }
  if (issuer === undefined) return;
  if (
    Temporal.Instant.compare(notBefore, issuer.notBefore) < 0 ||
    Temporal.Instant.compare(notAfter, issuer.notAfter) > 0
  ) {
    throw new PkiFault('ISSUE_REFUSED', 'Cannot issue: its dates are not within the issuer’s');
  }
}
