import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import { type BlobStore, openFolderBlobStore } from '../../src/index.ts';
import { makeFolder, removeFolder } from '../fixture/folder.ts';
import { startFixture } from '../fixture/process.ts';

describe('a blob store whose program is killed', () => {
  let folder = '';
  before(async () => {
    folder = await makeFolder();
  });
  after(() => removeFolder(folder));

  it('keeps all it acknowledged, holds nothing half, and goes on', async () => {
    const store = await openFolderBlobStore({ folder });
    const upload = await store.beginUpload();
    for (let round = 0; round < 6; round += 1) {
      const putter = startFixture('putter.ts', [folder, upload]);
      // Another number of lines each time: another instant.
      await putter.waitForLines(1 + round * 2);
      await putter.kill();
      await checkRound(store, putter.lines);
      const end = await store.uploadOffset(upload);
      const appended = putter.lines.findLast((line) => line.startsWith('append '));
      assert.ok(end >= Number(appended?.split(' ')[1] ?? 0));
      await checkPattern(join(folder, 'uploads', `${upload}.part`), end);
    }
    assert.ok((await store.sweep(Temporal.Instant.from('2200-01-01T00:00:00Z'))) >= 1);
    assert.deepEqual(await readdir(join(folder, 'drafts')), []);
  });
});

async function checkRound(store: BlobStore, lines: readonly string[]): Promise<void> {
  const put = new Set(lines.filter((line) => line.startsWith('put ')).map((line) => line.slice(4)));
  for await (const hash of store.list()) {
    const bytes = await buffer((await store.get(hash)).body);
    assert.equal(createHash('sha256').update(bytes).digest('hex'), hash);
    put.delete(hash);
  }
  assert.equal(put.size, 0);
}

async function checkPattern(file: string, end: number): Promise<void> {
  const bytes = (await readFile(file)).subarray(0, end);
  assert.equal(bytes.length, end);
  assert.ok(bytes.every((byte, index) => byte === index % 251));
}
