/** Words for codes that the cloud sends: known ones in the reader's language, others not at all. */
import { useCallback } from 'react';
import { useTranslation } from 'react-i18next';
import type { EN } from '../locales/en/index.ts';

/** Finds a word by a key that is not known before it comes. */
export function useLookup(): (namespace: keyof typeof EN, key: string) => string | undefined {
  const { i18n } = useTranslation();
  return useCallback(
    (namespace, key) => {
      const found: unknown = i18n.getResource(i18n.language, namespace, key);
      return typeof found === 'string' ? found : undefined;
    },
    [i18n],
  );
}
