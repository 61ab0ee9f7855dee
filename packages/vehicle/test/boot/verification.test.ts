/** What a boot loader finds out at each start, whatever somebody has done to its flash. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generateSigner } from '@immota/pki';
import { parseHardwareIdentifier } from '@immota/uptane';
import { bytesOfSectors, createImageSealer, type SectorRange } from '@immota/vehicle';
import {
  benchOf,
  createFlashBench,
  type FlashBench,
  program,
  SMALL_PART,
} from '../support/flash-bench.ts';
import { sampleImage, type SlotSample, writeImage } from '../support/slot-images.ts';

const ONE = sampleImage('one.bin', 1, 5000);
const TWO = sampleImage('two.bin', 2, 5000);

/** An ECU on which these were final, one after the other: the first in bank a. */
async function programmed(...samples: readonly SlotSample[]): Promise<FlashBench> {
  const bench = createFlashBench(2);
  const slots = await bench.open();
  await slots.boot();
  for (const sample of samples) await program(slots, sample);
  return bench;
}

async function runs(bench: FlashBench): Promise<string | undefined> {
  return (await (await bench.open()).boot())?.name;
}

async function erase({ flash }: FlashBench, { first, count }: SectorRange): Promise<void> {
  for (let index = 0; index < count; index += 1) await flash.erase(first + index);
}

function startOf(range: SectorRange): number {
  return bytesOfSectors(SMALL_PART, range).startBytes;
}

function contentOf({ flash }: FlashBench, range: SectorRange): Uint8Array {
  return flash.peek(startOf(range), bytesOfSectors(SMALL_PART, range).lengthBytes);
}

/** Puts bytes where nobody has written them: what a debugger can do. */
async function overwrite(bench: FlashBench, to: SectorRange, bytes: Uint8Array): Promise<void> {
  await erase(bench, to);
  await bench.flash.write(startOf(to), bytes);
}

function bankOf({ layout }: FlashBench, index: number): FlashBench['layout']['banks'][number] {
  const bank = layout.banks[index];
  assert.ok(bank !== undefined);
  return bank;
}

/** Nothing that is left of the boot record can be read. */
async function damageRecords(bench: FlashBench): Promise<void> {
  for (const place of bench.layout.records) await overwrite(bench, place, new Uint8Array(16));
}

describe('openTwoBankSlots() at a start', () => {
  it('runs no image with a bit changed, and goes back to a whole one of a release that may run', async () => {
    const bench = await programmed(ONE, sampleImage('same.bin', 1, 4000));
    bench.flash.flipBit(startOf(bankOf(bench, 1).image) + 1234, 5);
    const slots = await bench.open();
    assert.equal((await slots.boot())?.name, 'one.bin');
    const { outcome } = slots.condition();
    assert.equal(outcome?.result, 'fell-back');
    assert.equal(outcome.reason, 'its bytes are not the verified ones');
    assert.equal(await runs(bench), 'one.bin');
  });
  it('runs nothing rather than an older release {uptane K7}', async () => {
    const bench = await programmed(ONE, TWO);
    bench.flash.flipBit(startOf(bankOf(bench, 1).image) + 1234, 5);
    const slots = await bench.open();
    assert.equal(await slots.boot(), undefined);
    assert.equal(slots.condition().mode, 'loader');
    assert.equal(slots.condition().releaseFloor, 2);
    await assert.rejects(slots.write(ONE.image), { code: 'RELEASE_COUNTER' });
    await program(slots, TWO);
    assert.equal(await runs(bench), 'two.bin');
  });
  it('runs no image with a seal changed', async () => {
    const bench = await programmed(ONE, TWO);
    bench.flash.flipBit(startOf(bankOf(bench, 1).seal) + 20, 0);
    assert.equal(await runs(bench), undefined);
  });
  it('runs no image that another key has sealed, and none that is sealed for other hardware', async () => {
    const bench = await programmed(ONE);
    const stranger = createImageSealer(generateSigner('ed25519'));
    assert.equal(await runs(benchOf(bench.flash.copy(), bench.layout, stranger)), undefined);
    const hardwareIdentifier = parseHardwareIdentifier('other-mcu');
    assert.equal(await (await bench.copy().open({ hardwareIdentifier })).boot(), undefined);
    assert.equal(await runs(bench), 'one.bin');
  });
  it('runs no older image that was put back with its own seal {uptane K7}', async () => {
    const bench = await programmed(ONE);
    const old = bankOf(bench, 0);
    const seal = contentOf(bench, old.seal);
    const bytes = contentOf(bench, old.image);
    const slots = await bench.open();
    await slots.boot();
    await program(slots, TWO);
    await overwrite(bench, bankOf(bench, 1).seal, seal);
    await overwrite(bench, bankOf(bench, 1).image, bytes);
    assert.equal(await runs(bench), undefined);
  });
  it('takes no prepared image whose bytes were changed before its first start', async () => {
    const bench = await programmed(ONE);
    const slots = await bench.open();
    await slots.boot();
    await writeImage(slots, TWO);
    await slots.activate();
    bench.flash.flipBit(startOf(bankOf(bench, 1).image), 0);
    const again = await bench.open();
    assert.equal((await again.boot())?.name, 'one.bin');
    assert.equal(again.condition().outcome?.result, 'fell-back');
  });
  for (const algorithm of ['ed25519', 'ecdsa-p256', 'ml-dsa-65'] as const) {
    it(`seals by ${algorithm}`, async () => {
      const geometry = { ...SMALL_PART, sectors: Array.from({ length: 40 }, () => 4096) };
      const { flash, layout } = createFlashBench(2, geometry);
      const bench = benchOf(flash, layout, createImageSealer(generateSigner(algorithm)));
      const slots = await bench.open();
      await slots.boot();
      await program(slots, ONE);
      assert.equal(await runs(bench), 'one.bin');
    });
  }
  it('writes no image whose seal would not fit', async () => {
    const { flash, layout } = createFlashBench(2);
    const bench = benchOf(flash, layout, createImageSealer(generateSigner('ml-dsa-65')));
    await assert.rejects((await bench.open()).write(ONE.image), { code: 'NO_ROOM' });
  });
});

describe('openTwoBankSlots() without its record', () => {
  it('goes by its seals: the newer image on trial, the older one as its way back', async () => {
    const bench = await programmed(ONE, TWO);
    await damageRecords(bench);
    const slots = await bench.open();
    assert.equal((await slots.boot())?.name, 'two.bin');
    const { isTrial, releaseFloor } = slots.condition();
    assert.deepEqual({ isTrial, releaseFloor }, { isTrial: true, releaseFloor: 1 });
    await slots.confirm();
    assert.equal(await runs(bench), 'two.bin');
    assert.equal((await bench.open()).condition().releaseFloor, 2);
  });
  it('does not forget what it has sealed when somebody wipes the record {uptane K7}', async () => {
    const bench = await programmed(ONE, TWO);
    for (const place of bench.layout.records) await erase(bench, place);
    assert.equal(await runs(bench), 'two.bin');
  });
  it('is corrupt when no seal is left either: never taken for a new ECU', async () => {
    const bench = await programmed(ONE);
    await damageRecords(bench);
    await erase(bench, bankOf(bench, 0).seal);
    await assert.rejects(bench.open(), { code: 'STATE_CORRUPT' });
  });
  it('is new when nothing but its first record was ever begun', async () => {
    const bench = createFlashBench(2);
    const [first] = bench.layout.records;
    assert.ok(first !== undefined);
    await bench.flash.write(startOf(first), new Uint8Array(16));
    const slots = await bench.open();
    assert.equal(await slots.boot(), undefined);
    await program(slots, ONE);
    assert.equal(await runs(bench), 'one.bin');
  });
});
