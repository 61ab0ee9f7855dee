/** Wakes whoever reads the event log live: when it grew, and now and then. */
import { type Scheduled, systemTimer, type Timer } from '@immota/store';
import type { CloudDatabase } from '../schema/database.ts';
import { EVENTS_CHANNEL } from './event-log.ts';
import { encodePlace, findLogEnd } from './event-order.ts';

/** How often vehicles' events are looked for, of which nobody is notified. */
const LOOK_MS = 1000;
/** Readers are woken at least so often: proxies cut what is silent for a minute. */
const BEAT_LOOKS = 15;

/** See the head of the file. */
export class EventFeed {
  readonly #database: CloudDatabase;
  readonly #failed: (error: unknown) => void;
  readonly #timer: Timer;
  #next = Promise.withResolvers<void>();
  #scheduled: Scheduled | undefined;
  #subscription: { close(): Promise<void> } | undefined;
  #looking: Promise<void> = Promise.resolve();
  #end = '';
  #looks = 0;
  #readers = 0;
  #isClosed = false;

  constructor(
    database: CloudDatabase,
    failed: (error: unknown) => void,
    timer: Timer = systemTimer,
  ) {
    this.#database = database;
    this.#failed = failed;
    this.#timer = timer;
  }

  /** Whether it wakes nobody any more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Begins to listen. */
  async open(): Promise<void> {
    this.#subscription = await this.#database.listen(EVENTS_CHANNEL, () => {
      if (this.#readers > 0) this.#look();
    });
  }

  /** Counts a reader in; while there is none, nothing is looked for. @returns what counts it out. */
  join(): () => void {
    this.#readers += 1;
    this.#schedule();
    let isIn = true;
    return () => {
      if (isIn) this.#readers -= 1;
      isIn = false;
    };
  }

  /** Waits until the log grew, or a beat is due. To be asked before the log is read. */
  next(): Promise<void> {
    return this.#next.promise;
  }

  /** Wakes everybody for the last time. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#scheduled?.cancel();
    this.#wake();
    await this.#subscription?.close();
    await this.#looking;
  }

  #schedule(): void {
    if (this.#isClosed || this.#readers === 0) return;
    this.#scheduled ??= this.#timer.schedule(LOOK_MS, () => {
      this.#scheduled = undefined;
      this.#looks += 1;
      this.#look();
      this.#schedule();
    });
  }

  /** One look after the other: a slow database is not asked twice at once. */
  #look(): void {
    this.#looking = this.#looking.then(async () => {
      try {
        const end = encodePlace(await findLogEnd(this.#database.kysely));
        if (end === this.#end && this.#looks < BEAT_LOOKS) return;
        this.#end = end;
        this.#looks = 0;
        this.#wake();
      } catch (error) {
        this.#failed(error);
      }
    });
  }

  #wake(): void {
    const woken = this.#next;
    this.#next = Promise.withResolvers<void>();
    woken.resolve();
  }
}
