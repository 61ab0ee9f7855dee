/** Two banks of flash: an image beside the running one, a trial, and the ways back. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { installImage, type SlotImage } from '@immota/vehicle';
import { createFlashBench, type FlashBench, program } from '../support/flash-bench.ts';
import { sampleImage, type SlotSample, writeImage } from '../support/slot-images.ts';

const ONE = sampleImage('one.bin', 1, 5000);
const TWO = sampleImage('two.bin', 2, 7000);
const THREE = sampleImage('three.bin', 3, 4096);

async function programmed(): Promise<FlashBench> {
  const bench = createFlashBench(2);
  const slots = await bench.open();
  await slots.boot();
  await program(slots, ONE);
  return bench;
}

async function prepared(sample: SlotSample): Promise<FlashBench> {
  const bench = await programmed();
  const slots = await bench.open();
  await slots.boot();
  await writeImage(slots, sample);
  await slots.activate();
  return bench;
}

function nameOf(image: SlotImage | undefined): string | undefined {
  return image?.name;
}

describe('openTwoBankSlots()', () => {
  it('runs nothing on a new part', async () => {
    const slots = await createFlashBench(2).open();
    assert.equal(await slots.boot(), undefined);
    assert.equal(slots.condition().mode, 'loader');
    assert.equal(slots.condition().releaseFloor, 0);
  });
  it('runs an image on trial until it is confirmed, and only then raises the floor {uptane K7}', async () => {
    const bench = await prepared(TWO);
    const slots = await bench.open();
    assert.equal(nameOf(await slots.boot()), 'two.bin');
    const { isTrial, releaseFloor, running, canRevert } = slots.condition();
    assert.deepEqual(
      { isTrial, releaseFloor, running, canRevert },
      {
        isTrial: true,
        releaseFloor: 1,
        running: 'b',
        canRevert: true,
      },
    );
    assert.equal(nameOf(slots.findFallback()), 'one.bin');
    const again = await bench.open();
    assert.equal(nameOf(await again.boot()), 'two.bin');
    assert.equal(again.condition().isTrial, true);
    await again.confirm();
    assert.equal(again.condition().releaseFloor, 2);
    const last = await bench.open();
    assert.equal(nameOf(await last.boot()), 'two.bin');
    assert.equal(last.condition().mode, 'final');
    await last.confirm();
  });
  it('goes back to what ran before when a trial is taken back', async () => {
    const bench = await prepared(TWO);
    const slots = await bench.open();
    await slots.boot();
    await slots.revert();
    await assert.rejects(slots.confirm(), { code: 'NOT_ON_TRIAL' });
    const again = await bench.open();
    assert.equal(nameOf(await again.boot()), 'one.bin');
    assert.equal(again.condition().outcome?.result, 'reverted');
    assert.equal(again.condition().releaseFloor, 1);
    await assert.rejects(again.revert(), { code: 'NOT_ON_TRIAL' });
  });
  it('writes nothing over the way back of a trial', async () => {
    const bench = await prepared(TWO);
    const slots = await bench.open();
    await slots.boot();
    await assert.rejects(slots.write(THREE.image), { code: 'ON_TRIAL' });
    await assert.rejects(slots.activate(), { code: 'ON_TRIAL' });
    await slots.discardOther();
    await slots.confirm();
    await program(slots, THREE);
    assert.equal(nameOf(slots.findRunning()), 'three.bin');
  });
  it('refuses a release below the floor and takes one on it {uptane K7}', async () => {
    const bench = await prepared(TWO);
    const slots = await bench.open();
    await slots.boot();
    await slots.confirm();
    await assert.rejects(slots.write(ONE.image), { code: 'RELEASE_COUNTER' });
    await program(slots, sampleImage('two-again.bin', 2));
  });
  it('is driven by the code that installs images, and resumes at whole sectors', async () => {
    const bench = await programmed();
    const slots = await bench.open();
    await slots.boot();
    const { image, bytes } = TWO;
    const writer = await slots.write(image);
    await writer.write(bytes.subarray(0, 3500));
    await writer.pause();
    const later = await bench.open();
    await later.boot();
    assert.equal(later.findReceived(image), 3072);
    assert.equal(later.findReceived(THREE.image), 0);
    const offsets: number[] = [];
    await installImage(later, {
      image,
      servedLengthBytes: image.lengthBytes,
      contentKey: undefined,
      open: (offset) => {
        offsets.push(offset);
        return piecesOf(bytes.subarray(offset));
      },
    });
    assert.deepEqual(offsets, [3072]);
    await later.activate();
    assert.equal(nameOf(await later.boot()), 'two.bin');
  });
  it('compares what comes again with what is there', async () => {
    const bench = await programmed();
    const slots = await bench.open();
    await slots.boot();
    const { image, bytes } = TWO;
    const writer = await slots.write(image);
    await writer.write(bytes.subarray(0, 4096));
    await writer.pause();
    const same = await slots.resume(image, 1500);
    await same.write(bytes.subarray(1500, 4000));
    await same.write(bytes.subarray(4000));
    await same.finish();
    assert.equal(nameOf(slots.findPrepared()), 'two.bin');
    const begun = await slots.write(image);
    await begun.write(bytes.subarray(0, 4096));
    await begun.pause();
    const other = await slots.resume(image, 1500);
    await assert.rejects(other.write(bytes.subarray(1501, 1600)), { code: 'IMAGE_HASH' });
    await other.discard();
    assert.equal(slots.findReceived(image), 0);
    await assert.rejects(slots.resume(image, 0), { code: 'SLOT_EMPTY' });
  });
  it('seals no image whose bytes are others, or are too many', async () => {
    const bench = await programmed();
    const slots = await bench.open();
    await slots.boot();
    const wrong = TWO.bytes.slice();
    wrong[4000] = (wrong[4000] ?? 0) ^ 1;
    const writer = await slots.write(TWO.image);
    await writer.write(wrong);
    await assert.rejects(writer.write(Uint8Array.of(1)), { code: 'IMAGE_LENGTH' });
    await assert.rejects(writer.finish(), { code: 'IMAGE_HASH' });
    assert.equal(slots.findPrepared(), undefined);
    await assert.rejects(slots.activate(), { code: 'SLOT_EMPTY' });
  });
  it('refuses an image that is larger than a bank, and a name that no record holds', async () => {
    const bench = await programmed();
    const slots = await bench.open();
    await slots.boot();
    const bank = bench.layout.banks[0];
    assert.ok(bank !== undefined);
    const fitting = bank.image.count * 1024;
    await program(slots, sampleImage('most.bin', 1, fitting));
    const larger = { ...sampleImage('x.bin', 1, 16).image, lengthBytes: fitting + 1 };
    await assert.rejects(slots.write(larger), { code: 'NO_ROOM' });
    await assert.rejects(slots.write(sampleImage('n'.repeat(700), 1).image), { code: 'NO_ROOM' });
    assert.equal(nameOf(slots.findRunning()), 'most.bin');
  });
});

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 999) {
    await Promise.resolve();
    yield bytes.subarray(offset, offset + 999);
  }
}
