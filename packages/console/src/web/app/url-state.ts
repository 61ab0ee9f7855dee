/** What a screen shows is written in its address: it can be sent to a colleague, and Back works. */
import { useLocation, useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';

/** Texts by name, as they stand behind the question mark. */
export type UrlState<Key extends string> = { readonly [K in Key]?: string };

/**
 * Reads and writes the part behind the question mark.
 *
 * @returns what stands there, and what changes some of it; undefined and '' take a name away.
 */
export function useUrlState<Key extends string>(): readonly [
  UrlState<Key>,
  (change: { readonly [K in Key]?: string | undefined }, replaces?: boolean) => void,
] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parseSearch gives texts and nothing else
  const state = useLocation().search as UrlState<Key>;
  const navigate = useNavigate();
  const change = useCallback(
    (next: { readonly [K in Key]?: string | undefined }, replaces = false) => {
      void navigate({
        to: '.',
        replace: replaces,
        search: (before: Readonly<Record<string, unknown>>) => clean({ ...before, ...next }),
      });
    },
    [navigate],
  );
  return [state, change];
}

/** Reads an address's query: texts and nothing else. */
export function parseSearch(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search));
}

/** Writes an address's query. */
export function stringifySearch(state: Readonly<Record<string, unknown>>): string {
  const search = new URLSearchParams(clean(state)).toString();
  return search === '' ? '' : `?${search}`;
}

function clean(state: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(state).flatMap(([name, value]) =>
      typeof value === 'string' && value !== '' ? [[name, value]] : [],
    ),
  );
}
