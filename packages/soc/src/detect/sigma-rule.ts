/**
 * A Sigma rule as it was read: everything in it has a meaning here, or it would have been refused.
 *
 * @source Sigma specification 2.1.0: rules, correlation rules, modifiers, filters
 */
import type { FieldValue, LogSource } from './security-event.ts';

/** How bad it is. */
export const LEVELS = ['informational', 'low', 'medium', 'high', 'critical'] as const;
/** One of them. */
export type Level = (typeof LEVELS)[number];

/** Part of a text pattern. */
export type PatternPart =
  | { readonly kind: 'literal'; readonly text: string }
  /** Any number of characters. */
  | { readonly kind: 'many' }
  /** Exactly one. */
  | { readonly kind: 'one' };

/** How numbers compare. */
export type Comparison = 'lt' | 'lte' | 'gt' | 'gte' | 'eq' | 'neq';

/** Which part of an instant is asked for. */
export type TimePart = 'minute' | 'hour' | 'day' | 'week' | 'month' | 'year';

/** What one value asks of a field. */
export type Matcher =
  | { readonly kind: 'pattern'; readonly parts: readonly PatternPart[]; readonly isCased: boolean }
  | { readonly kind: 'regex'; readonly source: string; readonly flags: string }
  | { readonly kind: 'number'; readonly comparison: Comparison; readonly value: number }
  | { readonly kind: 'time'; readonly part: TimePart; readonly value: number }
  | { readonly kind: 'literal'; readonly value: FieldValue }
  | { readonly kind: 'exists'; readonly isThere: boolean }
  | { readonly kind: 'cidr'; readonly network: string }
  | {
      readonly kind: 'field';
      readonly field: string;
      readonly how: 'equals' | 'contains' | 'startswith' | 'endswith';
      readonly isCased: boolean;
    };

/** What is asked of one field; of any field when it has no name. */
export interface FieldTest {
  readonly field: string | undefined;
  readonly matchers: readonly Matcher[];
  /** Whether all of them must match, and not only one. */
  readonly needsAll: boolean;
}

/** Alternatives, each of which asks several things at once. */
export type Selection = readonly (readonly FieldTest[])[];

/** A condition over selections. */
export type Condition =
  | { readonly kind: 'selection'; readonly name: string }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition };

/** A test that a rule carries with it: it must fire, or must not. */
export interface RuleTest {
  readonly name: string;
  readonly events: readonly {
    readonly afterMs: number;
    readonly fields: ReadonlyMap<string, FieldValue>;
  }[];
  readonly fires: boolean;
}

/** What every rule has. */
export interface RuleHead {
  readonly id: string;
  /** By which correlations may name it too. */
  readonly name: string | undefined;
  readonly title: string;
  readonly level: Level;
  readonly tags: readonly string[];
  readonly description: string;
  /** Ours, under `x-immota`: threats, playbook, tests. */
  readonly threats: readonly string[];
  readonly playbook: string | undefined;
  readonly tests: readonly RuleTest[];
}

/** A rule over single events. */
export interface EventRule extends RuleHead {
  readonly kind: 'event';
  readonly logSource: LogSource;
  readonly selections: ReadonlyMap<string, Selection>;
  readonly condition: Condition;
}

/** What a correlation counts. */
export type CorrelationType =
  | 'event_count'
  | 'value_count'
  | 'temporal'
  | 'temporal_ordered'
  | 'value_sum'
  | 'value_avg'
  | 'value_percentile';

/** A rule over what other rules found, within a time. */
export interface CorrelationRule extends RuleHead {
  readonly kind: 'correlation';
  readonly type: CorrelationType;
  /** Ids or names, in order. */
  readonly rules: readonly string[];
  readonly groupBy: readonly string[];
  readonly timespanMs: number;
  /** All of these must hold of what is counted; for temporal ones, of how many rules were seen. */
  readonly bounds: readonly { readonly comparison: Comparison; readonly value: number }[];
  /** Whose values are counted, summed or ranked. */
  readonly field: string | undefined;
  /** Between 0 and 100. */
  readonly percentile: number;
  /** For a temporal one: which rules must have been seen, and which not {Sigma specification 198}. */
  readonly expression: Condition | undefined;
  /** For each group field the name that it has in each rule. */
  readonly aliases: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Whether the rules that it joins tell their own findings too. */
  readonly generatesBase: boolean;
}

/** A filter: what does not meet it, the rules that it names do not find. */
export interface FilterRule extends RuleHead {
  readonly kind: 'filter';
  readonly logSource: LogSource;
  readonly rules: readonly string[];
  readonly selections: ReadonlyMap<string, Selection>;
  readonly condition: Condition;
}

/** A document of a rule file. */
export type SigmaRule = EventRule | CorrelationRule | FilterRule;
