/** What screens ask for, parsed and carried out. */
import type { Clock, JsonObject } from '@immota/base';
import { z } from 'zod';
import { CONSENT_ROLES, CONSENT_STEPS, mayDecide } from '../consent/authority.ts';
import type { ConsentRules } from '../consent/check-answer.ts';
import { ConsentFault } from '../consent/consent-fault.ts';
import type { ConsentAnswer } from '../consent/consent-port.ts';
import { LANGUAGES } from '../consent/words/words.ts';
import type { Primary } from '../primary/run-primary.ts';
import type { ConsentDesk } from './consent-desk.ts';
import { HmiFault } from './hmi-fault.ts';
import { namedTime, parseWallTime } from './local-time.ts';
import type { HmiMemory } from './memory.ts';
import type { Session, Sessions } from './sessions.ts';
import { mayInviteOthers } from './view.ts';

const WALL_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$/u;

const answerSchema = z.strictObject({
  correlationId: z.string().max(200),
  step: z.enum(CONSENT_STEPS),
  decision: z.enum(['accepted', 'postponed', 'declined']),
  /** A name, or a time as the clock at the vehicle shows it; at once when left out. */
  when: z.union([z.enum(['hour', 'tomorrow', 'tonight']), z.string().regex(WALL_TIME)]).optional(),
  locale: z.enum(LANGUAGES),
  /** Of the words that the screen has shown, as it counted them. */
  textSha256: z.string().regex(/^[0-9a-f]{64}$/u),
});
const reconsiderSchema = z.strictObject({ correlationId: z.string().max(200) });
const dismissSchema = z.strictObject({ sequence: z.int().min(0) });
const inviteSchema = z.strictObject({ role: z.enum(CONSENT_ROLES) });
const pairSchema = z.strictObject({ code: z.string().max(64) });

/** What actions stand on. */
export interface ActionContext {
  readonly desk: ConsentDesk;
  readonly memory: HmiMemory;
  readonly sessions: Sessions;
  readonly rules: ConsentRules;
  readonly clock: Clock;
  readonly primary: () => Pick<Primary, 'reopenConsent'> | undefined;
}

/** Reads a code that somebody typed. @throws HmiFault MALFORMED. */
export function parseCode(body: JsonObject): string {
  return read(pairSchema, body).code;
}

/**
 * Takes an answer.
 *
 * @throws HmiFault MALFORMED; ConsentFault as `ConsentDesk.answer`.
 */
export function takeAnswer(context: ActionContext, { role }: Session, body: JsonObject): void {
  const { desk, memory, rules, clock } = context;
  const { correlationId, step, decision, when, locale, textSha256 } = read(answerSchema, body);
  const now = clock.now();
  const at = when === undefined ? undefined : timeOf(when, rules.timeZone, now);
  const times = decision === 'postponed' ? { askAgainAt: at } : { startAt: at };
  const answer: ConsentAnswer = { decision, actor: role, locale, textSha256, ...times };
  desk.answer({ correlationId, step }, answer);
  memory.addDecision(correlationId, { step, decision, role, textSha256, at: now.toString() });
}

/**
 * Has a question asked again.
 *
 * @throws HmiFault MALFORMED; ConsentFault NOT_ASKED, NOT_AUTHORISED, DRIVING.
 */
export function reconsider(context: ActionContext, { role }: Session, body: JsonObject): void {
  const { rules, memory, primary } = context;
  const { correlationId } = read(reconsiderSchema, body);
  const { update, consent } = memory.story();
  if (update?.correlationId !== correlationId || consent === null) {
    throw new ConsentFault('NOT_ASKED', 'Cannot ask again: that update is not here any more');
  }
  if (!mayDecide(rules.authority, role, consent.step)) {
    throw new ConsentFault('NOT_AUTHORISED', `Cannot ask again: ${role} may not decide on that`);
  }
  if (!rules.isParked()) {
    throw new ConsentFault('DRIVING', 'Cannot ask again: the vehicle is not known to be parked');
  }
  primary()?.reopenConsent(correlationId);
}

/** Notes that a result was read. @throws HmiFault MALFORMED. */
export function dismiss({ memory }: ActionContext, body: JsonObject): void {
  memory.see(read(dismissSchema, body).sequence);
}

/**
 * Makes a code for somebody else.
 *
 * @throws HmiFault MALFORMED; ConsentFault NOT_AUTHORISED.
 */
export function inviteOther(context: ActionContext, { role }: Session, body: JsonObject): string {
  const { sessions, rules } = context;
  const { role: invited } = read(inviteSchema, body);
  if (!mayInviteOthers(rules.authority, role)) {
    throw new ConsentFault('NOT_AUTHORISED', `Cannot make code: ${role} answers for nobody else`);
  }
  return sessions.invite(invited);
}

function timeOf(when: string, timeZone: string, now: Temporal.Instant): Temporal.Instant {
  return when === 'hour' || when === 'tomorrow' || when === 'tonight'
    ? namedTime(when, timeZone, now)
    : parseWallTime(when, timeZone);
}

function read<Value>(schema: z.ZodType<Value>, body: JsonObject): Value {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const place = parsed.error.issues[0]?.path.join('.') ?? '';
  throw new HmiFault('MALFORMED', `Cannot read request: at "${place}"`);
}
