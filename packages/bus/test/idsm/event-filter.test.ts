import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { array, assert as holds, integer, nat, property, record } from 'fast-check';
import { EventFilter, type EventFilterRule, type SensedEvent } from '../../src/index.ts';

const KIND = 0x8001;
const context = new Uint8Array([1]);
const other = new Uint8Array([2]);
const event: SensedEvent = { definition: KIND, count: 1, context };

describe('EventFilter', () => {
  it('tells by its mode, with or without context', () => {
    assert.deepEqual(filterOf({ mode: 'detailed' }).handle(event, 0), [event]);
    assert.deepEqual(filterOf({ mode: 'brief' }).handle(event, 0), [
      { definition: KIND, count: 1 },
    ]);
    const off = filterOf({ mode: 'off' });
    assert.deepEqual(off.handle(event, 0), []);
    assert.deepEqual(off.handle({ ...event, definition: 1 }, 0), []);
    assert.equal(off.takeDropped(), 0);
  });

  it('tells nothing in a state that blocks, and counts it', () => {
    const filter = filterOf({ mode: 'detailed', blockedIn: ['workshop'] });
    assert.equal(filter.handle(event, 0).length, 1);
    filter.enterState('workshop');
    assert.equal(filter.handle({ ...event, count: 3 }, 0).length, 0);
    assert.equal(filter.takeDropped(), 3);
    assert.equal(filter.takeDropped(), 0);
    filter.enterState('drive');
    assert.equal(filter.handle(event, 0).length, 1);
  });

  it('tells one of so many', () => {
    const filter = filterOf({ mode: 'detailed', everyNth: 3 });
    const told = [1, 2, 3, 4, 5, 6].map(() => filter.handle(event, 0).length);
    assert.deepEqual(told, [0, 0, 1, 0, 0, 1]);
    assert.equal(filter.takeDropped(), 4);
  });

  it('sums those of a span, with the first or the last context', () => {
    for (const [which, kept] of [
      ['first', context],
      ['last', other],
    ] as const) {
      const aggregation = { intervalMs: 1000, context: which };
      const filter = filterOf({ mode: 'detailed', aggregation });
      assert.equal(filter.deadlineMs, undefined);
      assert.deepEqual(filter.handle(event, 5), []);
      assert.deepEqual(filter.handle({ ...event, count: 2, context: other }, 900), []);
      assert.equal(filter.deadlineMs, 1005);
      assert.deepEqual(filter.elapse(1004), []);
      assert.deepEqual(filter.elapse(1005), [{ definition: KIND, count: 3, context: kept }]);
      assert.equal(filter.deadlineMs, undefined);
    }
  });

  it('tells the first of a span at once where that is asked, and the others at its end', () => {
    const aggregation = { intervalMs: 1000, context: 'first', isLeading: true } as const;
    const filter = filterOf({ mode: 'detailed', aggregation });
    assert.deepEqual(filter.handle(event, 0), [event]);
    assert.deepEqual(filter.handle({ ...event, context: other }, 1), []);
    assert.deepEqual(filter.handle(event, 2), []);
    assert.deepEqual(filter.elapse(1000), [{ definition: KIND, count: 2, context: other }]);
    assert.deepEqual(filter.handle(event, 1001), [event]);
    assert.deepEqual(filter.elapse(2001), []);
    assert.equal(filter.deadlineMs, undefined);
  });

  it('ends a span that is over when the next event comes, and all of them when asked', () => {
    const aggregation = { intervalMs: 1000, context: 'first' } as const;
    const filter = filterOf({ mode: 'detailed', aggregation });
    filter.handle(event, 0);
    assert.equal(filter.handle({ ...event, count: 70_000 }, 2000).length, 1);
    assert.deepEqual(filter.flush(2001), [{ ...event, count: 0xffff }]);
    assert.deepEqual(filter.flush(2001), []);
  });

  it('tells nothing below a threshold within a span', () => {
    const filter = filterOf({ mode: 'detailed', threshold: { count: 3, intervalMs: 100 } });
    const times = [0, 10, 20, 30, 120, 130, 140];
    assert.deepEqual(
      times.map((atMs) => filter.handle(event, atMs).length),
      [0, 0, 1, 1, 0, 0, 1],
    );
    assert.equal(filter.takeDropped(), 4);
  });

  it('tells no more than its rate, except what bypasses', () => {
    const rules = new Map<number, EventFilterRule>([
      [KIND, { mode: 'detailed' }],
      [1, { mode: 'detailed-bypassing', everyNth: 9 }],
      [2, { mode: 'brief-bypassing', everyNth: 9 }],
    ]);
    const filter = new EventFilter({ rules, rate: { burst: 2, refillMs: 1000 } });
    const told = [1, 2, 3].map(() => filter.handle(event, 0).length);
    assert.deepEqual(told, [1, 1, 0]);
    assert.equal(filter.takeDropped(), 1);
    assert.deepEqual(filter.handle({ ...event, definition: 1 }, 0), [{ ...event, definition: 1 }]);
    assert.deepEqual(filter.handle({ ...event, definition: 2 }, 0), [{ definition: 2, count: 1 }]);
  });

  it('refuses rules that are none, and too many of them', () => {
    for (const rule of [
      { mode: 'detailed', everyNth: 0 },
      { mode: 'detailed', aggregation: { intervalMs: 0, context: 'first' } },
      { mode: 'detailed', threshold: { count: Number.NaN, intervalMs: 1 } },
    ] as const) {
      assert.throws(() => filterOf(rule), { code: 'FILTER_RANGE' });
    }
    const rules = new Map(
      Array.from({ length: 513 }, (_, index) => [index, { mode: 'off' }] as const),
    );
    assert.throws(() => new EventFilter({ rules }), { code: 'FILTER_RANGE' });
  });

  it('loses no count: each event is told, waits, or is counted as left out', () => {
    const step = record({ definition: integer({ min: 1, max: 5 }), count: nat(5), pause: nat(50) });
    holds(
      property(array(step, { maxLength: 100 }), (steps) => {
        const rules = new Map<number, EventFilterRule>([
          [1, { mode: 'detailed', aggregation: { intervalMs: 100, context: 'last' } }],
          [2, { mode: 'brief', everyNth: 3 }],
          [3, { mode: 'detailed', threshold: { count: 6, intervalMs: 200 } }],
          [4, { mode: 'detailed-bypassing' }],
          [
            5,
            { mode: 'brief', aggregation: { intervalMs: 70, context: 'first', isLeading: true } },
          ],
        ]);
        const filter = new EventFilter({ rules, rate: { burst: 3, refillMs: 100 } });
        let atMs = 0;
        let sensed = 0;
        let told = 0;
        for (const { definition, count, pause } of steps) {
          atMs += pause;
          sensed += count;
          told += sum(filter.handle({ definition, count }, atMs));
        }
        told += sum(filter.flush(atMs));
        assert.equal(told + filter.takeDropped(), sensed);
      }),
    );
  });
});

function filterOf(rule: EventFilterRule): EventFilter {
  return new EventFilter({ rules: new Map([[KIND, rule]]) });
}

function sum(events: readonly SensedEvent[]): number {
  return events.reduce((total, { count }) => total + count, 0);
}
