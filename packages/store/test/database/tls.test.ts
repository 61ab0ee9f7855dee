import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { openDatabase, sql } from '../../src/index.ts';
import { openTestDatabase, type TestDatabase } from '../../src/testing.ts';
import { makeFolder, removeFolder } from '../fixture/folder.ts';
import { openTlsFront, type TlsFront } from '../fixture/tls-front.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;
const skip = hasOpenssl ? false : 'openssl is not there to make a certificate';

describe('openDatabase() over TLS', { skip }, () => {
  let folder = '';
  let test: TestDatabase<unknown>;
  let front: TlsFront;
  before(async () => {
    folder = await makeFolder();
    test = await openTestDatabase();
    const { searchParams } = inner();
    const target = `${searchParams.get('host')}/.s.PGSQL.${searchParams.get('port')}`;
    front = await openTlsFront(folder, target);
  });
  after(async () => {
    front.close();
    await test.drop();
    await removeFolder(folder);
  });

  it('opens a server whose certificate is vouched for and bears its name', async () => {
    const database = await openDatabase({ url: urlOf('localhost', front.certificateFile) });
    const { rows } = await sql`select 1 as one`.execute(database.kysely);
    assert.deepEqual(rows, [{ one: 1 }]);
    await database.close();
  });

  it('refuses a certificate that nobody vouches for', async () => {
    await assert.rejects(openDatabase({ url: urlOf('localhost') }), { code: 'UNREACHABLE' });
  });

  it('refuses a certificate of another name', async () => {
    const url = urlOf('127.0.0.1', front.certificateFile);
    await assert.rejects(openDatabase({ url }), { code: 'UNREACHABLE' });
  });

  /** On loopback TLS must be asked for; even the weakest way of asking means all of it. */
  function urlOf(host: string, certificateFile?: string): string {
    const { username, password, pathname } = inner();
    const ca = certificateFile === undefined ? '' : `&sslrootcert=${certificateFile}`;
    return `postgres://${username}:${password}@${host}:${front.port}${pathname}?sslmode=require${ca}`;
  }

  function inner(): URL {
    return new URL(test.url.replace('@/', '@socket/'));
  }
});
