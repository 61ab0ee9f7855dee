/** What a screen shows: everything in words, in one language, for one role. The page only lays it out. */
import { unreachable } from '@immota/base';
import type { ConsentAuthority, ConsentRole, ConsentStep } from '../consent/authority.ts';
import { CONSENT_STEPS, decidersOf, mayDecide } from '../consent/authority.ts';
import type { ConsentRequest } from '../consent/consent-port.ts';
import { findWritten, type Notice, purposeOf } from '../consent/notice.ts';
import { furthestTime, isTimeAllowed } from '../consent/postpone.ts';
import { formatDate, minutesOf, renderQuestion } from '../consent/question.ts';
import type { Minutes } from '../consent/words/consent-words.ts';
import { consentWords, type Language } from '../consent/words/words.ts';
import { namedTime, wallTime } from './local-time.ts';
import type { HistoryEntry } from './memory.ts';
import type { Story } from './story.ts';
import type { Labels, Message, ScreenWords, WaitingKind } from './words/screen-words.ts';
import { screenWords } from './words/words.ts';

/** What is shown, and how. */
export type Screen =
  | (Message & { readonly kind: 'driving' | 'idle' | 'waiting' })
  | (Message & {
      readonly kind: 'decided';
      /** What `reconsider` names. */
      readonly correlationId: string;
      readonly mayReconsider: boolean;
    })
  | (Message & {
      readonly kind: 'progress';
      readonly stepLine: string | undefined;
      /** 0 to 100; undefined while nothing can be said. */
      readonly percent: number | undefined;
      readonly remaining: string | undefined;
    })
  | QuestionScreen
  | (Message & {
      readonly kind: 'result';
      readonly ending: HistoryEntry['ending'];
      readonly sequence: number;
      readonly title: string;
      readonly changes: readonly string[];
      readonly manual: readonly string[];
    });

/** A question with all that may be answered. */
export interface QuestionScreen {
  readonly kind: 'question';
  readonly correlationId: string;
  readonly step: ConsentStep;
  readonly stepLine: string;
  readonly badge: string;
  readonly badgeKind: string;
  readonly title: string;
  readonly sections: readonly { readonly heading: string; readonly lines: readonly string[] }[];
  readonly ask: string;
  /** Who may decide, where the reader may not. */
  readonly whoDecides: string | undefined;
  readonly accept: string;
  /** In words, where it may begin at night. */
  readonly tonight: string | undefined;
  readonly mayPickTime: boolean;
  readonly mayPostpone: boolean;
  readonly mayPostponeToTomorrow: boolean;
  /** Bounds of a picked time, as the clock at the vehicle shows it: `2026-11-22T16:00`. */
  readonly timeMin: string;
  readonly timeMax: string;
}

/** All of a screen. */
export interface View {
  readonly locale: Language;
  readonly labels: Labels;
  readonly refusals: Readonly<Record<string, string>>;
  readonly role: ConsentRole;
  readonly roleLine: string;
  /** Roles for which codes may be made. */
  readonly invitable: readonly { readonly role: ConsentRole; readonly name: string }[];
  readonly screen: Screen;
}

/** What is known when a screen is drawn. */
export interface Situation {
  readonly story: Story;
  readonly question: ConsentRequest | undefined;
  readonly isAnswered: boolean;
  readonly isParked: boolean;
  /** Conditions that are not met, by their ids. */
  readonly unmet: readonly string[];
  readonly unseen: HistoryEntry | undefined;
  readonly authority: ConsentAuthority;
  readonly timeZone: string;
  readonly now: Temporal.Instant;
}

interface Reader {
  readonly language: Language;
  readonly role: ConsentRole;
  readonly words: ScreenWords;
}

/** Draws a screen. */
export function drawView(situation: Situation, language: Language, role: ConsentRole): View {
  const words = screenWords(language);
  const roles = consentWords(language).roles;
  const mayInvite = mayInviteOthers(situation.authority, role);
  return {
    locale: language,
    labels: words.labels,
    refusals: words.refusals,
    role,
    roleLine: words.youAre(roles[role]),
    invitable: mayInvite ? INVITABLE.map((one) => ({ role: one, name: roles[one] })) : [],
    screen: drawScreen(situation, { language, role, words }),
  };
}

/** Whoever decides on installations answers for who sits at the screens. */
export function mayInviteOthers(authority: ConsentAuthority, role: ConsentRole): boolean {
  return mayDecide(authority, role, 'install');
}

const INVITABLE: readonly ConsentRole[] = [
  'driver',
  'owner',
  'fleet',
  'workshop',
  'renter',
  'valet',
];

/** What is most urgent goes first; while the vehicle moves nothing is. */
function drawScreen(situation: Situation, reader: Reader): Screen {
  const { question, unseen, story, isParked, isAnswered } = situation;
  const { words } = reader;
  if (!isParked && story.work?.stage !== 'activate' && story.work?.stage !== 'roll-back') {
    return { kind: 'driving', ...words.driving };
  }
  if (unseen !== undefined && story.work === null) return drawResult(unseen, reader);
  if (question !== undefined) return drawQuestion(question, situation, reader);
  if (story.work !== null) return drawProgress(story.work, situation, reader);
  if (isAnswered) return { kind: 'waiting', ...words.answered };
  return drawWaiting(situation, reader) ?? drawIdle(situation, reader);
}

function drawResult(entry: HistoryEntry, { language, words }: Reader): Screen {
  const { ending, sequence, notice, ecus } = entry;
  const isDone = ending === 'success';
  return {
    kind: 'result',
    ...words.endings(ending, ecus.join(', ')),
    ending,
    sequence,
    title: titleOf(notice, language),
    // {R156 7.2.2.4} (b): what is different now, and what to read again.
    changes: changesOf(entry, language),
    manual: isDone ? manualOf(notice, language) : [],
  };
}

function drawQuestion(
  request: ConsentRequest,
  { authority, timeZone, now }: Situation,
  { language, role, words }: Reader,
): QuestionScreen {
  const { step, terms, correlationId, notice } = request;
  const shown = renderQuestion(request, language);
  const number = CONSENT_STEPS.indexOf(step) + 1;
  const kind = purposeOf(notice);
  const isEntitled = mayDecide(authority, role, step);
  const names = decidersOf(authority, step).map((one) => consentWords(language).roles[one]);
  const tonight = namedTime('tonight', timeZone, now);
  const tomorrow = namedTime('tomorrow', timeZone, now);
  const mayWait = isTimeAllowed(tonight, terms, now) && step !== 'download';
  return {
    kind: 'question',
    correlationId,
    step,
    stepLine: words.stepOf(number, words.steps[step]),
    badge: words.badges[kind],
    badgeKind: kind,
    title: shown.title,
    sections: shown.sections.map(({ heading, lines }) => ({ heading, lines })),
    ask: shown.ask,
    whoDecides: isEntitled ? undefined : words.whoDecides(words.joinOr(names)),
    accept: words.labels.accept[step],
    tonight: mayWait ? words.tonight(timeOf(tonight, language, timeZone)) : undefined,
    mayPickTime: step !== 'download',
    mayPostpone: terms.left > 0,
    mayPostponeToTomorrow: isTimeAllowed(tomorrow, terms, now),
    timeMin: wallTime(now.add({ minutes: 1 }), timeZone),
    timeMax: wallTime(furthestTime(terms, now), timeZone),
  };
}

const STEP_OF = { download: 'download', install: 'install', activate: 'activate' } as const;
/** A bar never says that it is over before it is. */
const PERCENT_MAX = 99;

function drawProgress(
  work: NonNullable<Story['work']>,
  { now }: Situation,
  { words }: Reader,
): Screen {
  const { stage, isInterrupted } = work;
  const { headline, sentences } = words.working[stage];
  const { fraction, left } = estimateLeft(work, now);
  const step = stage === 'roll-back' ? undefined : STEP_OF[stage];
  return {
    kind: 'progress',
    headline,
    stepLine:
      step === undefined
        ? undefined
        : words.stepOf(CONSENT_STEPS.indexOf(step) + 1, words.steps[step]),
    percent: fraction === undefined ? undefined : Math.min(PERCENT_MAX, Math.floor(fraction * 100)),
    remaining: left === undefined || left === 'overdue' ? undefined : words.remaining(left),
    sentences: [
      ...(isInterrupted ? [words.interrupted] : []),
      ...(left === 'overdue' ? [words.overdue] : []),
      ...sentences,
    ],
  };
}

/** What can be said of the rest: from what was foretold, else from the pace so far. */
function estimateLeft(
  { beganAt, done, expected }: NonNullable<Story['work']>,
  now: Temporal.Instant,
): {
  readonly fraction: number | undefined;
  readonly left: Minutes | 'overdue' | undefined;
} {
  const elapsedMs = Math.max(0, now.since(Temporal.Instant.from(beganAt)).total('milliseconds'));
  if (expected !== null && expected.high > 0) {
    const left = {
      low: Math.max(0, expected.low - elapsedMs),
      likely: Math.max(0, expected.likely - elapsedMs),
      high: expected.high - elapsedMs,
    };
    const fraction = Math.max(done, Math.min(1, elapsedMs / Math.max(1, expected.likely)));
    return { fraction, left: left.high < 0 ? 'overdue' : minutesOf(left) };
  }
  if (done <= 0) return { fraction: undefined, left: undefined };
  const restMs = (elapsedMs * (1 - done)) / done;
  return { fraction: done, left: minutesOf({ low: restMs, likely: restMs, high: restMs }) };
}

function drawWaiting(situation: Situation, reader: Reader): Screen | undefined {
  const { story, unmet, timeZone, authority } = situation;
  const { words, language, role } = reader;
  const { update, consent, waiting } = story;
  if (update !== null && consent !== null && isConsentWait(waiting)) {
    const mayReconsider = mayDecide(authority, role, consent.step);
    const { correlationId } = update;
    const date = consent.at === null ? '' : dateOf(consent.at, language, timeZone);
    const decided = { kind: 'decided', correlationId, mayReconsider } as const;
    switch (consent.decision) {
      case 'declined':
        return { ...decided, ...declinedMessage(consent.installsItselfAt, situation, reader) };
      case 'postponed':
        return { ...decided, ...words.postponedUntil(date) };
      case 'accepted':
        if (consent.at === null) break;
        return { ...decided, ...words.agreedFor(consent.step, date) };
      case 'pending':
        return { kind: 'waiting', ...words.waiting.question };
      default:
        return unreachable(consent.decision);
    }
  }
  if (waiting === null) {
    return update === null
      ? undefined
      : { kind: 'progress', ...NO_FIGURES, ...words.working.check };
  }
  const kind = WAITING_KINDS.get(waiting) ?? 'other';
  const { headline, sentences } = words.waiting[kind];
  const wanted = kind === 'conditions' ? unmet.map((id) => conditionOf(id, words)) : [];
  return { kind: 'waiting', headline, sentences: [...sentences, ...new Set(wanted)] };
}

/** A no that does not hold for ever says so. */
function declinedMessage(
  installsItselfAt: string | null,
  { timeZone }: Situation,
  { words, language }: Reader,
): Message {
  if (installsItselfAt === null) return words.declined;
  const { thenInstalls, mandatory } = consentWords(language);
  const date = dateOf(installsItselfAt, language, timeZone);
  return { headline: words.declined.headline, sentences: [mandatory, thenInstalls(date)] };
}

const NO_FIGURES = { stepLine: undefined, percent: undefined, remaining: undefined } as const;

function drawIdle({ story, timeZone }: Situation, { words, language }: Reader): Screen {
  const { checkedAt } = story;
  if (checkedAt === null) return { kind: 'idle', ...words.unchecked };
  const { headline, sentences } = words.idle;
  const checked = words.lastChecked(dateOf(checkedAt, language, timeZone));
  return { kind: 'idle', headline, sentences: [...sentences, checked] };
}

function isConsentWait(waiting: string | null): boolean {
  return waiting === null || waiting === 'CONSENT_PENDING' || waiting === 'CONSENT_DECLINED';
}

const WAITING_KINDS: ReadonlyMap<string, WaitingKind> = new Map<string, WaitingKind>([
  ['CONDITIONS', 'conditions'],
  ['CAMPAIGN_CONDITIONS', 'campaign'],
  ['POLICY_UNREADABLE', 'unreadable'],
  ['WINDOW_CLOSED', 'hours'],
  ['NETWORK_METERED', 'metered'],
  ['CAMPAIGN_ENDED', 'ended'],
  ['NETWORK', 'network'],
  ['SERVER_UNTRUSTED', 'network'],
  ['HTTP_STATUS', 'network'],
  ['SLOW_RETRIEVAL', 'network'],
  ['TIME_UNAVAILABLE', 'network'],
  ['DISK_FULL', 'storage'],
  ['DISK_QUOTA', 'storage'],
  ['ECU_UNREACHABLE', 'ecu'],
  ['TECHNICIAN_PENDING', 'technician'],
  ['NO_WAY_BACK', 'exhausted'],
  ['ATTEMPTS_EXHAUSTED', 'exhausted'],
  ['REFUSED', 'refused'],
  ['CONSENT_PENDING', 'question'],
]);

function conditionOf(id: string, { conditions, otherCondition }: ScreenWords): string {
  return new Map(Object.entries(conditions)).get(id) ?? otherCondition;
}

/** Names an update. */
export function titleOf(notice: Notice, language: Language): string {
  return (
    findWritten(notice.title, language)?.value ??
    findWritten(notice.description, language)?.value ??
    consentWords(language).nothingWritten
  );
}

/** Says what is different now; nothing where nothing was installed. */
export function changesOf(
  { ending, notice }: Pick<HistoryEntry, 'ending' | 'notice'>,
  language: Language,
): readonly string[] {
  return ending === 'success' ? (findWritten(notice.changes, language)?.value ?? []) : [];
}

/** Says where to read in the manual. */
export function manualOf(notice: Notice, language: Language): readonly string[] {
  const found = findWritten(notice.manual, language)?.value ?? [];
  return found.map(({ title, where }) => (where === undefined ? title : `${title}, ${where}`));
}

/** Says a kept instant. */
export function dateOf(kept: string, language: Language, timeZone: string): string {
  return formatDate(Temporal.Instant.from(kept), language, timeZone);
}

function timeOf(at: Temporal.Instant, language: Language, timeZone: string): string {
  return at.toZonedDateTimeISO(timeZone).toLocaleString(language, { timeStyle: 'short' });
}
