/** People: let in by an administrator, found again by their address and then by what their provider says. */
import type { ApiRole } from '@immota/api';
import type { JsonObject } from '@immota/base';
import type { Selectable } from 'kysely';
import { type CloudContext, committed } from '../context.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import { checkGrant } from '../operator/tokens.ts';
import type { CloudTransaction } from '../schema/database.ts';
import type { PersonRow } from '../schema/access-tables.ts';

/** A person, as the database has them. */
export type Person = Selectable<PersonRow>;

/** A person to be let in. */
export interface NewPerson {
  readonly tenant: string;
  readonly email: string;
  readonly name: string;
  readonly role: ApiRole;
  readonly scope?: string | undefined;
  /** Who lets them in. */
  readonly by: string;
}

/** What may change of a person. */
export interface PersonPatch {
  readonly role?: ApiRole | undefined;
  /** Null for all of the tenant. */
  readonly scope?: string | null | undefined;
  readonly isDisabled?: boolean | undefined;
}

const ID_LENGTH_BYTES = 12;
/** One `@`, no space: whether the address exists only its provider knows. */
const EMAIL = /^[^\s@]{1,64}@[^\s@]{1,255}$/;

/** Reads an address as it is kept. @throws CloudFault REQUEST_MALFORMED. */
export function parseEmail(text: string): string {
  const email = text.trim().toLowerCase();
  if (EMAIL.test(email)) return email;
  throw new CloudFault('REQUEST_MALFORMED', 'Cannot read e-mail address: name@domain expected');
}

/** Makes an id that nobody guesses. */
export function newId({ entropy }: Pick<CloudContext, 'entropy'>, prefix: string): string {
  return `${prefix}_${Buffer.from(entropy.bytes(ID_LENGTH_BYTES)).toString('base64url')}`;
}

/**
 * Lets a person in. An address belongs to one tenant of the installation.
 *
 * @throws CloudFault USER_EXISTS; as `checkGrant`.
 */
export async function createPerson(context: CloudContext, person: NewPerson): Promise<Person> {
  return await committed(context.database, (tx) => insertPerson(context, tx, person));
}

/** {@link createPerson} inside a transaction. */
export async function insertPerson(
  context: CloudContext,
  tx: CloudTransaction,
  { tenant, email: address, name, role, scope, by }: NewPerson,
): Promise<Person> {
  checkGrant(role, scope);
  const email = parseEmail(address);
  const at = context.clock.now();
  const row = await tx
    .insertInto('person')
    .values({
      person_id: newId(context, 'person'),
      tenant,
      email,
      name,
      role,
      scope: scope ?? null,
      created_by: by,
      created_at: at,
    })
    .onConflict((conflict) => conflict.column('email').doNothing())
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) {
    throw new CloudFault('USER_EXISTS', `Cannot let in ${email}: the address is known already`);
  }
  const after = { role, ...(scope === undefined ? {} : { scope }) };
  const body = { userId: row.person_id, email, after, by };
  const stream = fleetStream(tenant);
  await context.events.append(tx, [{ stream, kind: 'user.created', at, body }]);
  return row;
}

/** Lists people by address. */
export async function listPeople(
  { database }: Pick<CloudContext, 'database'>,
  tenant: string,
  page: { readonly after: string; readonly limit: number },
): Promise<readonly Person[]> {
  return await database.kysely
    .selectFrom('person')
    .selectAll()
    .where('tenant', '=', tenant)
    .where('email', '>', page.after)
    .orderBy('email')
    .limit(page.limit)
    .execute();
}

/**
 * Changes what a person may. Whoever is barred is signed out everywhere at once.
 *
 * @throws CloudFault NOT_FOUND; LAST_ADMIN when the tenant would be left without an administrator; as
 * `checkGrant`.
 */
export async function changePerson(
  context: CloudContext,
  { tenant, personId, by }: { tenant: string; personId: string; by: string },
  patch: PersonPatch,
): Promise<Person> {
  const at = context.clock.now();
  return await committed(context.database, async (tx) => {
    // Two administrators who bar each other at once meet here.
    await tx
      .selectFrom('tenant')
      .select('tenant_id')
      .where('tenant_id', '=', tenant)
      .forUpdate()
      .execute();
    const before = await tx
      .selectFrom('person')
      .selectAll()
      .where('person_id', '=', personId)
      .where('tenant', '=', tenant)
      .executeTakeFirst();
    if (before === undefined) {
      throw new CloudFault('NOT_FOUND', `Cannot find person "${personId}"`);
    }
    const disabledAt = before.disabled_at ?? at;
    const after = await tx
      .updateTable('person')
      .set({
        name: before.name,
        ...(patch.role === undefined ? {} : { role: patch.role }),
        ...(patch.scope === undefined ? {} : { scope: patch.scope }),
        ...(patch.isDisabled === undefined
          ? {}
          : { disabled_at: patch.isDisabled ? disabledAt : null, failures: 0, locked_until: null }),
      })
      .where('person_id', '=', personId)
      .returningAll()
      .executeTakeFirstOrThrow();
    checkGrant(roleOf(after), after.scope ?? undefined);
    if (isAdministrator(before) && !isAdministrator(after)) await checkAdministrated(tx, tenant);
    if (after.disabled_at !== null) await endAccess(tx, personId, at);
    const body = { userId: personId, before: partOf(before), after: partOf(after), by };
    const stream = fleetStream(tenant);
    await context.events.append(tx, [{ stream, kind: 'user.changed', at, body }]);
    return after;
  });
}

function roleOf({ role }: Pick<Person, 'role'>): ApiRole {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- written from the schema's own list; a stranger is refused where it signs in
  return role as ApiRole;
}

function isAdministrator({ role, disabled_at: disabledAt }: Person): boolean {
  return role === 'admin' && disabledAt === null;
}

function partOf({ role, scope, disabled_at: disabledAt }: Person): JsonObject {
  return { role, isDisabled: disabledAt !== null, ...(scope === null ? {} : { scope }) };
}

async function checkAdministrated(tx: CloudTransaction, tenant: string): Promise<void> {
  const left = await tx
    .selectFrom('person')
    .select('person_id')
    .where('tenant', '=', tenant)
    .where('role', '=', 'admin')
    .where('disabled_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  if (left !== undefined) return;
  throw new CloudFault('LAST_ADMIN', `Cannot change this: "${tenant}" would have no administrator`);
}

/** Ends the sessions and the command lines of a person. */
async function endAccess(
  tx: CloudTransaction,
  personId: string,
  at: Temporal.Instant,
): Promise<void> {
  await tx.deleteFrom('session').where('person_id', '=', personId).execute();
  await tx.deleteFrom('invitation').where('person_id', '=', personId).execute();
  await tx
    .updateTable('api_token')
    .set({ revoked_at: at })
    .where('person_id', '=', personId)
    .where('revoked_at', 'is', null)
    .execute();
}
