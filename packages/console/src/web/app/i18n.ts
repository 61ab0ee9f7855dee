/** Languages: one chunk each, loaded before the first screen; the choice stays in this browser. */
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import type { EN } from '../locales/en/index.ts';

declare module 'i18next' {
  interface CustomTypeOptions {
    defaultNS: 'common';
    resources: typeof EN;
    enableSelector: false;
  }
}

/** Languages of the console, by their own names. */
export const LANGUAGES = { en: 'English', de: 'Deutsch', zh: '中文' } as const;
/** One of them. */
export type Language = keyof typeof LANGUAGES;

const STORED = 'immota-language';

/** Begins with the language that was chosen before, or else the browser's. */
export async function startLanguages(): Promise<void> {
  await i18next.use(initReactI18next).init({
    lng: 'none',
    fallbackLng: false,
    defaultNS: 'common',
    resources: {},
    // React escapes what it writes; twice would show entities.
    interpolation: { escapeValue: false },
    returnNull: false,
  });
  const wanted = [localStorage.getItem(STORED), ...navigator.languages];
  const found = wanted.map((tag) => tag?.slice(0, 2)).find(isLanguage);
  await chooseLanguage(found ?? 'en');
}

/** Changes the language, and remembers it. */
export async function chooseLanguage(language: Language): Promise<void> {
  for (const [name, texts] of Object.entries(await load(language))) {
    i18next.addResourceBundle(language, name, texts);
  }
  await i18next.changeLanguage(language);
  document.documentElement.lang = language === 'zh' ? 'zh-Hans' : language;
  localStorage.setItem(STORED, language);
}

async function load(language: Language): Promise<object> {
  switch (language) {
    case 'de':
      return (await import('../locales/de/index.ts')).DE;
    case 'zh':
      return (await import('../locales/zh/index.ts')).ZH;
    case 'en':
      return (await import('../locales/en/index.ts')).EN;
  }
}

/** Tells whether a tag is a language of ours. */
export function isLanguage(tag: string | null | undefined): tag is Language {
  return tag !== undefined && tag !== null && tag in LANGUAGES;
}
