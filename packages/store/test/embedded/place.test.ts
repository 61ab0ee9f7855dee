import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { makeFolder, removeFolder } from '../fixture/folder.ts';
import { startFixture } from '../fixture/process.ts';
import { copyTree } from '../fixture/tree.ts';

const isRoot = process.getuid?.() === 0;

describe('openDatabase() on a data folder, from a place that others may not enter', () => {
  let folder = '';
  let fixtures = '';
  before(async () => {
    folder = await makeFolder();
    fixtures = await copyTree(join(folder, 'closed'), true);
  });
  after(() => removeFolder(folder));

  it('lays the links, and copies the binaries when root lends them to another user', async () => {
    const dataFolder = join(folder, 'data');
    const notices = isRoot ? ['notice SOFTWARE_COPIED'] : [];
    assert.deepEqual(await open(dataFolder), [...notices, 'open embedded 1', 'closed']);
    assert.deepEqual(await open(dataFolder), ['open embedded 2', 'closed']);
  });

  it(
    'keeps the cluster elsewhere when root alone may enter the data folder',
    { skip: isRoot ? false : 'only root lends its place to another user' },
    async () => {
      const dataFolder = join(folder, 'closed', 'data');
      const lines = await open(dataFolder);
      const pointer = join(dataFolder, 'postgres', 'cluster-is-at');
      const elsewhere = (await readFile(pointer, 'utf8')).trim();
      try {
        assert.deepEqual(lines, [
          'notice CLUSTER_ELSEWHERE',
          'notice SOFTWARE_COPIED',
          'open embedded 1',
          'closed',
        ]);
        assert.deepEqual(await open(dataFolder), ['open embedded 2', 'closed']);
        await chmod(elsewhere, 0o700);
        assert.deepEqual(await open(dataFolder), ['refused DATA_FOLDER_UNUSABLE']);
      } finally {
        await rm(elsewhere, { recursive: true, force: true });
      }
    },
  );

  async function open(dataFolder: string): Promise<readonly string[]> {
    return openOnce(dataFolder, fixtures);
  }
});

describe('openDatabase() on a data folder, without binaries for this machine', () => {
  let folder = '';
  let fixtures = '';
  before(async () => {
    folder = await makeFolder();
    fixtures = await copyTree(join(folder, 'closed'), false);
  });
  after(() => removeFolder(folder));

  it('falls back to PGlite, says so each time, and keeps the data', async () => {
    const dataFolder = join(folder, 'data');
    const notice = 'notice EMBEDDED_UNAVAILABLE';
    assert.deepEqual(await openOnce(dataFolder, fixtures), [notice, 'open pglite 1', 'closed']);
    // Also where the server could run: what is there decides.
    assert.deepEqual(await openOnce(dataFolder), [notice, 'open pglite 2', 'closed']);
  });

  it('refuses to hide a cluster behind an empty PGlite', async () => {
    const dataFolder = join(folder, 'cluster');
    assert.deepEqual(await openOnce(dataFolder), ['open embedded 1', 'closed']);
    assert.deepEqual(await openOnce(dataFolder, fixtures), ['refused DATA_FOLDER_UNUSABLE']);
    assert.equal(existsSync(join(dataFolder, 'pglite')), false);
  });

  it('takes a data folder that is there, as it is', async () => {
    const dataFolder = join(folder, 'mine');
    await mkdir(dataFolder);
    await chmod(dataFolder, 0o755);
    assert.deepEqual(await openOnce(dataFolder), ['open embedded 1', 'closed']);
  });
});

async function openOnce(dataFolder: string, fixtures?: string): Promise<readonly string[]> {
  const opener = startFixture('opener.ts', [dataFolder], { folder: fixtures });
  opener.child.stdin?.end('go\n');
  assert.equal(await opener.end(), 0);
  return opener.lines;
}
