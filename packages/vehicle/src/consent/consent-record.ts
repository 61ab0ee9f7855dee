/**
 * Consent that lasts: an answer is asked for once, kept, signed by the Primary, and sent to the
 * Director until it has arrived.
 */
import { type Consent, DEVICE_PATHS, deviceLimits } from '@immota/api';
import { isJsonObject, type JsonObject, parseJson, utf8 } from '@immota/base';
import { AKTUALIZR, signMetadata } from '@immota/uptane';
import { requestSmall } from '../download/request.ts';
import { noteAttack } from '../primary/attack-log.ts';
import type { PrimaryContext } from '../primary/context.ts';
import { type EventKind, queueEvent } from '../primary/event-queue.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { checkAnswer, type ConsentRules } from './check-answer.ts';
import { ConsentBook, type KeptAnswer } from './consent-book.ts';
import { ConsentFault } from './consent-fault.ts';
import {
  type ConsentAnswer,
  type ConsentPort,
  type ConsentRequest,
  POLICY_ACTOR,
} from './consent-port.ts';
import { isDue, isNight, postponeTerms } from './postpone.ts';
import { type QuestionParts, renderQuestion } from './question.ts';

/** Receipts sent in one cycle. */
const RECEIPTS_MAX = 64;
/** One receipt, signed. */
const RECEIPT_MAX_BYTES = 32_768;
/** "Later" without a time: nobody is asked again at every check-in. */
const LATER: Temporal.Duration = Temporal.Duration.from({ hours: 1 });
/** A yes covers this much more than was told, for what vehicles learn; beyond it is asked again. */
const COVERED_FACTOR = 1.25;
const COVERED_MS = 60_000;
const KIND = 'consent';

const EVENT_OF = {
  accepted: 'campaign_accepted',
  declined: 'campaign_declined',
  postponed: 'campaign_postponed',
} as const satisfies Record<ConsentAnswer['decision'], EventKind>;

/** Whom to ask, for how long, and by which rules. */
export interface ConsentDesk {
  readonly port: ConsentPort;
  readonly patienceMs: number;
  readonly rules: ConsentRules;
  /** BCP 47: what is read where nobody chooses. */
  readonly locale: string;
}

/** What is asked, before it is put into words. */
export type ConsentSubject = Omit<QuestionParts, 'terms' | 'timeZone'> & {
  readonly correlationId: string;
};

/**
 * Makes sure that somebody has agreed, and that it is time.
 *
 * @throws VehicleFault CONSENT_DECLINED when the answer to these very words is no; CONSENT_PENDING when
 * there is none yet, one that does not count, "later", or a yes for another time.
 */
export async function requireConsent(
  context: PrimaryContext,
  desk: ConsentDesk,
  subject: ConsentSubject,
): Promise<void> {
  const book = new ConsentBook(context.state);
  const request = requestOf(context, book, desk, subject);
  const answer = findAnswer(context, book, request) ?? (await ask(context, desk, request));
  const { step } = request;
  const { decision = 'pending', at } = answer ?? {};
  const isTime = at === undefined || !isBefore(context.surroundings.clock.now(), at);
  const installsItselfAt = request.terms.installsItself ? request.terms.lastAt : undefined;
  const times = { at: isTime ? undefined : at, installsItselfAt };
  context.onProgress({ kind: 'consent', step, decision, ...times });
  if (decision === 'accepted' && isTime) return;
  if (decision === 'declined') {
    throw new VehicleFault('CONSENT_DECLINED', `Cannot ${step}: the owner declined`);
  }
  const why = decision === 'accepted' ? `it is agreed for ${String(at)}` : 'nobody has agreed yet';
  throw new VehicleFault('CONSENT_PENDING', `Cannot ${step}: ${why}`);
}

/**
 * Sends receipts that wait, oldest first; what the server refuses for good is dropped.
 *
 * @throws VehicleFault as `requestSmall`.
 */
export async function flushReceipts(context: PrimaryContext): Promise<void> {
  for (const { id, body } of context.state.queue.list(KIND, RECEIPTS_MAX)) {
    const { status } = await requestSmall(context.network(), {
      method: 'POST',
      url: context.bundle.gatewayOrigin + DEVICE_PATHS.consents,
      headers: { 'content-type': 'application/json' },
      body: utf8(JSON.stringify(body)),
      lengthMaxBytes: deviceLimits.ANSWER_MAX_BYTES,
    });
    // Try again later when the server asks for that; anything else it will not take at all.
    if (status === 408 || status === 429 || status === 401 || status === 403) return;
    context.state.queue.remove(KIND, [id]);
  }
}

function requestOf(
  { surroundings }: PrimaryContext,
  book: ConsentBook,
  { rules, locale }: ConsentDesk,
  { correlationId, ...subject }: ConsentSubject,
): ConsentRequest {
  const now = surroundings.clock.now();
  const terms = postponeTerms(subject.notice, book.recordOf(correlationId), now);
  const parts = { ...subject, terms, timeZone: rules.timeZone };
  return { correlationId, ...parts, question: renderQuestion(parts, locale) };
}

/** What was answered before, as long as it holds. */
function findAnswer(
  { surroundings }: PrimaryContext,
  book: ConsentBook,
  request: ConsentRequest,
): KeptAnswer | undefined {
  const known = book.find(request);
  const now = surroundings.clock.now();
  if (known === undefined) return undefined;
  const { decision, at, toldMs } = known;
  switch (decision) {
    case 'accepted':
      return request.unusable.high <= toldMs * COVERED_FACTOR + COVERED_MS ? known : undefined;
    case 'declined':
      // A no to what installs itself in the end holds until then.
      return isDue(request.terms, now) ? undefined : known;
    case 'postponed':
      return at !== undefined && isBefore(now, at) ? known : undefined;
  }
}

async function ask(
  context: PrimaryContext,
  desk: ConsentDesk,
  request: ConsentRequest,
): Promise<KeptAnswer | undefined> {
  const { surroundings } = context;
  const now = surroundings.clock.now();
  new ConsentBook(context.state).noteAsked(request.correlationId, now);
  const isItself = isDue(request.terms, now) && mayRunItself(request, desk.rules, now);
  const answer = isItself
    ? ({ decision: 'accepted', actor: POLICY_ACTOR } as const)
    : await askPort(context, desk, request);
  if (answer === undefined) return undefined;
  try {
    checkAnswer(request, answer, desk.rules, surroundings.clock.now());
  } catch (error) {
    // An answer that does not count is none; the question stands.
    if (!(error instanceof ConsentFault)) throw error;
    noteAttack(context, error);
    return undefined;
  }
  return await keep(context, request, answer);
}

/** Nobody loses the vehicle in the middle of the day; all else goes on beside its use. */
function mayRunItself(
  { step }: ConsentRequest,
  { isParked, timeZone }: ConsentRules,
  now: Temporal.Instant,
): boolean {
  return step !== 'activate' || (isParked() && isNight(now, timeZone));
}

async function askPort(
  { surroundings, network }: PrimaryContext,
  { port, patienceMs }: ConsentDesk,
  request: ConsentRequest,
): Promise<ConsentAnswer | undefined> {
  const patience = new AbortController();
  const cancel = surroundings.timer.schedule(patienceMs, () => patience.abort());
  const signal = AbortSignal.any([patience.signal, network().signal]);
  const { promise: ended, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener('abort', () => resolve(undefined), { once: true });
  try {
    // A port that does not hear the signal must not hold the vehicle.
    return await Promise.race([port.ask(request, signal), ended]);
  } finally {
    cancel();
  }
}

/** The answer and its receipt become durable together. */
async function keep(
  context: PrimaryContext,
  request: ConsentRequest,
  answer: ConsentAnswer,
): Promise<KeptAnswer> {
  const { state, keys, surroundings } = context;
  const { correlationId, step } = request;
  const { decision, actor, startAt, locale } = answer;
  const now = surroundings.clock.now();
  const shown = locale === undefined ? request.question : renderQuestion(request, locale);
  const decidedAt = now.toString({ smallestUnit: 'second' });
  const receipt = {
    _type: 'Consent',
    correlationId,
    step,
    decision,
    textSha256: shown.sha256,
    locale: shown.locale,
    actor,
    decidedAt,
    ...(startAt === undefined ? {} : { notBefore: startAt.toString({ smallestUnit: 'second' }) }),
  } satisfies Consent & JsonObject;
  const signed = await signMetadata(AKTUALIZR, receipt, [keys.identity]);
  const body = parseJson(signed, RECEIPT_MAX_BYTES);
  const again = answer.askAgainAt ?? now.add(LATER);
  const at = decision === 'postponed' ? again : startAt;
  const kept = { decision, at, toldMs: request.unusable.high };
  state.transaction(() => {
    new ConsentBook(state).keep(request, kept);
    const id = `${correlationId}/${step}/${decidedAt}`;
    if (isJsonObject(body)) state.queue.add(KIND, { id, body });
    queueEvent(context, EVENT_OF[decision], { campaignId: correlationId, correlationId, step });
  });
  return kept;
}

function isBefore(one: Temporal.Instant, other: Temporal.Instant): boolean {
  return Temporal.Instant.compare(one, other) < 0;
}
