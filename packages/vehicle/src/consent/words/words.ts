/** Our own words around what the maker has written, in each language that we speak ourselves. */
import type { ConsentWords } from './consent-words.ts';
import { GERMAN } from './de.ts';
import { ENGLISH } from './en.ts';
import { CHINESE } from './zh.ts';

/** The languages whose words we have; what a maker wrote may be in more. */
export const LANGUAGES = ['en', 'de', 'zh'] as const;
/** One of them. */
export type Language = (typeof LANGUAGES)[number];

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
