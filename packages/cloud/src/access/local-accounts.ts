/** Local accounts, for an installation without a provider: an address, a password, and patience. */
import { createHash } from 'node:crypto';
import { type CloudContext, committed } from '../context.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import { FIRST_TENANT } from '../inventory/fleet-scope.ts';
import type { CloudTransaction } from '../schema/database.ts';
import { checkNewPassword, hashPassword, isPassword } from './password.ts';
import { insertPerson, parseEmail, type Person } from './people.ts';

/** What stands in the place of an issuer. */
export const LOCAL_ISSUER = 'local';

const CODE_LENGTH_BYTES = 32;
/** A link is sent by hand; whoever finds it later finds nothing. */
const INVITATION_LIFE: Temporal.DurationLike = { hours: 72 };
/** Wrong passwords in a row after which the account waits. */
const FAILURES_MAX = 5;
/** The longest wait: a stranger who types wrong passwords must not lock somebody out for the day. */
const LOCK_MAX_MINUTES = 15;

/** Who sets a password by an invitation. */
export interface Newcomer {
  readonly code: string;
  readonly password: string;
  /** Of the first administrator, who is not known yet. */
  readonly email?: string | undefined;
  readonly name?: string | undefined;
}

/**
 * Makes what lets a person set their password, once. What they were given before is worth nothing then.
 *
 * @returns the code for the link.
 */
export async function invite(context: CloudContext, personId: string): Promise<string> {
  return await committed(context.database, async (tx) => {
    await tx.deleteFrom('invitation').where('person_id', '=', personId).execute();
    return await saveInvitation(context, tx, personId);
  });
}

/**
 * Makes what lets the first administrator in.
 *
 * @returns undefined when there is an administrator already.
 */
export async function inviteFirst(context: CloudContext): Promise<string | undefined> {
  return await committed(context.database, async (tx) => {
    if (await hasAdministrator(tx)) return undefined;
    await tx.deleteFrom('invitation').where('person_id', 'is', null).execute();
    return await saveInvitation(context, tx, null);
  });
}

/** Tells whether a code is good, and whether it is the first administrator's. */
export async function findInvitation(
  { database, clock }: Pick<CloudContext, 'database' | 'clock'>,
  code: string,
): Promise<{ readonly isFirst: boolean; readonly email: string | undefined } | undefined> {
  const row = await database.kysely
    .selectFrom('invitation')
    .leftJoin('person', 'person.person_id', 'invitation.person_id')
    .select(['invitation.person_id', 'person.email'])
    .where('code_hash', '=', hashOf(code))
    .where('expires_at', '>', clock.now())
    .executeTakeFirst();
  return row && { isFirst: row.person_id === null, email: row.email ?? undefined };
}

/**
 * Sets a password by an invitation, and uses it up.
 *
 * @throws CloudFault SIGN_IN_REFUSED when the code is unknown, used or over; REQUEST_MALFORMED.
 */
export async function acceptInvitation(context: CloudContext, newcomer: Newcomer): Promise<Person> {
  const { code, password } = newcomer;
  const known = await findInvitation(context, code);
  if (known === undefined) throw refusedCode();
  const email = known.email ?? parseEmail(newcomer.email ?? '');
  checkNewPassword(password, email);
  const kept = await hashPassword(password, context.entropy);
  const at = context.clock.now();
  return await committed(context.database, async (tx) => {
    const used = await tx
      .deleteFrom('invitation')
      .where('code_hash', '=', hashOf(code))
      .where('expires_at', '>', at)
      .returning('person_id')
      .executeTakeFirst();
    if (used === undefined) throw refusedCode();
    const personId = used.person_id ?? (await createFirst(context, tx, { ...newcomer, email }));
    await tx.deleteFrom('session').where('person_id', '=', personId).execute();
    const person = await tx
      .updateTable('person')
      .set({
        password: kept,
        issuer: LOCAL_ISSUER,
        subject: personId,
        failures: 0,
        locked_until: null,
      })
      .where('person_id', '=', personId)
      .where('disabled_at', 'is', null)
      .returningAll()
      .executeTakeFirst();
    if (person === undefined) throw refusedCode();
    const body = { by: person.email, userId: personId };
    const stream = fleetStream(person.tenant);
    await context.events.append(tx, [{ stream, kind: 'user.password-set', at, body }]);
    return person;
  });
}

/**
 * Checks an address and a password.
 *
 * @throws CloudFault SIGN_IN_REFUSED in the same words whatever is wrong; RATE_LIMIT.
 */
export async function checkLocalAccount(
  context: CloudContext,
  address: string,
  password: string,
): Promise<Person> {
  const { database, clock } = context;
  const person = await database.kysely
    .selectFrom('person')
    .selectAll()
    .where('email', '=', address.trim().toLowerCase())
    .where('issuer', '=', LOCAL_ISSUER)
    .executeTakeFirst();
  const isRight = await isPassword(password, person?.password ?? undefined);
  if (person === undefined) throw refused();
  const { locked_until: lockedUntil } = person;
  const isLocked = lockedUntil !== null && Temporal.Instant.compare(lockedUntil, clock.now()) > 0;
  if (isLocked || person.disabled_at !== null) throw refused();
  if (isRight) return person;
  await noteFailure(context, person);
  throw refused();
}

async function noteFailure(context: CloudContext, person: Person): Promise<void> {
  const at = context.clock.now();
  await committed(context.database, async (tx) => {
    const { failures } = await tx
      .updateTable('person')
      .set((set) => ({ failures: set('failures', '+', 1) }))
      .where('person_id', '=', person.person_id)
      .returning('failures')
      .executeTakeFirstOrThrow();
    if (failures < FAILURES_MAX) return;
    const minutes = Math.min(LOCK_MAX_MINUTES, 2 ** (failures - FAILURES_MAX));
    await tx
      .updateTable('person')
      .set({ locked_until: at.add({ minutes }) })
      .where('person_id', '=', person.person_id)
      .execute();
    const body = { by: person.email, userId: person.person_id, failures, minutes };
    const stream = fleetStream(person.tenant);
    await context.events.append(tx, [{ stream, kind: 'user.locked', at, body }]);
  });
}

async function createFirst(
  context: CloudContext,
  tx: CloudTransaction,
  { email = '', name }: Newcomer,
): Promise<string> {
  await tx
    .selectFrom('tenant')
    .select('tenant_id')
    .where('tenant_id', '=', FIRST_TENANT)
    .forUpdate()
    .execute();
  if (await hasAdministrator(tx)) throw refusedCode();
  const by = 'the first link of this machine';
  const person = { tenant: FIRST_TENANT, email, name: name ?? email, role: 'admin', by } as const;
  return (await insertPerson(context, tx, person)).person_id;
}

async function hasAdministrator(tx: CloudTransaction): Promise<boolean> {
  const found = await tx
    .selectFrom('person')
    .select('person_id')
    .where('tenant', '=', FIRST_TENANT)
    .where('role', '=', 'admin')
    .where('disabled_at', 'is', null)
    .limit(1)
    .executeTakeFirst();
  return found !== undefined;
}

async function saveInvitation(
  { entropy, clock }: CloudContext,
  tx: CloudTransaction,
  personId: string | null,
): Promise<string> {
  const code = Buffer.from(entropy.bytes(CODE_LENGTH_BYTES)).toString('base64url');
  const now = clock.now();
  await tx.deleteFrom('invitation').where('expires_at', '<=', now).execute();
  await tx
    .insertInto('invitation')
    .values({
      code_hash: hashOf(code),
      person_id: personId,
      expires_at: now.add(INVITATION_LIFE),
    })
    .execute();
  return code;
}

function refused(): CloudFault {
  return new CloudFault(
    'SIGN_IN_REFUSED',
    'Cannot sign in: address or password is wrong, or was wrong too often: then wait some minutes',
  );
}

function refusedCode(): CloudFault {
  return new CloudFault('SIGN_IN_REFUSED', 'Cannot use this link: it was used, or is over');
}

function hashOf(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}
