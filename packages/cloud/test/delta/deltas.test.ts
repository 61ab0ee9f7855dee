import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { applyDelta, openImage, rewriteInPlace } from '@immota/image';
import { parseInstallableName } from '@immota/uptane';
import { createDeltas, type Deltas } from '../../src/delta/deltas.ts';
import { parseDeltaPath } from '../../src/delta/delta-path.ts';
import { startTestCloud, type TestCloud } from '../support/running-cloud.ts';
import type { TestClient } from '../support/client.ts';
import { unexpected } from '../support/world.ts';

const engineer = { name: 'engineer', role: 'release-engineer', uploadsFor: [] };
const first = randomBytes(120_000);
/** What a release is: some bytes changed, some put in. */
const second = Buffer.concat([first.subarray(0, 50_000), randomBytes(900), first.subarray(50_100)]);
const third = Buffer.concat([second.subarray(0, 9000), randomBytes(700), second.subarray(9000)]);
const alien = randomBytes(60_000);

let cloud: TestCloud;
let vehicle: TestClient;
before(async () => {
  cloud = await startTestCloud();
  vehicle = await cloud.client('veh-1');
  await upload('tbox/1.bin', first, {});
  await upload('tbox/2.bin', second, {});
  await upload('tbox/3.bin', third, {});
  await upload('tbox/alien.bin', alien, {});
  await upload('tbox/secret-1.bin', Buffer.concat([first, alien]), { isEncrypted: true });
  await upload('tbox/secret-2.bin', Buffer.concat([second, alien]), { isEncrypted: true });
  await upload('ivi/1.bin', Buffer.concat([first, first]), { hardwareIds: ['ivi-hw'] });
});
after(() => cloud.close());

async function upload(
  name: string,
  bytes: Uint8Array,
  { isEncrypted = false, hardwareIds = ['tbox-hw'] },
): Promise<void> {
  const { uploads } = cloud.running.cloud;
  const { uploadId } = await uploads.begin(engineer, {
    name,
    role: 'targets',
    lengthBytes: bytes.length,
    sha256: sha256(bytes),
    hardwareIds,
    version: '1',
    releaseCounter: 1,
    isEncrypted,
  });
  await uploads.append(engineer, uploadId, { offsetBytes: 0, bytes: streamOf(bytes) });
  await uploads.finish(engineer, uploadId);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

async function apply(
  delta: AsyncIterable<Uint8Array>,
  base: Uint8Array,
  image: Uint8Array,
): Promise<Buffer> {
  const given: Uint8Array[] = [];
  const options = {
    delta,
    base: {
      lengthBytes: base.length,
      read: (offset: number, into: Uint8Array) => {
        into.set(base.subarray(offset, offset + into.length));
      },
    },
    expected: { lengthBytes: image.length, sha256: sha256(image) },
  };
  for await (const piece of applyDelta(options)) given.push(piece.slice());
  return Buffer.concat(given);
}

function pathOf(name: string, base: Uint8Array): string {
  return `/repo/targets/${nameOf(name, base)}`;
}

function nameOf(name: string, base: Uint8Array): string {
  return `${name}.delta-from-${sha256(base)}`;
}

function openDeltas(storeBytes?: number): Deltas {
  const { context, catalogue, blobs, folder } = cloud.running.cloud;
  const parts = { context, catalogue, blobs, folder: folder.root, failed: unexpected };
  return createDeltas({ ...parts, storeBytes });
}

describe('parseDeltaPath()', () => {
  it('takes the image and the base apart', () => {
    const base = 'a'.repeat(64);
    assert.deepEqual(parseDeltaPath(`tbox/2.bin.enc.delta-from-${base}`), {
      path: 'tbox/2.bin.enc',
      baseSha256: base,
      pageBytes: 0,
    });
    for (const other of ['tbox/2.bin', `.delta-from-${base}`, `2.delta-from-${base.slice(1)}`]) {
      assert.equal(parseDeltaPath(other), undefined);
    }
  });
  it('reads the page of a bank, and refuses one that no bank has', () => {
    const delta = `2.bin.delta-from-${'a'.repeat(64)}`;
    assert.equal(parseDeltaPath(`${delta}.pages-8`)?.pageBytes, 256);
    assert.equal(parseDeltaPath(`${delta}.pages-18`)?.pageBytes, 262_144);
    for (const pages of ['7', '19', '011', '', '-8']) {
      assert.equal(parseDeltaPath(`${delta}.pages-${pages}`), undefined);
    }
  });
});

describe('GET …/targets/NAME.delta-from-HASH', () => {
  it('has none at first, and gives it to the next who asks', async () => {
    const path = pathOf('tbox/2.bin', first);
    const early = await vehicle.ask('GET', path);
    assert.equal(early.status, 404);
    assert.equal(early.body.length, 0);
    await cloud.running.deltas.settled();
    const { status, body, headers } = await vehicle.ask('GET', path);
    assert.equal(status, 200);
    assert.ok(body.length < 2000);
    assert.match(String(headers['cache-control']), /immutable/);
    assert.ok((await apply(streamOf(body), first, second)).equals(second));
    const rest = await vehicle.ask('GET', path, { headers: { range: 'bytes=100-' } });
    assert.equal(rest.status, 206);
    assert.deepEqual(rest.body, body.subarray(100));
    // Under the name that carries the image's hash, too.
    const hashed = pathOf(`tbox/${sha256(second)}.2.bin`, first);
    assert.equal((await vehicle.ask('GET', hashed)).status, 200);
  });

  it('is made once, also after a restart', async () => {
    const path = pathOf('tbox/2.bin', first);
    const { headers } = await vehicle.ask('HEAD', path);
    await cloud.restart();
    vehicle = await cloud.client('veh-2');
    assert.equal((await vehicle.ask('HEAD', path)).headers.etag, headers.etag);
  });

  it('encrypts the delta of an encrypted image for whoever may open the image {uptane B11}', async () => {
    const [base, image] = [Buffer.concat([first, alien]), Buffer.concat([second, alien])];
    const path = pathOf('tbox/secret-2.bin.enc', base);
    await vehicle.ask('GET', path);
    await cloud.running.deltas.settled();
    const { status, body } = await vehicle.ask('GET', path);
    assert.equal(status, 200);
    assert.ok(!body.includes(second.subarray(50_100, 50_130)));
    const name = parseInstallableName('tbox/secret-2.bin');
    const stored = (await cloud.running.cloud.catalogue.load(new Set([name]))).get(name);
    const key = stored?.encrypted?.contentKey;
    assert.ok(key !== undefined);
    const opened = openImage(streamOf(body), { key, lengthMaxBytes: body.length });
    assert.ok((await apply(opened, base, image)).equals(image));
    assert.equal((await vehicle.ask('GET', pathOf('tbox/secret-2.bin', base))).status, 404);
  });

  it('makes one for a bank that is rewritten in place, beside the one for another slot', async () => {
    const path = `${pathOf('tbox/2.bin', first)}.pages-11`;
    assert.equal((await vehicle.ask('GET', path)).status, 404);
    await cloud.running.deltas.settled();
    const { status, body } = await vehicle.ask('GET', path);
    assert.equal(status, 200);
    const bank = new Uint8Array(130_000);
    bank.set(first);
    await rewriteInPlace({
      delta: streamOf(body),
      bank: {
        lengthBytes: first.length,
        sizeBytes: bank.length,
        read: (offset, into) => into.set(bank.subarray(offset, offset + into.length)),
        write: async (at, page) => bank.set(page, at),
      },
      expected: { lengthBytes: second.length, sha256: sha256(second) },
    });
    assert.ok(second.equals(bank.subarray(0, second.length)));
    const other = await vehicle.ask('GET', pathOf('tbox/2.bin', first));
    assert.equal(other.status, 200);
    assert.notDeepEqual(other.body, body);
    assert.equal((await vehicle.ask('GET', `${path}1`)).status, 404);
  });

  const none: Readonly<Record<string, () => string>> = {
    'an image of other hardware': () => pathOf('ivi/1.bin', first),
    'a base that is not stored': () => pathOf('tbox/2.bin', randomBytes(5)),
    'an image that is not stored': () => pathOf('tbox/9.bin', first),
    'a secret base and an open image': () => pathOf('tbox/2.bin', Buffer.concat([first, alien])),
    'images with nothing in common': () => pathOf('tbox/alien.bin', first),
    'an image and itself': () => pathOf('tbox/2.bin', second),
  };
  for (const [what, path] of Object.entries(none)) {
    it(`has none for ${what}`, async () => {
      assert.equal((await vehicle.ask('GET', path())).status, 404);
      await cloud.running.deltas.settled();
      assert.equal((await vehicle.ask('GET', path())).status, 404);
    });
  }

  it('leaves nothing in the clear behind', async () => {
    assert.deepEqual(await readdir(join(cloud.running.cloud.folder.root, 'deltas')), []);
  });
});

describe('createDeltas()', () => {
  it('makes nothing for who may not have it made', async () => {
    const deltas = openDeltas();
    assert.equal(await deltas.find(nameOf('tbox/3.bin', second), false), undefined);
    await deltas.settled();
    assert.equal(await deltas.find(nameOf('tbox/3.bin', second), false), undefined);
    await deltas.close();
  });

  it('removes what was not used for longest when all take too much', async () => {
    const deltas = openDeltas(2000);
    cloud.clock.advance({ hours: 2 });
    const [old, fresh] = [nameOf('tbox/3.bin', second), nameOf('tbox/3.bin', first)];
    await deltas.find(old, true);
    await deltas.settled();
    const found = await deltas.find(old, false);
    assert.ok(found !== undefined);
    cloud.clock.advance({ hours: 2 });
    await deltas.find(fresh, true);
    await deltas.settled();
    assert.ok((await deltas.find(fresh, false)) !== undefined);
    assert.equal(await deltas.find(old, false), undefined);
    assert.equal(await cloud.running.cloud.blobs.has(found.blob), false);
    await deltas.close();
  });

  it('gives up when it is closed', async () => {
    const deltas = openDeltas();
    await deltas.find(nameOf('tbox/2.bin', third), true);
    await deltas.close();
    assert.equal(await deltas.find(nameOf('tbox/2.bin', third), false), undefined);
  });
});
