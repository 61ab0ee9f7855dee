/**
 * Makes security events out of what the gateway refuses: filtered, numbered, signed by the ECU's own key,
 * and kept until somebody who can send them on has acknowledged them.
 */
import type { Clock, Signer } from '@immota/base';
import { utf8 } from '@immota/base';
import {
  attachSignature,
  encodeSecurityEvent,
  EventFilter,
  type EventFilterOptions,
  type SensedEvent,
} from '@immota/bus';
import type { Timer } from '../ports.ts';
import type { SlotFiles } from '../slots/slot-files.ts';
import { type EventLog, type EventLogOptions, openEventLog } from './event-log.ts';
import type { StoredEvent } from './event-segment.ts';
import { EVENTS_BATCH_MAX, EVENTS_PENDING_MAX } from './limits.ts';
import { type Refusal, REFUSAL_EVENT_IDS } from './refusal.ts';

/** What it takes. */
export interface SecurityEventsOptions {
  /** Of these events alone. */
  readonly files: SlotFiles;
  /** The ECU's identity. */
  readonly signer: Signer;
  readonly clock: Clock;
  readonly timer: Timer;
  /** Number of this manager of events, 10 bits, and of its sensor, 6 bits. */
  readonly instance: number;
  readonly sensor: number;
  /** `GATEWAY_EVENT_FILTER` when left out. */
  readonly filter?: EventFilterOptions | undefined;
  readonly size?: EventLogOptions | undefined;
}

/** The memory of events of one ECU. */
export interface SecurityEvents {
  /** Takes a refusal; returns at once, and never fails: what cannot be kept is counted. */
  report(this: void, refusal: Refusal): void;
  /** Tells the state of the vehicle, for filters that are silent in some: `workshop`. */
  enterState(this: void, state: string): void;
  /** Reads what was not acknowledged, the oldest first. */
  list(countMax: number): Promise<readonly StoredEvent[]>;
  /** Gives events up, the one with this number included. @throws GatewayFault EVENTS_UNKNOWN. */
  acknowledge(sequence: number): Promise<void>;
  /** Makes all that was reported durable. */
  flush(): Promise<void>;
  /** Ends, after all that was reported is durable. */
  close(): Promise<void>;
}

/** Told when events are gone that nobody has acknowledged. */
export const EVENTS_LOST_ID = 0x8020;

/**
 * The first refusal of a kind is told at once, the others of that second as one; of all kinds together
 * ten at once, and one a second lasting.
 */
export const GATEWAY_EVENT_FILTER: EventFilterOptions = {
  rules: new Map(
    [...Object.values(REFUSAL_EVENT_IDS), EVENTS_LOST_ID].map((definition) => [
      definition,
      {
        mode: 'detailed',
        aggregation: { intervalMs: 1000, context: 'first', isLeading: true },
      },
    ]),
  ),
  rate: { burst: 10, refillMs: 1000 },
};

/** Opens the memory of events. @throws GatewayFault EVENTS_CORRUPT. */
export async function openSecurityEvents(options: SecurityEventsOptions): Promise<SecurityEvents> {
  const log = await openEventLog(options.files, options.size);
  const events = new RunningSecurityEvents(options, log);
  if (log.lost > 0) events.sense(EVENTS_LOST_ID, { lost: log.lost });
  return {
    report: (refusal) => events.report(refusal),
    enterState: (state) => events.enterState(state),
    list: async (countMax) => log.list(countMax),
    acknowledge: async (sequence) => log.acknowledge(sequence),
    flush: async () => events.flush(),
    close: async () => events.close(),
  };
}

class RunningSecurityEvents {
  readonly #options: SecurityEventsOptions;
  readonly #log: EventLog;
  readonly #filter: EventFilter;
  readonly #pending: SensedEvent[] = [];
  #dropped = 0;
  #underWay: Promise<void> | undefined;
  #cancel: (() => void) | undefined;
  #isOpen = true;

  constructor(options: SecurityEventsOptions, log: EventLog) {
    this.#options = options;
    this.#log = log;
    this.#filter = new EventFilter(options.filter ?? GATEWAY_EVENT_FILTER);
  }

  enterState(state: string): void {
    this.#filter.enterState(state);
  }

  report({ reason, ...details }: Refusal): void {
    this.sense(REFUSAL_EVENT_IDS[reason], { reason, ...details });
  }

  /** Takes an event of the gateway itself. */
  sense(definition: number, details: Readonly<Record<string, unknown>>): void {
    if (!this.#isOpen) return;
    const atMs = this.#options.timer.elapsedMs();
    const context = utf8(JSON.stringify(details));
    this.#take(this.#filter.handle({ definition, count: 1, context }, atMs));
    this.#await();
  }

  async flush(): Promise<void> {
    this.#take(this.#filter.flush(this.#options.timer.elapsedMs()));
    await this.#underWay;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
    this.#cancel?.();
    await this.flush();
  }

  #take(events: readonly SensedEvent[]): void {
    this.#dropped += this.#filter.takeDropped();
    for (const event of events) {
      if (this.#pending.length < EVENTS_PENDING_MAX) this.#pending.push(event);
      else this.#dropped += event.count;
    }
    if (this.#pending.length > 0) this.#underWay ??= this.#writeAll();
  }

  /** Wakes when a span of the filter is over. */
  #await(): void {
    const { timer } = this.#options;
    const { deadlineMs } = this.#filter;
    if (deadlineMs === undefined || this.#cancel !== undefined) return;
    this.#cancel = timer.schedule(Math.max(0, deadlineMs - timer.elapsedMs()), () => {
      this.#cancel = undefined;
      if (!this.#isOpen) return;
      this.#take(this.#filter.elapse(timer.elapsedMs()));
      this.#await();
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, EVENTS_BATCH_MAX);
      const dropped = this.#dropped;
      const kept = await this.#writeBatch(batch, dropped).catch(() => 0);
      // A batch that does not fit, or a disk that fails: counted, and told with the next that is kept.
      if (kept > 0) this.#dropped -= dropped;
      for (const { count } of batch.slice(kept)) this.#dropped += count;
    }
    this.#underWay = undefined;
  }

  async #writeBatch(batch: readonly SensedEvent[], dropped: number): Promise<number> {
    const first = this.#log.nextSequence;
    const signed = await Promise.all(
      batch.map(async (event, index) =>
        this.#sign(event, first + index, index === 0 ? dropped : 0),
      ),
    );
    return this.#log.append(signed);
  }

  /** The number is within what is signed: nobody can leave one out unseen. */
  async #sign(event: SensedEvent, sequence: number, dropped: number): Promise<Uint8Array> {
    const { instance, sensor, clock, signer } = this.#options;
    const { epochMilliseconds } = clock.now();
    const details =
      event.context === undefined ? '{}' : Buffer.from(event.context).toString('utf8');
    const numbers = JSON.stringify(dropped === 0 ? { sequence } : { sequence, dropped });
    // Two objects of our own, joined: neither is empty, or the second is.
    const joined = details === '{}' ? numbers : `${numbers.slice(0, -1)},${details.slice(1)}`;
    const message = encodeSecurityEvent(
      {
        instance,
        sensor,
        definition: event.definition,
        count: event.count,
        time: {
          source: 'oem',
          seconds: Math.max(0, Math.floor(epochMilliseconds / 1000)),
          nanoseconds: (((epochMilliseconds % 1000) + 1000) % 1000) * 1_000_000,
        },
        context: utf8(joined),
      },
      true,
    );
    return attachSignature(message, await signer.sign(message));
  }
}
