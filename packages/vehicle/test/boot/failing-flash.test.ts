/** Flash that fails, wears out and reads wrong: the ECU keeps what it has, and says what it cannot do. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fault } from '@immota/base';
import { bytesOfSectors, type FailingRegion, type SectorRange } from '@immota/vehicle';
import { createFlashBench, type FlashBench, program, SMALL_PART } from '../support/flash-bench.ts';
import { sampleImage, type SlotSample, writeImage } from '../support/slot-images.ts';

const ONE = sampleImage('one.bin', 1, 5000);
const TWO = sampleImage('two.bin', 2, 7000);
const ATTEMPTS_MAX = 60;

async function programmed(banks: 1 | 2): Promise<FlashBench> {
  const bench = createFlashBench(banks);
  const slots = await bench.open();
  await slots.boot();
  await program(slots, ONE);
  return bench;
}

async function runs(bench: FlashBench): Promise<string | undefined> {
  return (await (await bench.open()).boot())?.name;
}

/** Tries until the image is there, as a vehicle does. @returns how often. */
async function insist(bench: FlashBench, sample: SlotSample): Promise<number> {
  for (let attempt = 1; attempt < ATTEMPTS_MAX; attempt += 1) {
    try {
      const slots = await bench.open();
      await slots.boot();
      if (slots.findPrepared()?.name !== sample.image.name) await writeImage(slots, sample);
      await slots.activate();
      await slots.boot();
      await slots.confirm();
      return attempt;
    } catch (error) {
      assert.ok(error instanceof Fault, String(error));
    }
  }
  return ATTEMPTS_MAX;
}

function regionOf(
  range: SectorRange,
  failure: Pick<FailingRegion, 'operation' | 'isSilent'>,
  rate = 1,
): FailingRegion {
  return { ...bytesOfSectors(SMALL_PART, range), ...failure, rate };
}

function wornRecords({ layout }: FlashBench): readonly FailingRegion[] {
  return layout.records.map((place) => regionOf(place, { operation: 'erase', isSilent: false }));
}

describe('slots over flash that fails', () => {
  for (const isSilent of [false, true]) {
    for (const operation of ['write', 'erase'] as const) {
      const how = `${operation} fails ${isSilent ? 'silently' : 'aloud'}`;
      it(`keep what runs when every ${how} in the other bank`, async () => {
        const bench = await programmed(2);
        const bank = bench.layout.banks[1];
        assert.ok(bank !== undefined);
        bench.flash.failRegions([regionOf(bank.image, { operation, isSilent })]);
        assert.equal(await insist(bench, TWO), ATTEMPTS_MAX);
        assert.equal(await runs(bench), 'one.bin');
      });
      it(`get there when one in ten ${how}`, async () => {
        const bench = await programmed(2);
        const all = { first: 1, count: 47 };
        bench.flash.failRegions([regionOf(all, { operation, isSilent }, 0.1)]);
        assert.ok((await insist(bench, TWO)) < ATTEMPTS_MAX);
        bench.flash.failRegions([]);
        assert.equal(await runs(bench), 'two.bin');
      });
    }
  }
  it('stay in their boot loader while their one bank fails, and go on when it does not', async () => {
    const bench = await programmed(1);
    const [bank] = bench.layout.banks;
    assert.ok(bank !== undefined);
    bench.flash.failRegions([regionOf(bank.image, { operation: 'write', isSilent: true })]);
    assert.equal(await insist(bench, TWO), ATTEMPTS_MAX);
    const slots = await bench.open();
    assert.equal(await slots.boot(), undefined);
    assert.equal(slots.condition().mode, 'loader');
    bench.flash.failRegions([]);
    assert.equal(await insist(bench, TWO), 1);
  });
  it('use a third place for their record when one is worn', async () => {
    const bench = await programmed(2);
    const third = { first: 46, count: 2 };
    const banks = bench.layout.banks.map(({ seal, image }) => ({
      seal,
      image: { ...image, count: image.count - 2 },
    }));
    const layout = { ...bench.layout, banks, records: [...bench.layout.records, third] };
    const [, second] = layout.records;
    assert.ok(second !== undefined);
    bench.flash.failRegions([regionOf(second, { operation: 'erase', isSilent: false })]);
    const slots = await bench.open({ layout });
    await slots.boot();
    await program(slots, TWO);
    assert.equal(slots.findRunning()?.name, 'two.bin');
  });
  it('run on when no place for a record is left, and take no more updates', async () => {
    const bench = await programmed(2);
    bench.flash.failRegions(wornRecords(bench));
    const slots = await bench.open();
    await slots.boot();
    await assert.rejects(slots.write(TWO.image), { code: 'WORN_OUT' });
    assert.equal(await runs(bench), 'one.bin');
  });
  it('jump into no image on trial whose start they cannot count', async () => {
    const bench = await programmed(2);
    const slots = await bench.open();
    await slots.boot();
    await writeImage(slots, TWO);
    await slots.activate();
    bench.flash.failRegions(wornRecords(bench));
    assert.equal(await runs(bench), 'one.bin');
    bench.flash.failRegions([]);
    assert.equal(await runs(bench), 'two.bin');
  });
  it('believe no single read: bits that flip on the way change nothing', async () => {
    const bench = createFlashBench(2);
    bench.flash.flipReads(0.02);
    assert.ok((await insist(bench, ONE)) < 5);
    for (let start = 0; start < 40; start += 1) assert.equal(await runs(bench), 'one.bin');
    assert.ok((await insist(bench, TWO)) < 5);
    assert.equal(await runs(bench), 'two.bin');
  });
  it('wear each place for records as much as the other, and the boot loader not at all', async () => {
    const bench = createFlashBench(2);
    for (let release = 1; release <= 20; release += 1) {
      await insist(bench, sampleImage(`release-${release}.bin`, release, 3000));
    }
    const [one = 0, two = 0] = bench.layout.records.map(({ first }) => bench.flash.wearOf(first));
    assert.ok(Math.abs(one - two) <= 2, `${one} and ${two} erasures`);
    assert.ok(one <= 80, `${one} erasures for 20 updates`);
    assert.equal(bench.flash.wearOf(0), 0);
  });
});
