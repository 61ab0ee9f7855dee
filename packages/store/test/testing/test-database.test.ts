import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sql } from '../../src/index.ts';
import { openTestDatabase, openTestServer, type TestDatabase } from '../../src/testing.ts';
import { startFixture } from '../fixture/process.ts';

const MIGRATIONS = [
  { number: 1, name: 'thing', sql: 'create table thing (id integer primary key)' },
];

describe('openTestDatabase()', () => {
  let test: TestDatabase<unknown>;
  before(async () => {
    test = await openTestDatabase(MIGRATIONS);
  });
  after(() => test.drop());

  it('gives each caller a database of its own with the schema', async () => {
    const other = await openTestDatabase(MIGRATIONS);
    await sql`insert into thing values (1)`.execute(test.database.kysely);
    const { rows } = await sql`select count(*) from thing`.execute(other.database.kysely);
    assert.deepEqual(rows, [{ count: 0 }]);
    await other.drop();
  });

  it('serves processes that start at the same time', async () => {
    const testers = Array.from({ length: 4 }, () => startFixture('tester.ts', []));
    assert.deepEqual(await Promise.all(testers.map((tester) => tester.end())), [0, 0, 0, 0]);
    assert.equal(new Set(testers.map(({ lines }) => lines[0])).size, 4);
    for (const tester of testers) {
      assert.equal(tester.lines[1], 'dropped');
      assert.equal(await exists(tester.lines[0]), false);
    }
  });

  it('removes what a process that died left behind', async () => {
    const tester = startFixture('tester.ts', ['die']);
    await tester.end();
    assert.equal(await exists(tester.lines[0]), true);
    await (await openTestDatabase(MIGRATIONS)).drop();
    assert.equal(await exists(tester.lines[0]), false);
  });

  it('uses the server that a variable names instead', async () => {
    const server = await openTestServer();
    const environment = { IMMOTA_TEST_DATABASE_URL: server.url(server.root), TMPDIR: '/nowhere' };
    const tester = startFixture('tester.ts', [], { environment });
    assert.equal(await tester.end(), 0);
    assert.equal(tester.lines[1], 'dropped');
  });

  async function exists(name: string | undefined): Promise<boolean> {
    const { rows } = await sql`select from pg_database where datname = ${name}`.execute(
      test.database.kysely,
    );
    return rows.length === 1;
  }
});
