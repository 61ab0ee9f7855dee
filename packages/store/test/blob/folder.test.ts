import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, it } from 'node:test';
import {
  type BlobHash,
  type BlobStore,
  openFolderBlobStore,
  parseBlobHash,
  parseUploadId,
} from '../../src/index.ts';
import { makeFolder, removeFolder } from '../fixture/folder.ts';

const BYTES = Uint8Array.from({ length: 100_000 }, (_, index) => index % 253);
const HASH = hashOf(BYTES);
const LONG = 1_000_000;

describe('openFolderBlobStore()', () => {
  let folder = '';
  let store: BlobStore;
  before(async () => {
    folder = await makeFolder();
    store = await openFolderBlobStore({ folder });
  });
  after(() => removeFolder(folder));

  it('gives back what was put, whole and in parts', async () => {
    assert.equal(await store.put(HASH, inPieces(BYTES), LONG), BYTES.length);
    assert.equal(await store.has(HASH), true);
    assert.equal(await store.size(HASH), BYTES.length);
    assert.deepEqual(await read(HASH), Buffer.from(BYTES));
    const range = { startBytes: 99, endBytes: 5_000 };
    assert.deepEqual(await read(HASH, range), Buffer.from(BYTES.subarray(99, 5_000)));
    assert.equal((await store.get(HASH, range)).lengthBytes, BYTES.length);
  });

  it('takes the same blob again, also twice at once', async () => {
    const puts = [1, 2].map(() => store.put(HASH, inPieces(BYTES), LONG));
    assert.deepEqual(await Promise.all(puts), [BYTES.length, BYTES.length]);
  });

  it('stores nothing at all as well', async () => {
    const nothing = hashOf(new Uint8Array());
    assert.equal(await store.put(nothing, inPieces(new Uint8Array()), 0), 0);
    assert.deepEqual(await read(nothing), Buffer.alloc(0));
    await store.delete(nothing);
  });

  it('refuses ranges that are not in the blob, and takes the last byte', async () => {
    const end = BYTES.length;
    assert.equal((await read(HASH, { startBytes: end - 1, endBytes: end })).length, 1);
    for (const [startBytes, endBytes] of [
      [0, end + 1],
      [5, 5],
      [6, 5],
      [-1, 5],
      [0.5, 5],
      [end, end],
    ] as const) {
      await assert.rejects(store.get(HASH, { startBytes, endBytes }), { code: 'BLOB_RANGE' });
    }
  });

  it('keeps nothing whose hash is not the announced one', async () => {
    const other = hashOf(Uint8Array.of(1));
    await assert.rejects(store.put(other, inPieces(BYTES), LONG), { code: 'BLOB_MISMATCH' });
    assert.equal(await store.has(other), false);
    assert.deepEqual(await readdir(join(folder, 'drafts')), []);
  });

  it('keeps nothing that is longer than allowed, and takes what is just as long', async () => {
    await store.delete(HASH);
    await assert.rejects(store.put(HASH, inPieces(BYTES), BYTES.length - 1), {
      code: 'BLOB_TOO_LONG',
    });
    assert.equal(await store.has(HASH), false);
    assert.equal(await store.put(HASH, inPieces(BYTES), BYTES.length), BYTES.length);
    assert.deepEqual(await readdir(join(folder, 'drafts')), []);
  });

  it('keeps nothing of a source that breaks, and throws what it threw', async () => {
    const reason = new RangeError('gone');
    const other = hashOf(Uint8Array.of(2));
    await assert.rejects(store.put(other, breaking(reason), LONG), (error) => error === reason);
    assert.deepEqual(await readdir(join(folder, 'drafts')), []);
  });

  it('says that a blob is missing, and deletes what is not there', async () => {
    const other = hashOf(Uint8Array.of(3));
    await assert.rejects(store.get(other), { code: 'BLOB_MISSING' });
    assert.equal(await store.size(other), undefined);
    await store.delete(other);
  });

  it('lets a reader finish a blob that is deleted meanwhile', async () => {
    const { body } = await store.get(HASH);
    await store.delete(HASH);
    assert.equal((await buffer(body)).length, BYTES.length);
    assert.equal(await store.has(HASH), false);
  });

  it('lists what is stored in the order of hashes', async () => {
    const blobs = [1, 2, 3, 4].map((byte) => Uint8Array.of(byte, 9));
    await Promise.all(blobs.map((bytes) => store.put(hashOf(bytes), inPieces(bytes), 2)));
    const listed: BlobHash[] = [];
    for await (const hash of store.list()) listed.push(hash);
    assert.deepEqual(listed, blobs.map(hashOf).toSorted());
  });

  it('says when the storage beneath fails', async () => {
    const broken = await openFolderBlobStore({ folder: join(folder, 'broken') });
    await rm(join(folder, 'broken', 'drafts'), { recursive: true });
    await writeFile(join(folder, 'broken', 'drafts'), '');
    await assert.rejects(broken.put(HASH, inPieces(BYTES), LONG), { code: 'BLOB_STORAGE' });
    await assert.rejects(openFolderBlobStore({ folder: join(folder, 'broken', 'drafts') }), {
      code: 'BLOB_STORAGE',
    });
  });

  it('sweeps what a crash left, and nothing that is being written', async () => {
    const now = Temporal.Instant.from('2030-01-01T00:00:00Z');
    const old = join(folder, 'drafts', 'a'.repeat(32));
    const young = join(folder, 'drafts', 'b'.repeat(32));
    await writeFile(old, '');
    await writeFile(young, '');
    await utimes(old, 1, now.subtract({ hours: 2 }).epochMilliseconds / 1000);
    await utimes(young, 1, now.epochMilliseconds / 1000);
    assert.equal(await store.sweep(now.subtract({ hours: 1 })), 1);
    assert.deepEqual(await readdir(join(folder, 'drafts')), ['b'.repeat(32)]);
  });

  async function read(
    hash: BlobHash,
    range?: { startBytes: number; endBytes: number },
  ): Promise<Buffer> {
    return buffer((await store.get(hash, range)).body);
  }
});

describe('parseBlobHash()', () => {
  it('takes a hash and refuses what could be a path', () => {
    assert.equal(parseBlobHash(HASH), HASH);
    for (const text of [
      '',
      '../etc',
      HASH.toUpperCase(),
      `${HASH}0`,
      HASH.slice(1),
      7,
      undefined,
    ]) {
      assert.throws(() => parseBlobHash(text), { code: 'BLOB_HASH_MALFORMED' });
    }
    assert.throws(() => parseBlobHash(`${HASH}\n`), { code: 'BLOB_HASH_MALFORMED' });
  });
});

describe('parseUploadId()', () => {
  it('takes an id and refuses what could be a path', () => {
    assert.equal(parseUploadId('0'.repeat(32)), '0'.repeat(32));
    for (const text of ['', '..', 'A'.repeat(32), '0'.repeat(33), null]) {
      assert.throws(() => parseUploadId(text), { code: 'UPLOAD_ID_MALFORMED' });
    }
  });
});

function hashOf(bytes: Uint8Array): BlobHash {
  return parseBlobHash(createHash('sha256').update(bytes).digest('hex'));
}

async function* inPieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  for (let start = 0; start < bytes.length; start += 9_999) {
    yield bytes.subarray(start, start + 9_999);
  }
}

async function* breaking(reason: unknown): AsyncIterable<Uint8Array> {
  yield Uint8Array.of(2);
  throw reason;
}
