/** Keys with which people sign decisions: the public halves, and the proof that whoever registered one holds it. */
import { createHash, createPublicKey, type KeyObject } from 'node:crypto';
import { sql } from '@immota/store';
import type { Selectable } from 'kysely';
import { isSigned } from '../approval/signing-keys.ts';
import { type CloudContext, committed } from '../context.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { Position } from '../operator/position.ts';
import type { Caller } from '../operator/tokens.ts';
import type { CloudSchema } from '../schema/tables.ts';

/** A key, as the database has it. */
export type SigningKey = Selectable<CloudSchema['signing_key']>;

/** A key to be registered. */
export interface NewSigningKey {
  readonly name: string;
  readonly algorithm: 'ed25519' | 'ecdsa-p256';
  /** SubjectPublicKeyInfo, DER, base64. */
  readonly publicKey: string;
  /** A signature over the key id in hex, base64; ECDSA's with SHA-256, as DER or raw. */
  readonly proof: string;
}

/** Keys in use that one person may have: some tokens, some machines. */
const KEYS_MAX = 16;

/**
 * Registers a key of whoever asks.
 *
 * @throws CloudFault SIGNING_KEY when it is no such key, was registered before, or the proof does not verify;
 * QUOTA.
 */
export async function registerSigningKey(
  context: CloudContext,
  caller: Caller,
  request: NewSigningKey,
): Promise<SigningKey> {
  const { name, algorithm } = request;
  const publicKeyDer = Buffer.from(request.publicKey, 'base64');
  const keyId = createHash('sha256').update(publicKeyDer).digest('hex');
  checkKey(publicKeyDer, algorithm);
  const proof = Buffer.from(request.proof, 'base64');
  if (!isSigned({ algorithm, publicKey: publicKeyDer }, Buffer.from(keyId), proof)) {
    throw new CloudFault('SIGNING_KEY', 'Cannot register key: the proof is not its signature');
  }
  const at = context.clock.now();
  const { tenant } = caller.fleet;
  return await committed(context.database, async (tx) => {
    const { count } = await tx
      .selectFrom('signing_key')
      .select((select) => select.fn.countAll<number>().as('count'))
      .where('tenant', '=', tenant)
      .where('owner', '=', caller.name)
      .where('revoked_at', 'is', null)
      .executeTakeFirstOrThrow();
    if (count >= KEYS_MAX) {
      throw new CloudFault('QUOTA', `Cannot register key: you have ${KEYS_MAX}; revoke one`);
    }
    const row = await tx
      .insertInto('signing_key')
      .values({
        key_id: keyId,
        tenant,
        owner: caller.name,
        user_id: caller.personId ?? null,
        name,
        algorithm,
        public_key: publicKeyDer,
        created_at: at,
        revoked_at: null,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) {
      throw new CloudFault('SIGNING_KEY', 'Cannot register key: it was registered before');
    }
    const body = { keyId, name, algorithm, by: caller.name };
    const stream = fleetStream(tenant);
    await context.events.append(tx, [{ stream, kind: 'signing-key.registered', at, body }]);
    return row;
  });
}

/**
 * Revokes a key: from now on nothing is decided with it. What it signed before stands.
 *
 * @throws CloudFault NOT_FOUND for whoever is neither its owner nor an administrator.
 */
export async function revokeSigningKey(
  context: CloudContext,
  caller: Caller,
  keyId: string,
): Promise<SigningKey> {
  const at = context.clock.now();
  const { tenant } = caller.fleet;
  return await committed(context.database, async (tx) => {
    const row = await tx
      .selectFrom('signing_key')
      .selectAll()
      .where('key_id', '=', keyId)
      .where('tenant', '=', tenant)
      .forUpdate()
      .executeTakeFirst();
    const isAllowed = row?.owner === caller.name || caller.role === 'admin';
    if (row === undefined || !isAllowed) {
      throw new CloudFault('NOT_FOUND', `Cannot find signing key "${keyId}"`);
    }
    if (row.revoked_at !== null) return row;
    const body = { keyId, owner: row.owner, by: caller.name };
    const stream = fleetStream(tenant);
    await context.events.append(tx, [{ stream, kind: 'signing-key.revoked', at, body }]);
    return await tx
      .updateTable('signing_key')
      .set({ revoked_at: at })
      .where('key_id', '=', keyId)
      .returningAll()
      .executeTakeFirstOrThrow();
  });
}

/** Lists a tenant's keys, the newest first. */
export async function listSigningKeys(
  { database }: Pick<CloudContext, 'database'>,
  tenant: string,
  { before, limit }: { readonly before: Position | undefined; readonly limit: number },
): Promise<readonly SigningKey[]> {
  let select = database.kysely
    .selectFrom('signing_key')
    .selectAll()
    .where('tenant', '=', tenant)
    .orderBy('created_at', 'desc')
    .orderBy('key_id', 'desc')
    .limit(limit);
  if (before !== undefined) {
    const { createdAt, id } = before;
    select = select.where(sql<boolean>`(created_at, key_id) < (${createdAt}, ${id})`);
  }
  return await select.execute();
}

function checkKey(der: Uint8Array, algorithm: NewSigningKey['algorithm']): void {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(der), format: 'der', type: 'spki' });
  } catch (error) {
    throw new CloudFault('SIGNING_KEY', 'Cannot read key: SubjectPublicKeyInfo expected', {
      cause: error,
    });
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const isRight =
    algorithm === 'ed25519'
      ? type === 'ed25519'
      : type === 'ec' && details?.namedCurve === 'prime256v1';
  if (!isRight) throw new CloudFault('SIGNING_KEY', `Cannot use key: it is not of ${algorithm}`);
}
