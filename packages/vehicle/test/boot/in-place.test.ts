/** One bank that is rewritten by a delta: what stays, what is refused, what goes on, and what wears. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { findFaultCode } from '@immota/base';
import { deltaSourceOf, makeDelta } from '@immota/image';
import {
  type BankSlots,
  FLASH_PARTS,
  type FlashGeometry,
  installDelta,
  planBanks,
  VehicleFault,
} from '@immota/vehicle';
import { planPages } from '../../src/boot/page-plan.ts';
import { createFlashBench, type FlashBench, program, SMALL_PART } from '../support/flash-bench.ts';
import { sampleImage, type SlotSample, writeImage } from '../support/slot-images.ts';

const PAGE_BYTES = 1024;
const OLD = sampleImage('old.bin', 1, 9000);
const NEW = releaseOf(OLD);

/** Code put in here and there moves all of the rest. */
function releaseOf({ bytes }: SlotSample): SlotSample {
  const parts = [0, 300, 2000, 4000, 6000, 8000, 9000].map((at, index, all) =>
    Buffer.concat([
      bytes.subarray(at, all[index + 1] ?? at),
      sampleImage(`added ${index}`, 0, 100).bytes,
    ]),
  );
  const changed = Buffer.concat(parts);
  const { image } = sampleImage('new.bin', 2);
  const sha256 = createHash('sha256').update(changed).digest('hex');
  const hashes = new Map([['sha256', sha256]] as const);
  return { image: { ...image, lengthBytes: changed.length, hashes }, bytes: changed };
}

function deltaOf(base: Uint8Array, image: Uint8Array, pageBytes = PAGE_BYTES): Uint8Array {
  const pair = { base: deltaSourceOf(base), image: deltaSourceOf(image) };
  return Buffer.concat([...makeDelta(pair, { level: 3, pageBytes, sectionBytes: 256 })]);
}

const DELTA = deltaOf(OLD.bytes, NEW.bytes);

async function booted(bench: FlashBench): Promise<BankSlots> {
  const slots = await bench.open();
  await slots.boot();
  return slots;
}

async function programmed(geometry: FlashGeometry = SMALL_PART): Promise<FlashBench> {
  const bench = createFlashBench(1, geometry, 4096);
  await program(await booted(bench), OLD);
  return bench;
}

async function* streamOf(bytes: Uint8Array, most: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < Math.min(bytes.length, most); at += 50) {
    yield await Promise.resolve(bytes.subarray(at, Math.min(at + 50, most)));
  }
  if (most < bytes.length) throw new VehicleFault('NETWORK', 'Cannot go on: it broke');
}

async function install(
  slots: BankSlots,
  delta: Uint8Array = DELTA,
  { sample = NEW, most = Infinity }: { sample?: SlotSample; most?: number } = {},
): Promise<string | undefined> {
  try {
    await installDelta(slots, {
      image: sample.image,
      servedLengthBytes: delta.length,
      contentKey: undefined,
      open: () => streamOf(delta, most),
    });
    return undefined;
  } catch (error) {
    return findFaultCode(error) ?? String(error);
  }
}

describe('installDelta() into one bank', () => {
  it('gives the image that metadata describe, on trial and then final {uptane K7} {uptane K8}', async () => {
    const bench = await programmed();
    const slots = await booted(bench);
    assert.equal(slots.condition().deltaPageBytes, PAGE_BYTES);
    assert.equal(await install(slots), undefined);
    assert.deepEqual(slots.findPrepared(), NEW.image);
    await slots.activate();
    assert.equal((await slots.boot())?.name, 'new.bin');
    assert.equal(slots.condition().mode, 'trial');
    await slots.confirm();
    assert.equal(slots.condition().releaseFloor, 2);
    assert.equal((await booted(bench)).findRunning()?.name, 'new.bin');
  });

  it('goes on with the same delta after the transfer broke off, and after a restart', async () => {
    const bench = await programmed();
    const slots = await booted(bench);
    assert.equal(await install(slots, DELTA, { most: DELTA.length - 60 }), 'NETWORK');
    assert.equal(slots.condition().mode, 'loader');
    assert.equal(slots.findFallback()?.name, 'old.bin');
    const again = await booted(bench);
    assert.equal(again.findRunning(), undefined);
    const wear = bench.flash.operations;
    assert.equal(await install(again), undefined);
    assert.ok(
      bench.flash.operations - wear < wear,
      'pages that were written are not written again',
    );
    await again.activate();
    assert.equal((await again.boot())?.name, 'new.bin');
  });

  it('takes a full image at any time: the new one, or the one that was final', async () => {
    for (const sample of [NEW, OLD]) {
      const bench = await programmed();
      await install(await booted(bench), DELTA, { most: DELTA.length - 60 });
      const slots = await booted(bench);
      await writeImage(slots, sample);
      await slots.activate();
      assert.equal((await slots.boot())?.name, sample.image.name);
    }
  });

  const other = sampleImage('other.bin', 1, 9000);
  const untouched: Readonly<
    Record<string, readonly [code: string, delta: Uint8Array, sample?: SlotSample]>
  > = {
    'from another base': ['DELTA_MISMATCH', deltaOf(other.bytes, NEW.bytes)],
    'to another image': ['DELTA_MISMATCH', deltaOf(OLD.bytes, other.bytes)],
    'for another slot': ['DELTA_HEADER', makeForwards()],
    'of pages that are none here': ['DELTA_MISMATCH', deltaOf(OLD.bytes, NEW.bytes, 2048)],
    'that is damaged before its first page': [
      'DELTA_SECTION',
      DELTA.map((byte, at) => (at === 130 ? byte ^ 1 : byte)),
    ],
    'to an older release': [
      'RELEASE_COUNTER',
      DELTA,
      { ...NEW, image: { ...NEW.image, releaseCounter: 0 } },
    ],
  };
  for (const [what, [code, delta, sample]] of Object.entries(untouched)) {
    it(`refuses one ${what}, and runs on what it runs`, async () => {
      const bench = await programmed();
      const slots = await booted(bench);
      const before = bench.flash.operations;
      assert.equal(await install(slots, delta, sample === undefined ? {} : { sample }), code);
      assert.equal(bench.flash.operations, before);
      assert.equal(slots.findRunning()?.name, 'old.bin');
      assert.equal((await booted(bench)).findRunning()?.name, 'old.bin');
    });
  }

  it('refuses what it runs on trial, and what a part without room for a page cannot', async () => {
    const bench = await programmed();
    const slots = await booted(bench);
    await install(slots);
    await slots.activate();
    await slots.boot();
    assert.equal(
      await install(slots, deltaOf(NEW.bytes, OLD.bytes), {
        sample: { ...OLD, image: { ...OLD.image, releaseCounter: 3 } },
      }),
      'DELTA_MISMATCH',
    );
    const narrow = createFlashBench(1);
    const plain = await booted(narrow);
    await program(plain, OLD);
    assert.equal(plain.condition().deltaPageBytes, undefined);
    assert.equal(await install(plain), 'DELTA_MISMATCH');
    assert.equal(plain.findRunning()?.name, 'old.bin');
  });

  it('never boots what a forged delta gave, and takes the full image then {uptane I5}', async () => {
    const bench = await programmed();
    const slots = await booted(bench);
    assert.equal(await install(slots, forge()), 'DELTA_RESULT');
    assert.equal(slots.findPrepared(), undefined);
    await assert.rejects(slots.activate(), { code: 'SLOT_EMPTY' });
    const again = await booted(bench);
    assert.equal(again.condition().mode, 'loader');
    await writeImage(again, NEW);
    await again.activate();
    assert.equal((await again.boot())?.name, 'new.bin');
  });

  it('refuses a page that the spare does not keep, and takes the full image then', async () => {
    const bench = await programmed();
    const slots = await booted(bench);
    const { spare } = bench.layout;
    assert.ok(spare !== undefined);
    const startBytes = spare.first * 1024;
    const region = { startBytes, lengthBytes: 4096, operation: 'write', rate: 1 } as const;
    bench.flash.failRegions([{ ...region, isSilent: true }]);
    assert.equal(await install(slots), 'READ_BACK');
    await writeImage(slots, NEW);
    await slots.activate();
    assert.equal((await slots.boot())?.name, 'new.bin');
  });

  it('erases what changes and no more, and spares in turn', async () => {
    const bench = await programmed();
    const changed = Uint8Array.from(OLD.bytes);
    changed[4 * PAGE_BYTES + 7] = (changed[4 * PAGE_BYTES + 7] ?? 0) ^ 1;
    const sha256 = createHash('sha256').update(changed).digest('hex');
    const image = {
      ...NEW.image,
      lengthBytes: changed.length,
      hashes: new Map([['sha256', sha256]] as const),
    };
    const { spare, banks } = bench.layout;
    assert.ok(spare !== undefined && banks[0] !== undefined);
    const { first, count } = banks[0].image;
    const wearOf = (from: number, sectors: number): number[] =>
      Array.from({ length: sectors }, (_, index) => bench.flash.wearOf(from + index));
    const before = wearOf(first, count);
    assert.equal(
      await install(await booted(bench), deltaOf(OLD.bytes, changed), {
        sample: { image, bytes: changed },
      }),
      undefined,
    );
    const worn = wearOf(first, count).map((wear, index) => wear - (before[index] ?? 0));
    assert.deepEqual(
      worn.filter((wear) => wear > 0),
      [1],
    );
    assert.equal(worn[4], 1);
    const all = await programmed();
    assert.equal(await install(await booted(all)), undefined);
    const spares = Array.from({ length: spare.count }, (_, index) =>
      all.flash.wearOf(spare.first + index),
    );
    assert.ok(Math.max(...spares) - Math.min(...spares) <= 1, String(spares));
  });
});

describe('planPages()', () => {
  const wanted: Readonly<Record<string, number>> = {
    stm32f4: 65_536,
    stm32f0: 2048,
    stm32l0: 1024,
    stm32g4: 2048,
    stm32h7: 131_072,
    nrf52840: 4096,
  };
  for (const part of ['stm32f4', 'stm32f0', 'stm32l0', 'stm32g4', 'stm32h7', 'nrf52840'] as const) {
    it(`cuts a ${part} into pages that fit its sectors`, () => {
      const geometry = FLASH_PARTS[part];
      const layout = planBanks(geometry, { banks: 1, loaderBytes: 16_384 });
      const plan = planPages(geometry, layout);
      assert.equal(plan?.pageBytes, wanted[part]);
      assert.ok((plan?.spares.length ?? 0) >= 1);
      const two = planBanks(geometry, { banks: 2, loaderBytes: 16_384 });
      assert.equal(planPages(geometry, two), undefined);
    });
  }
});

function makeForwards(): Uint8Array {
  const pair = { base: deltaSourceOf(OLD.bytes), image: deltaSourceOf(NEW.bytes) };
  return Buffer.concat([...makeDelta(pair, { level: 3 })]);
}

/** Sound in every part, and to another image than it says. */
function forge(): Uint8Array {
  let readBytes = 0;
  const image = {
    lengthBytes: NEW.bytes.length,
    read(offsetBytes: number, into: Uint8Array): void {
      into.set(NEW.bytes.subarray(offsetBytes, offsetBytes + into.length));
      // The first time through it is hashed.
      if (readBytes >= NEW.bytes.length && offsetBytes === 0) into[0] = (into[0] ?? 0) ^ 1;
      readBytes += into.length;
    },
  };
  const pair = { base: deltaSourceOf(OLD.bytes), image };
  return Buffer.concat([...makeDelta(pair, { level: 3, pageBytes: PAGE_BYTES })]);
}
