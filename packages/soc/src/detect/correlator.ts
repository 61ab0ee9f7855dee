/**
 * Joins what rules found, by group and within sliding times. Time is the events' own: a watermark follows
 * the latest of them, and what comes later than the patience allows is counted and left out.
 */
import { SocFault } from '../soc-fault.ts';
import {
  addEntry,
  emptyWindow,
  forgetBefore,
  holds,
  isOfAbsence,
  type Window,
  type WindowEntry,
} from './correlation-window.ts';
import type { Match } from './detector.ts';
import { GROUPS_MAX } from './limits.ts';
import type { FieldValue } from './security-event.ts';
import type { CorrelationRule, Level, RuleHead, SigmaRule } from './sigma-rule.ts';

/** What rules found: one event, or many joined. */
export interface Finding {
  readonly ruleId: string;
  readonly title: string;
  readonly level: Level;
  readonly atMs: number;
  /** Of the events behind it; the last ones where there are many. */
  readonly eventIds: readonly string[];
  /** By what it is grouped, and the fields of its event. */
  readonly fields: ReadonlyMap<string, FieldValue>;
  readonly rule: RuleHead;
}

/** What was left out, so that nobody takes silence for peace. */
export interface CorrelatorCounts {
  /** Groups that were forgotten because there were too many. */
  readonly evictedGroups: number;
  /** Findings that came after their window was over. */
  readonly late: number;
  /** Entries that were forgotten because one group had too many. */
  readonly droppedEntries: number;
}

/** A group as it is kept over a restart. */
export interface KeptGroup {
  readonly ruleId: string;
  readonly key: string;
  readonly quietUntilMs: number | null;
  readonly entries: readonly (readonly [
    atMs: number,
    rule: number,
    value: string | number | null,
    eventId: string,
  ])[];
}

/** How patient the correlator is. */
export interface CorrelatorOptions {
  /** How much later than the latest event another may come. */
  readonly latenessMs?: number;
  readonly groupsMax?: number;
  /** Whether rules that are joined tell their own findings too, whatever the rules say: for their tests. */
  readonly tellsAll?: boolean;
}

/** Vehicles tell within some minutes; those that were out of reach are told of by their own rules. */
const LATENESS_MS = 10 * 60_000;
/** Events named by one finding. */
const EVENT_IDS_MAX = 100;

interface Joined {
  readonly rule: CorrelationRule;
  readonly place: number;
}

interface State {
  readonly rule: CorrelationRule;
  readonly groups: Map<string, Window>;
}

/** See the head of the file. */
export class Correlator {
  readonly #states = new Map<string, State>();
  /** Correlations that join a rule, by its id and its name. */
  readonly #joinedBy = new Map<string, readonly Joined[]>();
  /** Rules whose own findings are not told. */
  readonly #silent = new Set<string>();
  readonly #latenessMs: number;
  readonly #groupsMax: number;
  readonly #tellsAll: boolean;
  #watermarkMs = -Infinity;
  #evictedGroups = 0;
  #late = 0;
  #droppedEntries = 0;

  /**
   * @param rules - of any kind; every rule that a correlation joins must be among them.
   * @throws SocFault RULE_MALFORMED when one is missing, or correlations go round in a circle.
   */
  constructor(rules: readonly SigmaRule[], options: CorrelatorOptions = {}) {
    this.#latenessMs = options.latenessMs ?? LATENESS_MS;
    this.#groupsMax = options.groupsMax ?? GROUPS_MAX;
    this.#tellsAll = options.tellsAll ?? false;
    const known = new Map<string, SigmaRule>();
    for (const rule of rules) {
      known.set(rule.id, rule);
      if (rule.name !== undefined) known.set(rule.name, rule);
    }
    const reasons: string[] = [];
    for (const rule of rules) {
      if (rule.kind !== 'correlation') continue;
      this.#states.set(rule.id, { rule, groups: new Map() });
      for (const [place, name] of rule.rules.entries()) {
        const joined = known.get(name);
        if (joined === undefined)
          reasons.push(`"${rule.title}" joins "${name}", which is not there`);
        else this.#join(joined.id, { rule, place });
      }
    }
    reasons.push(...this.#circles());
    const [first] = reasons;
    if (first !== undefined) {
      throw new SocFault('RULE_MALFORMED', `Cannot load rules: ${first}`, { reasons });
    }
  }

  /** Groups that are kept now. */
  get groupCount(): number {
    let count = 0;
    for (const { groups } of this.#states.values()) count += groups.size;
    return count;
  }

  /** See {@link CorrelatorCounts}. */
  counts(): CorrelatorCounts {
    return {
      evictedGroups: this.#evictedGroups,
      late: this.#late,
      droppedEntries: this.#droppedEntries,
    };
  }

  /**
   * Takes what an event's rules matched.
   *
   * @returns what is to be told: findings of single events that no correlation keeps to itself, and of
   * correlations that hold now.
   */
  observe(matches: readonly Match[]): readonly Finding[] {
    const told: Finding[] = [];
    for (const { rule, event } of matches) {
      const { id: eventId, atMs, fields } = event;
      const { id, title, level } = rule;
      const finding = { ruleId: id, title, level, atMs, eventIds: [eventId], fields, rule };
      if (!this.#silent.has(id)) told.push(finding);
      this.#feed(finding, told);
    }
    return told;
  }

  /**
   * Moves time on, and tells of what did not come in its time.
   *
   * @param nowMs - up to when events were heard.
   */
  advance(nowMs: number): readonly Finding[] {
    this.#watermarkMs = Math.max(this.#watermarkMs, nowMs);
    const told: Finding[] = [];
    for (const state of this.#states.values()) {
      const { rule, groups } = state;
      const over = this.#watermarkMs - rule.timespanMs;
      for (const [key, window] of groups) {
        if (isOfAbsence(rule)) this.#judgeAbsence({ rule, key, window, over }, told);
        else forgetBefore(window, over - this.#latenessMs);
        if (window.entries.length === 0 && window.quietUntilMs < this.#watermarkMs) {
          groups.delete(key);
        }
      }
    }
    return told;
  }

  /** Everything it remembers, group by group, to be kept over a restart. */
  *keep(): Generator<KeptGroup, void, undefined> {
    for (const [ruleId, { groups }] of this.#states) {
      for (const [key, { entries, quietUntilMs }] of groups) {
        yield {
          ruleId,
          key,
          quietUntilMs: Number.isFinite(quietUntilMs) ? quietUntilMs : null,
          entries: entries.map(({ atMs, rule, value, eventId }) => [
            atMs,
            rule,
            value ?? null,
            eventId,
          ]),
        };
      }
    }
  }

  /** Takes up what was kept; of rules that are gone nothing is left. */
  restore(kept: Iterable<KeptGroup>): void {
    for (const { ruleId, key, quietUntilMs, entries } of kept) {
      const state = this.#states.get(ruleId);
      if (state === undefined) continue;
      const window = emptyWindow();
      window.quietUntilMs = quietUntilMs ?? -Infinity;
      for (const [atMs, rule, value, eventId] of entries) {
        addEntry(window, { atMs, rule, value: value ?? undefined, eventId });
        this.#watermarkMs = Math.max(this.#watermarkMs, atMs);
      }
      state.groups.set(key, window);
    }
  }

  #join(ruleId: string, joined: Joined): void {
    this.#joinedBy.set(ruleId, [...(this.#joinedBy.get(ruleId) ?? []), joined]);
    if (!joined.rule.generatesBase && !this.#tellsAll) this.#silent.add(ruleId);
  }

  /** A correlation that feeds itself, over however many others. */
  #circles(): readonly string[] {
    const found: string[] = [];
    for (const start of this.#states.keys()) {
      const waiting = [start];
      const seen = new Set<string>();
      for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
        for (const { rule } of this.#joinedBy.get(id) ?? []) {
          if (rule.id === start) found.push(`"${rule.title}" joins itself`);
          else if (!seen.has(rule.id)) {
            seen.add(rule.id);
            waiting.push(rule.id);
          }
        }
      }
    }
    return found;
  }

  #feed(finding: Finding, told: Finding[]): void {
    this.#watermarkMs = Math.max(this.#watermarkMs, finding.atMs);
    for (const { rule, place } of this.#joinedBy.get(finding.ruleId) ?? []) {
      const state = this.#states.get(rule.id);
      const group = groupOf(rule, finding);
      if (state === undefined || group === undefined) continue;
      if (finding.atMs < this.#watermarkMs - rule.timespanMs - this.#latenessMs) {
        this.#late += 1;
        continue;
      }
      const window = this.#windowOf(state, group.key);
      this.#droppedEntries -= window.dropped;
      addEntry(window, entryOf(rule, place, finding));
      this.#droppedEntries += window.dropped;
      if (isOfAbsence(rule)) continue;
      forgetBefore(window, latest(window) - rule.timespanMs);
      this.#tell({ rule, window, fields: group.fields }, told);
    }
  }

  #tell(
    {
      rule,
      window,
      fields,
    }: {
      readonly rule: CorrelationRule;
      readonly window: Window;
      readonly fields: ReadonlyMap<string, FieldValue>;
    },
    told: Finding[],
  ): void {
    const atMs = latest(window);
    if (atMs < window.quietUntilMs || !holds(rule, window.entries)) return;
    window.quietUntilMs = atMs + rule.timespanMs;
    const eventIds = window.entries.slice(-EVENT_IDS_MAX).map(({ eventId }) => eventId);
    const { id: ruleId, title, level } = rule;
    const finding = { ruleId, title, level, atMs, eventIds, fields, rule };
    if (!this.#silent.has(ruleId)) told.push(finding);
    this.#feed(finding, told);
  }

  /** What is expected after the first entry must come within the time that begins there. */
  #judgeAbsence(
    {
      rule,
      key,
      window,
      over,
    }: {
      readonly rule: CorrelationRule;
      readonly key: string;
      readonly window: Window;
      readonly over: number;
    },
    told: Finding[],
  ): void {
    for (let [first] = window.entries; first !== undefined && first.atMs <= over;) {
      const end = first.atMs + rule.timespanMs;
      const within = window.entries.filter(({ atMs }) => atMs <= end);
      if (holds(rule, within) && end > window.quietUntilMs) {
        const judged = { ...window, entries: within };
        this.#tell({ rule, window: judged, fields: fieldsOf(rule, key) }, told);
        window.quietUntilMs = end;
      }
      window.entries.shift();
      [first] = window.entries;
    }
  }

  #windowOf({ groups }: State, key: string): Window {
    const known = groups.get(key);
    if (known !== undefined) {
      // The map's order is that of last use, so that the first is who was quiet longest.
      groups.delete(key);
      groups.set(key, known);
      return known;
    }
    if (groups.size >= this.#groupsMax) {
      const [oldest] = groups.keys();
      if (oldest !== undefined) groups.delete(oldest);
      this.#evictedGroups += 1;
    }
    const window = emptyWindow();
    groups.set(key, window);
    return window;
  }
}

function latest({ entries }: Window): number {
  return entries.at(-1)?.atMs ?? -Infinity;
}

function entryOf(rule: CorrelationRule, place: number, finding: Finding): WindowEntry {
  const value = rule.field === undefined ? undefined : finding.fields.get(rule.field);
  return {
    atMs: finding.atMs,
    rule: place,
    value: typeof value === 'string' || typeof value === 'number' ? value : undefined,
    eventId: finding.eventIds.at(-1) ?? '',
  };
}

interface Group {
  readonly key: string;
  readonly fields: ReadonlyMap<string, FieldValue>;
}

/** An event that lacks a field of the group belongs to none. */
function groupOf(rule: CorrelationRule, finding: Finding): Group | undefined {
  const fields = new Map<string, FieldValue>();
  for (const name of rule.groupBy) {
    const aliases = rule.aliases.get(name);
    const own = aliases?.get(finding.ruleId) ?? aliases?.get(finding.rule.name ?? '') ?? name;
    const value = finding.fields.get(own);
    if (value === undefined || value === null) return undefined;
    fields.set(name, value);
  }
  return { key: JSON.stringify([...fields.values()]), fields };
}

/** The key is what {@link groupOf} made. */
function fieldsOf(rule: CorrelationRule, key: string): ReadonlyMap<string, FieldValue> {
  const values = parseKey(key);
  return new Map(rule.groupBy.map((name, index) => [name, values[index] ?? null]));
}

function parseKey(key: string): readonly FieldValue[] {
  // oxlint-disable-next-line house/no-json-parse, typescript/no-unsafe-type-assertion -- written by groupOf() alone
  return JSON.parse(key) as readonly FieldValue[];
}
