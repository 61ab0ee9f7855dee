/** How certificates, requests and lists are signed (RFC 5758, RFC 8410, RFC 4055). */
import { verify } from 'node:crypto';

import type { SignatureAlgorithm, Signer } from '@immota/base';

import { PkiFault } from '../fault.ts';
import { type DerElement, openDer } from '../der/read.ts';
import { TAG } from '../der/tag.ts';
import { readOid } from '../der/value.ts';
import { type Der, writeOid, writeSequence } from '../der/write.ts';
import type { PublicKey } from '../keys/public-key.ts';
import { OID } from '../oid.ts';

/** Which key makes which of the signatures that are read. */
const KEY_OF_SIGNATURE: ReadonlyMap<string, SignatureAlgorithm> = new Map([
  [OID.ecdsaWithSha256, 'ecdsa-p256'],
  [OID.ed25519, 'ed25519'],
  // RSA in X.509 is PKCS #1 v1.5 everywhere; it is read for devices with keys of their own.
  [OID.sha256WithRsaEncryption, 'rsa-pss'],
]);

/** Holding one: its algorithm is one of those the house reads, with legal parameters. */
export interface X509SignatureAlgorithm {
  readonly oid: string;
  readonly der: Uint8Array;
}

/** Reads an AlgorithmIdentifier of a signature. @throws PkiFault DER_MALFORMED, ALGORITHM. */
export function readSignatureAlgorithm(element: DerElement): X509SignatureAlgorithm {
  const reader = openDer(element, 'signature algorithm');
  const oid = readOid(reader.take(TAG.oid, 'signature algorithm'));
  if (!KEY_OF_SIGNATURE.has(oid)) {
    throw new PkiFault('ALGORITHM', `Cannot read signature: ${oid} is not accepted`);
  }
  // {RFC 4055 5} asks for NULL with RSA; {RFC 5758 3.2} and {RFC 8410 3} for nothing at all.
  if (oid === OID.sha256WithRsaEncryption) {
    const parameters = reader.take(TAG.null, 'signature parameters');
    if (parameters.content.length > 0) {
      throw new PkiFault('DER_MALFORMED', 'Cannot read signature parameters: NULL with content');
    }
  }
  reader.end('signature algorithm');
  return { oid, der: element.raw };
}

/**
 * Tells whether a key made a signature of X.509.
 *
 * @param publicKey - whose signature it should be.
 * @param algorithm - as the signed structure names it.
 * @param message - what was signed.
 * @param signature - as it came.
 */
export function isX509SignatureOf(
  publicKey: PublicKey,
  algorithm: X509SignatureAlgorithm,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { algorithm: keyAlgorithm, key } = publicKey;
  if (KEY_OF_SIGNATURE.get(algorithm.oid) !== keyAlgorithm) return false;
  return verify(keyAlgorithm === 'ed25519' ? undefined : 'sha256', message, key, signature);
}

/**
 * Encodes the AlgorithmIdentifier of what a signer signs in X.509.
 *
 * @throws PkiFault ALGORITHM unless it is ECDSA P-256 or Ed25519.
 */
export function encodeSignatureAlgorithm(signer: Signer): Der {
  if (signer.algorithm === 'ecdsa-p256') return writeSequence(writeOid(OID.ecdsaWithSha256));
  if (signer.algorithm === 'ed25519') return writeSequence(writeOid(OID.ed25519));
  throw new PkiFault('ALGORITHM', `Cannot sign X.509 with ${signer.algorithm}`);
}
