import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { sql } from '../../src/index.ts';
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

  async function notify(channel: string, payload: string): Promise<void> {
    await sql`select pg_notify(${channel}, ${payload})`.execute(test.database.kysely);
  }
});
