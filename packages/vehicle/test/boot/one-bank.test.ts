/** One bank: an image over the one that runs, a boot loader that always takes one, and the old image again. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { BankSlots } from '@immota/vehicle';
import { createFlashBench, type FlashBench, program } from '../support/flash-bench.ts';
import { sampleImage, writeImage } from '../support/slot-images.ts';

const ONE = sampleImage('one.bin', 1, 5000);
const TWO = sampleImage('two.bin', 2, 7000);
const THREE = sampleImage('three.bin', 3, 4096);

async function booted(bench: FlashBench, isWell = true): Promise<BankSlots> {
  const selfTest = { readTroubleCodes: async () => [], check: async () => isWell };
  const slots = await bench.open({ selfTest });
  await slots.boot();
  return slots;
}

async function programmed(): Promise<FlashBench> {
  const bench = createFlashBench(1);
  await program(await booted(bench), ONE);
  return bench;
}

/** An ECU that has begun to write the second image, and lost its power. */
async function interrupted(): Promise<FlashBench> {
  const bench = await programmed();
  const slots = await booted(bench);
  const writer = await slots.write(TWO.image);
  await writer.write(TWO.bytes.subarray(0, 3500));
  await writer.pause();
  return bench;
}

/** An ECU on trial with the second image. */
async function onTrial(): Promise<FlashBench> {
  const bench = await programmed();
  const slots = await booted(bench);
  await writeImage(slots, TWO);
  await slots.activate();
  await slots.boot();
  assert.equal(slots.condition().mode, 'trial');
  return bench;
}

describe('openOneBankSlots()', () => {
  it('runs nothing but its boot loader while an image is not whole, and goes on where it was', async () => {
    const bench = await interrupted();
    const slots = await booted(bench);
    assert.equal(slots.findRunning(), undefined);
    const { mode, running, canRevert } = slots.condition();
    assert.deepEqual(
      { mode, running, canRevert },
      { mode: 'loader', running: undefined, canRevert: false },
    );
    const received = slots.findReceived(TWO.image);
    assert.equal(received, 3072);
    const writer = await slots.resume(TWO.image, received);
    await writer.write(TWO.bytes.subarray(received));
    await writer.finish();
    await slots.activate();
    assert.equal((await slots.boot())?.name, 'two.bin');
    await slots.confirm();
    assert.equal(slots.condition().releaseFloor, 2);
    assert.equal(slots.findFallback(), undefined);
  });
  it('tells what was final last, and takes it again until another is final {uptane K7}', async () => {
    const slots = await booted(await interrupted());
    assert.equal(slots.findFallback()?.name, 'one.bin');
    assert.equal(slots.condition().releaseFloor, 1);
    await writeImage(slots, ONE);
    await slots.activate();
    assert.equal((await slots.boot())?.name, 'one.bin');
    assert.equal(slots.condition().mode, 'final');
    assert.equal(slots.findFallback(), undefined);
  });
  it('cannot take a trial back by itself, but writes what was final over it', async () => {
    const bench = await onTrial();
    const slots = await booted(bench);
    await assert.rejects(slots.revert(), { code: 'CANNOT_REVERT' });
    await assert.rejects(slots.write(THREE.image), { code: 'ON_TRIAL' });
    const impostor = { ...ONE.image, hashes: THREE.image.hashes };
    await assert.rejects(slots.write(impostor), { code: 'ON_TRIAL' });
    await writeImage(slots, ONE);
    await slots.activate();
    assert.equal((await slots.boot())?.name, 'one.bin');
    const { isTrial, releaseFloor, outcome } = slots.condition();
    assert.deepEqual({ isTrial, releaseFloor }, { isTrial: false, releaseFloor: 1 });
    assert.equal(outcome?.result, 'reverted');
    assert.equal(outcome.image.name, 'two.bin');
    await assert.rejects(slots.revert(), { code: 'NOT_ON_TRIAL' });
  });
  it('refuses what was final before once another one is {uptane K7}', async () => {
    const slots = await booted(await onTrial());
    await slots.confirm();
    await assert.rejects(slots.write(ONE.image), { code: 'RELEASE_COUNTER' });
    await program(slots, THREE);
    assert.equal(slots.condition().releaseFloor, 3);
  });
  it('stays in its boot loader when an image is sick, and says why', async () => {
    const bench = await programmed();
    const slots = await booted(bench);
    await writeImage(slots, TWO);
    await slots.activate();
    const sick = await booted(bench, false);
    const { mode, outcome } = sick.condition();
    assert.equal(mode, 'loader');
    assert.equal(outcome?.result, 'fell-back');
    assert.equal(outcome.reason, 'the self test failed');
    assert.equal(sick.findFallback()?.name, 'one.bin');
    await writeImage(sick, ONE);
    await sick.activate();
    assert.equal((await sick.boot())?.name, 'one.bin');
    assert.equal(sick.condition().outcome?.reason, 'the self test failed');
  });
  it('gives up what waits or is on its way, and never what runs', async () => {
    const bench = await programmed();
    const slots = await booted(bench);
    await slots.discardOther();
    assert.equal(slots.findRunning()?.name, 'one.bin');
    await writeImage(slots, TWO);
    assert.equal(slots.findPrepared()?.name, 'two.bin');
    await slots.discardOther();
    assert.equal(slots.findPrepared(), undefined);
    await assert.rejects(slots.activate(), { code: 'SLOT_EMPTY' });
    assert.equal(slots.findFallback()?.name, 'one.bin');
  });
  it('keeps its boot loader as it is', async () => {
    const bench = await onTrial();
    const { loader } = bench.layout;
    assert.ok(bench.flash.peek(0, loader.count * 1024).every((byte) => byte === 0xff));
    assert.equal(bench.flash.wearOf(0), 0);
  });
});
