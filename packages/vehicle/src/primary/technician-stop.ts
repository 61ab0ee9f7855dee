/**
 * The stop that a technician has to open {R156 7.1.4.2}: its challenge, what was said to it, and what the
 * Director has to hear of that. All of it is in the state, so that a stop outlives restarts and power cuts
 * as a stop, and what was said opens this one and no other.
 */
import { createHash } from 'node:crypto';
import { Fault, type JsonObject } from '@immota/base';
import { type Certificate, parseCertificatesPem } from '@immota/pki';
import { z } from 'zod';
import { ConditionFault } from '../conditions/condition-fault.ts';
import { type VerifiedApproval, verifyApproval } from '../technician/approval.ts';
import type { TechnicianRequest } from '../technician/desk.ts';
import type { TechnicianGate, TechnicianVerdict } from '../technician/gate.ts';
import { CHALLENGE_LENGTH_BYTES, USED_MAX } from '../technician/limits.ts';
import { type TechnicianStop, workSha256Of } from '../technician/stop.ts';
import type { TransactionRecord } from '../transaction/record.ts';
import { noteAttack } from './attack-log.ts';
import { carriedTime } from './attested-time.ts';
import type { PrimaryContext } from './context.ts';
import { queueEvent } from './event-queue.ts';
import { jsonValue } from './json-value.ts';

const wordSchema = z.object({
  decision: z.enum(['go', 'stop']),
  technician: z.string(),
  reason: z.string(),
  until: z.iso.datetime(),
});

const STOP = jsonValue(
  'technician-stop',
  z.object({
    correlationId: z.string(),
    step: z.enum(['activate', 'commit']),
    workSha256: z.string(),
    challenge: z.string(),
    /** What was said to it; null as long as nobody has spoken. */
    word: wordSchema.nullable(),
  }),
);

const USED = jsonValue('used-approvals', z.array(z.string()));

const WORDS = jsonValue(
  'technician-words',
  z.array(
    z.object({
      correlationId: z.string(),
      step: z.string(),
      decision: z.string(),
      technician: z.string(),
      workSha256: z.string(),
      approvalSha256: z.string(),
      at: z.string(),
    }),
  ),
);
/** Words that wait for a manifest: an update has two, and a vehicle far from any network a few of them. */
const WORDS_MAX = 16;

type OpenStop = z.infer<(typeof STOP)['schema']>;

/** What the Director has not heard of. */
export type TechnicianWord = z.infer<(typeof WORDS)['schema']>[number];

/** Makes the port through which a transaction asks. */
export function technicianGateOf(context: PrimaryContext): TechnicianGate {
  return {
    ask: async (stop, record) => {
      await Promise.resolve();
      const open = openStop(context, stop, record);
      context.technicians.show(requestOf(context, { stop, record, open }));
      const now = timeOf(context);
      if (now === undefined)
        return { kind: 'wait', reason: waitsBecause(stop, 'the time is unknown') };
      // A word that has run out is no word: who was there this morning may have gone home.
      const known = isGood(open.word, now) ? open.word : null;
      const word = takeWords(context, { ...open, word: known }, now);
      return word === null ? announce(context, stop) : verdictOf(word);
    },
  };
}

/**
 * Closes the stop that a record has left behind; part of the change that writes the record, so that the
 * word is used up in the instant in which it counts.
 *
 * @param phase - of the record; undefined when there is no transaction, and none is meant.
 */
export function closeStop(
  { state }: PrimaryContext,
  phase: TransactionRecord['phase'] | undefined,
): void {
  const open = state.values.load(STOP);
  if (open === undefined) return;
  const isAhead = open.step === 'activate' ? phase === 'preparing' : phase === 'activating';
  if (!isAhead) state.values.remove(STOP);
}

/** Takes the sign down when nothing is waited for any more. */
export function tidyDesk({ state, technicians }: PrimaryContext): void {
  if (state.values.load(STOP) === undefined) technicians.show(undefined);
}

/** What a manifest says of technicians: who has said what, until the Director has it. */
export function technicianObject({ state }: PrimaryContext): JsonObject {
  const words = state.values.load(WORDS) ?? [];
  return words.length === 0 ? {} : { technician: words };
}

/** Lists what the Director has not heard of. */
export function listTechnicianWords({ state }: PrimaryContext): readonly TechnicianWord[] {
  return state.values.load(WORDS) ?? [];
}

/** Forgets what the Director was told; what was said since stays. */
export function forgetTechnicianWords(
  { state }: PrimaryContext,
  told: readonly TechnicianWord[],
): void {
  if (told.length === 0) return;
  const known = new Set(told.map(({ approvalSha256 }) => approvalSha256));
  state.transaction(() => {
    const words = state.values.load(WORDS) ?? [];
    const left = words.filter(({ approvalSha256 }) => !known.has(approvalSha256));
    state.values.save(WORDS, left);
  });
}

/** Finds this very stop, or opens it: another one, or one for other images, has another challenge. */
function openStop(
  { state, surroundings }: PrimaryContext,
  stop: TechnicianStop,
  record: TransactionRecord,
): OpenStop {
  const { correlationId } = record;
  const { step } = stop;
  const workSha256 = workSha256Of(stop, record.ecus);
  const known = state.values.load(STOP);
  const isSame =
    known?.correlationId === correlationId &&
    known.step === step &&
    known.workSha256 === workSha256;
  if (isSame) return known;
  const challenge = surroundings.entropy.bytes(CHALLENGE_LENGTH_BYTES).toHex();
  const open: OpenStop = { correlationId, step, workSha256, challenge, word: null };
  state.values.save(STOP, open);
  return open;
}

function requestOf(
  { bundle }: PrimaryContext,
  asked: {
    readonly stop: TechnicianStop;
    readonly record: TransactionRecord;
    readonly open: OpenStop;
  },
): TechnicianRequest {
  const { stop, record, open } = asked;
  return {
    vehicle: bundle.vehicleIdentifier,
    correlationId: record.correlationId,
    stop,
    images: record.ecus.map(({ ecu, name, sha256 }) => ({ ecu, name, sha256 })),
    challenge: open.challenge,
  };
}

/** Looks through what was handed in: what holds counts, the last word before the others, and a no before all. */
function takeWords(
  context: PrimaryContext,
  open: OpenStop,
  now: Temporal.Instant,
): OpenStop['word'] {
  let { word } = open;
  for (const bytes of context.technicians.take()) {
    try {
      const approval = verifyApproval(bytes, {
        ...open,
        vehicle: context.bundle.vehicleIdentifier,
        anchors: anchorsOf(context),
        now,
        isUsed: (id) => (context.state.values.load(USED) ?? []).includes(id),
      });
      word = keepWord(context, { ...open, word }, { approval, now });
      context.technicians.answer({ sha256: approval.sha256, code: 'ACCEPTED', message: '' });
    } catch (error) {
      if (!(error instanceof ConditionFault)) throw error;
      refuse(context, open, { bytes, fault: error });
    }
  }
  return word;
}

/** Durable before anything follows from it. */
function keepWord(
  context: PrimaryContext,
  open: OpenStop,
  taken: { readonly approval: VerifiedApproval; readonly now: Temporal.Instant },
): NonNullable<OpenStop['word']> {
  const { state } = context;
  const { approval, now } = taken;
  const { id, decision, technician, reason, until, sha256: approvalSha256 } = approval;
  const { correlationId, step, workSha256 } = open;
  const said = { decision, technician, reason, until: until.toString() };
  const word = open.word?.decision === 'stop' ? open.word : said;
  const told: TechnicianWord = {
    correlationId,
    step,
    decision,
    technician,
    workSha256,
    approvalSha256,
    at: now.toString(),
  };
  state.transaction(() => {
    state.values.save(STOP, { ...open, word });
    state.values.save(USED, [...(state.values.load(USED) ?? []), id].slice(-USED_MAX));
    state.values.save(WORDS, [...(state.values.load(WORDS) ?? []), told].slice(-WORDS_MAX));
    state.journal.append('technician', { ...told });
    queueEvent(context, 'technician_spoke', { correlationId, step, decision, approvalSha256 });
  });
  context.onProgress({ kind: 'technician', state: 'spoke', step, decision, technician });
  return word;
}

function refuse(
  context: PrimaryContext,
  { correlationId, step }: OpenStop,
  { bytes, fault }: { readonly bytes: Uint8Array; readonly fault: ConditionFault },
): void {
  const { code, message } = fault;
  noteAttack(context, fault);
  queueEvent(context, 'technician_refused', { correlationId, step, code });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  context.technicians.answer({ sha256, code, message });
}

/** Nobody vouches for anybody in a vehicle whose factory has named no workshop. */
function anchorsOf({ bundle }: PrimaryContext): readonly Certificate[] {
  return bundle.workshopsPem === undefined ? [] : parseCertificatesPem(bundle.workshopsPem);
}

/** A workshop may be far from any network; the challenge makes an approval fresh, and this bounds its life. */
function timeOf(context: PrimaryContext): Temporal.Instant | undefined {
  try {
    return carriedTime(context, context.policy.offlineTimeMaxAgeMs);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'TIME_UNAVAILABLE') throw error;
    noteAttack(context, error);
    return undefined;
  }
}

function isGood(word: OpenStop['word'], now: Temporal.Instant): word is NonNullable<typeof word> {
  return word !== null && Temporal.Instant.compare(now, Temporal.Instant.from(word.until)) <= 0;
}

function verdictOf({
  decision,
  technician,
  reason,
}: NonNullable<OpenStop['word']>): TechnicianVerdict {
  if (decision === 'go') return { kind: 'go' };
  return { kind: 'stop', reason: `Cannot go on: ${technician} has said no: ${reason}` };
}

function announce(context: PrimaryContext, stop: TechnicianStop): TechnicianVerdict {
  const { step, ecus } = stop;
  context.onProgress({ kind: 'technician', state: 'awaited', step, ecus });
  return { kind: 'wait', reason: waitsBecause(stop, 'nobody has approved it yet') };
}

function waitsBecause({ step, ecus }: TechnicianStop, why: string): string {
  const what = step === 'activate' ? 'change over' : 'make final';
  return `Cannot ${what}: a technician has to stand by at ${ecus.join(', ')}, and ${why}`;
}
