/**
 * What a vehicle is doing, as its screens tell it: followed from the Primary's progress, and durable at
 * each turn, so that a screen that comes back after a restart knows where it was.
 */
import { unreachable } from '@immota/base';
import { z } from 'zod';
import { CONSENT_STEPS } from '../consent/authority.ts';
import { readableNoticeSchema } from '../consent/notice.ts';
import type { ProgressEvent } from '../primary/progress.ts';

const estimateSchema = z.object({ low: z.number(), likely: z.number(), high: z.number() });

/** A story as it is kept. Instants are ISO 8601. */
export const storySchema = z.object({
  /** The update that is offered. */
  update: z
    .object({
      correlationId: z.string(),
      notice: readableNoticeSchema,
      images: z.int(),
      downloadBytes: z.number(),
    })
    .nullable(),
  /** What goes on beside any question. */
  work: z
    .object({
      stage: z.enum(['download', 'install', 'activate', 'roll-back']),
      beganAt: z.string(),
      /** 0 to 1: what is done for certain. */
      done: z.number(),
      expected: estimateSchema.nullable(),
      /** Whether the process that began it has ended since. */
      isInterrupted: z.boolean(),
    })
    .nullable(),
  forecast: z.object({ prepare: estimateSchema, unusable: estimateSchema }).nullable(),
  /** The last answer to the step that is due. */
  consent: z
    .object({
      step: z.enum(CONSENT_STEPS),
      decision: z.enum(['accepted', 'postponed', 'declined', 'pending']),
      at: z.string().nullable(),
      /** When it stops to wait for a yes; null when it never does. */
      installsItselfAt: z.string().nullable(),
    })
    .nullable(),
  /** Why nothing goes on; a fault's code. */
  waiting: z.string().nullable(),
  checkedAt: z.string().nullable(),
});

/** See `storySchema`. */
export type Story = Readonly<z.infer<typeof storySchema>>;

/** Of a vehicle that has done nothing yet. */
export const FIRST_STORY: Story = {
  update: null,
  work: null,
  forecast: null,
  consent: null,
  waiting: null,
  checkedAt: null,
};

/** What is counted while images come, and need not last. */
export interface Tally {
  readonly received: Map<string, number>;
  prepared: number;
}

/** Starts counting. */
export function newTally(): Tally {
  return { received: new Map(), prepared: 0 };
}

/**
 * Follows one event.
 *
 * @param tally - of this process; changed.
 * @returns the same story when the event changes nothing in it.
 */
export function advanceStory(
  story: Story,
  event: ProgressEvent,
  tally: Tally,
  now: Temporal.Instant,
): Story {
  switch (event.kind) {
    case 'update-verified': {
      const { correlationId, notice, images, downloadBytes } = event;
      const update = { correlationId, notice, images: images.length, downloadBytes };
      const isSame = story.update?.correlationId === correlationId;
      return isSame ? { ...story, update } : { ...FIRST_STORY, checkedAt: story.checkedAt, update };
    }
    case 'phase':
      return advancePhase(story, event.phase, tally, now);
    case 'download':
      tally.received.set(event.name, event.receivedBytes);
      return withDone(story, sumOf(tally.received) / Math.max(1, story.update?.downloadBytes ?? 1));
    case 'forecast': {
      const { prepare, unusable } = event;
      return { ...story, forecast: { prepare, unusable } };
    }
    case 'ecu-prepared':
      tally.prepared += 1;
      return withDone(story, tally.prepared / Math.max(1, story.update?.images ?? 1));
    case 'consent': {
      const { step, decision, at, installsItselfAt } = event;
      const times = {
        at: at?.toString() ?? null,
        installsItselfAt: installsItselfAt?.toString() ?? null,
      };
      return { ...story, consent: { step, decision, ...times } };
    }
    case 'check-in-ended':
      return conclude(story, event, now);
    case 'technician':
      return event.state === 'awaited' ? { ...story, waiting: 'TECHNICIAN_PENDING' } : story;
    case 'image-verified':
    case 'ecu-activated':
    case 'ecu-result':
    case 'refused':
    case 'certificate-renewed':
      return story;
    default:
      return unreachable(event);
  }
}

/** After a restart: what went on was interrupted, and goes on. */
export function resumeStory(story: Story): Story {
  return story.work === null ? story : { ...story, work: { ...story.work, isInterrupted: true } };
}

type Phase = Extract<ProgressEvent, { readonly kind: 'phase' }>['phase'];

function advancePhase(story: Story, phase: Phase, tally: Tally, now: Temporal.Instant): Story {
  const { forecast } = story;
  const begin = (stage: 'download' | 'install' | 'activate' | 'roll-back'): Story => {
    if (stage === 'download') tally.received.clear();
    if (stage === 'install') tally.prepared = 0;
    const estimates = { download: null, install: forecast?.prepare, activate: forecast?.unusable };
    const expected = (stage === 'roll-back' ? null : estimates[stage]) ?? null;
    const beganAt = now.toString();
    const work = { stage, beganAt, done: 0, expected, isInterrupted: false };
    return { ...story, waiting: null, work };
  };
  switch (phase) {
    case 'download':
    case 'install':
    case 'activate':
    case 'roll-back':
      return begin(phase);
    case 'consent':
      return story.work === null ? story : { ...story, work: null };
    case 'register':
    case 'manifest':
    case 'time':
    case 'metadata':
    case 'time-to-secondaries':
    case 'metadata-to-secondaries':
    case 'report':
      return story;
    default:
      return unreachable(phase);
  }
}

function conclude(
  story: Story,
  { result, code }: Extract<ProgressEvent, { readonly kind: 'check-in-ended' }>,
  now: Temporal.Instant,
): Story {
  switch (result) {
    case 'nothing-new': {
      // After a no nothing is new either: the update is still there for whoever thinks better of it.
      const isDeclined = story.consent?.decision === 'declined';
      const kept = isDeclined ? { ...story, waiting: null, work: null } : FIRST_STORY;
      return { ...kept, checkedAt: now.toString() };
    }
    case 'installed':
    case 'failed':
      return { ...FIRST_STORY, checkedAt: now.toString() };
    case 'refused':
      return { ...story, work: null, waiting: 'REFUSED', checkedAt: now.toString() };
    case 'waiting':
      return { ...story, work: null, waiting: code ?? 'OTHER' };
    case 'booting':
      return story;
    default:
      return unreachable(result);
  }
}

function withDone(story: Story, done: number): Story {
  if (story.work === null) return story;
  const bounded = Math.min(1, Math.max(story.work.done, done));
  return { ...story, work: { ...story.work, done: bounded } };
}

function sumOf(parts: ReadonlyMap<string, number>): number {
  return [...parts.values()].reduce((sum, part) => sum + part, 0);
}
