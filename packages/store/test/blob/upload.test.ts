import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFile, readdir, truncate, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  type BlobHash,
  type BlobStore,
  openFolderBlobStore,
  parseBlobHash,
  parseUploadId,
} from '../../src/index.ts';
import { makeFolder, removeFolder } from '../fixture/folder.ts';

const LONG = 1_000_000;

describe('an upload', () => {
  let folder = '';
  let store: BlobStore;
  before(async () => {
    folder = await makeFolder();
    store = await openFolderBlobStore({ folder });
  });
  after(() => removeFolder(folder));

  it('grows in parts, over a restart of the program, and becomes a blob', async () => {
    const id = await store.beginUpload();
    assert.equal(await store.uploadOffset(id), 0);
    assert.equal(await store.appendUpload(id, 0, from('hello '), LONG), 6);
    const next = await openFolderBlobStore({ folder });
    assert.equal(await next.uploadOffset(id), 6);
    assert.equal(await next.appendUpload(id, 6, from('world'), LONG), 11);
    const hash = hashOf('hello world');
    assert.equal(await next.finishUpload(id, hash), 11);
    assert.equal((await buffer((await next.get(hash)).body)).toString(), 'hello world');
    await assert.rejects(next.uploadOffset(id), { code: 'UPLOAD_MISSING' });
    assert.deepEqual(await readdir(join(folder, 'uploads')), []);
  });

  it('keeps what arrived before the sender went away', async () => {
    const id = await store.beginUpload();
    const reason = new RangeError('gone');
    await assert.rejects(
      store.appendUpload(id, 0, breaking('half', reason), LONG),
      (error) => error === reason,
    );
    assert.equal(await store.uploadOffset(id), 4);
    await store.appendUpload(id, 4, from('way'), LONG);
    assert.equal(await store.finishUpload(id, hashOf('halfway')), 7);
  });

  it('refuses bytes that do not continue where it ends', async () => {
    const id = await store.beginUpload();
    await store.appendUpload(id, 0, from('abc'), LONG);
    for (const offset of [0, 2, 4, -1]) {
      await assert.rejects(store.appendUpload(id, offset, from('x'), LONG), {
        code: 'UPLOAD_OFFSET',
      });
    }
    assert.equal(await store.uploadOffset(id), 3);
    await store.abandonUpload(id);
  });

  it('refuses more than allowed, and keeps what fitted', async () => {
    const id = await store.beginUpload();
    assert.equal(await store.appendUpload(id, 0, from('1234'), 4), 4);
    await assert.rejects(store.appendUpload(id, 4, from('5'), 4), { code: 'BLOB_TOO_LONG' });
    assert.equal(await store.uploadOffset(id), 4);
    await store.abandonUpload(id);
  });

  it('is gone when its hash is not the announced one', async () => {
    const id = await store.beginUpload();
    await store.appendUpload(id, 0, from('a'), LONG);
    await assert.rejects(store.finishUpload(id, hashOf('b')), { code: 'BLOB_MISMATCH' });
    await assert.rejects(store.finishUpload(id, hashOf('a')), { code: 'UPLOAD_MISSING' });
    assert.equal(await store.has(hashOf('b')), false);
  });

  it('is one writer’s at a time', async () => {
    const id = await store.beginUpload();
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const first = store.appendUpload(id, 0, gated(begun, gate), LONG);
    await begun.promise;
    const busy = { code: 'UPLOAD_BUSY' };
    await assert.rejects(store.appendUpload(id, 0, from('x'), LONG), busy);
    await assert.rejects(store.finishUpload(id, hashOf('x')), busy);
    await assert.rejects(store.abandonUpload(id), busy);
    assert.equal(await store.sweep(Temporal.Instant.from('2200-01-01T00:00:00Z')), 0);
    gate.resolve();
    assert.equal(await first, 2);
    await store.abandonUpload(id);
    await assert.rejects(store.uploadOffset(id), { code: 'UPLOAD_MISSING' });
    await store.abandonUpload(id);
  });

  it('is unknown by an id that was never given out', async () => {
    const id = parseUploadId('0'.repeat(32));
    await assert.rejects(store.appendUpload(id, 0, from('x'), LONG), { code: 'UPLOAD_MISSING' });
    await assert.rejects(store.finishUpload(id, hashOf('x')), { code: 'UPLOAD_MISSING' });
    assert.deepEqual(await readdir(join(folder, 'uploads')), []);
  });

  it('forgets a tail that a power cut may have spoiled', async () => {
    const id = await store.beginUpload();
    await store.appendUpload(id, 0, from('good'), LONG);
    await appendFile(join(folder, 'uploads', `${id}.part`), '\0\0\0');
    assert.equal(await store.uploadOffset(id), 4);
    await store.appendUpload(id, 4, from('!'), LONG);
    assert.equal(await store.finishUpload(id, hashOf('good!')), 5);
  });

  it('refuses to go on when durable bytes are gone', async () => {
    const id = await store.beginUpload();
    await store.appendUpload(id, 0, from('good'), LONG);
    await truncate(join(folder, 'uploads', `${id}.part`), 2);
    await assert.rejects(store.appendUpload(id, 4, from('!'), LONG), { code: 'BLOB_STORAGE' });
    await store.sweep(Temporal.Instant.from('2200-01-01T00:00:00Z'));
    assert.deepEqual(await readdir(join(folder, 'uploads')), []);
  });

  it('is swept when nobody touched it for long, and not before', async () => {
    const [old, young] = [await store.beginUpload(), await store.beginUpload()];
    const now = Temporal.Instant.from('2030-01-01T00:00:00Z');
    await touch(folder, old, now.subtract({ hours: 49 }));
    await touch(folder, young, now.subtract({ hours: 47 }));
    assert.equal(await store.sweep(now.subtract({ hours: 48 })), 1);
    await assert.rejects(store.uploadOffset(old), { code: 'UPLOAD_MISSING' });
    assert.equal(await store.uploadOffset(young), 0);
    await store.abandonUpload(young);
  });

  it('gives the bytes that were sent, however they were cut', async () => {
    const parts = fc.array(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }), {
      maxLength: 4,
    });
    await fc.assert(
      fc.asyncProperty(parts, async (requests) => {
        const id = await store.beginUpload();
        let offset = 0;
        for (const chunks of requests) {
          offset = await store.appendUpload(id, offset, fromList(chunks), LONG);
        }
        const all = Buffer.concat(requests.flat());
        assert.equal(offset, all.length);
        const hash = parseBlobHash(createHash('sha256').update(all).digest('hex'));
        assert.equal(await store.finishUpload(id, hash), all.length);
        assert.deepEqual(await buffer((await store.get(hash)).body), all);
      }),
      { numRuns: 25 },
    );
  });
});

function hashOf(text: string): BlobHash {
  return parseBlobHash(createHash('sha256').update(text).digest('hex'));
}

async function* from(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
}

async function* fromList(chunks: readonly Uint8Array[]): AsyncIterable<Uint8Array> {
  yield* chunks;
}

async function* breaking(text: string, reason: unknown): AsyncIterable<Uint8Array> {
  yield Buffer.from(text);
  throw reason;
}

async function* gated(
  begun: PromiseWithResolvers<void>,
  gate: PromiseWithResolvers<void>,
): AsyncIterable<Uint8Array> {
  yield Uint8Array.of(1);
  begun.resolve();
  await gate.promise;
  yield Uint8Array.of(2);
}

async function touch(folder: string, id: string, time: Temporal.Instant): Promise<void> {
  for (const kind of ['part', 'offset']) {
    await utimes(join(folder, 'uploads', `${id}.${kind}`), 1, time.epochMilliseconds / 1000);
  }
}
