/** Holds rules against single events: index first, then the few that remain. */
import { SocFault } from '../soc-fault.ts';
import { compileCondition, type Predicate } from './compile-condition.ts';
import { EventView } from './event-view.ts';
import { RULES_MAX } from './limits.ts';
import { RuleIndex } from './rule-index.ts';
import type { LogSource, SecurityEvent } from './security-event.ts';
import type { EventRule, FilterRule, SigmaRule } from './sigma-rule.ts';
import { witnessesOf } from './witness.ts';

/** Kinds of sources that are kept ready: there are some dozens. */
const SOURCES_KEPT_MAX = 1024;

/** A rule that matched an event. */
export interface Match {
  readonly rule: EventRule;
  readonly event: SecurityEvent;
}

interface CompiledRule {
  readonly rule: EventRule;
  readonly matches: Predicate;
}

/** How rules are held against events. */
export interface DetectorOptions {
  /** False evaluates every rule of the source: for comparison alone. */
  readonly isIndexed?: boolean;
}

/** See the head of the file. */
export class Detector {
  readonly #rules: readonly CompiledRule[];
  readonly #isIndexed: boolean;
  readonly #indices = new Map<string, RuleIndex | readonly number[]>();

  /**
   * @param rules - of any kind; correlations are not for single events and are left to who knows them.
   * @throws SocFault RULE_LIMIT, RULE_MALFORMED when two rules have one id.
   */
  constructor(rules: readonly SigmaRule[], { isIndexed = true }: DetectorOptions = {}) {
    if (rules.length > RULES_MAX) {
      throw new SocFault('RULE_LIMIT', `Cannot load rules: ${rules.length} are too many`);
    }
    const ids = new Set<string>();
    for (const { id } of rules) {
      if (ids.has(id)) throw new SocFault('RULE_MALFORMED', `Cannot load rules: "${id}" twice`);
      ids.add(id);
    }
    const filters = rules.filter((rule) => rule.kind === 'filter');
    this.#isIndexed = isIndexed;
    this.#rules = rules
      .filter((rule) => rule.kind === 'event')
      .map((rule) => ({ rule, matches: compileRule(rule, filters) }));
  }

  /** Finds every rule that an event matches, in the order of the rules. */
  evaluate(event: SecurityEvent): readonly Match[] {
    const view = new EventView(event);
    const found: number[] = [];
    const visit = (number: number): void => {
      if (this.#rules[number]?.matches(view) === true) found.push(number);
    };
    const index = this.#indexOf(event.logSource);
    if (index instanceof RuleIndex) index.forEach(view, visit);
    else for (const number of index) visit(number);
    if (found.length === 0) return [];
    return found
      .toSorted((a, b) => a - b)
      .flatMap((number) => {
        const compiled = this.#rules[number];
        return compiled === undefined ? [] : [{ rule: compiled.rule, event }];
      });
  }

  #indexOf(source: LogSource): RuleIndex | readonly number[] {
    const key = `${source.product ?? ''}\n${source.category ?? ''}\n${source.service ?? ''}`;
    const known = this.#indices.get(key);
    if (known !== undefined) return known;
    const concerned = [...this.#rules.entries()]
      .filter(([, { rule }]) => concerns(rule.logSource, source))
      .map(([number, { rule }]) => ({
        rule: number,
        witnesses: witnessesOf(rule.condition, rule.selections),
      }));
    const index = this.#isIndexed ? new RuleIndex(concerned) : concerned.map(({ rule }) => rule);
    // Sources come from outside: whoever invents them makes no memory grow.
    if (this.#indices.size >= SOURCES_KEPT_MAX) this.#indices.clear();
    this.#indices.set(key, index);
    return index;
  }
}

/** What a rule leaves open, any source has. */
function concerns(asked: LogSource, source: LogSource): boolean {
  return (
    (asked.product === undefined || asked.product === source.product) &&
    (asked.category === undefined || asked.category === source.category) &&
    (asked.service === undefined || asked.service === source.service)
  );
}

function compileRule(rule: EventRule, filters: readonly FilterRule[]): Predicate {
  const matches = compileCondition(rule.condition, rule.selections);
  const own = filters
    .filter(
      ({ rules, logSource }) =>
        concerns(logSource, rule.logSource) &&
        rules.some((name) => name === 'any' || name === rule.id || name === rule.name),
    )
    .map((filter) => compileCondition(filter.condition, filter.selections));
  if (own.length === 0) return matches;
  return (view) => matches(view) && own.every((lets) => lets(view));
}
