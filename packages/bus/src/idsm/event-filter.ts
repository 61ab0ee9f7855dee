/**
 * The filters between a sensor and the memory of events, in AUTOSAR's order: reporting mode, block
 * state, one of so many, aggregation, threshold, rate. A flood ends here; what is left out is counted.
 *
 * @source AUTOSAR SWS Intrusion Detection System Manager 977, chapter 7
 */
import { TokenBucket } from '../secoc/token-bucket.ts';
import { IdsmFault } from './idsm-fault.ts';
import { DEFINITIONS_MAX } from './limits.ts';

/** An event as a sensor tells it. */
export interface SensedEvent {
  readonly definition: number;
  readonly count: number;
  readonly context?: Uint8Array | undefined;
}

/** What is done with events of one kind. What is left out does not filter. */
export interface EventFilterRule {
  /** `brief` leaves the context out; `off` tells nothing; `bypassing` passes by all other filters. */
  readonly mode: 'off' | 'brief' | 'detailed' | 'brief-bypassing' | 'detailed-bypassing';
  /** States of the vehicle in which nothing is told, such as `workshop`. */
  readonly blockedIn?: readonly string[] | undefined;
  /** One of so many is told. */
  readonly everyNth?: number | undefined;
  /**
   * Those of a span become one event with their sum and the first or last context. `isLeading`: the
   * first is told at once, because the power may be gone before the span ends.
   */
  readonly aggregation?:
    | {
        readonly intervalMs: number;
        readonly context: 'first' | 'last';
        readonly isLeading?: boolean | undefined;
      }
    | undefined;
  /** Nothing is told before so many came within a span. */
  readonly threshold?: { readonly count: number; readonly intervalMs: number } | undefined;
}

/** What a filter is made of. */
export interface EventFilterOptions {
  /** By the number of the kind; any other kind is left out. */
  readonly rules: ReadonlyMap<number, EventFilterRule>;
  /** Over all kinds together. */
  readonly rate?: { readonly burst: number; readonly refillMs: number } | undefined;
}

interface Lane {
  readonly rule: EventFilterRule;
  sinceLast: number;
  window: { sum: number; context: Uint8Array | undefined; readonly endMs: number } | undefined;
  reached: { sum: number; endMs: number };
}

const COUNT_MAX = 0xffff;

/** See the head of the file. */
export class EventFilter {
  readonly #lanes = new Map<number, Lane>();
  readonly #rate: TokenBucket | undefined;
  #state = '';
  #dropped = 0;

  /** @throws IdsmFault FILTER_RANGE. */
  constructor({ rules, rate }: EventFilterOptions) {
    if (rules.size > DEFINITIONS_MAX) {
      throw new IdsmFault('FILTER_RANGE', `Cannot filter: ${rules.size} kinds of events`);
    }
    for (const [definition, rule] of rules) {
      const { everyNth = 1, aggregation, threshold } = rule;
      const numbers = [everyNth, aggregation?.intervalMs, threshold?.count, threshold?.intervalMs];
      if (numbers.some((number) => number !== undefined && !(number >= 1))) {
        throw new IdsmFault('FILTER_RANGE', `Cannot filter: the rule of event ${definition}`);
      }
      const reached = { sum: 0, endMs: 0 };
      this.#lanes.set(definition, { rule, sinceLast: 0, window: undefined, reached });
    }
    this.#rate =
      rate === undefined
        ? undefined
        : new TokenBucket({ capacity: rate.burst, refillMs: rate.refillMs });
  }

  /** When `elapse` is to be called; undefined when nothing waits. */
  get deadlineMs(): number | undefined {
    const ends = [...this.#lanes.values()].flatMap(({ window }) => window?.endMs ?? []);
    return ends.length === 0 ? undefined : Math.min(...ends);
  }

  /** Events that were left out since it was asked last; those of kinds that are off do not count. */
  takeDropped(): number {
    const dropped = this.#dropped;
    this.#dropped = 0;
    return dropped;
  }

  /** Tells the state of the vehicle. */
  enterState(state: string): void {
    this.#state = state;
  }

  /** Takes an event. @returns what is to be told now. */
  handle(event: SensedEvent, atMs: number): readonly SensedEvent[] {
    const told = [...this.elapse(atMs)];
    const lane = this.#lanes.get(event.definition);
    if (lane === undefined || lane.rule.mode === 'off') return told;
    const { rule } = lane;
    const isBrief = rule.mode === 'brief' || rule.mode === 'brief-bypassing';
    const kept = isBrief ? { definition: event.definition, count: event.count } : event;
    if (rule.mode === 'brief-bypassing' || rule.mode === 'detailed-bypassing') {
      return [...told, kept];
    }
    if (rule.blockedIn?.includes(this.#state) === true) return this.#drop(kept, told);
    lane.sinceLast += 1;
    if (lane.sinceLast < (rule.everyNth ?? 1)) return this.#drop(kept, told);
    lane.sinceLast = 0;
    if (rule.aggregation === undefined) return [...told, ...this.#finish(lane, kept, atMs)];
    const { intervalMs, context, isLeading = false } = rule.aggregation;
    if (isLeading && lane.window === undefined) {
      lane.window = { sum: 0, context: undefined, endMs: atMs + intervalMs };
      return [...told, ...this.#finish(lane, kept, atMs)];
    }
    lane.window ??= { sum: 0, context: kept.context, endMs: atMs + intervalMs };
    const isFirst = lane.window.sum === 0;
    lane.window.sum += kept.count;
    if (context === 'last' || isFirst) lane.window.context = kept.context;
    return told;
  }

  /** Ends the spans that are over. @returns what is to be told now. */
  elapse(atMs: number): readonly SensedEvent[] {
    const told: SensedEvent[] = [];
    for (const [definition, lane] of this.#lanes) {
      if (lane.window === undefined || lane.window.endMs > atMs) continue;
      told.push(...this.#endWindow(definition, lane, atMs));
    }
    return told;
  }

  /** Ends all spans: what was sensed is not to be lost with the power. */
  flush(atMs: number): readonly SensedEvent[] {
    return [...this.#lanes].flatMap(([definition, lane]) =>
      this.#endWindow(definition, lane, atMs),
    );
  }

  #endWindow(definition: number, lane: Lane, atMs: number): readonly SensedEvent[] {
    const { window } = lane;
    lane.window = undefined;
    if (window === undefined || window.sum === 0) return [];
    const event = { definition, count: Math.min(window.sum, COUNT_MAX), context: window.context };
    return this.#finish(lane, event, atMs);
  }

  /** Threshold and rate. */
  #finish(lane: Lane, event: SensedEvent, atMs: number): readonly SensedEvent[] {
    const { threshold } = lane.rule;
    if (threshold !== undefined) {
      if (atMs >= lane.reached.endMs) lane.reached = { sum: 0, endMs: atMs + threshold.intervalMs };
      lane.reached.sum += event.count;
      if (lane.reached.sum < threshold.count) return this.#drop(event, []);
    }
    return this.#rate?.take(atMs) === false ? this.#drop(event, []) : [event];
  }

  #drop(event: SensedEvent, told: readonly SensedEvent[]): readonly SensedEvent[] {
    this.#dropped += event.count;
    return told;
  }
}
