/**
 * The power fails at every single operation of an installation, and again at every operation of the
 * recovery from it, with every choice of what had reached the disk.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openFolderSlots, type ResumableSlots } from '@immota/vehicle';
import { PowerCut, SimulatedDisk, SURVIVALS } from '../support/simulated-disk.ts';
import { sampleImage, writeImage } from '../support/slot-images.ts';

const OLD = sampleImage('old.bin', 4, 1700);
const NEW = sampleImage('new.bin', 5, 2600);
const NEXT = sampleImage('next.bin', 6, 900);
const SAMPLES = new Map([OLD, NEW, NEXT].map((sample) => [sample.image.name, sample]));

async function open(disk: SimulatedDisk): Promise<ResumableSlots> {
  const options = { folder: '', files: disk, writeLengthBytes: 600, checkpointBytes: 1200 };
  return await openFolderSlots(options);
}

/** Boots, and brings the new image in, interrupted once by a broken transfer. */
async function update(disk: SimulatedDisk): Promise<void> {
  const slots = await open(disk);
  await slots.boot();
  const { image, bytes } = NEW;
  const first = await slots.write(image);
  await first.write(bytes.subarray(0, 1500));
  await first.pause();
  const received = slots.findReceived(image);
  const second = await slots.resume(image, received);
  await second.write(bytes.subarray(received));
  await second.finish();
  await slots.activate();
  await slots.boot();
  await slots.confirm();
}

/** Brings the new image to run on trial, and takes it back. */
async function updateAndRevert(disk: SimulatedDisk): Promise<void> {
  const slots = await open(disk);
  await slots.boot();
  await writeImage(slots, NEW);
  await slots.activate();
  await slots.boot();
  await slots.revert();
  await slots.boot();
}

/** Brings the first image of its life to an ECU. */
async function programFirst(disk: SimulatedDisk): Promise<void> {
  const slots = await open(disk);
  await slots.boot();
  await writeImage(slots, OLD);
  await slots.activate();
  await slots.boot();
  await slots.confirm();
}

/** A disk of an ECU that runs the old image. */
async function programmedDisk(cutAt?: number): Promise<SimulatedDisk> {
  const disk = new SimulatedDisk();
  await programFirst(disk);
  return disk.afterCut(() => true, cutAt);
}

async function untilCut(act: () => Promise<unknown>): Promise<boolean> {
  try {
    await act();
    return false;
  } catch (error) {
    if (error instanceof PowerCut) return true;
    throw error;
  }
}

/** What must hold whenever the power comes back. */
async function checkBootable(disk: SimulatedDisk, isProgrammed: boolean): Promise<string> {
  const slots = await open(disk);
  const running = await slots.boot();
  if (running === undefined) {
    assert.ok(!isProgrammed, 'an ECU that ran an image runs one');
    return 'none';
  }
  const { running: slot, releaseFloor, isTrial } = slots.condition();
  const sample = SAMPLES.get(running.name);
  assert.deepEqual(
    disk.read(`slot-${slot ?? ''}.image`)?.subarray(0, running.lengthBytes),
    sample?.bytes,
  );
  // The floor is that of what is final {uptane K7}.
  const final = isTrial ? slots.findFallback() : running;
  assert.equal(releaseFloor, final?.releaseCounter ?? 0);
  return running.name;
}

/** Whatever happened, the next update goes through. */
async function checkUpdatable(disk: SimulatedDisk): Promise<void> {
  const slots = await open(disk);
  await slots.boot();
  if (slots.condition().isTrial) await slots.confirm();
  await writeImage(slots, NEXT);
  await slots.activate();
  assert.equal((await slots.boot())?.name, NEXT.image.name);
}

describe('openFolderSlots() and the power', () => {
  for (const [name, survives] of SURVIVALS) {
    it(`boots a whole image wherever the power fails during an update, when ${name} unsynced survives {uptane K8} {uptane L1}`, async () => {
      const seen = new Set<string>();
      for (let cutAt = 1; ; cutAt += 1) {
        const disk = await programmedDisk(cutAt);
        const wasCut = await untilCut(() => update(disk));
        const rebooted = disk.afterCut(survives);
        seen.add(await checkBootable(rebooted, true));
        await checkUpdatable(rebooted);
        if (!wasCut) break;
        assert.ok(cutAt < 500, 'an update has an end');
      }
      assert.deepEqual([...seen].toSorted(), ['new.bin', 'old.bin']);
    });
    it(`boots a whole image wherever the power fails again during recovery, when ${name} unsynced survives {uptane L1}`, async () => {
      for (let cutAt = 1; ; cutAt += 1) {
        const disk = await programmedDisk(cutAt);
        const wasCut = await untilCut(() => update(disk));
        for (let again = 1; ; again += 1) {
          const recovering = disk.afterCut(survives, again);
          const wasCutAgain = await untilCut(async () => (await open(recovering)).boot());
          await checkBootable(recovering.afterCut(survives), true);
          if (!wasCutAgain) break;
        }
        if (!wasCut) break;
      }
    });
    it(`ends with what was final wherever the power fails while a trial is taken back, when ${name} unsynced survives {uptane L1}`, async () => {
      for (let cutAt = 1; ; cutAt += 1) {
        const disk = await programmedDisk(cutAt);
        const wasCut = await untilCut(() => updateAndRevert(disk));
        const rebooted = disk.afterCut(survives);
        await checkBootable(rebooted, true);
        const slots = await open(rebooted);
        await slots.boot();
        if (slots.condition().isTrial) await slots.revert();
        assert.deepEqual(await slots.boot(), OLD.image);
        await checkUpdatable(rebooted);
        if (!wasCut) break;
      }
    });
    it(`begins anew wherever the power fails at the very first start, when ${name} unsynced survives`, async () => {
      for (let cutAt = 1; ; cutAt += 1) {
        const disk = new SimulatedDisk(cutAt);
        const wasCut = await untilCut(() => programFirst(disk));
        await checkBootable(disk.afterCut(survives), false);
        if (!wasCut) break;
      }
    });
  }
});
