/**
 * The exact words of a question, in one language: the five facts {R156 7.2.2.2}, what the step does, and
 * the terms for waiting. What a receipt names is the SHA-256 of these words, so a screen shows all of
 * them and nothing that is not among them.
 */
import { createHash } from 'node:crypto';
import type { Estimate } from '../transaction/experience.ts';
import type { ConsentRequest, Question, QuestionSection } from './consent-port.ts';
import { findWritten, isSameLanguage, type Notice, purposeOf } from './notice.ts';
import type { PostponeTerms } from './postpone.ts';
import type { ConsentWords, Minutes } from './words/consent-words.ts';
import { consentWords, type Language, nameLanguage, nearestLanguage } from './words/words.ts';

/** What a question is made of. */
export type QuestionParts = Omit<ConsentRequest, 'correlationId' | 'question'>;

const MINUTE_MS = 60_000;

/** Writes a question in the nearest language of ours. */
export function renderQuestion(parts: QuestionParts, locale: string): Question {
  const { notice, step, terms, timeZone } = parts;
  const language = nearestLanguage(locale);
  const words = consentWords(language);
  const reader = { words, language, locale };
  const title = findWritten(notice.title, locale)?.value ?? words.nothingWritten;
  const { headings } = words;
  const sections: readonly QuestionSection[] = [
    { id: 'purpose', heading: headings.purpose, lines: purposeLines(notice, reader) },
    {
      id: 'changes',
      heading: headings.changes,
      lines: linesOf(notice.changes, reader) ?? [words.noChanges],
    },
    { id: 'time', heading: headings.time, lines: timeLines(parts, words) },
    { id: 'unavailable', heading: headings.unavailable, lines: unavailableLines(parts, reader) },
    {
      id: 'instructions',
      heading: headings.instructions,
      lines: [
        ...(linesOf(notice.instructions, reader) ?? [words.noInstructions]),
        words.stepEffect[step],
      ],
    },
    {
      id: 'terms',
      heading: headings.terms,
      lines: termLines(terms, { words, language, timeZone }),
    },
  ];
  const ask = words.ask[step];
  const text = joinQuestion(title, sections, ask);
  const sha256 = createHash('sha256').update(text).digest('hex');
  return { locale: language, title, sections, ask, text, sha256 };
}

/** Puts the parts into one text. A screen does the same with what it shows, and counts the hash. */
function joinQuestion(title: string, sections: readonly QuestionSection[], ask: string): string {
  const parts = sections.flatMap(({ heading, lines }) => [heading, ...lines]);
  return [title, ...parts, ask].join('\n');
}

interface Reader {
  readonly words: ConsentWords;
  readonly language: Language;
  readonly locale: string;
}

/** {R156 7.2.2.2} (a). */
function purposeLines(notice: Notice, reader: Reader): readonly string[] {
  const { words, locale } = reader;
  const texts = [notice.description, notice.purpose?.text ?? {}].flatMap((written) => {
    const found = findWritten(written, locale);
    return found === undefined ? [] : withNote([found.value], found.locale, reader);
  });
  // Said once, even when both texts are foreign.
  const said = [...new Set(texts)];
  return [
    words.purposes[purposeOf(notice)],
    ...(said.length === 0 ? [words.nothingWritten] : said),
  ];
}

/** {R156 7.2.2.2} (c): never less than this vehicle has shown to need. */
function timeLines(
  { step, prepare, unusable, downloadBytes }: QuestionParts,
  words: ConsentWords,
): readonly string[] {
  const lines: string[] = [];
  if (step === 'download') lines.push(words.downloadSize((downloadBytes / 1_000_000).toFixed(1)));
  if (step !== 'activate' && prepare !== undefined)
    lines.push(words.prepareTime(minutesOf(prepare)));
  if (unusable.high > 0) lines.push(words.unusableTime(minutesOf(unusable)));
  return lines.length === 0 ? [words.allWorks] : lines;
}

/** {R156 7.2.2.2} (d). */
function unavailableLines({ notice }: QuestionParts, reader: Reader): readonly string[] {
  const { unavailableTexts, unavailable } = notice;
  const lines = linesOf(unavailableTexts, reader);
  if (lines !== undefined) return lines;
  return unavailable.length === 0 ? [reader.words.allWorks] : [unavailable.join(', ')];
}

function termLines(
  terms: PostponeTerms,
  { words, language, timeZone }: Omit<Reader, 'locale'> & { readonly timeZone: string },
): readonly string[] {
  const { left, lastAt, isMandatory, installsItself } = terms;
  const date = lastAt === undefined ? undefined : formatDate(lastAt, language, timeZone);
  // A no that ends is not said to last.
  const isTillThen = installsItself && date !== undefined;
  return [
    ...(isMandatory ? [words.mandatory] : []),
    isTillThen ? words.mayRefuseUntil(date) : words.mayRefuse,
    left === 0 ? words.noPostponementLeft : words.postponementsLeft(left),
    ...(isTillThen ? [words.thenInstalls(date)] : []),
    ...(date === undefined || installsItself ? [] : [words.lastDate(date), words.thenAsks(date)]),
  ];
}

function linesOf(
  written: Readonly<Record<string, readonly string[]>>,
  reader: Reader,
): readonly string[] | undefined {
  const found = findWritten(written, reader.locale);
  if (found === undefined || found.value.length === 0) return undefined;
  return withNote(found.value, found.locale, reader);
}

function withNote(
  lines: readonly string[],
  locale: string,
  { words, language, locale: wanted }: Reader,
): readonly string[] {
  if (isSameLanguage(locale, wanted)) return lines;
  return [...lines, words.onlyWrittenIn(nameLanguage(locale, language))];
}

/** Whole minutes, outward: nobody is told less than it may take. */
export function minutesOf({ low, high }: Estimate): Minutes {
  const most = Math.max(1, Math.ceil(high / MINUTE_MS));
  return { low: Math.min(most, Math.max(1, Math.floor(low / MINUTE_MS))), high: most };
}

/** Says an instant as the people at the vehicle do. */
export function formatDate(at: Temporal.Instant, language: Language, timeZone: string): string {
  return at.toZonedDateTimeISO(timeZone).toLocaleString(language, {
    dateStyle: 'long',
    timeStyle: 'short',
  });
}
