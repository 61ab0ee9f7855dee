/** Finds every citation in the repository and holds it against the standards. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Place, readSource } from '../tidy/source.ts';
import type { Standards } from './standards.ts';

/** A requirement and the places that stand for it, each as `file:line`. */
export interface Trace {
  /** Tag and clause, as cited: `uptane L6`. */
  readonly id: string;
  readonly section: string;
  readonly words: string;
  readonly code: readonly string[];
  readonly tests: readonly string[];
  readonly carriedBy?: string;
  /** What it still lacks; undefined when nothing. */
  readonly gap?: string;
}

/** What was found. */
export interface Tracing {
  readonly traces: readonly Trace[];
  /** Citations that no standard has, and documents that are not there. */
  readonly faults: readonly string[];
}

/** A tag of one or two words, then a clause; `{gte: 1}` is a mapping of YAML, for no tag is a small word and a colon. */
const CITATION =
  /\{(?![a-z]+: )([A-Za-z0-9][\w:.-]*(?: [A-Z0-9][\w:.-]*)?) ((?:Annex )?[A-Z]{0,2}\d+(?:\.\d+)*)\}/g;

const CODE = ['packages/*/src/**/*.{ts,tsx,sql}'];
const TESTS = ['packages/*/test/**/*.{ts,tsx}', '{simulation,conformance}/**/*.ts'];
const TEXTS = ['README.md', 'docs/**/*.md'];

interface Citation {
  readonly id: string;
  readonly place: string;
  /** True where it counts: in a comment of the code, in a string of a test. */
  readonly counts: boolean;
}

/**
 * Traces every requirement of the listed standards.
 *
 * @param root - the repository's folder.
 * @param standards - what may be cited.
 */
export function traceClauses(root: string, standards: Standards): Tracing {
  const faults: string[] = [];
  const code = findCitations(root, CODE, faults);
  const tests = findCitations(root, TESTS, faults);
  for (const { id, place } of [...code, ...tests, ...findCitations(root, TEXTS, faults)]) {
    if (!isKnown(id, standards)) faults.push(`${place}: {${id}} is in no standard of docs/clauses`);
  }
  const traces = standards.listed.flatMap(({ tag, clauses }) =>
    Object.entries(clauses).map(([clause, { section, words, carriedBy }]): Trace => {
      const id = `${tag} ${clause}`;
      const placesIn = (citations: readonly Citation[]): readonly string[] =>
        citations.filter((each) => each.counts && each.id === id).map(({ place }) => place);
      const trace = { id, section, words, code: placesIn(code), tests: placesIn(tests) };
      if (carriedBy !== undefined) {
        if (!existsSync(join(root, carriedBy))) faults.push(`${id}: ${carriedBy} is not there`);
        return { ...trace, carriedBy };
      }
      const gap = gapOf(trace);
      return gap === undefined ? trace : { ...trace, gap };
    }),
  );
  return { traces, faults };
}

function gapOf({ code, tests }: Pick<Trace, 'code' | 'tests'>): string | undefined {
  if (code.length === 0) return tests.length === 0 ? 'no code and no test' : 'no code';
  return tests.length === 0 ? 'no test' : undefined;
}

function isKnown(id: string, { listed, open }: Standards): boolean {
  const split = /^(.*?) ((?:Annex )?\S+)$/.exec(id);
  const [tag = '', clause = ''] = split?.slice(1) ?? [];
  if (open.some((pattern) => pattern.test(tag))) return true;
  return listed.some((each) => each.tag === tag && Object.hasOwn(each.clauses, clause));
}

function findCitations(
  root: string,
  patterns: readonly string[],
  faults: string[],
): readonly Citation[] {
  const isTest = patterns === TESTS;
  const files = globSync(patterns, { cwd: root, exclude: ['**/node_modules/**'] }).toSorted();
  return files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    if (!/\.tsx?$/.test(file)) return cite(file, [{ text, line: 1 }], true, faults);
    const { comments, strings } = readSource(file, text);
    return [...cite(file, comments, !isTest, faults), ...cite(file, strings, isTest, faults)];
  });
}

function cite(
  file: string,
  places: readonly Place[],
  counts: boolean,
  faults: string[],
): readonly Citation[] {
  return places.flatMap(({ text, line }) => {
    const placeAt = (index: number): string =>
      `${file}:${line + text.slice(0, index).split('\n').length - 1}`;
    for (const { 0: found, index } of text.matchAll(/\{uptane\b[^}]*\}/g)) {
      if (!/^\{uptane [A-Z]\d+\}$/.test(found)) {
        faults.push(`${placeAt(index)}: ${found} is no citation; write {uptane L6}, one a brace`);
      }
    }
    return [...text.matchAll(CITATION)].map(({ 1: tag, 2: clause, index }) => ({
      id: `${tag} ${clause}`,
      place: placeAt(index),
      counts,
    }));
  });
}
