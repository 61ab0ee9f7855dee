/** The name of one case: `stm32f4/update/17t1+4b0` is a part, a story, and each cut of it. */
import type { Cut } from './cut-bench.ts';

const LETTERS: Readonly<Record<Cut['kind'], string>> = {
  before: 'b',
  torn: 't',
  marginal: 'm',
  after: 'a',
};
const KINDS = new Map<string, Cut['kind']>([
  ['b', 'before'],
  ['t', 'torn'],
  ['m', 'marginal'],
  ['a', 'after'],
]);
/** More cuts in one story than any that is told. */
const CUTS_MAX = 16;

/** Names a case. */
export function caseId(place: string, cuts: readonly Cut[]): string {
  const texts = cuts.map(({ operation, kind, seed }) => `${operation}${LETTERS[kind]}${seed}`);
  return `${place}/${texts.join('+')}`;
}

/** Reads a name; undefined when it is none. */
export function parseCaseId(
  text: string,
): { readonly place: string; readonly cuts: readonly Cut[] } | undefined {
  const match = /^(?<place>[\w-]+\/[\w-]+)\/(?<cuts>[\w+]*)$/.exec(text);
  const { place, cuts } = match?.groups ?? {};
  if (place === undefined || cuts === undefined) return undefined;
  const parsed = cuts === '' ? [] : cuts.split('+', CUTS_MAX).map(parseCut);
  const known = parsed.filter((cut) => cut !== undefined);
  return known.length === parsed.length ? { place, cuts: known } : undefined;
}

function parseCut(text: string): Cut | undefined {
  const match = /^(?<operation>\d{1,6})(?<letter>[btma])(?<seed>\d{1,10})$/.exec(text);
  const { operation, letter, seed } = match?.groups ?? {};
  const kind = letter === undefined ? undefined : KINDS.get(letter);
  if (operation === undefined || kind === undefined || seed === undefined) return undefined;
  return { operation: Number(operation), kind, seed: Number(seed) };
}
