import assert from 'node:assert/strict';
import { readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { openFolderSlots, type ResumableSlots, VehicleFault } from '@immota/vehicle';
import { makeFolder } from '../support/folder.ts';
import { SimulatedDisk } from '../support/simulated-disk.ts';
import { sampleImage, type SlotSample, writeImage } from '../support/slot-images.ts';

const ONE = sampleImage('one.bin', 1);
const TWO = sampleImage('two.bin', 2);
const THREE = sampleImage('three.bin', 3);

async function open(files: SimulatedDisk): Promise<ResumableSlots> {
  return await openFolderSlots({ folder: '', files });
}

async function install(slots: ResumableSlots, sample: SlotSample): Promise<void> {
  await writeImage(slots, sample);
  await slots.activate();
  await slots.boot();
  if (slots.condition().isTrial) await slots.confirm();
}

/** Brings an image to run on trial. */
async function tryOut(slots: ResumableSlots, sample: SlotSample): Promise<void> {
  await writeImage(slots, sample);
  await slots.activate();
  await slots.boot();
}

/** Slots that run the first image. */
async function programmed(
  files: SimulatedDisk,
  healthCheck?: () => Promise<boolean>,
): Promise<ResumableSlots> {
  const slots = await openFolderSlots({ folder: '', files, healthCheck });
  await install(slots, ONE);
  return slots;
}

const healthy = (): Promise<boolean> => Promise.resolve(true);

describe('openFolderSlots()', () => {
  it('keeps images in files of its owner, and finds them again {uptane K8}', async (test) => {
    const folder = makeFolder(test);
    const slots = await openFolderSlots({ folder });
    assert.equal(await slots.boot(), undefined);
    assert.equal(slots.findRunning(), undefined);
    await install(slots, ONE);
    await install(slots, TWO);
    assert.deepEqual(readFileSync(join(folder, 'slot-b.image')), Buffer.from(TWO.bytes));
    assert.equal(statSync(join(folder, 'slot-b.image')).mode & 0o777, 0o600);
    const again = await openFolderSlots({ folder });
    assert.deepEqual(await again.boot(), TWO.image);
    assert.deepEqual(again.condition().running, 'b');
    assert.equal(again.findPrepared(), undefined);
  });
  it('leaves the running image alone while it writes, and activates only what is whole', async () => {
    const slots = await programmed(new SimulatedDisk());
    const writer = await slots.write(TWO.image);
    await writer.write(TWO.bytes.subarray(0, 10));
    assert.equal(slots.findPrepared(), undefined);
    await assert.rejects(() => slots.activate(), { code: 'SLOT_EMPTY' });
    await writer.discard();
    assert.equal(slots.findReceived(TWO.image), 0);
    assert.deepEqual(await slots.boot(), ONE.image);
  });
  it('loses what the other slot held as soon as it is written again', async () => {
    const disk = new SimulatedDisk();
    const slots = await programmed(disk);
    await writeImage(slots, TWO);
    assert.deepEqual(slots.findPrepared(), TWO.image);
    const writer = await slots.write(THREE.image);
    assert.equal(slots.findPrepared(), undefined);
    await writer.write(THREE.bytes.subarray(0, 10));
    assert.equal((await open(disk.afterCut(() => true))).findPrepared(), undefined);
  });
  it('refuses more bytes than the image has', async () => {
    const slots = await programmed(new SimulatedDisk());
    const writer = await slots.write(TWO.image);
    await writer.write(TWO.bytes);
    await assert.rejects(() => writer.write(new Uint8Array(1)), { code: 'IMAGE_LENGTH' });
  });
  it('falls back by itself when the self test says no, or breaks off {uptane L1} {uptane K6}', async () => {
    for (const verdict of [
      (): Promise<boolean> => Promise.resolve(false),
      (): Promise<boolean> => Promise.reject(new VehicleFault('INSTALL_FAILED', 'Cannot run')),
    ]) {
      let verdictNow = healthy;
      const slots = await programmed(new SimulatedDisk(), () => verdictNow());
      verdictNow = verdict;
      await install(slots, TWO);
      assert.deepEqual(slots.findRunning(), ONE.image);
      assert.equal(slots.condition().outcome?.result, 'fell-back');
      assert.deepEqual(slots.condition().outcome?.image, TWO.image);
      assert.equal(slots.condition().releaseFloor, 1);
      await assert.rejects(() => slots.activate(), { code: 'SLOT_EMPTY' });
    }
  });
  it('falls back when the image on trial is not the verified one any more {uptane K7}', async () => {
    const disk = new SimulatedDisk();
    const slots = await programmed(disk);
    await writeImage(slots, TWO);
    await slots.activate();
    disk.damage('slot-b.image', 2999);
    assert.deepEqual(await slots.boot(), ONE.image);
    assert.equal(slots.condition().outcome?.result, 'fell-back');
  });
  it('falls back when the image on trial never comes up', async () => {
    const disk = new SimulatedDisk();
    const slots = await programmed(disk);
    await writeImage(slots, TWO);
    await slots.activate();
    // An image that hangs: its self test never ends, and somebody switches the ECU off and on.
    for (let boots = 0; boots < 3; boots += 1) {
      const { promise: started, resolve } = Promise.withResolvers<void>();
      const hanging = await openFolderSlots({
        folder: '',
        files: disk,
        healthCheck: () => {
          resolve();
          return Promise.withResolvers<boolean>().promise;
        },
      });
      void hanging.boot();
      await started;
    }
    const again = await open(disk);
    assert.deepEqual(await again.boot(), ONE.image);
    assert.equal(again.condition().outcome?.result, 'fell-back');
    assert.equal(again.condition().outcome?.reason, 'it did not come up in 3 boots');
  });
  it('tells its health by a self test, and leaves an image that brings a new trouble code', async () => {
    const disk = new SimulatedDisk();
    const slots = await programmed(disk);
    let codes: readonly number[] = [0x01_02_03];
    const selfTest = {
      readTroubleCodes: (): Promise<readonly number[]> => Promise.resolve(codes),
      check: (): Promise<boolean> => Promise.resolve(true),
    };
    await slots.discardOther();
    const well = await openFolderSlots({ folder: '', files: disk, selfTest });
    await well.boot();
    await writeImage(well, TWO);
    await well.activate();
    assert.deepEqual(await well.boot(), TWO.image);
    await well.confirm();
    const health = {
      isSelfTestPassed: true,
      resets: 0,
      troubleCodesBefore: [0x01_02_03],
      troubleCodesAfter: [0x01_02_03],
    };
    const again = await openFolderSlots({ folder: '', files: disk, selfTest });
    assert.deepEqual(again.condition().outcome?.health, health);
    const three = sampleImage('three.bin', 3);
    await writeImage(again, three);
    await again.activate();
    codes = [0x01_02_03, 0xd0_01_00];
    assert.deepEqual(await again.boot(), TWO.image);
    const sick = await openFolderSlots({ folder: '', files: disk });
    const { outcome } = sick.condition();
    assert.equal(outcome?.reason, 'new trouble codes: d00100');
    assert.deepEqual(outcome.health?.troubleCodesAfter, codes);
  });
  it('starts the image before it when the running one is damaged, if its release still counts', async () => {
    const disk = new SimulatedDisk();
    const slots = await programmed(disk);
    const same = sampleImage('same-release.bin', 1);
    await install(slots, same);
    disk.damage('slot-b.image', 0);
    assert.deepEqual(await slots.boot(), ONE.image);
    assert.equal(slots.condition().outcome?.reason, 'its bytes were damaged');
  });
  it('starts no release below the confirmed one, not even when nothing else is left {uptane K7}', async () => {
    const disk = new SimulatedDisk();
    const slots = await programmed(disk);
    await install(slots, TWO);
    disk.damage('slot-b.image', 0);
    assert.equal(await slots.boot(), undefined);
    await assert.rejects(() => slots.write(ONE.image), { code: 'RELEASE_COUNTER' });
    await install(slots, THREE);
    assert.deepEqual(slots.findRunning(), THREE.image);
  });
  it('moves the floor after confirmation and not before {uptane K7}', async () => {
    const slots = await programmed(new SimulatedDisk());
    await writeImage(slots, THREE);
    await slots.activate();
    assert.equal(slots.condition().releaseFloor, 1);
    await slots.boot();
    assert.equal(slots.condition().releaseFloor, 1);
    await slots.confirm();
    assert.equal(slots.condition().releaseFloor, 3);
    await assert.rejects(() => slots.write(TWO.image), { code: 'RELEASE_COUNTER' });
  });
  it('gives up what waits when told to, and keeps the image before', async () => {
    const slots = await programmed(new SimulatedDisk());
    await writeImage(slots, TWO);
    await slots.discardOther();
    assert.equal(slots.findPrepared(), undefined);
    await install(slots, TWO);
    await slots.discardOther();
    assert.deepEqual(await slots.boot(), TWO.image);
  });
  it('boots by the other copy when one of the record is damaged', async () => {
    for (const copy of ['boot-0', 'boot-1']) {
      const disk = new SimulatedDisk();
      await programmed(disk);
      disk.damage(copy, 200);
      assert.deepEqual((await (await open(disk)).boot())?.name, ONE.image.name);
    }
  });
  it('refuses to take an ECU for a new one when both copies are damaged', async () => {
    const disk = new SimulatedDisk();
    await programmed(disk);
    disk.damage('boot-0', 20);
    disk.damage('boot-1', 20);
    await assert.rejects(() => open(disk), { code: 'STATE_CORRUPT' });
    disk.lose('boot-0');
    await assert.rejects(() => open(disk), { code: 'STATE_CORRUPT' });
  });
  it('finds a running image that was cut off or made longer', async (test) => {
    for (const lengthBytes of [2999, 3001, 0]) {
      const folder = makeFolder(test);
      const slots = await openFolderSlots({ folder });
      await install(slots, ONE);
      truncateSync(join(folder, 'slot-a.image'), lengthBytes);
      assert.equal(await slots.boot(), undefined);
    }
  });
  it('leaves nothing of a longer image behind a shorter one', async () => {
    const disk = new SimulatedDisk();
    const slots = await programmed(disk);
    await install(slots, sampleImage('long.bin', 1, 5000));
    await install(slots, sampleImage('short.bin', 1, 100));
    await install(slots, sampleImage('shorter.bin', 1, 50));
    assert.equal(disk.read('slot-a.image')?.length, 100);
    assert.equal(disk.read('slot-b.image')?.length, 50);
  });
});

describe('confirm() and revert()', () => {
  it('run a healthy image on trial through any number of boots, until it is made final', async () => {
    const disk = new SimulatedDisk();
    await tryOut(await programmed(disk), TWO);
    for (let boots = 0; boots < 20; boots += 1) {
      const slots = await open(disk);
      assert.deepEqual(await slots.boot(), TWO.image);
      assert.equal(slots.condition().isTrial, true);
      assert.equal(slots.condition().releaseFloor, 1);
      assert.deepEqual(slots.findFallback(), ONE.image);
    }
    const slots = await open(disk);
    await slots.confirm();
    await slots.confirm();
    const again = await open(disk);
    assert.deepEqual(await again.boot(), TWO.image);
    const { isTrial, releaseFloor, outcome } = again.condition();
    assert.deepEqual([isTrial, releaseFloor, outcome?.result], [false, 2, 'confirmed']);
    assert.equal(again.findFallback(), undefined);
    await assert.rejects(() => again.revert(), { code: 'NOT_ON_TRIAL' });
  });
  it('go back at the next boot, and not before, to what was final', async () => {
    const disk = new SimulatedDisk();
    const slots = await programmed(disk);
    await tryOut(slots, TWO);
    await slots.revert();
    await slots.revert();
    assert.deepEqual(slots.findRunning(), TWO.image);
    await assert.rejects(() => slots.confirm(), { code: 'NOT_ON_TRIAL' });
    const again = await open(disk);
    assert.deepEqual(await again.boot(), ONE.image);
    const { isTrial, releaseFloor, outcome } = again.condition();
    assert.deepEqual([isTrial, releaseFloor, outcome?.result], [false, 1, 'reverted']);
    await install(again, TWO);
    assert.deepEqual(again.findRunning(), TWO.image);
  });
  it('go back to an ECU without software when it had none', async () => {
    const slots = await open(new SimulatedDisk());
    await assert.rejects(() => slots.confirm(), { code: 'NOT_ON_TRIAL' });
    await tryOut(slots, ONE);
    await slots.revert();
    assert.equal(await slots.boot(), undefined);
    assert.equal(slots.condition().isTrial, false);
  });
  it('stay on the trial when what ran before it is damaged, and say so', async () => {
    const disk = new SimulatedDisk();
    const slots = await programmed(disk);
    await tryOut(slots, TWO);
    disk.damage('slot-a.image', 5);
    await slots.revert();
    assert.deepEqual(await slots.boot(), TWO.image);
    assert.equal(slots.condition().outcome?.result, 'revert-failed');
    assert.equal(slots.condition().isTrial, true);
    await slots.confirm();
    assert.equal(slots.condition().releaseFloor, 2);
  });
  it('keep the way back: nothing is written while a trial runs', async () => {
    const slots = await programmed(new SimulatedDisk());
    await tryOut(slots, TWO);
    await assert.rejects(() => slots.write(THREE.image), { code: 'ON_TRIAL' });
    await assert.rejects(() => slots.activate(), { code: 'ON_TRIAL' });
    await slots.discardOther();
    assert.deepEqual(slots.findFallback(), ONE.image);
  });
  it('do not keep an image on trial whose health or bytes fail at a later boot {uptane K7}', async () => {
    for (const fault of ['health', 'bytes'] as const) {
      const disk = new SimulatedDisk();
      await tryOut(await programmed(disk), TWO);
      if (fault === 'bytes') disk.damage('slot-b.image', 1);
      const isHealthy = fault !== 'health';
      const healthCheck = (): Promise<boolean> => Promise.resolve(isHealthy);
      const slots = await openFolderSlots({ folder: '', files: disk, healthCheck });
      assert.deepEqual(await slots.boot(), ONE.image);
      assert.equal(slots.condition().outcome?.result, 'fell-back');
      assert.equal(slots.condition().isTrial, false);
      assert.equal(slots.condition().releaseFloor, 1);
    }
  });
});

describe('resume()', () => {
  it('goes on behind what was made durable, for the same image alone', async () => {
    const disk = new SimulatedDisk();
    const slots = await programmed(disk);
    const writer = await slots.write(TWO.image);
    await writer.write(TWO.bytes.subarray(0, 1000));
    await writer.pause();
    const again = await open(disk);
    assert.equal(again.findReceived(TWO.image), 1000);
    assert.equal(again.findReceived({ ...TWO.image, lengthBytes: 2999 }), 0);
    assert.equal(again.findReceived(THREE.image), 0);
    const read: Uint8Array[] = [];
    for await (const bytes of again.readReceived(1000)) read.push(Uint8Array.from(bytes));
    assert.deepEqual(Buffer.concat(read), Buffer.from(TWO.bytes.subarray(0, 1000)));
    await assert.rejects(() => again.resume(TWO.image, 1001), { code: 'SLOT_EMPTY' });
    const resumed = await again.resume(TWO.image, 900);
    await resumed.write(TWO.bytes.subarray(900));
    await resumed.finish();
    await again.activate();
    assert.deepEqual(await again.boot(), TWO.image);
  });
});
