/** An ECU with one bank among others: written over, and brought back from what the T-BOX has kept. */
import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { parseEcuIdentifier, parseHardwareIdentifier } from '@immota/uptane';
import {
  type CheckInResult,
  openFolderSlots,
  openSecondary,
  type ResumableSlots,
  type SecondaryEcu,
} from '@immota/vehicle';
import { approve, BenchDesk, makeWorkshop, type Workshop } from '../support/technician.ts';
import { createFlashBench, type FlashBench } from '../support/flash-bench.ts';
import {
  BRAKE,
  makeWorld,
  objectAt,
  TBOX,
  type TestImage,
  VEHICLE,
  type World,
} from '../support/world.ts';

const PUMP = 'PUMP-1';
const LENGTH_BYTES = 9000;

interface Car {
  readonly world: World;
  readonly desk: BenchDesk;
  readonly workshop: Workshop;
  readonly checkIn: () => Promise<CheckInResult>;
  readonly addImages: (release: number) => Promise<Readonly<Record<string, TestImage>>>;
}

async function openEcu(
  world: World,
  name: string,
  hardware: string,
  slots: ResumableSlots,
): Promise<SecondaryEcu> {
  return await openSecondary({
    factory: {
      vehicleIdentifier: VEHICLE,
      ecuIdentifier: parseEcuIdentifier(name),
      hardwareIdentifier: parseHardwareIdentifier(hardware),
      verification: 'full',
      profile: 'classic',
      builtAt: Temporal.Instant.from('2026-05-01T00:00:00Z'),
      directorRoot: world.director.pinnedRoot,
      imageRoot: world.image.pinnedRoot,
    },
    folder: world.pathOf(name),
    surroundings: world.surroundings,
    slots,
  });
}

async function makeCar(test: TestContext): Promise<Car> {
  const world = await makeWorld(test);
  const bench: FlashBench = createFlashBench(1);
  const hardwareIdentifier = parseHardwareIdentifier('pump-hw');
  const pump = await openEcu(world, PUMP, 'pump-hw', await bench.open({ hardwareIdentifier }));
  const slots = await openFolderSlots({ folder: world.pathOf('brake-slots') });
  const brake = await openEcu(world, BRAKE, 'brake-hw', slots);
  const workshop = await makeWorkshop();
  writeFileSync(join(world.bundleFolder, 'workshops.crt'), workshop.rootPem);
  const desk = new BenchDesk();
  const primary = await world.run({ secondaries: [pump, brake], technicians: desk });
  await primary.checkIn();
  return {
    world,
    desk,
    workshop,
    checkIn: () => primary.checkIn(),
    addImages: async (releaseCounter) => {
      const add = (part: string): Promise<TestImage> =>
        world.addImage(`${part}/fw-${releaseCounter}.bin`, `${part}-hw`, {
          releaseCounter,
          lengthBytes: LENGTH_BYTES,
        });
      return { [TBOX]: await add('tbox'), [PUMP]: await add('pump'), [BRAKE]: await add('brake') };
    },
  };
}

function runs(world: World): readonly unknown[] {
  return [TBOX, BRAKE, PUMP].map((ecu) => {
    const report = world.lastReport(ecu);
    const { trial } = objectAt(report, ['custom']);
    const name = objectAt(report, ['installed_image'])['filepath'];
    assert.ok(typeof name === 'string' && typeof trial === 'boolean');
    return `${name} ${trial}`;
  });
}

function resultsOf(result: CheckInResult): readonly string[] {
  return 'results' in result ? result.results.map(({ ecu, code }) => `${ecu} ${code}`) : [];
}

function only(
  images: Readonly<Record<string, TestImage>>,
  ecus: readonly string[],
): Readonly<Record<string, TestImage>> {
  return Object.fromEntries(Object.entries(images).filter(([ecu]) => ecus.includes(ecu)));
}

describe('an ECU with one bank', () => {
  it('is written over last, and gets its older image again when another ECU fails {uptane K7} {uptane L1}', async (test) => {
    const { world, checkIn, addImages } = await makeCar(test);
    const [one, two] = [await addImages(1), await addImages(2)];
    // Alone it needs no way back: there is nothing that it could be mixed with.
    await world.assign(only(one, [PUMP]));
    assert.deepEqual(resultsOf(await checkIn()), [`${PUMP} OK`]);
    await world.assign(only(one, [TBOX, BRAKE]));
    assert.equal((await checkIn()).kind, 'installed');
    const before = runs(world);
    assert.deepEqual(before, [
      'tbox/fw-1.bin false',
      'brake/fw-1.bin false',
      'pump/fw-1.bin false',
    ]);
    await world.assign(two);
    world.isHealthy = false;
    const failed = await checkIn();
    assert.deepEqual(resultsOf(failed).toSorted(), [
      `${BRAKE} ROLLED_BACK`,
      `${PUMP} ROLLED_BACK`,
      `${TBOX} INSTALL_FAILED`,
    ]);
    assert.deepEqual(runs(world), before);
    world.isHealthy = true;
    assert.equal((await checkIn()).kind, 'installed');
    assert.deepEqual(runs(world), [
      'tbox/fw-2.bin false',
      'brake/fw-2.bin false',
      'pump/fw-2.bin false',
    ]);
  });
  it('needs a workshop when it was first programmed with others and they failed, and says which it is and what to do', async (test) => {
    const { world, checkIn, addImages } = await makeCar(test);
    await world.assign(await addImages(1));
    world.isHealthy = false;
    const failed = await checkIn();
    assert.ok(failed.kind === 'failed');
    assert.deepEqual(resultsOf(failed).toSorted(), [
      `${BRAKE} ROLLED_BACK`,
      `${PUMP} WORKSHOP_REQUIRED`,
      `${TBOX} INSTALL_FAILED`,
    ]);
    const told = failed.results.find(({ ecu }) => String(ecu) === PUMP)?.description ?? '';
    assert.match(
      told,
      /^It is not certain what "PUMP-1" runs.*must not be driven.* workshop .*program "pump\/fw-1\.bin"/,
    );
    const { needsWorkshop } = objectAt(world.lastManifest(), ['custom', 'safeState']);
    assert.deepEqual(needsWorkshop, [{ ecu: PUMP, owes: 'roll-back', why: told }]);
    const reports = world.gateway
      .bodies('/director/manifest')
      .map((body) => objectAt(body, ['signed', 'installation_report', 'report', 'result']));
    assert.ok(reports.some(({ description }) => description === told));
  });
  it('is not written beside others without a way back, unless a technician stands by', async (test) => {
    const { world, desk, workshop, checkIn, addImages } = await makeCar(test);
    const [one, two] = [await addImages(1), await addImages(2)];
    await world.assign(only(one, [PUMP]));
    assert.equal((await checkIn()).kind, 'installed');
    // What the T-BOX has kept of it is lost.
    rmSync(join(world.pathOf('primary'), 'installed'), { recursive: true });
    await world.assign(two);
    const refused = await checkIn();
    assert.equal('fault' in refused && refused.fault.code, 'NO_WAY_BACK');
    assert.deepEqual(runs(world), ['unknown false', 'noimage false', 'pump/fw-1.bin false']);
    const { state } = objectAt(world.lastManifest(), ['custom', 'progress']);
    assert.equal(state, 'INSTALL_FAILED');
    await world.assign(two, { technicianGated: [PUMP] });
    const waiting = await checkIn();
    assert.equal('fault' in waiting && waiting.fault.code, 'TECHNICIAN_PENDING');
    desk.inbox.push(await approve(desk.open, await workshop.hire('ann-17')));
    assert.equal((await checkIn()).kind, 'installed');
  });
});
