import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createBatcher, StoreFault } from '../../src/index.ts';
import { HandTimer } from '../fixture/hand-timer.ts';

/** What a database would do with an item. */
type Fate = 'stored' | 'refused' | 'lost';

interface Item {
  readonly number: number;
  readonly fate: Fate;
}

interface Bounds {
  readonly maxItems: number;
  readonly maxDelayMs: number;
  readonly maxPending: number;
  readonly maxFlushes: number;
}

const fates = fc.constantFrom<Fate>('stored', 'stored', 'stored', 'refused', 'lost');
const steps = fc.array(fc.oneof(fates, fc.constant('wait'), fc.constant('fire')), {
  maxLength: 80,
});
const bounds = fc.record({
  maxItems: fc.integer({ min: 1, max: 12 }),
  maxDelayMs: fc.constantFrom(0, 5),
  maxPending: fc.integer({ min: 1, max: 60 }),
  maxFlushes: fc.integer({ min: 1, max: 3 }),
});

describe('createBatcher(), whatever comes', () => {
  it('answers each item once and truly, keeps its bounds, and ends empty', async () => {
    await fc.assert(
      fc.asyncProperty(steps, bounds, async (script, given) => {
        const world = new World(given);
        for (const step of script) await world.play(step);
        await world.close();
        world.check();
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the order of items when one batch is written at a time', async () => {
    await fc.assert(
      fc.asyncProperty(steps, bounds, async (script, given) => {
        const world = new World({ ...given, maxFlushes: 1 });
        for (const step of script) await world.play(step);
        await world.close();
        assert.deepEqual(
          world.stored,
          world.stored.toSorted((left, right) => left - right),
        );
      }),
      { numRuns: 100 },
    );
  });
});

/** A batcher over a store that refuses, loses and keeps, with what every caller heard. */
class World {
  readonly stored: number[] = [];
  readonly #heard = new Map<number, string>();
  readonly #items: Item[] = [];
  readonly #answers: Promise<void>[] = [];
  readonly #timer = new HandTimer();
  readonly #bounds: Bounds;
  readonly #batcher;
  #writing = 0;

  constructor(given: Bounds) {
    this.#bounds = given;
    this.#batcher = createBatcher<Item, number>({
      ...given,
      timer: this.#timer,
      flush: (items) => this.#write(items),
    });
  }

  async play(step: string): Promise<void> {
    if (step === 'wait') await new Promise(setImmediate);
    else if (step === 'fire') this.#timer.fire();
    else this.#add(step === 'refused' || step === 'lost' ? step : 'stored');
  }

  async close(): Promise<void> {
    await this.#batcher.close();
    await Promise.all(this.#answers);
  }

  check(): void {
    assert.equal(this.#batcher.pending(), 0);
    assert.equal(this.#heard.size, this.#items.length);
    assert.equal(new Set(this.stored).size, this.stored.length, 'nothing is stored twice');
    for (const { number, fate } of this.#items) {
      const heard = this.#heard.get(number);
      assert.equal(heard === `stored ${number}`, this.stored.includes(number));
      // Only a lost neighbour can take a good item along; a refused one cannot.
      if (fate === 'stored')
        assert.ok(
          ['BATCH_FULL', 'CONNECTION_LOST'].includes(heard ?? '') || heard === `stored ${number}`,
        );
      else assert.notEqual(heard, `stored ${number}`);
      if (heard === 'REFUSED') assert.equal(fate, 'refused');
    }
  }

  #add(fate: Fate): void {
    const item = { number: this.#items.length, fate };
    this.#items.push(item);
    const answer = this.#batcher.add(item).then(
      (number) => `stored ${number}`,
      (error: unknown) => (error instanceof StoreFault ? error.code : 'REFUSED'),
    );
    assert.ok(this.#batcher.pending() <= this.#bounds.maxPending);
    this.#answers.push(this.#hear(item.number, answer));
  }

  async #hear(number: number, answer: Promise<string>): Promise<void> {
    const heard = await answer;
    assert.equal(this.#heard.has(number), false);
    this.#heard.set(number, heard);
  }

  async #write(items: readonly Item[]): Promise<readonly number[]> {
    this.#writing += 1;
    assert.ok(items.length > 0 && items.length <= this.#bounds.maxItems);
    assert.ok(this.#writing <= this.#bounds.maxFlushes);
    await new Promise(setImmediate);
    this.#writing -= 1;
    if (items.some(({ fate }) => fate === 'lost')) {
      throw new StoreFault('CONNECTION_LOST', 'Cannot commit');
    }
    if (items.some(({ fate }) => fate === 'refused')) throw new RangeError('refused');
    this.stored.push(...items.map(({ number }) => number));
    return items.map(({ number }) => number);
  }
}
