/** Where things lie in the flash of real parts, and how long those take. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  bytesOfSectors,
  FLASH_PARTS,
  paceFlash,
  planBanks,
  planLayout,
  SimulatedFlash,
  type Timer,
} from '@immota/vehicle';
import { createFlashBench, SMALL_PART } from '../support/flash-bench.ts';

const REQUEST = { loaderBytes: 16_384 } as const;

describe('planBanks()', () => {
  for (const [name, geometry] of Object.entries(FLASH_PARTS)) {
    for (const banks of [1, 2] as const) {
      it(`plans ${name} for ${banks}: banks of one length, and nothing over another`, () => {
        const layout = planBanks(geometry, { ...REQUEST, banks });
        const parts = layout.banks.flatMap(({ seal, image }) => [seal, image]);
        const sectors = [layout.loader, ...layout.records, ...parts].flatMap(({ first, count }) =>
          Array.from({ length: count }, (_, index) => first + index),
        );
        assert.equal(new Set(sectors).size, sectors.length);
        assert.equal(layout.banks.length, banks);
        const lengths = layout.banks.map(
          ({ image }) => bytesOfSectors(geometry, image).lengthBytes,
        );
        assert.equal(new Set(lengths).size, 1);
        const whole = geometry.sectors.reduce((sum, one) => sum + one, 0);
        assert.ok((lengths[0] ?? 0) * banks > whole / 2, 'most of it is for images');
      });
    }
  }
  it('puts an uneven part to use', () => {
    const layout = planBanks(FLASH_PARTS.stm32f4, { ...REQUEST, banks: 2 });
    const images = layout.banks.map(({ image }) => image);
    assert.deepEqual(images, [
      { first: 5, count: 3 },
      { first: 8, count: 3 },
    ]);
  });
  it('refuses a part that is too small', () => {
    const tiny = { ...SMALL_PART, sectors: [1024, 1024, 1024, 1024] };
    assert.throws(() => planBanks(tiny, { banks: 1, loaderBytes: 1024 }), { code: 'LAYOUT' });
    const odd = { ...SMALL_PART, sectors: [1024, 1024, 1024, 1024, 1024, 1024, 2048] };
    const request = { loaderBytes: 1024, recordBytes: 1024, recordPlaces: 2, sealBytes: 1024 };
    assert.throws(() => planLayout(odd, { ...request, banks: 2 }), { code: 'LAYOUT' });
    assert.equal(planLayout(odd, { ...request, banks: 1 }).banks.length, 1);
  });
});

describe('openTwoBankSlots() and its layout', () => {
  it('refuses a plan of one bank, one with places that overlap, and one place for records', async () => {
    const bench = createFlashBench(2);
    const { layout } = bench;
    const [bank] = layout.banks;
    assert.ok(bank !== undefined);
    const broken = [
      { ...layout, banks: [bank, bank] },
      { ...layout, records: layout.records.slice(0, 1) },
      { ...layout, records: [bank.image, ...layout.records] },
      { ...layout, banks: [] },
    ];
    for (const wrong of broken) {
      await assert.rejects(bench.open({ layout: wrong }), { code: 'LAYOUT' });
    }
    const behind = { ...layout, loader: { first: 48, count: 1 } };
    await assert.rejects(bench.open({ layout: behind }), { code: 'OUT_OF_RANGE' });
    assert.equal((await bench.open()).findRunning(), undefined);
  });
});

describe('paceFlash()', () => {
  it('takes as long as the part, in waits of at least a millisecond', async () => {
    const delays: number[] = [];
    const timer: Timer = {
      elapsedMs: () => 0,
      schedule: (delayMs, action) => {
        delays.push(delayMs);
        queueMicrotask(action);
        return () => undefined;
      },
    };
    const geometry = FLASH_PARTS.nrf52840;
    const flash = new SimulatedFlash({ geometry });
    const paced = paceFlash(flash, timer);
    await paced.erase(3);
    assert.deepEqual(delays, [85]);
    await paced.write(3 * 4096, new Uint8Array(64));
    assert.deepEqual(delays, [85]);
    await paced.write(3 * 4096 + 64, new Uint8Array(64));
    assert.equal(delays.length, 2);
    assert.equal(Math.round((delays[1] ?? 0) * 1000), 32 * 41);
    assert.equal(Math.round(flash.busyUs), 85_000 + 32 * 41);
    const bytes = new Uint8Array(4).fill(1);
    await paced.read(3 * 4096, bytes);
    assert.deepEqual(bytes, new Uint8Array(4));
    await paceFlash(flash, timer, 10).erase(4);
    assert.equal(delays[2], 8.5);
  });
});
