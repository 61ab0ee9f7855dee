/** A signed decision on a campaign, as its row keeps it. */
import { decisionText } from '@immota/api';
import { z } from 'zod';
import { CloudFault } from '../fault.ts';
import type { CloudTransaction } from '../schema/database.ts';
import { checkDecisionSignature, loadSigningKey, type SigningKey } from './signing-keys.ts';

const storedSchema = z.object({
  decision: z.enum(['submit', 'approve', 'reject']),
  campaignId: z.string(),
  contentSha256: z.string(),
  dossierSha256: z.string(),
  note: z.string(),
  signedAt: z.string(),
  keyId: z.string(),
  signature: z.string(),
  /** Who brought it, and when it was taken. */
  by: z.string(),
  userId: z.string().optional(),
  /** Who made the token that it came with. */
  madeBy: z.string().optional(),
  at: z.string(),
  /** The key as it was then, so that the record stands by itself. */
  owner: z.string(),
  algorithm: z.enum(['ed25519', 'ecdsa-p256']),
  publicKey: z.string(),
});
/** See the head of the file. */
export type StoredDecision = z.infer<typeof storedSchema>;

/**
 * Reads a decision of a campaign's row.
 *
 * @throws CloudFault APPROVAL_MISSING when there is none that can be read.
 */
export function parseStoredDecision(value: unknown): StoredDecision {
  const parsed = storedSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new CloudFault(
    'APPROVAL_MISSING',
    'Cannot read decision: there is none, or it was changed',
  );
}

/**
 * Checks a stored decision again: the key is registered and good, and signed these very words.
 *
 * @throws CloudFault SIGNATURE_KEY_UNKNOWN, SIGNATURE_KEY_REVOKED, SIGNATURE_KEY_FOREIGN, SIGNATURE_INVALID.
 */
export async function verifyDecision(
  tx: CloudTransaction,
  stored: StoredDecision,
  tenant: string,
): Promise<SigningKey> {
  const key = await loadSigningKey(tx, stored.keyId, tenant);
  const publicKey = key.public_key;
  if (Buffer.from(publicKey).toString('base64') !== stored.publicKey) {
    throw new CloudFault(
      'SIGNATURE_INVALID',
      'Cannot use signature: its key is not the one it names',
    );
  }
  checkOwner(key, { name: stored.by, userId: stored.userId });
  checkDecisionSignature(
    { algorithm: key.algorithm, publicKey },
    decisionText(stored),
    stored.signature,
  );
  return key;
}

/** A person, as a key's owner and a request's caller are compared. */
export interface Person {
  readonly name: string;
  readonly userId?: string | undefined;
  /** Of a token: what is theirs is no second pair of eyes. */
  readonly madeBy?: string | undefined;
}

/** Who brought a decision. */
export function bringerOf({ by, userId, madeBy }: StoredDecision): Person {
  return { name: by, userId, madeBy };
}

/** Whose a key is. */
export function ownerOf({ owner, user_id: userId }: SigningKey): Person {
  return { name: owner, userId: userId ?? undefined };
}

/**
 * Checks that a key is a person's own.
 *
 * @throws CloudFault SIGNATURE_KEY_FOREIGN.
 */
export function checkOwner(key: SigningKey, person: Person): void {
  const isOwn =
    key.user_id === null ? key.owner === person.name : key.user_id === (person.userId ?? '');
  if (isOwn) return;
  throw new CloudFault(
    'SIGNATURE_KEY_FOREIGN',
    `Cannot use signature: the key is not ${person.name}’s`,
  );
}
