/**
 * The screens of a vehicle: where its people are asked, told and answered. Everything that counts is
 * decided by the Primary; what stands here is how people see it.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault, JsonValue } from '@immota/base';
import type { ConsentRole } from '../consent/authority.ts';
import type { ConsentRules } from '../consent/check-answer.ts';
import type { ConsentPort } from '../consent/consent-port.ts';
import { consentWords, type Language } from '../consent/words/words.ts';
import type { Surroundings } from '../ports.ts';
import type { ConcludedInstallation } from '../primary/installation.ts';
import type { ProgressEvent, ProgressListener } from '../primary/progress.ts';
import type { Primary } from '../primary/run-primary.ts';
import { openState } from '../state/vehicle-state.ts';
import { ConsentDesk } from './consent-desk.ts';
import { HmiServer } from './http-server.ts';
import { LOOK_MS } from './limits.ts';
import { type HistoryEntry, HmiMemory } from './memory.ts';
import { Sessions, type Session } from './sessions.ts';
import { advanceStory, newTally, resumeStory, type Story } from './story.ts';
import { Streams } from './streams.ts';
import { changesOf, dateOf, drawView, manualOf, type Situation, titleOf } from './view.ts';
import type { Ending } from './words/screen-words.ts';
import { screenWords } from './words/words.ts';

/** What screens are made of. */
export interface HmiOptions {
  /** Beside the Primary's own: `hmi.db` is made in it. */
  readonly folder: string;
  /** On the loopback; 0 takes a free one. */
  readonly port: number;
  /** The same as the Primary's. */
  readonly rules: ConsentRules;
  /** BCP 47: of a browser that says nothing. */
  readonly locale: string;
  readonly surroundings: Surroundings;
  /** For whom codes are made by themselves. */
  readonly role: ConsentRole;
  /** Shows a code with the address that has it. Called at the start and after each was used. */
  readonly onPairingCode: (code: string, url: string) => void;
  /** Conditions of the change-over that are not met, by their ids; none when left out. */
  readonly findUnmet?: (() => readonly string[]) | undefined;
  readonly onRefusal?: ((fault: Fault<string>) => void) | undefined;
}

/** Screens that are there. */
export interface Hmi {
  /** `http://127.0.0.1:PORT/`. */
  readonly url: string;
  readonly consent: ConsentPort;
  readonly onProgress: ProgressListener;
  /** Says whose screens they are; before that nothing can be asked anyway. */
  attach(primary: HmiPrimary): void;
  /** Makes a code for a role. */
  invite(role: ConsentRole): string;
  close(): Promise<void>;
}

/** What screens need of a Primary. */
export type HmiPrimary = Pick<Primary, 'wake' | 'reopenConsent' | 'listInstallations'>;

/** Opens the screens. @throws VehicleFault STATE_CORRUPT, STATE_BUSY. */
export async function openHmi(options: HmiOptions): Promise<Hmi> {
  mkdirSync(options.folder, { recursive: true, mode: 0o700 });
  const state = openState(join(options.folder, 'hmi.db'));
  const screens = new Screens(options, new HmiMemory(state));
  try {
    await screens.server.listen(options.port);
  } catch (error) {
    state.close();
    throw error;
  }
  screens.begin();
  return {
    url: screens.url,
    consent: screens.desk,
    onProgress: (event) => screens.follow(event),
    attach: (primary) => screens.attach(primary),
    invite: (role) => screens.sessions.invite(role),
    close: async () => {
      await screens.close();
      state.close();
    },
  };
}

class Screens {
  readonly #options: HmiOptions;
  readonly #memory: HmiMemory;
  readonly #tally = newTally();
  readonly #streams: Streams;
  readonly desk: ConsentDesk;
  readonly sessions: Sessions;
  readonly server: HmiServer;
  #story: Story;
  #primary: HmiPrimary | undefined;
  #isClosed = false;
  #cancelLook: (() => void) | undefined;
  #cancelDue: (() => void) | undefined;

  constructor(options: HmiOptions, memory: HmiMemory) {
    const { surroundings, rules, locale, onRefusal } = options;
    const { clock, timer, entropy } = surroundings;
    this.#options = options;
    this.#memory = memory;
    this.#story = resumeStory(memory.story());
    memory.saveStory(this.#story);
    this.#streams = new Streams(timer);
    const onChange = (): void => this.#streams.push();
    this.desk = new ConsentDesk({
      rules,
      clock,
      onChange,
      onAnswered: () => this.#primary?.wake(),
    });
    this.sessions = new Sessions({ state: memory.state, clock, entropy });
    const { desk, sessions } = this;
    this.server = new HmiServer({
      actions: { desk, memory, sessions, rules, clock, primary: () => this.#primary },
      streams: this.#streams,
      timer,
      locale,
      draw: (language, session) => this.#draw(language, session),
      drawHistory: (language) => this.#drawHistory(language),
      onPaired: () => this.#showCode(),
      onRefusal: (fault) => {
        memory.noteRefusal(fault.code, clock.now());
        onRefusal?.(fault);
      },
      onChange,
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.server.port}/`;
  }

  begin(): void {
    this.#showCode();
    this.#look();
    this.#scheduleDue();
  }

  attach(primary: HmiPrimary): void {
    this.#primary = primary;
    this.#readResults(true);
  }

  /** Must not throw: the Primary tells, and does not ask. */
  follow(event: ProgressEvent): void {
    if (this.#isClosed) return;
    const { clock } = this.#options.surroundings;
    // Before the story forgets which update it was about.
    if (event.kind === 'check-in-ended') this.#readResults(false);
    const next = advanceStory(this.#story, event, this.#tally, clock.now());
    // What comes with every chunk need not last.
    if (next !== this.#story && !OFTEN.has(event.kind)) this.#memory.saveStory(next);
    this.#story = next;
    if (event.kind === 'check-in-ended' && next.update === null) this.desk.clear();
    if (event.kind === 'consent') this.#scheduleDue();
    this.#streams.push();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancelLook?.();
    this.#cancelDue?.();
    await this.server.close();
  }

  #showCode(): void {
    const { role, onPairingCode } = this.#options;
    const code = this.sessions.invite(role);
    // Behind the hash: a browser sends that to nobody and writes it into no log.
    onPairingCode(code, `${this.url}#${code}`);
  }

  /** Takes over what the Primary has concluded since: its journal is the record. */
  #readResults(isStart: boolean): void {
    const memory = this.#memory;
    for (const result of this.#primary?.listInstallations(memory.primarySequence()) ?? []) {
      const known = this.#story.update;
      const isKnown = known?.correlationId === result.correlationId;
      const at = isStart && !isKnown ? null : this.#options.surroundings.clock.now().toString();
      const entry = { ...endingOf(result), correlationId: result.correlationId, at };
      const notice = isKnown ? known.notice : NO_NOTICE;
      const { sequence: primarySequence } = result;
      memory.addEntry({ ...entry, notice }, { primarySequence, isSeen: at === null });
    }
  }

  /** Whether the vehicle stands, and what it lacks, changes without a word. */
  #look(): void {
    const { surroundings, rules, findUnmet } = this.#options;
    let last = '';
    let isReady = true;
    const look = (): void => {
      const unmet = findUnmet?.() ?? [];
      const now = JSON.stringify([rules.isParked(), unmet]);
      if (now !== last || this.#story.work !== null) this.#streams.push();
      last = now;
      // Somebody has just closed the hood: nobody waits a quarter of an hour for that to be noticed.
      if (unmet.length === 0 && !isReady && this.#story.waiting === 'CONDITIONS') {
        this.#primary?.wake();
      }
      isReady = unmet.length === 0;
      this.#cancelLook = surroundings.timer.schedule(LOOK_MS, look);
    };
    look();
  }

  /** Wakes the Primary when a time has come that somebody has named. */
  #scheduleDue(): void {
    const { clock, timer } = this.#options.surroundings;
    this.#cancelDue?.();
    const at = this.#story.consent?.at;
    if (at === undefined || at === null) return;
    const delayMs = Temporal.Instant.from(at).since(clock.now()).total('milliseconds');
    this.#cancelDue = timer.schedule(Math.max(0, delayMs) + 1, () => this.#primary?.wake());
  }

  #draw(language: Language, { role }: Session): JsonValue {
    const { rules, surroundings, findUnmet } = this.#options;
    const situation: Situation = {
      story: this.#story,
      question: this.desk.question(),
      isAnswered: this.desk.isAnswered(),
      isParked: rules.isParked(),
      unmet: findUnmet?.() ?? [],
      unseen: this.#memory.unseen(),
      authority: rules.authority,
      timeZone: rules.timeZone,
      now: surroundings.clock.now(),
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a view is plain data, which JSON leaves the undefined out of
    return drawView(situation, language, role) as unknown as JsonValue;
  }

  #drawHistory(language: Language): JsonValue {
    const words = screenWords(language);
    const { roles } = consentWords(language);
    const { timeZone } = this.#options.rules;
    return this.#memory.history().map((entry) => ({
      title: titleOf(entry.notice, language),
      at: entry.at === null ? words.earlier : dateOf(entry.at, language, timeZone),
      ending: entry.ending,
      endingText: words.endingShort[entry.ending],
      sentences: [...words.endings(entry.ending, entry.ecus.join(', ')).sentences],
      changes: [...changesOf(entry, language)],
      manual: entry.ending === 'success' ? [...manualOf(entry.notice, language)] : [],
      decisions: entry.decisions.map(({ step, decision, role, at }) => {
        const who = new Map<string, string>(Object.entries(roles)).get(role) ?? role;
        const what = `${words.steps[step]}: ${words.decisionShort[decision]}`;
        return `${what} · ${who} · ${dateOf(at, language, timeZone)}`;
      }),
    }));
  }
}

const OFTEN: ReadonlySet<ProgressEvent['kind']> = new Set(['download']);

const NO_NOTICE: HistoryEntry['notice'] = {
  title: {},
  description: {},
  changes: {},
  unusableSeconds: 0,
  unavailable: [],
  unavailableTexts: {},
  instructions: {},
  manual: {},
  security: false,
  mandatory: false,
};

/** How people see what the ECUs came to: all new, all as before, or a workshop. */
function endingOf({ items }: ConcludedInstallation): {
  readonly ending: Ending;
  readonly ecus: string[];
} {
  const lost = items.filter(({ code }) => code === 'WORKSHOP_REQUIRED').map(({ ecu }) => ecu);
  if (lost.length > 0) return { ending: 'workshop', ecus: lost };
  const isDone = items.every(({ code }) => code === 'OK');
  return { ending: isDone ? 'success' : 'unchanged', ecus: [] };
}
