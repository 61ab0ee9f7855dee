/** Sessions of browsers: a cookie told once, kept as a hash, changed often, ended by rest and by time. */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { API_ROLES } from '@immota/api';
import { sql } from '@immota/store';
import { type CloudContext, committed } from '../context.ts';
import { fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { Caller } from '../operator/tokens.ts';
import type { CloudTransaction } from '../schema/database.ts';
import type { DeploymentSecret, Sealer } from '../seal.ts';
import type { Person } from './people.ts';

const TOKEN_LENGTH_BYTES = 32;
const CSRF_KEY_LENGTH_BYTES = 32;
/** A working day; then whoever it is signs in again. */
const LIFE: Temporal.DurationLike = { hours: 12 };
/** Left alone for so long, it is over. */
const IDLE: Temporal.DurationLike = { hours: 2 };
/** A stolen cookie is worth so much, and its use tells. */
const ROTATION: Temporal.DurationLike = { minutes: 15 };
/** Requests that were under way when the cookie changed. */
const GRACE: Temporal.DurationLike = { seconds: 60 };
/** How exactly the last use is remembered. */
const SEEN: Temporal.DurationLike = { minutes: 1 };
/** Expired sessions that are cleared away with each new one. */
const SWEEP_ROWS = 1000;

/** A session that was found. */
export interface FoundSession {
  readonly caller: Caller;
  readonly sessionId: string;
  readonly person: { readonly id: string; readonly email: string; readonly name: string };
  /** The cookie's next value, when it changed now. */
  readonly rotated?: string | undefined;
}

/** A session to begin. */
export interface NewSession {
  readonly person: Person;
  /** What its sign-in is known by: none makes two. */
  readonly state: string;
  /** Of the provider, for signing out there. */
  readonly idToken?: string | undefined;
  /** Of the browser. */
  readonly from: string;
  /** `oidc` or `local`. */
  readonly way: string;
}

/** What sessions are kept with. */
export interface SessionParts {
  readonly context: CloudContext;
  readonly secret: DeploymentSecret;
  /** Of what providers gave. */
  readonly sealer: Sealer;
}

/** Sessions of browsers. */
export class Sessions {
  readonly #context: CloudContext;
  readonly #csrfKey: Uint8Array;
  readonly #sealer: Sealer;

  constructor({ context, secret, sealer }: SessionParts) {
    this.#context = context;
    this.#sealer = sealer;
    this.#csrfKey = secret.derive('csrf tokens', CSRF_KEY_LENGTH_BYTES);
  }

  /**
   * Begins a session, and puts the sign-in on record.
   *
   * @returns the cookie's value.
   * @throws CloudFault SIGN_IN_REFUSED when the sign-in made one already: it was played back.
   */
  async begin({ person, state, idToken, from, way }: NewSession): Promise<string> {
    const { database, clock, events, entropy } = this.#context;
    const at = clock.now();
    const token = text(entropy.bytes(TOKEN_LENGTH_BYTES));
    const sessionId = `session_${text(entropy.bytes(12))}`;
    await committed(database, async (tx) => {
      await sweep(tx, at);
      const made = await tx
        .insertInto('session')
        .values({
          session_id: sessionId,
          token_hash: hashOf(token),
          previous_hash: null,
          rotated_at: at,
          person_id: person.person_id,
          state_hash: hashOf(state),
          sealed_id_token:
            idToken === undefined ? null : this.#sealer.seal(sessionId, Buffer.from(idToken)),
          created_at: at,
          seen_at: at,
          expires_at: at.add(LIFE),
        })
        .onConflict((conflict) => conflict.column('state_hash').doNothing())
        .returning('session_id')
        .executeTakeFirst();
      if (made === undefined) {
        throw new CloudFault('SIGN_IN_REFUSED', 'Cannot sign in: this sign-in was used already');
      }
      await tx
        .updateTable('person')
        .set({ last_seen_at: at, failures: 0, locked_until: null })
        .where('person_id', '=', person.person_id)
        .execute();
      const body = { by: person.email, userId: person.person_id, from, way };
      const stream = fleetStream(person.tenant);
      await events.append(tx, [{ stream, kind: 'user.signed-in', at, body }]);
    });
    return token;
  }

  /**
   * Finds whose a cookie is, and changes it when it is due.
   *
   * @returns undefined when it is unknown, over, or of somebody who is barred.
   */
  async find(token: string): Promise<FoundSession | undefined> {
    const found = await this.peek(token);
    if (found === undefined) return undefined;
    const { row, ...session } = found;
    const now = this.#context.clock.now();
    const hash = hashOf(token);
    if (row.token_hash !== hash) return session;
    if (isOver(row.rotated_at, ROTATION, now)) {
      return { ...session, rotated: await this.#rotate(session.sessionId, hash) };
    }
    if (isOver(row.seen_at, SEEN, now)) await this.#seen(session, now);
    return session;
  }

  /** {@link find} without any change: for whoever looks again and again. */
  async peek(
    token: string,
  ): Promise<(FoundSession & { readonly row: Readonly<SessionColumns> }) | undefined> {
    const now = this.#context.clock.now();
    const hash = hashOf(token);
    const { rows } = await sql<SessionColumns>`
      select s.session_id, s.token_hash, s.rotated_at, s.seen_at, s.expires_at, p.person_id,
        p.email, p.name, p.role, p.scope, p.tenant
      from session s join person p using (person_id)
      where (s.token_hash = ${hash} or s.previous_hash = ${hash}) and p.disabled_at is null`.execute(
      this.#context.database.kysely,
    );
    const [row] = rows;
    const role = API_ROLES.find((known) => known === row?.role);
    if (row === undefined || role === undefined) return undefined;
    const isOverNow = Temporal.Instant.compare(row.expires_at, now) <= 0;
    if (isOverNow || isOver(row.seen_at, IDLE, now)) return undefined;
    if (row.token_hash !== hash && isOver(row.rotated_at, GRACE, now)) {
      // The old cookie after the new one was taken: one of the two who bear them is a thief.
      await this.end(row.session_id);
      return undefined;
    }
    const caller: Caller = {
      kind: 'person',
      name: row.email,
      role,
      uploadsFor: [],
      fleet: { tenant: row.tenant, query: row.scope ?? undefined },
      personId: row.person_id,
      expiresAt: row.expires_at,
    };
    const person = { id: row.person_id, email: row.email, name: row.name };
    return { caller, person, sessionId: row.session_id, row };
  }

  /** Gives what changes of a session must bear beside its cookie; no other site can read it. */
  csrfToken(sessionId: string): string {
    return createHmac('sha256', this.#csrfKey).update(sessionId).digest('base64url');
  }

  /** Tells whether it is that. */
  isCsrfToken(sessionId: string, offered: string | undefined): boolean {
    const expected = Buffer.from(this.csrfToken(sessionId));
    const given = Buffer.from(offered ?? '');
    return given.length === expected.length && timingSafeEqual(given, expected);
  }

  /**
   * Ends a session.
   *
   * @returns what the provider wants to hear when somebody signs out there too.
   */
  async end(sessionId: string): Promise<string | undefined> {
    const row = await this.#context.database.kysely
      .deleteFrom('session')
      .where('session_id', '=', sessionId)
      .returning('sealed_id_token')
      .executeTakeFirst();
    const sealed = row?.sealed_id_token ?? undefined;
    return sealed && Buffer.from(this.#sealer.open(sessionId, sealed)).toString();
  }

  async #rotate(sessionId: string, hash: string): Promise<string | undefined> {
    const { database, entropy, clock } = this.#context;
    const token = text(entropy.bytes(TOKEN_LENGTH_BYTES));
    const now = clock.now();
    // Of two requests at once one changes it; the other's cookie is the one before.
    const changed = await database.kysely
      .updateTable('session')
      .set({
        token_hash: hashOf(token),
        previous_hash: hash,
        rotated_at: now,
        seen_at: now,
      })
      .where('session_id', '=', sessionId)
      .where('token_hash', '=', hash)
      .returning('session_id')
      .executeTakeFirst();
    return changed === undefined ? undefined : token;
  }

  async #seen({ sessionId, person }: FoundSession, now: Temporal.Instant): Promise<void> {
    const { kysely } = this.#context.database;
    await kysely
      .updateTable('session')
      .set({ seen_at: now })
      .where('session_id', '=', sessionId)
      .execute();
    await kysely
      .updateTable('person')
      .set({ last_seen_at: now })
      .where('person_id', '=', person.id)
      .execute();
  }
}

interface SessionColumns {
  readonly session_id: string;
  readonly token_hash: string;
  readonly rotated_at: Temporal.Instant;
  readonly seen_at: Temporal.Instant;
  readonly expires_at: Temporal.Instant;
  readonly person_id: string;
  readonly email: string;
  readonly name: string;
  readonly role: string;
  readonly scope: string | null;
  readonly tenant: string;
}

async function sweep(tx: CloudTransaction, now: Temporal.Instant): Promise<void> {
  await sql`delete from session where session_id in (
    select session_id from session where expires_at <= ${now} limit ${SWEEP_ROWS})`.execute(tx);
}

function isOver(
  since: Temporal.Instant,
  after: Temporal.DurationLike,
  now: Temporal.Instant,
): boolean {
  return Temporal.Instant.compare(since.add(after), now) <= 0;
}

function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}
