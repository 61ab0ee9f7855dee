/**
 * Consent that lasts: an answer is asked for once, kept, signed by the Primary, and sent to the
 * Director until it has arrived.
 */
import { createHash } from 'node:crypto';
import { type Consent, DEVICE_PATHS, deviceLimits } from '@immota/api';
import { isJsonObject, type JsonObject, parseJson, utf8 } from '@immota/base';
import { AKTUALIZR, signMetadata } from '@immota/uptane';
import { z } from 'zod';
import { requestSmall } from '../download/request.ts';
import type { PrimaryContext } from '../primary/context.ts';
import { type EventKind, queueEvent } from '../primary/event-queue.ts';
import { jsonValue } from '../primary/json-value.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import type { ConsentAnswer, ConsentPort, ConsentRequest } from './consent-port.ts';

/** Answers that are kept; an update has two. */
const ANSWERS_MAX = 64;
/** Receipts sent in one cycle. */
const RECEIPTS_MAX = 64;
/** One receipt, signed. */
const RECEIPT_MAX_BYTES = 32_768;
const KIND = 'consent';

const ANSWERS = jsonValue(
  'consents',
  z.array(
    z.object({
      correlationId: z.string(),
      step: z.enum(['download', 'install']),
      textSha256: z.string(),
      decision: z.enum(['accepted', 'postponed', 'declined']),
      askAgainAt: z.iso.datetime().nullable(),
    }),
  ),
);

const EVENT_OF = {
  accepted: 'campaign_accepted',
  declined: 'campaign_declined',
  postponed: 'campaign_postponed',
} as const satisfies Record<ConsentAnswer['decision'], EventKind>;

/** Whom to ask, and for how long. */
export interface ConsentDesk {
  readonly port: ConsentPort;
  readonly patienceMs: number;
}

/**
 * Makes sure that somebody has agreed.
 *
 * @throws VehicleFault CONSENT_DECLINED when the answer to these very words is no; CONSENT_PENDING when
 * there is none yet, or "later".
 */
export async function requireConsent(
  context: PrimaryContext,
  desk: ConsentDesk,
  request: ConsentRequest,
): Promise<void> {
  const decision = findDecision(context, request) ?? (await ask(context, desk, request));
  context.onProgress({ kind: 'consent', step: request.step, decision: decision ?? 'pending' });
  if (decision === 'accepted') return;
  throw decision === 'declined'
    ? new VehicleFault('CONSENT_DECLINED', `Cannot ${request.step}: the owner declined`)
    : new VehicleFault('CONSENT_PENDING', `Cannot ${request.step}: the owner has not agreed yet`);
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

function findDecision(
  { state, surroundings }: PrimaryContext,
  request: ConsentRequest,
): ConsentAnswer['decision'] | undefined {
  const found = (state.values.load(ANSWERS) ?? []).find((answer) => isFor(answer, request));
  if (found?.decision !== 'postponed' || found.askAgainAt === null) return found?.decision;
  const due = Temporal.Instant.from(found.askAgainAt);
  return Temporal.Instant.compare(surroundings.clock.now(), due) < 0 ? 'postponed' : undefined;
}

async function ask(
  context: PrimaryContext,
  { port, patienceMs }: ConsentDesk,
  request: ConsentRequest,
): Promise<ConsentAnswer['decision'] | undefined> {
  const { surroundings, network } = context;
  const patience = new AbortController();
  const cancel = surroundings.timer.schedule(patienceMs, () => patience.abort());
  const signal = AbortSignal.any([patience.signal, network().signal]);
  const { promise: ended, resolve } = Promise.withResolvers<undefined>();
  signal.addEventListener('abort', () => resolve(undefined), { once: true });
  try {
    // A port that does not hear the signal must not hold the vehicle.
    const answer = await Promise.race([port.ask(request, signal), ended]);
    if (answer === undefined) return undefined;
    await keep(context, request, answer);
    return answer.decision;
  } finally {
    cancel();
  }
}

/** The answer and its receipt become durable together. */
async function keep(
  context: PrimaryContext,
  request: ConsentRequest,
  answer: ConsentAnswer,
): Promise<void> {
  const { state, keys, surroundings } = context;
  const { correlationId, step, locale } = request;
  const { decision, actor, askAgainAt } = answer;
  const textSha256 = digestOf(request);
  const decidedAt = surroundings.clock.now().toString({ smallestUnit: 'second' });
  const receipt = {
    _type: 'Consent',
    correlationId,
    step,
    decision,
    textSha256,
    locale,
    actor,
    decidedAt,
  } satisfies Consent & JsonObject;
  const signed = await signMetadata(AKTUALIZR, receipt, [keys.identity]);
  const body = parseJson(signed, RECEIPT_MAX_BYTES);
  state.transaction(() => {
    const others = (state.values.load(ANSWERS) ?? []).filter((known) => !isFor(known, request));
    const kept = { correlationId, step, textSha256, decision, askAgainAt: null };
    const until = askAgainAt === undefined ? {} : { askAgainAt: askAgainAt.toString() };
    // "Later" without a time is asked again in the next cycle: nothing to keep.
    const isLasting = decision !== 'postponed' || askAgainAt !== undefined;
    const answers = isLasting ? [...others, { ...kept, ...until }] : others;
    state.values.save(ANSWERS, answers.slice(-ANSWERS_MAX));
    const id = `${correlationId}/${step}/${decidedAt}`;
    if (isJsonObject(body)) state.queue.add(KIND, { id, body });
    queueEvent(context, EVENT_OF[decision], { campaignId: correlationId, correlationId, step });
  });
}

function isFor(
  answer: { readonly correlationId: string; readonly step: string; readonly textSha256: string },
  request: ConsentRequest,
): boolean {
  return (
    answer.correlationId === request.correlationId &&
    answer.step === request.step &&
    answer.textSha256 === digestOf(request)
  );
}

function digestOf({ text }: ConsentRequest): string {
  return createHash('sha256').update(text).digest('hex');
}
