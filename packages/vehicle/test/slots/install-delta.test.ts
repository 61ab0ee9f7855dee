import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { findFaultCode } from '@immota/base';
import {
  deltaSourceOf,
  encryptImage,
  generateContentKey,
  makeDelta,
  type ContentKey,
} from '@immota/image';
import { openFolderSlots, type ResumableSlots, type SlotImage } from '@immota/vehicle';
import { installDelta } from '../../src/slots/install-delta.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { sampleImage, type SlotSample, writeImage } from '../support/slot-images.ts';

const entropy = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };
const OLD = sampleImage('old.bin', 1, 40_000);
const NEW = releaseOf(OLD);

/** Some bytes changed, some put in. */
function releaseOf({ bytes }: SlotSample): SlotSample {
  const changed = Buffer.concat([
    bytes.subarray(0, 9000),
    Buffer.from('new'),
    bytes.subarray(9000),
  ]);
  changed[20_000] = 7;
  const { image } = sampleImage('new.bin', 2);
  const hashes = new Map([
    ['sha256', createHash('sha256').update(changed).digest('hex')],
    ['sha512', createHash('sha512').update(changed).digest('hex')],
  ] as const);
  return { image: { ...image, lengthBytes: changed.length, hashes }, bytes: changed };
}

function deltaOf(base: Uint8Array, image: Uint8Array): Buffer {
  const pair = { base: deltaSourceOf(base), image: deltaSourceOf(image) };
  return Buffer.concat([...makeDelta(pair, { level: 3 })]);
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 500) {
    yield await Promise.resolve(bytes.subarray(at, at + 500));
  }
}

/** Slots that run the old image. */
async function programmed(files = new SimulatedDisk()): Promise<ResumableSlots> {
  const slots = await openFolderSlots({ folder: '', files });
  await writeImage(slots, OLD);
  await slots.activate();
  await slots.boot();
  await slots.confirm();
  return slots;
}

async function install(
  slots: ResumableSlots,
  delta: Uint8Array,
  { image = NEW.image, contentKey }: { image?: SlotImage; contentKey?: ContentKey } = {},
): Promise<string | undefined> {
  try {
    await installDelta(slots, {
      image,
      servedLengthBytes: delta.length,
      contentKey,
      open: () => streamOf(delta),
    });
    return undefined;
  } catch (error) {
    return findFaultCode(error) ?? String(error);
  }
}

describe('installDelta()', () => {
  it('prepares the image that metadata describe, from the one that runs {uptane K7} {uptane K8}', async () => {
    const slots = await programmed();
    assert.equal(await install(slots, deltaOf(OLD.bytes, NEW.bytes)), undefined);
    assert.deepEqual(slots.findPrepared(), NEW.image);
    await slots.activate();
    assert.deepEqual(await slots.boot(), NEW.image);
  });

  it('opens an encrypted delta inside {uptane B11}', async () => {
    const slots = await programmed();
    const key = generateContentKey(entropy);
    const parts: Uint8Array[] = [];
    const sealed = encryptImage(streamOf(deltaOf(OLD.bytes, NEW.bytes)), { key, entropy });
    for await (const part of sealed) parts.push(part);
    const delta = Buffer.concat(parts);
    assert.equal(await install(slots, delta, { contentKey: key }), undefined);
    assert.deepEqual(slots.findPrepared(), NEW.image);
    const other = generateContentKey(entropy);
    assert.equal(await install(slots, delta, { contentKey: other }), 'HEADER_AUTHENTICATION');
  });

  const forged = sampleImage('forged.bin', 9, 40_000);
  const refused: Readonly<
    Record<string, readonly [code: string, delta: () => Uint8Array, image?: SlotImage]>
  > = {
    'a delta from another image': ['DELTA_MISMATCH', () => deltaOf(forged.bytes, NEW.bytes)],
    'a delta to another image': ['DELTA_MISMATCH', () => deltaOf(OLD.bytes, forged.bytes)],
    'a delta that is cut': ['TRUNCATED', () => deltaOf(OLD.bytes, NEW.bytes).subarray(0, -9)],
    'what is no delta': ['DELTA_HEADER', () => NEW.bytes],
    'an image whose other hash differs': [
      'IMAGE_HASH',
      () => deltaOf(OLD.bytes, NEW.bytes),
      {
        ...NEW.image,
        hashes: new Map([...NEW.image.hashes, ['sha512', 'a'.repeat(128)] as const]),
      },
    ],
    'an older release': [
      'RELEASE_COUNTER',
      () => deltaOf(OLD.bytes, NEW.bytes),
      { ...NEW.image, releaseCounter: 0 },
    ],
  };
  for (const [what, [code, delta, image]] of Object.entries(refused)) {
    it(`refuses ${what}, and leaves what runs alone {uptane K7}`, async () => {
      const slots = await programmed();
      const given = image === undefined ? {} : { image };
      assert.equal(await install(slots, delta(), given), code);
      assert.equal(slots.findPrepared(), undefined);
      assert.deepEqual(slots.findRunning(), OLD.image);
      assert.deepEqual(await slots.boot(), OLD.image);
    });
  }

  it('refuses when nothing runs that it could start from', async () => {
    const slots = await openFolderSlots({ folder: '', files: new SimulatedDisk() });
    assert.equal(await install(slots, deltaOf(OLD.bytes, NEW.bytes)), 'DELTA_MISMATCH');
  });
});
