/**
 * Checks a certificate up to one of the given anchors at a given instant {RFC 5280 6.1}, for one
 * purpose. Stricter than the RFC where ours need no more: names match octet by octet, every
 * authority counts against a path length, an anchor's own dates and constraints hold too, policies
 * are not read.
 */
import { type Brand, equalBytes } from '@immota/base';

import { PkiFault } from '../fault.ts';
import { CHAIN_LENGTH_MAX, CHAIN_SIGNATURES_MAX, INTERMEDIATES_MAX } from '../limits.ts';
import { parsePublicKey, type PublicKey } from '../keys/public-key.ts';
import { OID } from '../oid.ts';
import type { Certificate } from './certificate.ts';
import { checkNamesAllowed } from './name-constraint.ts';
import { isX509SignatureOf } from './signature.ts';

/** What the leaf is to be used for: a TLS client that is a device, or a TLS server. */
export type ChainPurpose = 'device' | 'server';

/** What a chain is checked against. */
export interface ChainContext {
  /** As the peer sent them, in any order; 16 at most. */
  readonly intermediates: readonly Certificate[];
  /** Authorities that are trusted by themselves. */
  readonly anchors: readonly Certificate[];
  /** When. */
  readonly at: Temporal.Instant;
}

/**
 * Holding a VerifiedChain tells you: leaf first, anchor last, each certificate was signed by the
 * next, all were valid at the instant asked for, every one but the leaf is an authority that may
 * vouch for the leaf's purpose and names, and the leaf itself has that purpose. Whether one of them
 * was revoked is not part of it.
 */
export type VerifiedChain = Brand<readonly Certificate[], 'VerifiedChain'>;

const keys = new WeakMap<Certificate, PublicKey>();

const PURPOSE_OID = { device: OID.clientAuth, server: OID.serverAuth } as const;

/**
 * Checks a certificate for a purpose.
 *
 * @param leaf - whose certificate it is.
 * @param purpose - what the leaf is to be used for.
 * @param context - intermediates, anchors and instant.
 * @throws PkiFault CHAIN_NOT_YET_VALID, CHAIN_EXPIRED, CHAIN_PURPOSE, CHAIN_UNTRUSTED, ALGORITHM,
 *   CHAIN_SIGNATURE, CHAIN_NOT_AUTHORITY, CHAIN_PATH_LENGTH, CHAIN_NAME; LIMIT when more than 16
 *   intermediates are offered or more than 16 signatures would have to be verified.
 */
export function checkChain(
  leaf: Certificate,
  purpose: ChainPurpose,
  context: ChainContext,
): VerifiedChain {
  const { intermediates, anchors, at } = context;
  if (intermediates.length > INTERMEDIATES_MAX) throw limit('too many intermediates');
  checkValidAt(leaf, at);
  checkLeafPurpose(leaf, purpose);
  let signaturesLeft = CHAIN_SIGNATURES_MAX;
  let refusal: PkiFault | undefined;
  const pending: (readonly Certificate[])[] = [[leaf]];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const last = path.at(-1) ?? leaf;
    for (const issuer of [...intermediates, ...anchors]) {
      if (!isNamedIssuer(issuer, last) || path.includes(issuer)) continue;
      if (signaturesLeft === 0) throw limit('too many signatures to verify');
      signaturesLeft -= 1;
      const extended = [...path, issuer];
      try {
        checkLink(last, issuer, at);
        checkBelow(issuer, path, purpose);
      } catch (error) {
        if (!(error instanceof PkiFault)) throw error;
        refusal ??= error;
        continue;
      }
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: each link checked
      if (anchors.includes(issuer)) return extended as readonly Certificate[] as VerifiedChain;
      if (extended.length < CHAIN_LENGTH_MAX) pending.push(extended);
    }
  }
  throw refusal ?? new PkiFault('CHAIN_UNTRUSTED', 'Cannot trust certificate: no way to an anchor');
}

/**
 * Checks that a certificate is valid at an instant, both ends included.
 *
 * @throws PkiFault CHAIN_NOT_YET_VALID, CHAIN_EXPIRED.
 */
function checkValidAt(certificate: Certificate, at: Temporal.Instant): void {
  const { notBefore, notAfter } = certificate;
  if (Temporal.Instant.compare(at, notBefore) < 0) {
    throw new PkiFault(
      'CHAIN_NOT_YET_VALID',
      `Cannot trust certificate: valid from ${notBefore.toString()}`,
    );
  }
  if (Temporal.Instant.compare(at, notAfter) > 0) {
    throw new PkiFault(
      'CHAIN_EXPIRED',
      `Cannot trust certificate: it expired at ${notAfter.toString()}`,
    );
  }
}

function checkLeafPurpose(leaf: Certificate, purpose: ChainPurpose): void {
  if (leaf.isAuthority) throw refusePurpose('it is an authority, no leaf');
  if (leaf.purposes?.includes(PURPOSE_OID[purpose]) !== true) {
    throw refusePurpose(`it is not for a ${purpose}`);
  }
  if (leaf.keyUsages !== undefined && !leaf.keyUsages.has('digitalSignature')) {
    throw refusePurpose('its key may not sign');
  }
}

function isNamedIssuer(issuer: Certificate, child: Certificate): boolean {
  if (!equalBytes(issuer.subject.der, child.issuer.der)) return false;
  const { subjectKeyId } = issuer;
  const { authorityKeyId } = child;
  if (subjectKeyId === undefined || authorityKeyId === undefined) return true;
  return equalBytes(subjectKeyId, authorityKeyId);
}

function checkLink(child: Certificate, issuer: Certificate, at: Temporal.Instant): void {
  if (!issuer.isAuthority || issuer.keyUsages?.has('keyCertSign') !== true) {
    throw new PkiFault('CHAIN_NOT_AUTHORITY', 'Cannot trust certificate: its issuer may not issue');
  }
  checkValidAt(issuer, at);
  const { signatureAlgorithm, tbsDer, signature } = child;
  if (!isX509SignatureOf(keyOf(issuer), signatureAlgorithm, tbsDer, signature)) {
    throw new PkiFault('CHAIN_SIGNATURE', 'Cannot trust certificate: its issuer did not sign it');
  }
}

/** Reads an authority's key once: its certificate is looked at for every device that connects. */
function keyOf(issuer: Certificate): PublicKey {
  const known = keys.get(issuer);
  if (known !== undefined) return known;
  const key = parsePublicKey(issuer.publicKeyDer);
  keys.set(issuer, key);
  return key;
}

/** Checks what an authority demands of everything below it, leaf first. */
function checkBelow(
  authority: Certificate,
  below: readonly Certificate[],
  purpose: ChainPurpose,
): void {
  const { purposes, pathLength = Infinity, nameConstraints } = authority;
  // A purpose in an authority's certificate bounds what it may vouch for, as in TLS stacks.
  if (purposes?.includes(PURPOSE_OID[purpose]) === false) {
    throw refusePurpose(`an authority above it is not for a ${purpose}`);
  }
  const authoritiesBelow = below.length - 1;
  if (authoritiesBelow > pathLength) {
    throw new PkiFault('CHAIN_PATH_LENGTH', 'Cannot trust certificate: too many authorities');
  }
  if (nameConstraints === undefined) return;
  for (const certificate of below) checkNamesAllowed(certificate, nameConstraints);
}

function refusePurpose(why: string): PkiFault {
  return new PkiFault('CHAIN_PURPOSE', `Cannot trust certificate: ${why}`);
}

function limit(why: string): PkiFault {
  return new PkiFault('LIMIT', `Cannot check certificate: ${why}`);
}
