/** What one authority has revoked. The store keeps it; this is what it means. */
import { equalBytes } from '@immota/base';

import { PkiFault } from '../fault.ts';
import { type Certificate, keyIdOf, type SerialNumber } from '../x509/certificate.ts';
import type { IsRevoked } from '../x509/verified.ts';

/** Why a certificate was revoked, with its number in {RFC 5280 5.3.1}. Holds are not in use: final only. */
export const REVOCATION_REASONS = {
  unspecified: 0,
  keyCompromise: 1,
  caCompromise: 2,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
  privilegeWithdrawn: 9,
} as const;

/** Why a certificate was revoked. */
export type RevocationReason = keyof typeof REVOCATION_REASONS;

/** One certificate that is no longer good. */
export interface Revocation {
  readonly serial: SerialNumber;
  readonly reason: RevocationReason;
  readonly at: Temporal.Instant;
}

/** All that one authority has revoked. */
export interface RevocationList {
  /** Of the authority. */
  readonly issuerKeyId: Uint8Array;
  readonly revocations: ReadonlyMap<SerialNumber, Revocation>;
}

/** Makes the empty list of an authority. */
export function emptyRevocationList(issuer: Certificate): RevocationList {
  return { issuerKeyId: keyIdOf(issuer.publicKeyDer), revocations: new Map() };
}

/**
 * Adds revocations to a list. A serial number that is there already stays as it is: revocation is
 * final, and so are its time and reason.
 *
 * @param list - the list so far; it is not changed.
 * @param revocations - in any order; the same one may be added again.
 * @throws PkiFault REVOCATION_CONFLICT when one is there with another time or reason.
 */
export function advanceRevocationList(
  list: RevocationList,
  revocations: Iterable<Revocation>,
): RevocationList {
  const next = new Map(list.revocations);
  for (const revocation of revocations) {
    const known = next.get(revocation.serial);
    if (known === undefined) next.set(revocation.serial, revocation);
    else if (known.reason !== revocation.reason || !known.at.equals(revocation.at)) {
      throw new PkiFault(
        'REVOCATION_CONFLICT',
        `Cannot revoke ${revocation.serial}: it was revoked at ${known.at.toString()} already`,
      );
    }
  }
  return { issuerKeyId: list.issuerKeyId, revocations: next };
}

/**
 * Tells what was revoked, from the lists of several authorities. An authority whose list is missing
 * has revoked nothing that anybody here knows of.
 *
 * @param lists - one for each authority.
 */
export function isRevokedIn(lists: readonly RevocationList[]): IsRevoked {
  return (issuer, serial) => {
    const keyId = keyIdOf(issuer.publicKeyDer);
    return lists.some((list) => {
      return equalBytes(list.issuerKeyId, keyId) && list.revocations.has(serial);
    });
  };
}
