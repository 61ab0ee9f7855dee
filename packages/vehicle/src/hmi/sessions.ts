/**
 * Which screens are connected, and as whom. A code that the vehicle shows works once and says a role; what
 * a screen keeps afterwards is a random token of which the vehicle keeps the hash alone.
 */
import { createHash } from 'node:crypto';
import type { Clock, Entropy } from '@immota/base';
import { z } from 'zod';
import { CONSENT_ROLES, type ConsentRole } from '../consent/authority.ts';
import { jsonValue } from '../primary/json-value.ts';
import type { VehicleState } from '../state/vehicle-state.ts';
import { HmiFault } from './hmi-fault.ts';
import { CODE_MAX_AGE_MINUTES, CODES_MAX, SESSION_MAX_AGE_HOURS, SESSIONS_MAX } from './limits.ts';

/** Without letters that are mistaken for one another. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_LENGTH = 8;
const TOKEN_BYTES = 32;

const SESSIONS = jsonValue(
  'sessions',
  z.array(
    z.object({ tokenSha256: z.string(), role: z.enum(CONSENT_ROLES), connectedAt: z.string() }),
  ),
);

/** A screen that is connected. */
export interface Session {
  readonly id: string;
  readonly role: ConsentRole;
}

/** What sessions are made with. */
export interface SessionsOptions {
  readonly state: VehicleState;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** See the head of the file. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #codes = new Map<
    string,
    { readonly role: ConsentRole; readonly at: Temporal.Instant }
  >();

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  /** Makes a code for a role, to be shown: eight characters with a dash. It works once, for an hour. */
  invite(role: ConsentRole): string {
    const { entropy, clock } = this.#options;
    const letters = [...entropy.bytes(CODE_LENGTH)].map((byte) => ALPHABET[byte % ALPHABET.length]);
    const code = letters.join('');
    this.#codes.set(digestOf(code), { role, at: clock.now() });
    const [oldest] = this.#codes.keys();
    if (this.#codes.size > CODES_MAX && oldest !== undefined) this.#codes.delete(oldest);
    return `${code.slice(0, 4)}-${code.slice(4)}`;
  }

  /**
   * Connects a screen.
   *
   * @param code - as somebody typed it.
   * @returns the token, for the screen alone.
   * @throws HmiFault PAIRING_CODE.
   */
  pair(code: string): { readonly token: string; readonly role: ConsentRole } {
    const { state, clock, entropy } = this.#options;
    // Found by its hash: how long it takes says nothing about how much of it was right.
    const digest = digestOf(normalise(code));
    const found = this.#codes.get(digest);
    const now = clock.now();
    const isFresh =
      found !== undefined &&
      Temporal.Instant.compare(now, found.at.add({ minutes: CODE_MAX_AGE_MINUTES })) <= 0;
    this.#codes.delete(digest);
    if (found === undefined || !isFresh) {
      throw new HmiFault(
        'PAIRING_CODE',
        'Cannot connect screen: the code is not one that is shown',
      );
    }
    const { role } = found;
    const token = Buffer.from(entropy.bytes(TOKEN_BYTES)).toString('base64url');
    const connected = { tokenSha256: digestOf(token), role, connectedAt: now.toString() };
    state.values.save(SESSIONS, [...this.#live(), connected].slice(-SESSIONS_MAX));
    return { token, role };
  }

  /** Finds the screen that a token belongs to. @throws HmiFault SESSION. */
  require(token: string | undefined): Session {
    const digest = token === undefined ? undefined : digestOf(token);
    const found = this.#live().find(({ tokenSha256 }) => tokenSha256 === digest);
    if (found !== undefined) return { id: found.tokenSha256, role: found.role };
    throw new HmiFault('SESSION', 'Cannot go on: this screen is not connected');
  }

  /** Disconnects a screen. */
  end({ id }: Session): void {
    const others = this.#live().filter(({ tokenSha256 }) => tokenSha256 !== id);
    this.#options.state.values.save(SESSIONS, others);
  }

  #live(): (typeof SESSIONS)['schema']['_output'] {
    const { state, clock } = this.#options;
    const oldest = clock.now().subtract({ hours: SESSION_MAX_AGE_HOURS });
    return (state.values.load(SESSIONS) ?? []).filter(
      ({ connectedAt }) =>
        Temporal.Instant.compare(Temporal.Instant.from(connectedAt), oldest) >= 0,
    );
  }
}

/** As people type: in small letters, with spaces, with O for 0 and I or L for 1. */
function normalise(code: string): string {
  return code
    .toUpperCase()
    .replaceAll(/[\s-]/gu, '')
    .replaceAll('O', '0')
    .replaceAll(/[IL]/gu, '1');
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
