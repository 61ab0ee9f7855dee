import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { openImage, parseContentKey } from '@immota/image';
import { generateSigner } from '@immota/pki';
import { type BlobStore, openFolderBlobStore, parseBlobHash } from '@immota/store';
import { keyIdOf, parseDelegatedRoleName } from '@immota/uptane';
import { createCatalogue } from '../../src/image-repository/catalogue.ts';
import { findFile } from '../../src/image-repository/find-file.ts';
import {
  createImageUploads,
  describeUploaded,
  type ImageAnnouncement,
  type ImageUploads,
  type Uploader,
} from '../../src/image-repository/upload.ts';
import { createSealer, openDeploymentSecret, type Sealer } from '../../src/seal.ts';
import { publishMetadata } from '../../src/trust/publish.ts';
import { repeatingEntropy } from '../support/ports.ts';
import { signTargets } from '../support/repositories.ts';
import { type DirectorWorld, openDirectorWorld } from '../support/world.ts';

let world: DirectorWorld;
let folder: string;
let blobs: BlobStore;
let uploads: ImageUploads;
let sealer: Sealer;
const supplierKey = generateSigner('ed25519');
const engineer: Uploader = { name: 'engineer', role: 'release-engineer', uploadsFor: [] };
const supplier: Uploader = { name: 'supplier', role: 'supplier', uploadsFor: ['supplier1'] };

before(async () => {
  world = await openDirectorWorld();
  folder = await mkdtemp(join(tmpdir(), 'immota-upload-'));
  blobs = await openFolderBlobStore({ folder });
  const entropy = repeatingEntropy('upload');
  sealer = createSealer(openDeploymentSecret(new Uint8Array(32).fill(7)), 'content keys', entropy);
  const { context, store, trust } = world;
  uploads = createImageUploads({ context, store, blobs, sealer });
  const { algorithm, publicKeyDer } = supplierKey;
  const delegations = await signTargets(trust, 'targets', {
    delegations: (dialect) => [
      {
        name: parseDelegatedRoleName('supplier1'),
        keys: [{ keyId: keyIdOf(dialect, algorithm, publicKeyDer), algorithm, publicKeyDer }],
        threshold: 1,
        paths: ['sup1/*'],
        hardwareIdentifiers: ['brake-hw'],
        terminating: false,
      },
    ],
  });
  const own = await signTargets(trust, 'supplier1', { signers: [supplierKey] });
  await publishMetadata(trust, [...own, ...delegations]);
  await store.reload();
});
after(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  const { kysely } = world.test.database;
  for (const table of ['image', 'upload', 'event'] as const) {
    await kysely.deleteFrom(table).execute();
  }
});

function announce(
  bytes: Uint8Array,
  overrides: Partial<ImageAnnouncement> = {},
): ImageAnnouncement {
  return {
    name: 'tbox/fw-1.bin',
    role: 'targets',
    lengthBytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    hardwareIds: ['tbox-hw'],
    version: '1',
    releaseCounter: 1,
    isEncrypted: false,
    ...overrides,
  };
}

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 100_000) {
    yield await Promise.resolve(bytes.subarray(offset, offset + 100_000));
  }
}

async function upload(
  uploader: Uploader,
  bytes: Uint8Array,
  overrides: Partial<ImageAnnouncement> = {},
): Promise<string> {
  const { uploadId } = await uploads.begin(uploader, announce(bytes, overrides));
  await uploads.append(uploader, uploadId, { offsetBytes: 0, bytes: pieces(bytes) });
  return await uploads.finish(uploader, uploadId);
}

describe('an upload', () => {
  it('becomes an image with length and both hashes {uptane D3} {uptane D5}', async () => {
    const bytes = randomBytes(300_000);
    assert.equal(await upload(engineer, bytes), 'tbox/fw-1.bin');
    const [described] = await describeUploaded(world.context, 'targets');
    assert.equal(described?.lengthBytes, bytes.length);
    assert.equal(described?.hashes.get('sha512'), createHash('sha512').update(bytes).digest('hex'));
    assert.deepEqual(described?.custom['mustMatch'], {
      releaseCounter: 1,
      hardwareIds: ['tbox-hw'],
    });
    assert.deepEqual(await world.eventsOf('fleet'), ['image.uploaded']);
  });

  it('goes on where it broke off, also when it is announced again', async () => {
    const bytes = randomBytes(250_000);
    const first = await uploads.begin(engineer, announce(bytes));
    const part = { offsetBytes: 0, bytes: pieces(bytes.subarray(0, 100_000)) };
    await uploads.append(engineer, first.uploadId, part);
    const again = await uploads.begin(engineer, announce(bytes));
    assert.deepEqual(again, { ...first, offsetBytes: 100_000 });
    assert.deepEqual(await uploads.progress(engineer, first.uploadId), again);
    const rest = { offsetBytes: 100_000, bytes: pieces(bytes.subarray(100_000)) };
    await uploads.append(engineer, first.uploadId, rest);
    await uploads.finish(engineer, first.uploadId);
  });

  it('is a supplier’s within its delegation {uptane D4}', async () => {
    const overrides = { name: 'sup1/fw-1.bin', role: 'supplier1', hardwareIds: ['brake-hw'] };
    assert.equal(await upload(supplier, Buffer.from('brake'), overrides), 'sup1/fw-1.bin');
  });

  const forbidden: Readonly<Record<string, readonly [Uploader, Partial<ImageAnnouncement>]>> = {
    'another’s names {uptane D4}': [
      supplier,
      { name: 'sup2/fw.bin', role: 'supplier1', hardwareIds: ['brake-hw'] },
    ],
    'other hardware {uptane D4}': [
      supplier,
      { name: 'sup1/fw.bin', role: 'supplier1', hardwareIds: ['brake-hw', 'tbox-hw'] },
    ],
    'no hardware': [supplier, { name: 'sup1/fw.bin', role: 'supplier1', hardwareIds: [] }],
    'the top-level role {uptane D2}': [
      supplier,
      { name: 'sup1/fw.bin', hardwareIds: ['brake-hw'] },
    ],
    'a role that its token does not name {uptane D2}': [
      engineer,
      { name: 'sup1/fw.bin', role: 'supplier1', hardwareIds: ['brake-hw'] },
    ],
    'a role that nobody delegates to': [
      { ...supplier, uploadsFor: ['supplier9'] },
      { name: 'sup1/fw.bin', role: 'supplier9', hardwareIds: ['brake-hw'] },
    ],
    'the name of an encrypted form': [engineer, { name: 'tbox/fw.enc' }],
  };
  for (const [what, [uploader, overrides]] of Object.entries(forbidden)) {
    it(`is refused for ${what}, and put on record`, async () => {
      const begun = uploads.begin(uploader, announce(Buffer.from('x'), overrides));
      await assert.rejects(begun, { code: 'UPLOAD_FORBIDDEN' });
      assert.deepEqual(await world.eventsOf('fleet'), ['image.refused']);
    });
  }

  it('is refused for a name that climbs', async () => {
    const begun = uploads.begin(engineer, announce(Buffer.from('x'), { name: '../fw.bin' }));
    await assert.rejects(begun, { code: 'MALFORMED' });
  });

  it('is refused for a name that is there: names never change their meaning', async () => {
    await upload(engineer, Buffer.from('first'));
    const begun = uploads.begin(engineer, announce(Buffer.from('second')));
    await assert.rejects(begun, { code: 'IMAGE_EXISTS' });
  });

  it('is refused with other bytes than announced, with more, with fewer, or elsewhere', async () => {
    const bytes = Buffer.from('what was announced');
    const { uploadId } = await uploads.begin(engineer, announce(bytes));
    const at = (offsetBytes: number, content: Uint8Array): Promise<unknown> =>
      uploads.append(engineer, uploadId, { offsetBytes, bytes: pieces(content) });
    await assert.rejects(at(5, bytes), { code: 'UPLOAD_MISMATCH' });
    await assert.rejects(uploads.finish(engineer, uploadId), { code: 'UPLOAD_MISMATCH' });
    await assert.rejects(at(0, randomBytes(100)), { code: 'UPLOAD_MISMATCH' });
    await at(0, bytes.toReversed());
    await assert.rejects(uploads.finish(engineer, uploadId), { code: 'UPLOAD_MISMATCH' });
    await assert.rejects(uploads.finish(engineer, uploadId), { code: 'UPLOAD_MISSING' });
  });

  it('is its beginner’s alone', async () => {
    const { uploadId } = await uploads.begin(engineer, announce(Buffer.from('x')));
    const other = { ...engineer, name: 'other' };
    await assert.rejects(uploads.progress(other, uploadId), { code: 'UPLOAD_MISSING' });
    await assert.rejects(uploads.finish(other, uploadId), { code: 'UPLOAD_MISSING' });
  });
});

describe('an encrypted upload', () => {
  it('is stored encrypted alone, and opens with its content key {uptane B11}', async () => {
    const bytes = randomBytes(700_000);
    await upload(engineer, bytes, { isEncrypted: true });
    const row = await world.test.database.kysely
      .selectFrom('image')
      .selectAll()
      .executeTakeFirstOrThrow();
    assert.equal(await blobs.has(parseBlobHash(row.sha256)), false);
    const key = parseContentKey(sealer.open(row.name, row.sealed_content_key ?? new Uint8Array()));
    const { body } = await blobs.get(parseBlobHash(row.cipher_sha256));
    const chunks: Uint8Array[] = [];
    const opened = openImage(body, { key, lengthMaxBytes: row.cipher_length_bytes ?? 0 });
    for await (const chunk of opened) chunks.push(Uint8Array.from(chunk));
    assert.deepEqual(Buffer.concat(chunks), bytes);
    assert.throws(() => sealer.open('another', row.sealed_content_key ?? new Uint8Array()), {
      code: 'SEAL_BROKEN',
    });
    const catalogue = createCatalogue(world.test.database, world.store, sealer);
    assert.equal(await findFile(catalogue, 'tbox/fw-1.bin'), undefined);
    assert.equal((await findFile(catalogue, 'tbox/fw-1.bin.enc'))?.blob, row.cipher_sha256);
  });

  it('keeps plain bytes that are another image’s too', async () => {
    const bytes = randomBytes(1000);
    await upload(engineer, bytes);
    await upload(engineer, bytes, { name: 'tbox/secret.bin', isEncrypted: true });
    const hash = createHash('sha256').update(bytes).digest('hex');
    assert.ok(await blobs.has(parseBlobHash(hash)));
  });
});

describe('findFile()', () => {
  it('finds an image by its name and by names with its hashes {uptane B17}', async () => {
    const bytes = Buffer.from('firmware');
    await upload(engineer, bytes, { name: 'tbox/fw 1+é.bin' });
    const catalogue = createCatalogue(world.test.database, world.store, sealer);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const sha512 = createHash('sha512').update(bytes).digest('hex');
    const encoded = 'fw%201%2B%C3%A9.bin';
    for (const path of [
      `tbox/${encoded}`,
      `tbox/${sha256}.${encoded}`,
      `tbox/${sha512}.${encoded}`,
      `${sha256}.tbox/${encoded}`,
    ]) {
      assert.equal((await findFile(catalogue, path))?.blob, sha256, path);
    }
    const other = createHash('sha256').update('other').digest('hex');
    for (const path of [
      `tbox/${other}.${encoded}`,
      'tbox/fw%zz',
      '../etc/passwd',
      '',
      'tbox%2F..',
    ]) {
      assert.equal(await findFile(catalogue, path), undefined, path);
    }
  });
});
