/**
 * What was answered, and how often a question was put off: durable, so that nobody is asked twice for
 * the same words, and a budget is not refilled by a restart.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { jsonValue } from '../primary/json-value.ts';
import type { VehicleState } from '../state/vehicle-state.ts';
import { CONSENT_STEPS, type ConsentStep } from './authority.ts';
import type { ConsentAnswer } from './consent-port.ts';
import type { Notice } from './notice.ts';
import type { PostponeRecord } from './postpone.ts';

/** Answers that are kept; an update has three. */
const ANSWERS_MAX = 96;
/** Updates whose questions are remembered. */
const QUESTIONS_MAX = 32;

const ANSWERS = jsonValue(
  'consent-answers',
  z.array(
    z.object({
      correlationId: z.string(),
      step: z.enum(CONSENT_STEPS),
      subject: z.string(),
      decision: z.enum(['accepted', 'postponed', 'declined']),
      /** When to ask again, or when to begin. */
      at: z.string().nullable(),
      /** What was said of the time without the vehicle. */
      toldMs: z.number(),
    }),
  ),
);

const QUESTIONS = jsonValue(
  'consent-questions',
  z.array(
    z.object({
      correlationId: z.string(),
      firstAskedAt: z.string(),
      postponements: z.int(),
    }),
  ),
);

/** What is asked, whatever figures have changed since. */
export interface Subject {
  readonly correlationId: string;
  readonly step: ConsentStep;
  readonly notice: Notice;
}

/** An answer that is kept. */
export interface KeptAnswer {
  readonly decision: ConsentAnswer['decision'];
  readonly at: Temporal.Instant | undefined;
  readonly toldMs: number;
}

/** The answers of one vehicle. */
export class ConsentBook {
  readonly #state: VehicleState;

  /** @param state - of the Primary. */
  constructor(state: VehicleState) {
    this.#state = state;
  }

  /** Finds the answer to the same step of the same update in the same signed words. */
  find(subject: Subject): KeptAnswer | undefined {
    const digest = digestOf(subject);
    const found = this.#answers().find((answer) => answer.subject === digest);
    if (found === undefined) return undefined;
    const { decision, at, toldMs } = found;
    return { decision, toldMs, at: at === null ? undefined : Temporal.Instant.from(at) };
  }

  /** Finds what was done with the questions of an update. */
  recordOf(correlationId: string): PostponeRecord {
    const found = this.#questions().find((one) => one.correlationId === correlationId);
    if (found === undefined) return { postponements: 0, firstAskedAt: undefined };
    const { postponements, firstAskedAt } = found;
    return { postponements, firstAskedAt: Temporal.Instant.from(firstAskedAt) };
  }

  /** Remembers that an update was shown; the first time counts. */
  noteAsked(correlationId: string, now: Temporal.Instant): void {
    if (this.recordOf(correlationId).firstAskedAt !== undefined) return;
    this.#saveQuestion({ correlationId, firstAskedAt: now.toString(), postponements: 0 });
  }

  /** Keeps an answer in place of a former one; what was put off is counted. */
  keep(subject: Subject, answer: KeptAnswer): void {
    const { correlationId, step } = subject;
    const { decision, at, toldMs } = answer;
    const digest = digestOf(subject);
    const others = this.#answers().filter((known) => known.subject !== digest);
    const time = at === undefined ? null : at.toString();
    const kept = { correlationId, step, subject: digest, decision, at: time, toldMs };
    this.#state.transaction(() => {
      this.#state.values.save(ANSWERS, [...others, kept].slice(-ANSWERS_MAX));
      const known = this.#questions().find((one) => one.correlationId === correlationId);
      if (decision !== 'postponed' || known === undefined) return;
      this.#saveQuestion({ ...known, postponements: known.postponements + 1 });
    });
  }

  /**
   * Forgets what stands in the way of asking again: a no, a "later", a yes for another time. How often it
   * was put off stays. @returns whether there was anything.
   */
  reopen(correlationId: string): boolean {
    const known = this.#answers();
    const kept = known.filter(
      (one) =>
        one.correlationId !== correlationId || (one.decision === 'accepted' && one.at === null),
    );
    if (kept.length === known.length) return false;
    this.#state.values.save(ANSWERS, kept);
    return true;
  }

  #answers(): (typeof ANSWERS)['schema']['_output'] {
    return this.#state.values.load(ANSWERS) ?? [];
  }

  #questions(): (typeof QUESTIONS)['schema']['_output'] {
    return this.#state.values.load(QUESTIONS) ?? [];
  }

  #saveQuestion(question: (typeof QUESTIONS)['schema']['_output'][number]): void {
    const others = this.#questions().filter(
      ({ correlationId }) => correlationId !== question.correlationId,
    );
    this.#state.values.save(QUESTIONS, [...others, question].slice(-QUESTIONS_MAX));
  }
}

/** Figures that a vehicle has learnt are no part of it: a yes must not lapse because of a second. */
function digestOf({ correlationId, step, notice }: Subject): string {
  return createHash('sha256')
    .update(JSON.stringify([correlationId, step, notice]))
    .digest('hex');
}
