import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  type Database,
  openDatabase,
  sql,
  StoreFault,
  type StoreNotice,
  transaction,
} from '../../src/index.ts';
import { findPostmaster, waitForEnd } from '../../src/embedded/postmaster.ts';
import { makeFolder, removeFolder } from '../fixture/folder.ts';
import { startFixture } from '../fixture/process.ts';

describe('openDatabase() on a data folder, after a crash', () => {
  let folder = '';
  let data = '';
  before(async () => {
    folder = await makeFolder();
    data = join(folder, 'postgres', 'data');
  });
  after(() => removeFolder(folder));

  it('keeps what was acknowledged when the program dies, and its server ends too', async () => {
    const writer = startFixture('writer.ts', [folder, '0']);
    await writer.waitForLines(20);
    await writer.kill();
    assert.equal(await waitForEnd(data), true);
    await checkWritten(writer.lines);
  });

  it('keeps what was acknowledged when the server dies in the middle of writes', async () => {
    const writer = startFixture('writer.ts', [folder, '10000']);
    for (let kills = 0; kills < 3; kills += 1) {
      await writer.waitForLines(writer.lines.length + 20);
      await killServer();
    }
    // It goes on by itself with the new server.
    await writer.waitForLines(writer.lines.length + 20);
    await writer.kill();
    assert.equal(await waitForEnd(data), true);
    await checkWritten(writer.lines);
  });

  it('goes on with the same handle after the server died', async () => {
    const notices: StoreNotice[] = [];
    const database = await openDatabase({
      dataFolder: folder,
      notice: (notice) => notices.push(notice),
    });
    try {
      await sql`insert into written values (20000)`.execute(database.kysely);
      await killServer();
      await assert.rejects(untilItFails(database), { code: 'CONNECTION_LOST' });
      const { rows } = await sql`select number from written where number = 20000`.execute(
        database.kysely,
      );
      assert.deepEqual(rows, [{ number: 20_000 }]);
    } finally {
      await database.close();
    }
  });

  it('stops a server whose program and keeper both died, and starts again', async () => {
    const writer = startFixture('writer.ts', [folder, '30000']);
    await writer.waitForLines(5);
    const orphan = await findPostmaster(data);
    const keeper = await findParent(orphan?.pid);
    // The keeper is the leader of its own session; its shell, its pipe's reader and it all die.
    for (const pid of [await findParent(keeper), keeper]) process.kill(pid ?? 0, 'SIGKILL');
    await writer.kill();
    const notices: StoreNotice[] = [];
    const database = await openDatabase({
      dataFolder: folder,
      notice: (notice) => notices.push(notice),
    });
    assert.deepEqual(
      notices.map(({ code }) => code),
      ['RECOVERED'],
    );
    assert.notEqual((await findPostmaster(data))?.pid, orphan?.pid);
    await database.close();
    await checkWritten(writer.lines);
  });

  it('brings the server back for the same handle when it was stopped by hand', async () => {
    const database = await openDatabase({ dataFolder: folder });
    const first = await findPostmaster(data);
    process.kill(first?.pid ?? 0, 'SIGINT');
    assert.equal(await waitForEnd(data), true);
    await transaction(database, (tx) => sql`select number from written limit 1`.execute(tx));
    assert.notEqual((await findPostmaster(data))?.pid, first?.pid);
    await database.close();
    assert.equal(await findPostmaster(data), undefined);
  });

  it('starts although a file left behind names a process that lives', async () => {
    const text = ['PID', data, '0', '5432', join(folder, 'postgres', 'run'), '', '', 'ready'];
    await writeFile(
      join(data, 'postmaster.pid'),
      text.join('\n').replace('PID', String(process.pid)),
    );
    await checkWritten([]);
  });

  it('throws away a cluster that was not finished', async () => {
    const fresh = join(folder, 'fresh');
    await mkdir(join(fresh, 'postgres', 'data.draft'), { recursive: true, mode: 0o711 });
    await writeFile(join(fresh, 'postgres', 'data.draft', 'PG_VERSION'), '1');
    const database = await openDatabase({ dataFolder: fresh });
    assert.equal(database.kind, 'embedded');
    await database.close();
    assert.equal(existsSync(join(fresh, 'postgres', 'data.draft')), false);
  });

  it('refuses a cluster whose server cannot start, in the server’s words, and leaves it alone', async () => {
    const control = join(folder, 'fresh', 'postgres', 'data', 'global', 'pg_control');
    const content = await readFile(control);
    await truncate(control, 10);
    const open = openDatabase({ dataFolder: join(folder, 'fresh') });
    await assert.rejects(open, (error) => {
      assert.ok(error instanceof StoreFault);
      assert.equal(error.code, 'EMBEDDED_FAILED');
      assert.match(error.message, /pg_control/);
      return true;
    });
    assert.equal(existsSync(join(folder, 'fresh', 'pglite')), false);
    await writeFile(control, content);
    await (await openDatabase({ dataFolder: join(folder, 'fresh') })).close();
  });

  async function checkWritten(lines: readonly string[]): Promise<void> {
    const acknowledged = lines.filter((line) => /^\d+$/.test(line)).map(Number);
    const database = await openDatabase({ dataFolder: folder });
    try {
      const { rows } = await sql<{
        number: number;
      }>`select number from written order by number`.execute(database.kysely);
      const found = new Set(rows.map(({ number }) => number));
      assert.deepEqual(
        acknowledged.filter((number) => !found.has(number)),
        [],
      );
    } finally {
      await database.close();
    }
    assert.equal(await findPostmaster(data), undefined);
  }

  /** It may be just restarting. */
  async function killServer(): Promise<void> {
    for (;;) {
      const postmaster = await findPostmaster(data);
      if (postmaster?.isReady === true) {
        process.kill(postmaster.pid, 'SIGKILL');
        return;
      }
      await new Promise(setImmediate);
    }
  }
});

async function findParent(pid: number | undefined): Promise<number | undefined> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1');
  return Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
}

async function untilItFails(database: Database<unknown>): Promise<never> {
  for (;;) await sql`select pg_sleep(0.01)`.execute(database.kysely);
}
