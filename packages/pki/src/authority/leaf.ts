/** Certificates of servers and of devices. */
import type { Entropy } from '@immota/base';

import type { DeviceId } from '../device-id.ts';
import { PkiFault } from '../fault.ts';
import { parsePublicKey } from '../keys/public-key.ts';
import { OID } from '../oid.ts';
import { encodeAlternativeNames } from '../x509/alternative-name.ts';
import { type Certificate, keyIdOf, type Validity } from '../x509/certificate.ts';
import {
  encodeAuthorityKeyId,
  encodeExtension,
  encodeKeyIds,
  encodeKeyUsage,
  encodeLeafConstraints,
  encodePurposes,
  encodeStatusLocations,
  type StatusLocations,
} from '../x509/extension.ts';
import { checkNamesAllowed } from '../x509/name-constraint.ts';
import { encodeName } from '../x509/name.ts';
import { type Authority, organizationOf } from './authority.ts';
import { signCertificate } from './sign-certificate.ts';

interface LeafRequest {
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKeyDer: Uint8Array;
  readonly validity: Validity;
  readonly status?: StatusLocations | undefined;
  readonly entropy: Entropy;
}

/** What a server's certificate is to say. */
export interface ServerRequest extends LeafRequest {
  /** Host names; a wildcard stands for one whole label in front. */
  readonly dnsNames: readonly string[];
  /** IPv4 or IPv6 in text. */
  readonly ipAddresses?: readonly string[] | undefined;
}

/** What a device's certificate is to say. */
export interface DeviceRequest extends LeafRequest {
  readonly deviceId: DeviceId;
}

/**
 * Issues the certificate of a TLS server.
 *
 * @param issuer - an authority for servers.
 * @param request - its key, names, dates and chance.
 * @throws PkiFault ISSUE_REFUSED when the issuer is for others, there is no name at all, a name is
 *   malformed, or the dates are not within the issuer's; CHAIN_NAME when the issuer may not vouch for
 *   a name; ALGORITHM, KEY_MALFORMED for a key that TLS peers would not take.
 */
export async function issueServerCertificate(
  issuer: Authority,
  request: ServerRequest,
): Promise<Certificate> {
  const { dnsNames, ipAddresses = [] } = request;
  const [first] = [...dnsNames, ...ipAddresses];
  if (first === undefined) {
    throw new PkiFault('ISSUE_REFUSED', 'Cannot issue server certificate: it has no name');
  }
  const names = encodeAlternativeNames(dnsNames, ipAddresses);
  return await issueLeaf(issuer, OID.serverAuth, request, {
    // Peers read the alternative names alone; the common name is for people and has 64 characters.
    subjectDer: encodeName({
      commonName: first.slice(0, 64),
      organization: organizationOf(issuer),
    }),
    extensions: [
      encodeLeafConstraints(),
      ...encodeKeyIds(keyIdOf(request.publicKeyDer), keyIdOf(issuer.certificate.publicKeyDer)),
      encodeExtension(OID.subjectAltName, false, names),
    ],
  });
}

/**
 * Issues the certificate of a device: its identifier is the common name, as aktualizr reads it.
 *
 * @param issuer - an authority for devices; its organization becomes the device's.
 * @param request - identifier, key (of a `CertificateRequest` or made for it), dates and chance.
 * @throws PkiFault ISSUE_REFUSED when the issuer is for others or the dates are not within its own;
 *   ALGORITHM, KEY_MALFORMED for a key that TLS peers would not take.
 */
export async function issueDeviceCertificate(
  issuer: Authority,
  request: DeviceRequest,
): Promise<Certificate> {
  // It travels twice in each resumed handshake, inside the session's ticket: it says what RFC 5280
  // asks of an end entity, and no more.
  return await issueLeaf(issuer, OID.clientAuth, request, {
    subjectDer: encodeName({ commonName: request.deviceId, organization: organizationOf(issuer) }),
    extensions: [encodeAuthorityKeyId(keyIdOf(issuer.certificate.publicKeyDer))],
  });
}

async function issueLeaf(
  issuer: Authority,
  purpose: string,
  request: LeafRequest,
  content: {
    readonly subjectDer: Uint8Array<ArrayBuffer>;
    readonly extensions: readonly Uint8Array<ArrayBuffer>[];
  },
): Promise<Certificate> {
  const { publicKeyDer, validity, status = {}, entropy } = request;
  if (issuer.certificate.purposes?.includes(purpose) !== true) {
    throw new PkiFault('ISSUE_REFUSED', 'Cannot issue: the authority is not for this purpose');
  }
  const { algorithm } = parsePublicKey(publicKeyDer);
  if (algorithm === 'ml-dsa-65') {
    throw new PkiFault('ALGORITHM', 'Cannot issue: TLS peers in vehicles do not read ML-DSA yet');
  }
  const { subjectDer, extensions } = content;
  const certificate = await signCertificate(issuer.signer, {
    issuer: issuer.certificate,
    subjectDer,
    publicKeyDer,
    validity,
    entropy,
    extensions: [
      encodeKeyUsage(['digitalSignature']),
      encodePurposes([purpose]),
      ...extensions,
      ...encodeStatusLocations(status),
    ],
  });
  for (const { nameConstraints } of [issuer.certificate, ...issuer.ancestors]) {
    if (nameConstraints !== undefined) checkNamesAllowed(certificate, nameConstraints);
  }
  return certificate;
}
