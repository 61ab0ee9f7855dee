import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Database, findConstraint, findSqlState, sql, transaction } from '../../src/index.ts';
import { openTestDatabase, type TestDatabase } from '../../src/testing.ts';

interface Schema {
  readonly counter: { readonly id: number; readonly value: number };
}

describe('transaction()', () => {
  let test: TestDatabase<Schema>;
  before(async () => {
    test = await openTestDatabase<Schema>([
      { number: 1, name: 'counter', sql: 'create table counter (id int primary key, value int)' },
    ]);
    await sql`insert into counter values (1, 0), (2, 0)`.execute(test.database.kysely);
  });
  after(() => test.drop());

  it('gives what the work gives, after the commit', async () => {
    const result = await transaction(test.database, (tx) =>
      tx.selectFrom('counter').select('value').where('id', '=', 2).executeTakeFirst(),
    );
    assert.deepEqual(result, { value: 0 });
  });

  it('loses no update when many read and write back at once', async () => {
    await Promise.all(Array.from({ length: 20 }, () => addOne(test.database)));
    assert.equal(await load(1), 20);
  });

  it('refuses when every try meets a conflict, and writes nothing', async () => {
    let tries = 0;
    const meet = transaction(
      test.database,
      async (tx) => {
        tries += 1;
        await tx.selectFrom('counter').select('value').where('id', '=', 2).execute();
        // Somebody else writes and commits in between, each time.
        await sql`update counter set value = 7 where id = 2`.execute(test.database.kysely);
        await tx.updateTable('counter').set({ value: 8 }).where('id', '=', 2).execute();
      },
      { attemptsMax: 3 },
    );
    await assert.rejects(meet, { code: 'CONFLICT' });
    assert.equal(tries, 3);
    assert.equal(await load(2), 7);
  });

  it('rolls back what the work began when it throws, and throws the same', async () => {
    const reason = new RangeError('no');
    const work = transaction(test.database, async (tx) => {
      await tx.updateTable('counter').set({ value: 99 }).where('id', '=', 2).execute();
      throw reason;
    });
    await assert.rejects(work, (error) => error === reason);
    assert.equal(await load(2), 7);
  });

  it('tells a broken constraint by its state and name, and does not try again', async () => {
    let tries = 0;
    const work = transaction(test.database, async (tx) => {
      tries += 1;
      await tx.insertInto('counter').values({ id: 1, value: 0 }).execute();
    });
    await assert.rejects(work, (error) => {
      assert.equal(findSqlState(error), '23505');
      assert.equal(findConstraint(error), 'counter_pkey');
      return true;
    });
    assert.equal(tries, 1);
  });

  it('does the work again when the connection breaks before the commit', async () => {
    let tries = 0;
    await transaction(test.database, async (tx) => {
      tries += 1;
      await tx.updateTable('counter').set({ value: tries }).where('id', '=', 2).execute();
      if (tries > 1) return;
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx);
      await sql`select pg_terminate_backend(${rows[0]?.pid})`.execute(test.database.kysely);
      await tx.selectFrom('counter').select('value').execute();
    });
    assert.equal(await load(2), 2);
  });

  it('says so when the connection breaks while committing, since nobody knows what happened', async () => {
    await sql`create function die() returns trigger language plpgsql as
      'begin perform pg_terminate_backend(pg_backend_pid()); return new; end'`.execute(
      test.database.kysely,
    );
    await sql`create constraint trigger die after update on counter deferrable initially deferred
      for each row execute function die()`.execute(test.database.kysely);
    const work = transaction(test.database, (tx) =>
      tx.updateTable('counter').set({ value: 5 }).where('id', '=', 2).execute(),
    );
    await assert.rejects(work, { code: 'CONNECTION_LOST' });
    assert.equal(await load(2), 2);
  });

  async function load(id: number): Promise<number> {
    const row = await test.database.kysely
      .selectFrom('counter')
      .select('value')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    return row.value;
  }
});

/** Reads and writes back: two at once lose one unless the transaction sees to it. */
async function addOne(database: Database<Schema>): Promise<void> {
  await transaction(
    database,
    async (tx) => {
      const row = await tx
        .selectFrom('counter')
        .select('value')
        .where('id', '=', 1)
        .executeTakeFirstOrThrow();
      await tx
        .updateTable('counter')
        .set({ value: row.value + 1 })
        .where('id', '=', 1)
        .execute();
    },
    { attemptsMax: 100 },
  );
}
