/** What decides whether a new image stays: its self test, trouble codes, and the watchdog. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type BankSlots, type SelfTest, type Timer, VehicleFault } from '@immota/vehicle';
import { createFlashBench, type FlashBench, program } from '../support/flash-bench.ts';
import { sampleImage, writeImage } from '../support/slot-images.ts';

const ONE = sampleImage('one.bin', 1, 3000);
const TWO = sampleImage('two.bin', 2, 3000);

/** What an ECU stores under each image. */
interface Codes {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

function testOf(codes: Codes, check: SelfTest['check'] = async () => true): SelfTest {
  let isUpdated = false;
  return {
    readTroubleCodes: async () => (isUpdated ? codes.after : codes.before),
    check: async (image) => {
      isUpdated = image.name === TWO.image.name;
      return await check(image);
    },
  };
}

/** An ECU that has tried the second image. */
async function tried(options: Parameters<FlashBench['open']>[0]): Promise<BankSlots> {
  const bench = createFlashBench(2);
  const first = await bench.open();
  await first.boot();
  await program(first, ONE);
  const slots = await bench.open(options);
  await slots.boot();
  await writeImage(slots, TWO);
  await slots.activate();
  await slots.boot();
  return slots;
}

const IMMEDIATE: Timer = {
  elapsedMs: () => 0,
  schedule: (_, action) => {
    const immediate = setImmediate(action);
    return () => clearImmediate(immediate);
  },
};

describe('a trial', () => {
  it('tells the trouble codes of before and after, once each and in order {uptane J4}', async () => {
    const codes = { before: [0xd0_01_00, 0x01_02_03, 0x01_02_03], after: [0x01_02_03] };
    const slots = await tried({ selfTest: testOf(codes) });
    const { mode, outcome } = slots.condition();
    assert.equal(mode, 'trial');
    assert.deepEqual(outcome?.health, {
      isSelfTestPassed: true,
      troubleCodesBefore: [0x01_02_03, 0xd0_01_00],
      troubleCodesAfter: [0x01_02_03],
      resets: 0,
    });
    await slots.confirm();
    assert.deepEqual(slots.condition().outcome?.health, outcome.health);
  });
  it('fails by a trouble code that was not there before', async () => {
    const slots = await tried({ selfTest: testOf({ before: [1], after: [1, 0xa2] }) });
    const { outcome } = slots.condition();
    assert.equal(slots.findRunning()?.name, 'one.bin');
    assert.equal(outcome?.reason, 'new trouble codes: 0000a2');
    assert.deepEqual(outcome.health?.troubleCodesAfter, [1, 0xa2]);
  });
  it('compares nothing when nothing ran before that could tell', async () => {
    const bench = createFlashBench(2);
    const selfTest = { readTroubleCodes: async () => [7], check: async () => true };
    const slots = await bench.open({ selfTest });
    await slots.boot();
    await writeImage(slots, ONE);
    await slots.activate();
    assert.equal((await slots.boot())?.name, 'one.bin');
    const health = slots.condition().outcome?.health;
    assert.deepEqual(health?.troubleCodesBefore, undefined);
    assert.deepEqual(health?.troubleCodesAfter, [7]);
  });
  it('fails when its self test says so', async () => {
    const selfTest = testOf({ before: [], after: [] }, async () => false);
    const slots = await tried({ selfTest });
    assert.equal(slots.findRunning()?.name, 'one.bin');
    assert.equal(slots.condition().outcome?.reason, 'the self test failed');
    assert.equal(slots.condition().outcome?.health?.isSelfTestPassed, false);
  });
  it('fails when its self test is refused, and says by what', async () => {
    const selfTest = testOf({ before: [], after: [] }, async () => {
      throw new VehicleFault('ECU_UNREACHABLE', 'Cannot reach the pump: it is silent');
    });
    const slots = await tried({ selfTest });
    assert.equal(slots.condition().outcome?.reason, 'the self test failed: ECU_UNREACHABLE');
  });
  it('is reset by the watchdog when it hangs, three times, and then falls back', async () => {
    let starts = 0;
    const selfTest = testOf({ before: [], after: [] }, async () => {
      starts += 1;
      return await new Promise<boolean>(() => undefined);
    });
    const slots = await tried({ selfTest, watchdog: { timer: IMMEDIATE, limitMs: 100 } });
    assert.equal(starts, 3);
    assert.equal(slots.findRunning()?.name, 'one.bin');
    assert.equal(slots.condition().outcome?.reason, 'it did not come up in 3 starts');
  });
  it('counts the resets that it took, and bites no image that answers', async () => {
    let starts = 0;
    const selfTest = testOf({ before: [], after: [] }, async () => {
      starts += 1;
      return starts < 3 ? await new Promise<boolean>(() => undefined) : true;
    });
    const slots = await tried({ selfTest, watchdog: { timer: IMMEDIATE, limitMs: 100 } });
    assert.equal(slots.findRunning()?.name, 'two.bin');
    assert.equal(slots.condition().outcome?.health?.resets, 2);
  });
  it('keeps more trouble codes than a record has room for within its bound', async () => {
    const many = Array.from({ length: 100 }, (_, index) => index);
    const selfTest = testOf({ before: [...many, -1, 2 ** 24, 1.5], after: [] });
    const slots = await tried({ selfTest });
    assert.deepEqual(slots.condition().outcome?.health?.troubleCodesBefore, many.slice(0, 32));
  });
});
