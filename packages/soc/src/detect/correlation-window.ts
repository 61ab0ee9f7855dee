/** What one group of a correlation remembers, and whether its condition holds. */
import { unreachable } from '@immota/base';
import { compare } from './compile-condition.ts';
import { GROUP_ENTRIES_MAX } from './limits.ts';
import type { Condition, CorrelationRule } from './sigma-rule.ts';

/** One finding of a joined rule. */
export interface WindowEntry {
  readonly atMs: number;
  /** Which of the joined rules it was, by its place. */
  readonly rule: number;
  /** The counted field's value, where there is one. */
  readonly value: string | number | undefined;
  readonly eventId: string;
}

/** A group: entries in the order of their times, and when it last told. */
export interface Window {
  entries: WindowEntry[];
  /** Until then it does not tell again: one attack is one finding. */
  quietUntilMs: number;
  /** Entries that were forgotten because there were too many. */
  dropped: number;
}

/** A new group. */
export function emptyWindow(): Window {
  return { entries: [], quietUntilMs: -Infinity, dropped: 0 };
}

/** Adds an entry in the order of its time; events may come late. */
export function addEntry(window: Window, entry: WindowEntry): void {
  const { entries } = window;
  let at = entries.length;
  while (at > 0 && (entries[at - 1]?.atMs ?? 0) > entry.atMs) at -= 1;
  if (at === entries.length) entries.push(entry);
  else entries.splice(at, 0, entry);
  if (entries.length > GROUP_ENTRIES_MAX) {
    entries.shift();
    window.dropped += 1;
  }
}

/** Forgets what is older than the window that ends at an instant. */
export function forgetBefore(window: Window, atMs: number): void {
  const { entries } = window;
  let keep = 0;
  while (keep < entries.length && (entries[keep]?.atMs ?? 0) < atMs) keep += 1;
  if (keep > 0) entries.splice(0, keep);
}

/** Tells whether what a group remembers meets the rule's condition, all of its entries within one window. */
export function holds(rule: CorrelationRule, entries: readonly WindowEntry[]): boolean {
  switch (rule.type) {
    case 'event_count':
      return isWithin(rule, entries.length);
    case 'value_count':
      return isWithin(rule, new Set(entries.map(({ value }) => value)).size);
    case 'temporal':
      return rule.expression === undefined
        ? isWithin(rule, new Set(entries.map((entry) => entry.rule)).size, rule.rules.length)
        : isMet(rule.expression, rule, new Set(entries.map((entry) => entry.rule)));
    case 'temporal_ordered':
      return isInOrder(rule, entries);
    case 'value_sum':
      return isWithin(rule, sum(numbersOf(entries)));
    case 'value_avg': {
      const numbers = numbersOf(entries);
      return numbers.length > 0 && isWithin(rule, sum(numbers) / numbers.length);
    }
    case 'value_percentile': {
      const numbers = numbersOf(entries).toSorted((a, b) => a - b);
      return numbers.length > 0 && isWithin(rule, percentileOf(numbers, rule.percentile));
    }
    default:
      return unreachable(rule.type);
  }
}

/** Tells whether a rule waits for something that does not come: it is judged when its time is over. */
export function isOfAbsence({ expression }: CorrelationRule): boolean {
  return expression !== undefined && hasNot(expression);
}

function hasNot(condition: Condition): boolean {
  if (condition.kind === 'not') return true;
  return condition.kind !== 'selection' && condition.parts.some(hasNot);
}

function isMet(condition: Condition, rule: CorrelationRule, seen: ReadonlySet<number>): boolean {
  switch (condition.kind) {
    case 'selection':
      return seen.has(rule.rules.indexOf(condition.name));
    case 'not':
      return !isMet(condition.part, rule, seen);
    case 'and':
      return condition.parts.every((part) => isMet(part, rule, seen));
    case 'or':
      return condition.parts.some((part) => isMet(part, rule, seen));
    default:
      return unreachable(condition);
  }
}

/** @param least - what must be reached where the rule states no bound. */
function isWithin({ bounds }: CorrelationRule, value: number, least = 1): boolean {
  if (bounds.length === 0) return value >= least;
  return bounds.every((bound) => compare(value, bound.comparison, bound.value));
}

/** The rules must have been seen one after the other, whatever was between. */
function isInOrder(rule: CorrelationRule, entries: readonly WindowEntry[]): boolean {
  let next = 0;
  for (const entry of entries) {
    if (entry.rule === next) next += 1;
  }
  return isWithin(rule, next, rule.rules.length);
}

function numbersOf(entries: readonly WindowEntry[]): readonly number[] {
  return entries.flatMap(({ value }) => {
    const number = typeof value === 'number' ? value : Number(value);
    return value === undefined || value === '' || !Number.isFinite(number) ? [] : [number];
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** The nearest rank. */
function percentileOf(sorted: readonly number[], percentile: number): number {
  const rank = Math.max(1, Math.ceil((percentile / 100) * sorted.length));
  return sorted[rank - 1] ?? Number.NaN;
}
