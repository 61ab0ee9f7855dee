/** Our own words around what the maker has written, in each language that we speak ourselves. */
import type { ConsentRole, ConsentStep } from '../authority.ts';
import type { PurposeKind } from '../notice.ts';
import { GERMAN } from './de.ts';
import { ENGLISH } from './en.ts';
import { CHINESE } from './zh.ts';

/** The languages whose words we have; what a maker wrote may be in more. */
export const LANGUAGES = ['en', 'de', 'zh'] as const;
/** One of them. */
export type Language = (typeof LANGUAGES)[number];

/** Minutes, both ends included; the same twice where there is no range. */
export interface Minutes {
  readonly low: number;
  readonly high: number;
}

/** Everything that is said around a notice. */
export interface ConsentWords {
  readonly nothingWritten: string;
  readonly headings: {
    readonly purpose: string;
    readonly changes: string;
    readonly time: string;
    readonly unavailable: string;
    readonly instructions: string;
    readonly terms: string;
  };
  readonly purposes: Readonly<Record<PurposeKind, string>>;
  readonly noChanges: string;
  readonly allWorks: string;
  readonly noInstructions: string;
  readonly ask: Readonly<Record<ConsentStep, string>>;
  readonly roles: Readonly<Record<ConsentRole, string>>;
  /** What the step itself does to the vehicle's use. */
  readonly stepEffect: Readonly<Record<ConsentStep, string>>;
  downloadSize(this: void, megabytes: string): string;
  prepareTime(this: void, minutes: Minutes): string;
  unusableTime(this: void, minutes: Minutes): string;
  readonly mayRefuse: string;
  mayRefuseUntil(this: void, date: string): string;
  postponementsLeft(this: void, left: number): string;
  readonly noPostponementLeft: string;
  readonly mandatory: string;
  lastDate(this: void, date: string): string;
  thenAsks(this: void, date: string): string;
  thenInstalls(this: void, date: string): string;
  /** Said where the maker has not written in the reader's language. */
  onlyWrittenIn(this: void, language: string): string;
}

const WORDS: Readonly<Record<Language, ConsentWords>> = {
  en: ENGLISH,
  de: GERMAN,
  zh: CHINESE,
};

/** Finds the language of ours that is nearest to what somebody reads. */
export function nearestLanguage(locale: string): Language {
  const [language] = locale.toLowerCase().split('-');
  return LANGUAGES.find((one) => one === language) ?? 'en';
}

/** Finds our words in a language. */
export function consentWords(language: Language): ConsentWords {
  return WORDS[language];
}

/** Names a language in another one, as its speakers do; its tag where that is unknown. */
export function nameLanguage(tag: string, reader: Language): string {
  try {
    return new Intl.DisplayNames([reader], { type: 'language' }).of(tag) ?? tag;
  } catch (error) {
    // A tag comes from outside and need be none.
    if (error instanceof RangeError) return tag;
    throw error;
  }
}
