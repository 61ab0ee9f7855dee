import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { registerEcus } from '../../src/inventory/register.ts';
import type { TestImage } from '../support/repositories.ts';
import { installationReport, TestVehicle } from '../support/vehicle.ts';
import { verifiedTargets } from '../support/verified-targets.ts';
import { type DirectorWorld, emptyVehicles, openDirectorWorld } from '../support/world.ts';

const tboxImage: TestImage = {
  name: 'tbox/fw-2.bin',
  bytes: Buffer.from('tbox 2'),
  hardwareIds: ['tbox-hw'],
  releaseCounter: 2,
};
const brakeImage: TestImage = {
  name: 'brake/fw-3.bin',
  bytes: Buffer.from('brake 3'),
  hardwareIds: ['brake-hw'],
};
const CAMPAIGN = 'urn:immota:campaign:1';
let world: DirectorWorld;
let vehicle: TestVehicle;
before(async () => {
  world = await openDirectorWorld();
  await world.publish([tboxImage, brakeImage]);
});
after(() => world.close());
beforeEach(async () => {
  await emptyVehicles(world);
  vehicle = new TestVehicle('veh-1', [
    ['TBOX-1', 'tbox-hw'],
    ['BRAKE-1', 'brake-hw'],
  ]);
  await registerEcus(world.context, vehicle.id, {
    registration: vehicle.registration(),
    policy: 'approve',
  });
});

function kinds(): readonly string[] {
  return world.observed.map(({ kind }) => kind);
}

describe('an offer', () => {
  beforeEach(async () => {
    world.planner.offer(vehicle.id, CAMPAIGN, {
      'TBOX-1': tboxImage.name,
      'BRAKE-1': brakeImage.name,
    });
    await world.director.accept(vehicle.id, await vehicle.manifest());
    await world.director.load(vehicle.id, 'targets');
    world.observed.length = 0;
  });

  it('is complete when every ECU’s signed report says so, and not before', async () => {
    vehicle.ecu(0).image = tboxImage;
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.deepEqual(kinds(), ['installed']);
    vehicle.ecu(1).image = brakeImage;
    const report = installationReport(CAMPAIGN, 'OK', [['TBOX-1', 'OK']]);
    await world.director.accept(vehicle.id, await vehicle.manifest({ report }));
    assert.deepEqual(kinds(), ['installed', 'installed', 'result', 'completed', 'health']);
    // The planner offers the same again: what runs already is not offered.
    assert.equal((await verifiedTargets(world, vehicle.id)).body.files.size, 0);
    assert.ok(!(await world.eventsOf(vehicle.id)).includes('update.withdrawn'));
  });

  it('is not complete with other bytes under the same name', async () => {
    vehicle.ecu(0).image = tboxImage;
    vehicle.ecu(1).image = { name: brakeImage.name, bytes: Buffer.from('forged') };
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.ok(!kinds().includes('completed'));
  });

  it('fails with the code of the vehicle’s signed report', async () => {
    const report = installationReport(CAMPAIGN, 'brake-hw:VERIFICATION_FAILED', [
      ['BRAKE-1', 'VERIFICATION_FAILED'],
    ]);
    await world.director.accept(vehicle.id, await vehicle.manifest({ report }));
    const [result] = world.observed;
    assert.equal(result?.kind === 'result' && result.code, 'brake-hw:VERIFICATION_FAILED');
    assert.ok((await world.eventsOf(vehicle.id)).includes('update.failed'));
  });

  it('counts silent refusals in a row: fetched, and back without a word', async () => {
    for (let count = 1; count <= 3; count += 1) {
      await world.director.accept(vehicle.id, await vehicle.manifest());
      const last = world.observed.at(-1);
      assert.equal(last?.kind === 'refused-silently' && last.count, count);
      assert.equal(last?.kind === 'refused-silently' && last.isFinal, count === 3);
      await world.director.load(vehicle.id, 'targets');
    }
    const events = await world.eventsOf(vehicle.id);
    assert.equal(events.filter((kind) => kind === 'update.refused-silently').length, 3);
    assert.equal(events.filter((kind) => kind === 'update.fetched').length, 1);
  });

  it('takes no silence for a refusal before the offer was fetched again', async () => {
    await world.director.accept(vehicle.id, await vehicle.manifest());
    world.observed.length = 0;
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.deepEqual(kinds(), []);
  });

  it('begins to count anew after a word', async () => {
    await world.director.accept(vehicle.id, await vehicle.manifest());
    await world.director.load(vehicle.id, 'targets');
    const progress = { correlationId: CAMPAIGN, state: 'AWAITING_CONSENT', measured: {} };
    await world.director.accept(vehicle.id, await vehicle.manifest({ progress }));
    assert.equal(world.observed.at(-1)?.kind, 'progress');
    await world.director.load(vehicle.id, 'targets');
    await world.director.accept(vehicle.id, await vehicle.manifest());
    const last = world.observed.at(-1);
    assert.equal(last?.kind === 'refused-silently' && last.count, 1);
  });
});

describe('a plan that cannot be signed', () => {
  const blocked: Readonly<
    Record<string, readonly [reason: string, images: Record<string, string>]>
  > = {
    'an image that nobody published': ['NO_PATH', { 'TBOX-1': 'tbox/fw-99.bin' }],
    'an image for other hardware': ['HARDWARE_UNKNOWN', { 'TBOX-1': 'brake/fw-3.bin' }],
    'an ECU that is not there': ['ECU_MISSING', { 'IVI-1': 'tbox/fw-2.bin' }],
  };
  for (const [what, [reason, images]] of Object.entries(blocked)) {
    it(`offers nothing for ${what}, and says why once`, async () => {
      world.planner.offer(vehicle.id, CAMPAIGN, images);
      await world.director.accept(vehicle.id, await vehicle.manifest());
      await world.director.accept(vehicle.id, await vehicle.manifest());
      const reasons = world.observed.flatMap((one) => (one.kind === 'blocked' ? [one.reason] : []));
      assert.deepEqual(reasons, [reason]);
      assert.equal((await verifiedTargets(world, vehicle.id)).body.files.size, 0);
    });
  }
});
