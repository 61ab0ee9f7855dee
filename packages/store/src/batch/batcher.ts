/**
 * Group commit: many callers, one transaction.
 *
 * A commit costs a wait for the disk whatever it holds. Callers hand in one item each and wait; whoever
 * comes within the delay, or while the batch before is being written, goes together.
 * A caller hears "done" only after its own item is durable, as if it had committed alone.
 */
import { assert } from '@immota/base';
import { isRefusalOfContent } from '../database/sql-state.ts';
import { StoreFault } from '../fault.ts';
import { type Scheduled, systemTimer, type Timer } from './timer.ts';

/** What a batch is and what is done with it. */
export interface BatcherOptions<Item, Result> {
  /** Items in one batch, at most. */
  readonly maxItems: number;
  /** How long the first item of a batch may wait for others; 0 waits only for the batch before. */
  readonly maxDelayMs: number;
  /** Items waiting or being written, at most; `add` refuses more. */
  readonly maxPending: number;
  /** Batches being written at once; 1 by default, which keeps items in order. */
  readonly maxFlushes?: number;
  /**
   * Writes a batch: all of it durably, or nothing and throws. It is called again with parts of a
   * batch that it refused.
   *
   * @param items - in the order they were added, never empty.
   * @returns one result for each item, in order.
   */
  readonly flush: (items: readonly Item[]) => Promise<readonly Result[]>;
  /** Where the delay comes from; the process's timer by default. */
  readonly timer?: Timer;
}

/** Takes single items and writes them in batches. */
export interface Batcher<Item, Result> {
  /**
   * Adds an item.
   *
   * @param item - what `flush` takes.
   * @returns its result, after its batch is durable.
   * @throws StoreFault BATCH_FULL, BATCH_CLOSED at once. Otherwise what `flush` threw for this item: when
   *   it refused the content, for this item alone; when the database failed, for the whole batch, and
   *   then it is unknown whether a commit that was on its way happened.
   */
  add(item: Item): Promise<Result>;
  /** Items that are waiting or being written. */
  pending(): number;
  /** Takes no more, writes what waits, and returns when the last caller has its answer. */
  close(): Promise<void>;
}

interface Entry<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Makes a batcher.
 *
 * One bad item does not spoil the others: a batch whose content was refused is written again in
 * halves, down to the item at fault. That is at most 2 n - 1 calls of `flush` for n items, and every
 * refused half has written nothing.
 *
 * @param options - the bounds and the writing.
 */
export function createBatcher<Item, Result>(
  options: BatcherOptions<Item, Result>,
): Batcher<Item, Result> {
  const { maxItems, maxPending, maxFlushes = 1 } = options;
  assert(maxItems >= 1 && maxPending >= 1 && maxFlushes >= 1, 'a batcher holds at least one item');
  return new QueueBatcher(options);
}

class QueueBatcher<Item, Result> implements Batcher<Item, Result> {
  readonly #options: BatcherOptions<Item, Result>;
  readonly #timer: Timer;
  readonly #waiting: Entry<Item, Result>[] = [];
  readonly #drained = Promise.withResolvers<void>();
  #pending = 0;
  #flushes = 0;
  #delay: Scheduled | undefined;
  #isDue = false;
  #isClosed = false;

  constructor(options: BatcherOptions<Item, Result>) {
    this.#options = options;
    this.#timer = options.timer ?? systemTimer;
  }

  add(item: Item): Promise<Result> {
    if (this.#isClosed) {
      return Promise.reject(new StoreFault('BATCH_CLOSED', 'Cannot add: the batcher is closed'));
    }
    if (this.#pending >= this.#options.maxPending) {
      return Promise.reject(
        new StoreFault('BATCH_FULL', `Cannot add: ${this.#pending} items are waiting already`),
      );
    }
    this.#pending += 1;
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#waiting.push({ item, resolve, reject });
    // Those who call in the same turn of the event loop go together even without a delay.
    queueMicrotask(() => {
      this.#advance();
    });
    return promise;
  }

  pending(): number {
    return this.#pending;
  }

  close(): Promise<void> {
    this.#isClosed = true;
    if (this.#pending === 0) this.#drained.resolve();
    this.#advance();
    return this.#drained.promise;
  }

  /** Writes as long as a batch is full, due or last, and a hand is free. */
  #advance(): void {
    const { maxItems, maxDelayMs, maxFlushes = 1 } = this.#options;
    while (this.#waiting.length > 0 && this.#flushes < maxFlushes) {
      const mayWait = maxDelayMs > 0 && !this.#isDue && !this.#isClosed;
      if (this.#waiting.length < maxItems && mayWait) {
        this.#delay ??= this.#timer.schedule(maxDelayMs, () => {
          this.#delay = undefined;
          this.#isDue = true;
          this.#advance();
        });
        return;
      }
      this.#delay?.cancel();
      this.#delay = undefined;
      this.#isDue = false;
      this.#flushes += 1;
      void this.#flush(this.#waiting.splice(0, maxItems));
    }
  }

  async #flush(batch: readonly Entry<Item, Result>[]): Promise<void> {
    await this.#write(batch);
    this.#flushes -= 1;
    this.#advance();
  }

  /** Never rejects: each entry is told its own outcome. */
  async #write(batch: readonly Entry<Item, Result>[]): Promise<void> {
    let results: readonly Result[];
    try {
      results = await this.#options.flush(batch.map(({ item }) => item));
    } catch (error) {
      if (batch.length > 1 && isRefusalOfContent(error)) {
        const middle = Math.ceil(batch.length / 2);
        await this.#write(batch.slice(0, middle));
        await this.#write(batch.slice(middle));
      } else {
        this.#refuse(batch, error);
      }
      return;
    }
    try {
      assert(results.length === batch.length, 'flush returns one result for each item');
    } catch (error) {
      // The batch is written: to write it again in halves would write it twice.
      this.#refuse(batch, error);
      return;
    }
    for (const [index, entry] of batch.entries()) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the lengths are equal
      entry.resolve(results[index] as Result);
      this.#settle();
    }
  }

  #refuse(batch: readonly Entry<Item, Result>[], error: unknown): void {
    for (const entry of batch) {
      entry.reject(error);
      this.#settle();
    }
  }

  #settle(): void {
    this.#pending -= 1;
    if (this.#isClosed && this.#pending === 0) this.#drained.resolve();
  }
}
