/** Certification authorities: a root that stays offline, and those below it that issue. */
import { equalBytes, type Entropy, type Signer } from '@immota/base';

import { PkiFault } from '../fault.ts';
import { OID } from '../oid.ts';
import { encodeNameConstraints, type NewNameConstraints } from '../x509/alternative-name.ts';
import { type Certificate, keyIdOf, type Validity } from '../x509/certificate.ts';
import {
  encodeAuthorityConstraints,
  encodeExtension,
  encodeKeyIds,
  encodeKeyUsage,
  encodePurposes,
  encodeStatusLocations,
  type StatusLocations,
} from '../x509/extension.ts';
import { encodeName, encodeOrganization, findOrganization, type NameParts } from '../x509/name.ts';
import { signCertificate } from './sign-certificate.ts';

/** An authority that can issue: its certificate and the key that fits it. */
export interface Authority {
  readonly certificate: Certificate;
  /** From the one that issued `certificate` up to the root; empty for a root. */
  readonly ancestors: readonly Certificate[];
  readonly signer: Signer;
}

/** What an issuing authority is for. */
export type AuthorityKind = 'servers' | 'devices';

/** What a new root is told. */
export interface RootRequest {
  readonly signer: Signer;
  readonly name: NameParts;
  readonly validity: Validity;
  readonly entropy: Entropy;
}

/** What a new issuing authority is told. */
export interface AuthorityRequest {
  /** SubjectPublicKeyInfo of the new authority, DER; its private half may be elsewhere. */
  readonly publicKeyDer: Uint8Array;
  readonly kind: AuthorityKind;
  readonly name: NameParts;
  readonly validity: Validity;
  /** For servers: the only names and addresses it may vouch for. Left out: any. */
  readonly permitted?: Pick<NewNameConstraints, 'dnsNames' | 'ipAddresses'> | undefined;
  /** Where the root says which authorities it has revoked. */
  readonly status?: StatusLocations | undefined;
  readonly entropy: Entropy;
}

/**
 * Creates a root: a certificate signed by its own key, with one level of authorities below it.
 *
 * @param request - key, name, dates and chance.
 * @throws PkiFault ALGORITHM unless the key is ECDSA P-256; LIMIT for a bad name; ISSUE_REFUSED for
 *   dates in the wrong order or a key that signs badly.
 */
export async function createRootAuthority(request: RootRequest): Promise<Authority> {
  const { signer, name, validity, entropy } = request;
  const keyId = keyIdOf(signer.publicKeyDer);
  const certificate = await signCertificate(signer, {
    issuerDer: encodeName(name),
    subjectDer: encodeName(name),
    publicKeyDer: signer.publicKeyDer,
    validity,
    entropy,
    extensions: [
      encodeAuthorityConstraints(1),
      encodeKeyUsage(['keyCertSign', 'cRLSign']),
      ...encodeKeyIds(keyId, keyId),
    ],
  });
  return { certificate, ancestors: [], signer };
}

/**
 * Issues the certificate of an authority that may issue leaves of one kind and no authorities.
 *
 * An authority for devices is held to their purpose, and to the organization of its own name when it
 * has one; an authority for servers to their purpose and to `permitted`.
 *
 * @param issuer - the root.
 * @param request - key, kind, name, dates and chance.
 * @returns the certificate; with its key it becomes an `Authority` by `openAuthority`.
 * @throws PkiFault ISSUE_REFUSED when the issuer may not, or the dates are not within its own;
 *   ALGORITHM unless the new key is ECDSA P-256; LIMIT for a bad name.
 */
export async function issueAuthority(
  issuer: Authority,
  request: AuthorityRequest,
): Promise<Certificate> {
  const { kind, name, validity, permitted, publicKeyDer, entropy, status = {} } = request;
  if (issuer.certificate.pathLength === 0) {
    throw new PkiFault('ISSUE_REFUSED', 'Cannot issue authority: the issuer may issue leaves only');
  }
  const organization = kind === 'devices' ? name.organization : undefined;
  const constraints = encodeNameConstraints(
    organization === undefined
      ? (permitted ?? {})
      : { directoryName: encodeOrganization(organization) },
  );
  return await signCertificate(issuer.signer, {
    issuer: issuer.certificate,
    subjectDer: encodeName(name),
    publicKeyDer,
    validity,
    entropy,
    extensions: [
      encodeAuthorityConstraints(0),
      encodeKeyUsage(['digitalSignature', 'keyCertSign', 'cRLSign']),
      encodePurposes([kind === 'servers' ? OID.serverAuth : OID.clientAuth]),
      ...(constraints === undefined
        ? []
        : [encodeExtension(OID.nameConstraints, true, constraints)]),
      ...encodeKeyIds(keyIdOf(publicKeyDer), keyIdOf(issuer.certificate.publicKeyDer)),
      ...encodeStatusLocations(status),
    ],
  });
}

/**
 * Puts an authority together from its certificates and its key.
 *
 * @param certificates - its own first, then upwards to the root.
 * @param signer - its key, wherever that is.
 * @throws PkiFault ISSUE_REFUSED when the certificate is no authority's, or the key is another's.
 */
export function openAuthority(certificates: readonly Certificate[], signer: Signer): Authority {
  const [certificate, ...ancestors] = certificates;
  if (certificate?.isAuthority !== true) {
    throw new PkiFault('ISSUE_REFUSED', 'Cannot open authority: its certificate is no authority');
  }
  if (!equalBytes(certificate.publicKeyDer, signer.publicKeyDer)) {
    throw new PkiFault('ISSUE_REFUSED', 'Cannot open authority: the key is not the certificate’s');
  }
  return { certificate, ancestors, signer };
}

/** The certificates that a leaf of an authority is sent with: the authority and all above but the root. */
export function chainBelowRoot(authority: Authority): readonly Certificate[] {
  return [authority.certificate, ...authority.ancestors].slice(0, -1);
}

/** Finds the organization that an authority puts into the names it issues. */
export function organizationOf(authority: Authority): string | undefined {
  return findOrganization(authority.certificate.subject);
}
