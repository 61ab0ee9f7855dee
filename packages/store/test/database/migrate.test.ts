import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { migrate, type Migration, sql, transaction } from '../../src/index.ts';
import { startFixture } from '../fixture/process.ts';
import { openTestDatabase, type TestDatabase } from '../../src/testing.ts';

const FIRST: Migration = {
  number: 1,
  name: 'vehicles',
  sql: 'create table vehicle (id text primary key); create table ecu (id text primary key)',
};
const SECOND: Migration = {
  number: 2,
  name: 'names',
  sql: `alter table vehicle add column name text not null default 'unnamed'`,
};

describe('migrate()', () => {
  let test: TestDatabase<unknown>;
  before(async () => {
    test = await openTestDatabase();
  });
  after(() => test.drop());

  it('applies what is new, in order, and keeps the data', async () => {
    assert.deepEqual(await migrate(test.database, [FIRST]), { applied: [1], current: 1 });
    await transaction(test.database, (tx) =>
      sql`insert into vehicle (id) values ('VIN1')`.execute(tx),
    );
    assert.deepEqual(await migrate(test.database, [FIRST, SECOND]), { applied: [2], current: 2 });
    const { rows } = await sql`select * from vehicle`.execute(test.database.kysely);
    assert.deepEqual(rows, [{ id: 'VIN1', name: 'unnamed' }]);
  });

  it('does nothing when nothing is new', async () => {
    assert.deepEqual(await migrate(test.database, [FIRST, SECOND]), { applied: [], current: 2 });
  });

  it('refuses a changed history', async () => {
    const changed = { ...FIRST, sql: `${FIRST.sql}, note text` };
    await refuses([changed, SECOND], 'MIGRATION_CHANGED');
  });

  it('takes a history whose line ends and names changed', async () => {
    const renamed = { ...FIRST, name: 'cars' };
    assert.deepEqual((await migrate(test.database, [renamed, SECOND])).applied, []);
  });

  it('refuses a database that is ahead of the code', async () => {
    await refuses([FIRST], 'MIGRATION_AHEAD');
  });

  it('refuses a list with a gap, and one with an empty migration', async () => {
    await refuses([FIRST, { ...SECOND, number: 3 }], 'MIGRATION_LIST');
    await refuses([FIRST, { ...SECOND, sql: ' ' }], 'MIGRATION_LIST');
  });

  it('leaves nothing of a migration that fails', async () => {
    const third = { number: 3, name: 'bad', sql: 'create table half (id int); select 1 / 0' };
    await refuses([FIRST, SECOND, third], 'MIGRATION_FAILED');
    const { rows } = await sql`select to_regclass('half') as half`.execute(test.database.kysely);
    assert.deepEqual(rows, [{ half: null }]);
  });

  it('applies each migration once when two processes start at the same time', async () => {
    const other = await openTestDatabase();
    try {
      const racers = [1, 2, 3].map(() => startFixture('migrator.ts', [other.url]));
      // They wait for a line, so that they start together.
      await Promise.all(racers.map((racer) => racer.waitForLines(1)));
      for (const racer of racers) racer.child.stdin?.write('go\n');
      const statuses = await Promise.all(racers.map((racer) => racer.end()));
      assert.deepEqual(statuses, [0, 0, 0]);
      const applied = racers.flatMap((racer) => racer.lines.slice(1)).map(Number);
      assert.deepEqual(
        applied.toSorted((left, right) => left - right),
        Array.from({ length: 12 }, (_, index) => index + 1),
      );
    } finally {
      await other.drop();
    }
  });

  it('refuses a migration that ends its own transaction', async () => {
    const third = { number: 3, name: 'ends', sql: 'select 1; commit; select 2' };
    await refuses([FIRST, SECOND, third], 'MIGRATION_FAILED');
  });

  async function refuses(migrations: readonly Migration[], code: string): Promise<void> {
    await assert.rejects(migrate(test.database, migrations), { code });
  }
});
