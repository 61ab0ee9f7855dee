/** Certificate requests (PKCS #10, RFC 2986). */
import type { Brand, Signer } from '@immota/base';

import { PkiFault } from '../fault.ts';
import { CSR_LENGTH_MAX_BYTES } from '../limits.ts';
import { type DerElement, listDer, openDer, readDer } from '../der/read.ts';
import { contextConstructed, TAG } from '../der/tag.ts';
import { readOctetsOfBits, readOid, readSmallUnsigned } from '../der/value.ts';
import { type Der, writeBits, writeExplicit, writeInteger, writeSequence } from '../der/write.ts';
import { parsePublicKey } from '../keys/public-key.ts';
import { OID } from '../oid.ts';
import type { AlternativeNames } from './alternative-name.ts';
import { readExtensions } from './extension.ts';
import { type DistinguishedName, encodeName, type NameParts, readName } from './name.ts';
import {
  encodeSignatureAlgorithm,
  isX509SignatureOf,
  readSignatureAlgorithm,
} from './signature.ts';

const VERSION_1 = 0;

/**
 * Holding a CertificateRequest tells you: whoever made it held the private half of its public key.
 * It does not tell who that was; its names are wishes.
 */
export type CertificateRequest = Brand<
  {
    readonly der: Uint8Array;
    readonly subject: DistinguishedName;
    /** SubjectPublicKeyInfo, DER. */
    readonly publicKeyDer: Uint8Array;
    readonly alternativeNames: AlternativeNames | undefined;
  },
  'CertificateRequest'
>;

/**
 * Reads a request and checks that its own key signed it.
 *
 * @param der - PKCS #10 in DER, from outside; it is copied.
 * @throws PkiFault LIMIT above 16 KiB; DER_MALFORMED; ALGORITHM; KEY_MALFORMED; CSR_POSSESSION when
 *   the signature is not by the requested key; as `parseCertificate` for requested extensions.
 */
export function parseCertificateRequest(der: Uint8Array): CertificateRequest {
  if (der.length > CSR_LENGTH_MAX_BYTES) {
    throw new PkiFault('LIMIT', `Cannot read request: ${der.length} bytes are too many`);
  }
  const element = readDer(Uint8Array.from(der), TAG.sequence, 'request');
  const outer = openDer(element, 'request');
  const info = outer.take(TAG.sequence, 'request content');
  const algorithm = readSignatureAlgorithm(outer.take(TAG.sequence, 'signature algorithm'));
  const signature = readOctetsOfBits(outer.take(TAG.bitString, 'signature'));
  outer.end('request');

  const reader = openDer(info, 'request');
  if (readSmallUnsigned(reader.take(TAG.integer, 'version')) !== VERSION_1) {
    throw new PkiFault('DER_MALFORMED', 'Cannot read request: it is not of version 1');
  }
  const subject = readName(reader.take(TAG.sequence, 'subject'));
  const { raw: publicKeyDer } = reader.take(TAG.sequence, 'public key');
  const alternativeNames = readRequestedNames(
    reader.take(contextConstructed(0), 'request attributes'),
  );
  reader.end('request');
  if (!isX509SignatureOf(parsePublicKey(publicKeyDer), algorithm, info.raw, signature)) {
    throw new PkiFault('CSR_POSSESSION', 'Cannot accept request: its own key did not sign it');
  }
  const request = { der: element.raw, subject, publicKeyDer, alternativeNames };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: possession proved above
  return request as CertificateRequest;
}

/**
 * Makes a request for a key of one's own.
 *
 * @param signer - the key; ECDSA P-256 or Ed25519.
 * @param name - who asks; on renewal exactly the name of the certificate before, in DER.
 * @returns PKCS #10, DER.
 * @throws PkiFault ALGORITHM for another key; LIMIT for a name that is too long.
 */
export async function createCertificateRequest(
  signer: Signer,
  name: NameParts | DistinguishedName,
): Promise<Der> {
  const algorithm = encodeSignatureAlgorithm(signer);
  const subject = 'der' in name ? name.der : encodeName(name);
  const version = writeInteger(VERSION_1);
  const info = writeSequence(version, subject, signer.publicKeyDer, writeExplicit(0));
  return writeSequence(info, algorithm, writeBits(await signer.sign(info)));
}

function readRequestedNames(attributes: DerElement): AlternativeNames | undefined {
  let names: AlternativeNames | undefined;
  let hasExtensions = false;
  for (const attribute of listDer(attributes, 'request attributes')) {
    const reader = openDer(attribute, 'request attribute');
    const type = readOid(reader.take(TAG.oid, 'attribute type'));
    const values = reader.take(TAG.set, 'attribute values');
    reader.end('request attribute');
    // Others (a challenge password, a template's name) ask for nothing that is granted here.
    if (type !== OID.extensionRequest) continue;
    const [extensions, ...more] = listDer(values, 'requested extensions');
    if (extensions?.tag !== TAG.sequence || more.length > 0 || hasExtensions) {
      throw new PkiFault('DER_MALFORMED', 'Cannot read request: not one list of extensions');
    }
    hasExtensions = true;
    names = readExtensions(extensions).alternativeNames;
  }
  return names;
}
