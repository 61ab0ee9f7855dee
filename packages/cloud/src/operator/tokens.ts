/** API tokens: told once, kept as hashes, good for one role and a limited time. */
import { createHash } from 'node:crypto';
import { API_ROLES, type ApiRole } from '@immota/api';
import type { Selectable } from 'kysely';
import { parseFleetQuery } from '../fleet/query/fleet-query.ts';
import type { CloudContext } from '../context.ts';
import { committed } from '../context.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import { FIRST_TENANT, type FleetScope } from '../inventory/fleet-scope.ts';
import type { ApiTokenRow } from '../schema/access-tables.ts';

/** So that a token in a log or a repository is recognised by those who look for secrets. */
const PREFIX = 'immota_';
const TOKEN_LENGTH_BYTES = 32;
/** Whoever works on the machine that serves, when no name is known. */
export const THIS_MACHINE = 'this machine';
const UNAUTHENTICATED = 'Cannot let in: no valid token';

/** Who a request comes from. */
export interface Caller {
  readonly kind: 'person' | 'token';
  /** A person's address, or a token's name, which holds no `@`. */
  readonly name: string;
  readonly role: ApiRole;
  /** Delegated roles of the Image repository that it may upload for. */
  readonly uploadsFor: readonly string[];
  /** What of the fleet it sees and touches, in every query. */
  readonly fleet: FleetScope;
  /** Of the person, also when their command line asks. */
  readonly personId?: string | undefined;
  /** Who made the token: what is theirs is no second pair of eyes. */
  readonly madeBy?: string | undefined;
  readonly expiresAt: Temporal.Instant;
}

/** A token to be made. */
export interface TokenDescription extends Pick<Caller, 'name' | 'role' | 'uploadsFor'> {
  /** All of the first tenant when left out. */
  readonly fleet?: FleetScope | undefined;
  readonly ttlDays: number;
  /** Who makes it; undefined when it is made on the machine itself. */
  readonly by?: string | undefined;
  /** Whose command line it is. */
  readonly personId?: string | undefined;
}

/** A token that is good no more: whose it was is for the record, and not for the caller. */
export class StaleToken extends CloudFault {
  readonly tokenName: string;
  readonly tenant: string;

  constructor(tokenName: string, tenant: string) {
    super('UNAUTHENTICATED', UNAUTHENTICATED);
    this.tokenName = tokenName;
    this.tenant = tenant;
  }
}

/** A token, this once. */
export interface NewToken {
  readonly token: string;
  readonly expiresAt: Temporal.Instant;
}

/**
 * Checks what somebody may be given.
 *
 * @throws CloudFault REQUEST_MALFORMED for an administrator with less than a tenant: they could give
 * themselves the rest; QUERY_MALFORMED for a scope that is no fleet query.
 */
export function checkGrant(role: ApiRole, scope: string | undefined): void {
  if (scope === undefined) return;
  if (role === 'admin') {
    throw new CloudFault('REQUEST_MALFORMED', 'Cannot bound an administrator by a fleet query');
  }
  parseFleetQuery(scope);
}

/**
 * Makes a token.
 *
 * @throws CloudFault TOKEN_EXISTS when a token of this name is good already; REQUEST_MALFORMED for a name
 * that looks like a person's; as {@link checkGrant}.
 */
export async function createToken(
  context: CloudContext,
  description: TokenDescription,
): Promise<NewToken> {
  const { name, role, uploadsFor, ttlDays, by = THIS_MACHINE, personId } = description;
  const { tenant, query } = description.fleet ?? { tenant: FIRST_TENANT };
  checkGrant(role, query);
  // Who acted is told by name: a token must not pass for somebody.
  if (name.includes('@') && personId === undefined) {
    throw new CloudFault('REQUEST_MALFORMED', 'Cannot create token: "@" is for people');
  }
  const secret = Buffer.from(context.entropy.bytes(TOKEN_LENGTH_BYTES)).toString('base64url');
  const token = `${PREFIX}${secret}`;
  const now = context.clock.now();
  const expiresAt = now.add({ hours: 24 * ttlDays });
  const row = { name, role, tenant, scope: query ?? null, created_by: by, person_id: personId };
  await committed(context.database, async (tx) => {
    // A name whose token is over may be used again.
    await tx
      .deleteFrom('api_token')
      .where('name', '=', name)
      .where('tenant', '=', tenant)
      .where((where) =>
        where.or([where('revoked_at', 'is not', null), where('expires_at', '<=', now)]),
      )
      .execute();
    const inserted = await tx
      .insertInto('api_token')
      .values({
        ...row,
        person_id: personId ?? null,
        token_hash: hashOf(token),
        uploads_for: uploadsFor,
        created_at: now,
        expires_at: expiresAt,
      })
      .onConflict((conflict) => conflict.columns(['tenant', 'name']).doNothing())
      .executeTakeFirst();
    if (Number(inserted.numInsertedOrUpdatedRows ?? 0) === 0) {
      throw new CloudFault('TOKEN_EXISTS', `Cannot create token: "${name}" is taken`);
    }
    const body = { name, role, by, until: expiresAt.toString(), ...scopeOf(query) };
    const stream = fleetStream(tenant);
    await context.events.append(tx, [{ stream, kind: 'token.created', at: now, body }]);
  });
  return { token, expiresAt };
}

function scopeOf(query: string | undefined): { readonly scope?: string } {
  return query === undefined ? {} : { scope: query };
}

/**
 * Revokes a token.
 *
 * @param by - who revokes it; the machine itself when left out.
 * @param tenant - whose token; the first one's when left out.
 * @returns whether one of this name was good until now.
 */
export async function revokeToken(
  context: CloudContext,
  name: string,
  by = THIS_MACHINE,
  tenant: string = FIRST_TENANT,
): Promise<boolean> {
  const now = context.clock.now();
  return await committed(context.database, async (tx) => {
    const updated = await tx
      .updateTable('api_token')
      .set({ revoked_at: now })
      .where('name', '=', name)
      .where('tenant', '=', tenant)
      .where('revoked_at', 'is', null)
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]))
      .executeTakeFirst();
    if (Number(updated.numUpdatedRows) === 0) return false;
    const stream = fleetStream(tenant);
    const body = { name, by };
    await context.events.append(tx, [{ stream, kind: 'token.revoked', at: now, body }]);
    return true;
  });
}

/** Lists a tenant's tokens by name, those that are over too. */
export async function listTokens(
  { database }: Pick<CloudContext, 'database'>,
  tenant: string,
  page: { readonly after: string; readonly limit: number },
): Promise<readonly Selectable<ApiTokenRow>[]> {
  return await database.kysely
    .selectFrom('api_token')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('name', '>', page.after)
    .orderBy('name')
    .limit(page.limit)
    .execute();
}

/**
 * Finds who a token belongs to. Looked up by hash, so no comparison's time tells anything of it. Whose command
 * line it is may what they may now, and no more when they are barred.
 *
 * @throws CloudFault UNAUTHENTICATED when it is unknown; {@link StaleToken} when it is revoked or over.
 */
export async function authenticate(
  { database, clock }: Pick<CloudContext, 'database' | 'clock'>,
  authorization: string | undefined,
): Promise<Caller> {
  const token = /^bearer +(immota_[\w-]{43})$/i.exec(authorization ?? '')?.[1];
  const row = token === undefined ? undefined : await findToken(database, hashOf(token));
  if (row === undefined) throw new CloudFault('UNAUTHENTICATED', UNAUTHENTICATED);
  const { name, tenant, expires_at: expiresAt, person_role: personRole } = row;
  const isPersons = row.person_id !== null;
  const role = API_ROLES.find((known) => known === (isPersons ? personRole : row.role));
  const isOver =
    expiresAt === null || Temporal.Instant.compare(expiresAt, clock.now()) <= 0 || row.is_barred;
  if (role === undefined || isOver || row.revoked_at !== null) throw new StaleToken(name, tenant);
  const scope = isPersons ? row.person_scope : row.scope;
  return {
    kind: isPersons ? 'person' : 'token',
    name: isPersons ? (row.person_email ?? name) : name,
    role,
    uploadsFor: row.uploads_for,
    fleet: { tenant, query: scope ?? undefined },
    personId: row.person_id ?? undefined,
    madeBy: row.created_by,
    expiresAt,
  };
}

// oxlint-disable-next-line typescript/explicit-function-return-type -- Kysely writes it
function findToken(database: CloudContext['database'], hash: string) {
  return database.kysely
    .selectFrom('api_token')
    .leftJoin('person', 'person.person_id', 'api_token.person_id')
    .select([
      'api_token.name',
      'api_token.role',
      'api_token.uploads_for',
      'api_token.expires_at',
      'api_token.revoked_at',
      'api_token.tenant',
      'api_token.scope',
      'api_token.person_id',
      'api_token.created_by',
      'person.role as person_role',
      'person.scope as person_scope',
      'person.email as person_email',
    ])
    .select((select) => select('person.disabled_at', 'is not', null).as('is_barred'))
    .where('token_hash', '=', hash)
    .executeTakeFirst();
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
