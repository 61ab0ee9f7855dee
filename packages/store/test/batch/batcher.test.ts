import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createBatcher, sql, StoreFault, transaction } from '../../src/index.ts';
import { openTestDatabase, type TestDatabase } from '../../src/testing.ts';
import { HandTimer } from '../fixture/hand-timer.ts';

describe('createBatcher()', () => {
  it('waits for the delay, then writes all in one go', async () => {
    const timer = new HandTimer();
    const writes: (readonly number[])[] = [];
    const batcher = createBatcher<number, string>({
      maxItems: 10,
      maxDelayMs: 20,
      maxPending: 100,
      timer,
      flush: async (items) => {
        writes.push(items);
        return items.map(String);
      },
    });
    const answers = [batcher.add(1), batcher.add(2)];
    await turn();
    assert.deepEqual(writes, []);
    assert.deepEqual(timer.delays(), [20]);
    timer.fire();
    assert.deepEqual(await Promise.all(answers), ['1', '2']);
    assert.deepEqual(writes, [[1, 2]]);
  });

  it('does not wait when a batch is full, and cancels the delay', async () => {
    const timer = new HandTimer();
    const writes: (readonly number[])[] = [];
    const batcher = createBatcher<number, number>({
      maxItems: 2,
      maxDelayMs: 20,
      maxPending: 100,
      timer,
      flush: async (items) => {
        writes.push(items);
        return items;
      },
    });
    const first = batcher.add(1);
    await turn();
    assert.deepEqual(await Promise.all([first, batcher.add(2)]), [1, 2]);
    assert.deepEqual(writes, [[1, 2]]);
    assert.deepEqual(timer.delays(), []);
  });

  it('lets those who come during a write go together in the next', async () => {
    const gates: PromiseWithResolvers<void>[] = [];
    const writes: (readonly number[])[] = [];
    const batcher = createBatcher<number, number>({
      maxItems: 10,
      maxDelayMs: 0,
      maxPending: 100,
      flush: async (items) => {
        writes.push(items);
        const gate = Promise.withResolvers<void>();
        gates.push(gate);
        await gate.promise;
        return items;
      },
    });
    const first = batcher.add(1);
    await turn();
    const rest = [batcher.add(2), batcher.add(3)];
    await turn();
    assert.deepEqual(writes, [[1]]);
    gates[0]?.resolve();
    await first;
    await turn();
    gates[1]?.resolve();
    await Promise.all(rest);
    assert.deepEqual(writes, [[1], [2, 3]]);
  });

  it('refuses more than may wait, and takes more once some are done', async () => {
    const gate = Promise.withResolvers<void>();
    const batcher = createBatcher<number, number>({
      maxItems: 10,
      maxDelayMs: 0,
      maxPending: 2,
      flush: async (items) => {
        await gate.promise;
        return items;
      },
    });
    const taken = [batcher.add(1), batcher.add(2)];
    await assert.rejects(batcher.add(3), { code: 'BATCH_FULL' });
    assert.equal(batcher.pending(), 2);
    gate.resolve();
    await Promise.all(taken);
    assert.equal(batcher.pending(), 0);
    assert.equal(await batcher.add(4), 4);
  });

  it('writes what waits when it closes, and takes no more', async () => {
    const timer = new HandTimer();
    const batcher = createBatcher<number, number>({
      maxItems: 10,
      maxDelayMs: 1000,
      maxPending: 10,
      timer,
      flush: async (items) => items,
    });
    const answer = batcher.add(1);
    await turn();
    const closed = batcher.close();
    await assert.rejects(batcher.add(2), { code: 'BATCH_CLOSED' });
    assert.equal(await answer, 1);
    await closed;
    await batcher.close();
  });

  it('refuses the bad item alone', async () => {
    const stored: number[] = [];
    const batcher = createBatcher<number, number>({
      maxItems: 100,
      maxDelayMs: 0,
      maxPending: 100,
      flush: async (items) => {
        if (items.includes(13)) throw new RangeError('13');
        stored.push(...items);
        return items;
      },
    });
    const answers = await Promise.allSettled([11, 12, 13, 14, 15].map((item) => batcher.add(item)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
    );
    assert.deepEqual(stored, [11, 12, 14, 15]);
  });

  it('does not write again what may have been written', async () => {
    let writes = 0;
    const batcher = createBatcher<number, number>({
      maxItems: 100,
      maxDelayMs: 0,
      maxPending: 100,
      flush: async () => {
        writes += 1;
        throw new StoreFault('CONNECTION_LOST', 'Cannot commit: the connection was lost');
      },
    });
    const answers = await Promise.allSettled([1, 2, 3, 4].map((item) => batcher.add(item)));
    assert.equal(writes, 1);
    assert.ok(answers.every(({ status }) => status === 'rejected'));
  });

  it('does not write again when the results do not match the items', async () => {
    let writes = 0;
    const batcher = createBatcher<number, number>({
      maxItems: 100,
      maxDelayMs: 0,
      maxPending: 100,
      flush: async () => {
        writes += 1;
        return [1];
      },
    });
    const answers = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
    assert.equal(writes, 1);
    assert.ok(answers.every(({ status }) => status === 'rejected'));
  });
});

describe('createBatcher() on a database', () => {
  let test: TestDatabase<unknown>;
  before(async () => {
    test = await openTestDatabase([
      { number: 1, name: 'seen', sql: 'create table seen (id int primary key check (id <> 500))' },
    ]);
  });
  after(() => test.drop());

  it('has stored an item when it answers, and refuses a duplicate and a bad one alone', async () => {
    const batcher = createBatcher<number, number>({
      maxItems: 200,
      maxDelayMs: 0,
      maxPending: 2000,
      flush: (items) =>
        transaction(test.database, async (tx) => {
          await sql`insert into seen select * from unnest(${items}::int[])`.execute(tx);
          return items;
        }),
    });
    const items = [...Array.from({ length: 1000 }, (_, index) => index), 77];
    const answers = await Promise.allSettled(
      items.map(async (item) => {
        await batcher.add(item);
        const { rows } = await sql`select from seen where id = ${item}`.execute(
          test.database.kysely,
        );
        assert.equal(rows.length, 1);
      }),
    );
    const refused = items.filter((_, index) => answers[index]?.status === 'rejected');
    assert.deepEqual(refused, [500, 77]);
    await batcher.close();
  });
});

/** Lets all that is ready to run, run. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
