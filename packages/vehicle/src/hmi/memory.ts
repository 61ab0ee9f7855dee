/**
 * What screens must not forget, in a file of their own beside the Primary's: where the story is, what
 * past updates came to, who decided, and which screens are connected.
 */
import { isJsonObject, type JsonObject, parseJson, utf8 } from '@immota/base';
import { z } from 'zod';
import { CONSENT_STEPS } from '../consent/authority.ts';
import { readableNoticeSchema } from '../consent/notice.ts';
import { jsonValue } from '../primary/json-value.ts';
import type { StateValue } from '../state/value-table.ts';
import type { VehicleState } from '../state/vehicle-state.ts';
import { HISTORY_SHOWN_MAX } from './limits.ts';
import { FIRST_STORY, type Story, storySchema } from './story.ts';

/** The most that an entry or a story may have; a notice has the most of it. */
const ENTRY_MAX_BYTES = 1_048_576;

const STORY: StateValue<Story> = {
  name: 'story',
  encode: (story) => jsonOf(story),
  // One that cannot be read is begun anew: it is told again at the next check-in.
  decode: (json) => storySchema.safeParse(json).data ?? FIRST_STORY,
};
/** How far the Primary's journal was read, and how far people have seen the results. */
const MARKS = jsonValue('marks', z.object({ primary: z.int(), seen: z.int() }));

const decisionSchema = z.object({
  step: z.enum(CONSENT_STEPS),
  decision: z.enum(['accepted', 'postponed', 'declined']),
  role: z.string(),
  at: z.string(),
  textSha256: z.string(),
});
const DECISIONS = jsonValue(
  'decisions',
  z.array(decisionSchema.extend({ correlationId: z.string() })),
);
/** Decisions on an update that is not over. */
const DECISIONS_MAX = 64;

const entrySchema = z.object({
  correlationId: z.string(),
  /** Unknown where the update ended before screens were there. */
  at: z.string().nullable(),
  ending: z.enum(['success', 'unchanged', 'workshop']),
  /** The parts that a workshop has to look at. */
  ecus: z.array(z.string()),
  notice: readableNoticeSchema,
  decisions: z.array(decisionSchema),
});

/** What an update came to. */
export type HistoryEntry = Readonly<z.infer<typeof entrySchema>> & {
  /** Grows from entry to entry. */
  readonly sequence: number;
};

/** A decision that was made on a screen. */
export type ScreenDecision = Readonly<z.infer<typeof decisionSchema>>;

/** What was refused, by code: how often, and when last. Codes are ours, and so are few. */
const REFUSALS = jsonValue(
  'refusals',
  z.array(z.object({ code: z.string(), count: z.int(), lastAt: z.string() })),
);
/** Whoever floods the screens must not wear out the flash, nor push the history out of it. */
const REFUSAL_SPACING_SECONDS = 60;

const HISTORY = 'history';
/** All that a state keeps. */
const JOURNAL_ALL = 2048;

/** See the head of the file. */
export class HmiMemory {
  readonly state: VehicleState;
  /** Refusals since they were last written, by code. */
  readonly #unwritten = new Map<string, number>();

  /** @param state - of the screens, and of nobody else. */
  constructor(state: VehicleState) {
    this.state = state;
  }

  /** Finds where the story is. */
  story(): Story {
    return this.state.values.load(STORY) ?? FIRST_STORY;
  }

  /** Keeps where the story is. */
  saveStory(story: Story): void {
    this.state.values.save(STORY, story);
  }

  /** How far the Primary's journal was read. */
  primarySequence(): number {
    return this.state.values.load(MARKS)?.primary ?? 0;
  }

  /** Adds a decision to the update that is under way. */
  addDecision(correlationId: string, decision: ScreenDecision): void {
    const known = this.state.values.load(DECISIONS) ?? [];
    this.state.values.save(
      DECISIONS,
      [...known, { ...decision, correlationId }].slice(-DECISIONS_MAX),
    );
  }

  /**
   * Adds what an update came to, with the decisions that led there; whole or not at all.
   *
   * @param primarySequence - where the Primary's journal tells it.
   * @param isSeen - whether nobody need be told any more.
   */
  addEntry(
    entry: Omit<HistoryEntry, 'sequence' | 'decisions'>,
    { primarySequence, isSeen }: { readonly primarySequence: number; readonly isSeen: boolean },
  ): void {
    const { state } = this;
    const all = state.values.load(DECISIONS) ?? [];
    const decisions = all
      .filter(({ correlationId }) => correlationId === entry.correlationId)
      .map(({ step, decision, role, at, textSha256 }) => ({
        step,
        decision,
        role,
        at,
        textSha256,
      }));
    const [newest] = this.history();
    // An update that is tried again by itself, and comes to the same, is no news.
    const isSame =
      decisions.length === 0 &&
      newest?.correlationId === entry.correlationId &&
      newest.ending === entry.ending;
    state.transaction(() => {
      if (!isSame) state.journal.append(HISTORY, jsonOf({ ...entry, decisions }));
      state.values.save(
        DECISIONS,
        all.filter(({ correlationId }) => correlationId !== entry.correlationId),
      );
      const seen = isSeen ? (this.history()[0]?.sequence ?? 0) : this.#seen();
      state.values.save(MARKS, { primary: primarySequence, seen });
    });
  }

  /** Counts a refusal; what comes often is written once a minute. */
  noteRefusal(code: string, now: Temporal.Instant): void {
    const all = this.refusals();
    const known = all.find((one) => one.code === code);
    const count = (this.#unwritten.get(code) ?? 0) + 1;
    this.#unwritten.set(code, count);
    const due =
      known === undefined
        ? now
        : Temporal.Instant.from(known.lastAt).add({ seconds: REFUSAL_SPACING_SECONDS });
    if (Temporal.Instant.compare(now, due) < 0) return;
    this.#unwritten.delete(code);
    const noted = { code, count: (known?.count ?? 0) + count, lastAt: now.toString() };
    const others = all.filter((one) => one.code !== code);
    this.state.values.save(REFUSALS, [...others, noted]);
  }

  /** Lists what was refused, as far as it was written. */
  refusals(): (typeof REFUSALS)['schema']['_output'] {
    return this.state.values.load(REFUSALS) ?? [];
  }

  /** Lists what updates came to, the newest first. */
  history(): readonly HistoryEntry[] {
    const entries = this.state.journal.list(0, JOURNAL_ALL).flatMap(({ sequence, kind, body }) => {
      const parsed = kind === HISTORY ? entrySchema.safeParse(body) : undefined;
      return parsed?.success === true ? [{ sequence, ...parsed.data }] : [];
    });
    return entries.toReversed().slice(0, HISTORY_SHOWN_MAX);
  }

  /** Finds the newest result that nobody has seen. */
  unseen(): HistoryEntry | undefined {
    const [newest] = this.history();
    return newest !== undefined && newest.sequence > this.#seen() ? newest : undefined;
  }

  /** Notes that a result was seen, and all before it. */
  see(sequence: number): void {
    const newest = this.history()[0]?.sequence ?? 0;
    const seen = Math.max(this.#seen(), Math.min(sequence, newest));
    this.state.values.save(MARKS, { primary: this.primarySequence(), seen });
  }

  #seen(): number {
    return this.state.values.load(MARKS)?.seen ?? 0;
  }
}

/** Leaves out members that are undefined, as JSON does. */
function jsonOf(entry: object): JsonObject {
  const json = parseJson(utf8(JSON.stringify(entry)), ENTRY_MAX_BYTES);
  return isJsonObject(json) ? json : {};
}
