/** Keys with which people sign decisions: found by their id, and held against what they signed. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { sha256Hex } from './sha256.ts';
import type { Selectable } from 'kysely';
import { CloudFault } from '../fault.ts';
import type { CloudTransaction } from '../schema/database.ts';
import type { SigningKeyRow } from '../schema/release-tables.ts';

/** What both halves of an ECDSA P-256 signature take when they stand side by side. */
const RAW_ECDSA_LENGTH_BYTES = 64;

/** A key of a person. */
export type SigningKey = Selectable<SigningKeyRow>;

/**
 * Finds a key that may sign now.
 *
 * @throws CloudFault SIGNATURE_KEY_UNKNOWN also when it is another tenant's, or its id is not that of its
 * bytes; SIGNATURE_KEY_REVOKED.
 */
export async function loadSigningKey(
  tx: CloudTransaction,
  keyId: string,
  tenant: string,
): Promise<SigningKey> {
  const key = await tx
    .selectFrom('signing_key')
    .selectAll()
    .where('key_id', '=', keyId)
    .where('tenant', '=', tenant)
    .executeTakeFirst();
  if (key === undefined || sha256Hex(key.public_key) !== keyId) {
    throw new CloudFault('SIGNATURE_KEY_UNKNOWN', `Cannot use signature: no key "${keyId}"`);
  }
  if (key.revoked_at !== null) {
    throw new CloudFault(
      'SIGNATURE_KEY_REVOKED',
      `Cannot use signature: key "${keyId}" is revoked`,
    );
  }
  return key;
}

/**
 * Checks a signature of a person.
 *
 * @param key - SubjectPublicKeyInfo, DER, and the algorithm it was registered for.
 * @param text - ASCII, as it was signed.
 * @param signature - base64; of ECDSA either in ASN.1 or, as browsers make it, both halves side by side.
 * @throws CloudFault SIGNATURE_INVALID.
 */
export function checkDecisionSignature(
  key: { readonly algorithm: string; readonly publicKey: Uint8Array },
  text: string,
  signature: string,
): void {
  const bytes = Buffer.from(signature, 'base64');
  if (!isSigned(key, Buffer.from(text, 'latin1'), bytes)) {
    throw new CloudFault('SIGNATURE_INVALID', 'Cannot use signature: it does not fit its words');
  }
}

/**
 * Tells whether a person's key signed a message.
 *
 * @param signature - Ed25519's, or ECDSA's as DER or raw, as browsers make it.
 */
export function isSigned(
  { algorithm, publicKey }: { readonly algorithm: string; readonly publicKey: Uint8Array },
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const key = readKey(publicKey);
  if (key === undefined) return false;
  if (algorithm === 'ed25519' && key.asymmetricKeyType === 'ed25519') {
    return verify(null, message, key, signature);
  }
  const isP256 =
    key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  if (algorithm !== 'ecdsa-p256' || !isP256) return false;
  const dsaEncoding = signature.length === RAW_ECDSA_LENGTH_BYTES ? 'ieee-p1363' : 'der';
  return verify('sha256', message, { key, dsaEncoding }, signature);
}

function readKey(der: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}
