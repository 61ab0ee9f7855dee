/** What the screens say, in each language that we speak ourselves. */
import type { Language } from '../../consent/words/words.ts';
import { GERMAN } from './de.ts';
import { ENGLISH } from './en.ts';
import type { ScreenWords } from './screen-words.ts';
import { CHINESE } from './zh.ts';

const WORDS: Readonly<Record<Language, ScreenWords>> = {
  en: ENGLISH,
  de: GERMAN,
  zh: CHINESE,
};

/** Finds the screens' words in a language. */
export function screenWords(language: Language): ScreenWords {
  return WORDS[language];
}
