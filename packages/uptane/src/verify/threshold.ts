import { assert } from '@immota/base';
import { UptaneFault } from '../fault.ts';
import type { PublicKey, Signature } from '../metadata/key.ts';
import type { KeyId } from '../metadata/names.ts';
import type { RoleKeys } from '../metadata/roles.ts';

/** What was signed, and by whom as it claims. */
export interface SignedPayload {
  readonly payload: Uint8Array;
  readonly signatures: readonly Signature[];
}

/**
 * Checks that enough of a role's own keys signed a payload. The only place where signatures are
 * counted: Root, top-level roles, delegations and time attestations all come here.
 *
 * {uptane L6} {uptane L8} {uptane L10}: a key counts once, by its bytes and not by its identifier,
 * so that one key under two identifiers cannot fill a threshold of two.
 *
 * @param document - signatures as found, in any order; strangers count for nothing.
 * @param keys - every key the delegating metadata lists, by its identifier.
 * @param role - whose keys count, and how many must agree.
 * @throws UptaneFault SIGNATURE_THRESHOLD when fewer unique keys verify.
 */
export function checkThreshold(
  document: SignedPayload,
  keys: ReadonlyMap<KeyId, PublicKey>,
  role: RoleKeys,
): void {
  assert(role.threshold >= 1, 'a threshold is at least 1');
  const agreeing = new Set<string>();
  for (const { keyId, bytes } of document.signatures) {
    const key = role.keyIds.has(keyId) ? keys.get(keyId) : undefined;
    if (key === undefined || agreeing.has(key.identity)) continue;
    if (key.verify(document.payload, bytes)) agreeing.add(key.identity);
    if (agreeing.size >= role.threshold) return;
  }
  throw new UptaneFault(
    'SIGNATURE_THRESHOLD',
    `Cannot trust metadata: ${agreeing.size} of ${role.threshold} keys signed it`,
  );
}
