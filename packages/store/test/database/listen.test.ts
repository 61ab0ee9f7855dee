import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { openDatabase, sql } from '../../src/index.ts';
import { openTestDatabase, type TestDatabase } from '../../src/testing.ts';

describe('listen()', () => {
  let test: TestDatabase<unknown>;
  before(async () => {
    test = await openTestDatabase();
  });
  after(() => test.drop());

  it('hears what a transaction notified, once it is committed', async () => {
    const heard = new EventEmitter();
    const subscription = await test.database.listen('campaign "1"', (payload) => {
      heard.emit('said', payload);
    });
    const first = once(heard, 'said');
    await notify('campaign "1"', 'go');
    assert.deepEqual(await first, ['go']);
    await subscription.close();
    await subscription.close();
  });

  it('listens again after its connection was lost, and says that it may have missed something', async () => {
    const heard = new EventEmitter();
    const subscription = await test.database.listen('again', (payload) => {
      heard.emit('said', payload);
    });
    const gap = once(heard, 'said');
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where query like 'LISTEN%again%' and pid <> pg_backend_pid()`.execute(test.database.kysely);
    assert.deepEqual(await gap, [undefined]);
    const next = once(heard, 'said');
    await notify('again', 'back');
    assert.deepEqual(await next, ['back']);
    await subscription.close();
  });

  it('fails, and nothing else does, when its first connection is lost before it listens', async () => {
    const url = new URL(test.url.replace('@/', '@socket.invalid/'));
    const port = url.searchParams.get('port') ?? '5432';
    const path = join(url.searchParams.get('host') ?? '', `.s.PGSQL.${port}`);
    // A line that breaks at the statement that begins to listen.
    const line = createServer((client) => {
      const server = connect(path);
      for (const socket of [client, server]) socket.on('error', () => undefined);
      client.on('close', () => server.destroy());
      client.on('data', (bytes: Buffer) => {
        if (bytes.includes('LISTEN')) client.destroy();
        else server.write(bytes);
      });
      server.pipe(client);
    });
    const folder = await mkdtemp(join(tmpdir(), 'immota-line-'));
    line.listen(join(folder, '.s.PGSQL.5432'));
    await once(line, 'listening');
    const place = `${url.pathname}?host=${encodeURIComponent(folder)}&port=5432`;
    const database = await openDatabase({
      url: `postgres://${url.username}:${url.password}@${place}`,
    });
    const listening = database.listen('news', () => assert.fail('nothing was said'));
    await assert.rejects(listening, { message: 'Connection terminated unexpectedly' });
    const { rows } = await sql<{ one: number }>`select 1 as one`.execute(database.kysely);
    assert.deepEqual(rows, [{ one: 1 }]);
    await database.close();
    line.close();
    await rm(folder, { recursive: true });
  });

  async function notify(channel: string, payload: string): Promise<void> {
    await sql`select pg_notify(${channel}, ${payload})`.execute(test.database.kysely);
  }
});
