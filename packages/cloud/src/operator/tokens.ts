/** API tokens: told once, kept as hashes, good for one role and a limited time. */
import { createHash } from 'node:crypto';
import { API_ROLES, type ApiRole } from '@immota/api';
import type { CloudContext } from '../context.ts';
import { committed } from '../context.ts';
import { FLEET_STREAM } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import { FIRST_TENANT, type FleetScope } from '../inventory/fleet-scope.ts';

/** So that a token in a log or a repository is recognised by those who look for secrets. */
const PREFIX = 'immota_';
const TOKEN_LENGTH_BYTES = 32;
const UNAUTHENTICATED = 'Cannot let in: no valid token';

/** Who a request comes from. */
export interface Caller {
  readonly name: string;
  readonly role: ApiRole;
  /** Delegated roles of the Image repository that it may upload for. */
  readonly uploadsFor: readonly string[];
  /** What of the fleet it sees and touches, in every query. */
  readonly fleet: FleetScope;
}

/** A token to be made. */
export interface TokenDescription extends Omit<Caller, 'fleet'> {
  /** All of the first tenant when left out. */
  readonly fleet?: FleetScope | undefined;
  readonly ttlDays: number;
  /** Who makes it; undefined when it is made on the machine itself. */
  readonly by?: string | undefined;
}

/** A token that is good no more: whose it was is for the record, and not for the caller. */
export class StaleToken extends CloudFault {
  readonly tokenName: string;

  constructor(tokenName: string) {
    super('UNAUTHENTICATED', UNAUTHENTICATED);
    this.tokenName = tokenName;
  }
}

/** A token, this once. */
export interface NewToken {
  readonly token: string;
  readonly expiresAt: Temporal.Instant;
}

/**
 * Makes a token.
 *
 * @throws CloudFault TOKEN_EXISTS when a token of this name is good already.
 */
export async function createToken(
  context: CloudContext,
  description: TokenDescription,
): Promise<NewToken> {
  const { name, role, uploadsFor, ttlDays, by = 'this machine' } = description;
  const { tenant, query } = description.fleet ?? { tenant: FIRST_TENANT };
  const secret = Buffer.from(context.entropy.bytes(TOKEN_LENGTH_BYTES)).toString('base64url');
  const token = `${PREFIX}${secret}`;
  const now = context.clock.now();
  const expiresAt = now.add({ hours: 24 * ttlDays });
  await committed(context.database, async (tx) => {
    // A name whose token is over may be used again.
    await tx
      .deleteFrom('api_token')
      .where('name', '=', name)
      .where((where) =>
        where.or([where('revoked_at', 'is not', null), where('expires_at', '<=', now)]),
      )
      .execute();
    const inserted = await tx
      .insertInto('api_token')
      .values({
        token_hash: hashOf(token),
        name,
        role,
        uploads_for: uploadsFor,
        expires_at: expiresAt,
        tenant,
        scope: query ?? null,
      })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .executeTakeFirst();
    if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) {
      throw new CloudFault('TOKEN_EXISTS', `Cannot create token: "${name}" is taken`);
    }
    await context.events.append(tx, [
      { stream: FLEET_STREAM, kind: 'token.created', at: now, body: { name, role, by } },
    ]);
  });
  return { token, expiresAt };
}

/**
 * Revokes a token.
 *
 * @param by - who revokes it; the machine itself when left out.
 * @returns whether one of this name was good until now.
 */
export async function revokeToken(
  context: CloudContext,
  name: string,
  by = 'this machine',
): Promise<boolean> {
  const now = context.clock.now();
  return await committed(context.database, async (tx) => {
    const updated = await tx
      .updateTable('api_token')
      .set({ revoked_at: now })
      .where('name', '=', name)
      .where('revoked_at', 'is', null)
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
      .executeTakeFirst();
    if (Number(updated.numUpdatedRows) === 0) return false;
    await context.events.append(tx, [
      { stream: FLEET_STREAM, kind: 'token.revoked', at: now, body: { name, by } },
    ]);
    return true;
  });
}

/**
 * Finds who a token belongs to. Looked up by hash, so no comparison's time tells anything of it.
 *
 * @throws CloudFault UNAUTHENTICATED when it is unknown; {@link StaleToken} when it is revoked or over.
 */
export async function authenticate(
  { database, clock }: Pick<CloudContext, 'database' | 'clock'>,
  authorization: string | undefined,
): Promise<Caller> {
  const token = /^bearer +(immota_[\w-]{43})$/i.exec(authorization ?? '')?.[1];
  const row =
    token === undefined
      ? undefined
      : await database.kysely
          .selectFrom('api_token')
          .select(['name', 'role', 'uploads_for', 'expires_at', 'revoked_at', 'tenant', 'scope'])
          .where('token_hash', '=', hashOf(token))
          .executeTakeFirst();
  if (row === undefined) throw new CloudFault('UNAUTHENTICATED', UNAUTHENTICATED);
  const role = API_ROLES.find((known) => known === row.role);
  const expiresAt = row.expires_at ?? undefined;
  const isOver = expiresAt !== undefined && Temporal.Instant.compare(expiresAt, clock.now()) <= 0;
  if (role === undefined || isOver || row.revoked_at !== null) throw new StaleToken(row.name);
  const fleet = { tenant: row.tenant, query: row.scope ?? undefined };
  return { name: row.name, role, uploadsFor: row.uploads_for, fleet };
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
