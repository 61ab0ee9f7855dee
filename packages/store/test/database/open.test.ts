import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import pg from 'pg';
import { type Database, openDatabase, sql, transaction } from '../../src/index.ts';
import { openTestDatabase, openTestServer, type TestDatabase } from '../../src/testing.ts';
import { makeFolder, removeFolder } from '../fixture/folder.ts';
import { startFixture } from '../fixture/process.ts';

describe('openDatabase() on a server', () => {
  let test: TestDatabase<unknown>;
  before(async () => {
    test = await openTestDatabase();
  });
  after(() => test.drop());

  it('opens a URL, under the given name, with bounds', async () => {
    const database = await openDatabase({
      url: test.url,
      applicationName: 'immota-tester',
      statementTimeoutMs: 50,
      connectionsMax: 2,
    });
    assert.equal(database.kind, 'server');
    const { rows } = await sql`select current_setting('application_name') as name,
      current_setting('statement_timeout') as timeout`.execute(database.kysely);
    assert.deepEqual(rows, [{ name: 'immota-tester', timeout: '50ms' }]);
    await assert.rejects(sql`select pg_sleep(5)`.execute(database.kysely), { code: '57014' });
    await Promise.all(Array.from({ length: 8 }, () => sql`select 1`.execute(database.kysely)));
    const counted = await sql<{ count: number }>`select count(*) from pg_stat_activity
      where application_name = 'immota-tester'`.execute(test.database.kysely);
    assert.equal(counted.rows[0]?.count, 2);
    await database.close();
    await database.close();
  });

  it('refuses a wrong password, a missing database and a silent port', async () => {
    const wrong = new URL(test.url.replace('@/', '@x/'));
    const right = wrong.password;
    wrong.password = 'wrong';
    const secret = wrong.href.replace('@x/', '@/');
    await refuses({ url: secret }, 'UNREACHABLE');
    wrong.password = right;
    wrong.pathname = '/no_such_database';
    await refuses({ url: wrong.href.replace('@x/', '@/') }, 'UNREACHABLE');
    const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const url = `postgres://me:pw@127.0.0.1:${port}/x`;
    await refuses({ url, connectPatienceMs: 200 }, 'UNREACHABLE');
    server.close();
  });

  it('refuses a database that is not UTF-8', async () => {
    const server = await openTestServer();
    const name = `test_ascii_${process.pid}`;
    const client = new pg.Client(server.connection(server.root));
    await client.connect();
    await client.query(
      `create database ${name} encoding 'SQL_ASCII' locale 'C' locale_provider libc template template0`,
    );
    try {
      await refuses({ url: server.url(name) }, 'SERVER_UNSUITABLE');
    } finally {
      await client.query(`drop database ${name} with (force)`);
      await client.end();
    }
  });

  it('does without a server rather than without the TLS that was asked for', async () => {
    await refuses({ url: `${test.url}&sslmode=verify-full` }, 'UNREACHABLE');
  });

  it('says that a server may forget', async (t) => {
    if (!(await openTestServer()).isLocal) {
      t.skip('this server remembers');
      return;
    }
    const codes: string[] = [];
    const notice = ({ code }: { code: string }): void => {
      codes.push(code);
    };
    // The tests' server does not wait for the disk.
    await (await openDatabase({ url: test.url, notice })).close();
    assert.deepEqual(codes, ['NOT_DURABLE']);
  });

  it('refuses both a URL and a folder, and neither', async () => {
    await refuses({}, 'URL_MALFORMED');
    await refuses({ url: test.url, dataFolder: '/nowhere' }, 'URL_MALFORMED');
  });
});

describe('openDatabase() on a data folder', () => {
  let folder = '';
  before(async () => {
    folder = await makeFolder();
  });
  after(() => removeFolder(folder));

  it('shares one server among processes, and the last one stops it', async () => {
    const dataFolder = join(folder, 'shared');
    const [first, second] = ['a', 'b'].map(() => startFixture('opener.ts', [dataFolder]));
    await Promise.all([first?.waitForLines(1), second?.waitForLines(1)]);
    for (const opener of [first, second])
      assert.match(opener?.lines[0] ?? '', /^open embedded [12]$/);
    const database = await openDatabase({ dataFolder });
    first?.child.stdin?.write('go\n');
    assert.equal(await first?.end(), 0);
    await sql`insert into opened values ('me')`.execute(database.kysely);
    await second?.kill();
    await sql`insert into opened values ('me')`.execute(database.kysely);
    await database.close();
    const again = await openDatabase({ dataFolder });
    const { rows } = await sql`select count(*) from opened`.execute(again.kysely);
    assert.deepEqual(rows, [{ count: 4 }]);
    await again.close();
  });

  it('opens it twice in one process as well', async () => {
    const dataFolder = join(folder, 'shared');
    const [first, second] = await Promise.all([
      openDatabase({ dataFolder }),
      openDatabase({ dataFolder }),
    ]);
    await first.close();
    await sql`select 1`.execute(second.kysely);
    await second.close();
  });

  it('takes a folder whose path is too long for a socket', async () => {
    const dataFolder = join(folder, 'long'.repeat(25));
    const database = await openDatabase({ dataFolder });
    assert.equal(database.kind, 'embedded');
    await database.close();
  });

  it('is no superuser, so that SQL cannot reach the machine’s files', async () => {
    const database = await openDatabase({ dataFolder: join(folder, 'shared') });
    await assert.rejects(sql`select pg_read_file('/etc/passwd')`.execute(database.kysely), {
      code: '42501',
    });
    await database.close();
  });

  it('refuses a cluster of another major version, and hides it behind nothing', async () => {
    const dataFolder = join(folder, 'shared');
    const file = join(dataFolder, 'postgres', 'data', 'PG_VERSION');
    const version = await readFile(file, 'utf8');
    await writeFile(file, '12\n');
    await refuses({ dataFolder }, 'DATA_FOLDER_UNUSABLE');
    await writeFile(file, version);
    await (await openDatabase({ dataFolder })).close();
  });
});

describe('openDatabase() on a folder of PGlite', () => {
  let folder = '';
  let database: Database<unknown>;
  const notices: string[] = [];
  before(async () => {
    folder = await makeFolder();
    await mkdir(join(folder, 'pglite'));
    database = await openDatabase({ dataFolder: folder, notice: ({ code }) => notices.push(code) });
  });
  after(async () => {
    await database.close();
    await removeFolder(folder);
  });

  it('says so', () => {
    assert.equal(database.kind, 'pglite');
    assert.deepEqual(notices, ['EMBEDDED_UNAVAILABLE']);
  });

  it('refuses a second process', async () => {
    const other = startFixture('opener.ts', [folder]);
    assert.equal(await other.end(), 0);
    assert.deepEqual(other.lines, ['refused DATA_FOLDER_BUSY']);
  });

  it('keeps transactions apart that run at once', async () => {
    await sql`create table note (text text)`.execute(database.kysely);
    const gate = Promise.withResolvers<void>();
    const failing = transaction(database, async (tx) => {
      await sql`insert into note values ('undone')`.execute(tx);
      gate.resolve();
      throw new RangeError('no');
    });
    await gate.promise;
    const fine = transaction(database, (tx) => sql`insert into note values ('kept')`.execute(tx));
    const outside = sql`insert into note values ('also kept')`.execute(database.kysely);
    await assert.rejects(failing, { name: 'RangeError' });
    await Promise.all([fine, outside]);
    const { rows } = await sql`select text from note order by text`.execute(database.kysely);
    assert.deepEqual(rows, [{ text: 'also kept' }, { text: 'kept' }]);
  });

  it('tells how many rows a statement met', async () => {
    const updated = await sql`update note set text = 'new'`.execute(database.kysely);
    assert.equal(updated.numAffectedRows, 2n);
  });

  it('hears notifications', async () => {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const subscription = await database.listen('news', resolve);
    await sql`select pg_notify('news', 'hello')`.execute(database.kysely);
    assert.equal(await promise, 'hello');
    await subscription.close();
  });
});

async function refuses(options: object, code: string): Promise<void> {
  await assert.rejects(openDatabase(options), (error) => {
    assert.ok(error instanceof Error && 'code' in error);
    assert.equal(error.code, code);
    assert.doesNotMatch(error.message, /wrong|pw@/);
    return true;
  });
}
