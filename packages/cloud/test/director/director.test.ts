import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { isJsonObject } from '@immota/base';
import { verifyStream } from '../../src/event-log/verify-stream.ts';
import { registerEcus } from '../../src/inventory/register.ts';
import { verifiedTargets } from '../support/verified-targets.ts';
import type { TestImage } from '../support/repositories.ts';
import { readJson, TestVehicle } from '../support/vehicle.ts';
import {
  type DirectorWorld,
  emptyVehicles,
  openDirectorWorld,
  stranger,
} from '../support/world.ts';

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

async function ecuRow(ecuId: string): Promise<Readonly<Record<string, unknown>>> {
  return await world.test.database.kysely
    .selectFrom('ecu')
    .selectAll()
    .where('vehicle_id', '=', vehicle.id)
    .where('ecu_id', '=', ecuId)
    .executeTakeFirstOrThrow();
}

describe('accept()', () => {
  it('stores what every ECU says it runs {uptane E1} {uptane E3} {uptane E4}', async () => {
    vehicle.ecu(1).image = brakeImage;
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.equal((await ecuRow('BRAKE-1'))['installed_name'], 'brake/fw-3.bin');
    assert.equal((await ecuRow('TBOX-1'))['report_counter'], 1);
    assert.deepEqual(
      await world.eventsOf(vehicle.id),
      [
        'vehicle.registered',
        'vehicle.first-seen',
        'ecu.installed',
        'ecu.installed',
        'update.offered',
      ].slice(0, 4),
    );
    assert.equal((await verifyStream(world.test.database, vehicle.id)).sequence, 4);
  });

  it('says no more when nothing changes', async () => {
    await world.director.accept(vehicle.id, await vehicle.manifest());
    const events = await world.eventsOf(vehicle.id);
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.deepEqual(await world.eventsOf(vehicle.id), events);
  });

  it('takes the same manifest again when its answer was lost', async () => {
    const manifest = await vehicle.manifest();
    await world.director.accept(vehicle.id, manifest);
    await world.director.accept(vehicle.id, manifest);
    assert.ok(!(await world.eventsOf(vehicle.id)).includes('report.replayed'));
  });

  it('takes gaps in counters', async () => {
    vehicle.primary.counter = 41;
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.equal((await ecuRow('TBOX-1'))['report_counter'], 42);
  });

  const refusals: Readonly<
    Record<
      string,
      readonly [code: string, event: string | undefined, make: () => Promise<Uint8Array>]
    >
  > = {
    'a manifest of another key {uptane E4}': [
      'REPORT_SIGNATURE',
      'manifest.refused',
      () => vehicle.manifest({ signer: stranger }),
    ],
    'a manifest for another vehicle {uptane E6}': [
      'VEHICLE_MISMATCH',
      'manifest.refused',
      () => vehicle.manifest({ vehicleId: 'veh-2' }),
    ],
    'a manifest of another Primary': [
      'ECU_UNKNOWN',
      'manifest.refused',
      () => new TestVehicle(vehicle.id, [['TBOX-9', 'tbox-hw']]).manifest(),
    ],
    'a counter that came before {uptane E5}': [
      'REPORT_REPLAY',
      'report.replayed',
      async () => {
        await world.director.accept(vehicle.id, await vehicle.manifest());
        vehicle.primary.counter = 0;
        return await vehicle.manifest();
      },
    ],
    'a counter that vanished': [
      'REPORT_REPLAY',
      'report.replayed',
      async () => {
        await world.director.accept(vehicle.id, await vehicle.manifest());
        vehicle.primary.counter = undefined;
        return await vehicle.manifest();
      },
    ],
    'a manifest without the Primary’s own report': [
      'REPORT_SIGNATURE',
      'manifest.refused',
      () => vehicle.manifest({ reports: [vehicle.ecu(1)] }),
    ],
    'what is no manifest': [
      'MALFORMED',
      'manifest.refused',
      () => Promise.resolve(Buffer.from('[]')),
    ],
  };
  for (const [what, [code, event, make]] of Object.entries(refusals)) {
    it(`refuses ${what}, changes nothing, and puts it on record`, async () => {
      const manifest = await make();
      const row = await ecuRow('TBOX-1');
      await assert.rejects(world.director.accept(vehicle.id, manifest), { code });
      assert.deepEqual(await ecuRow('TBOX-1'), row);
      const events = await world.eventsOf(vehicle.id);
      assert.equal(events.at(-1), event);
    });
  }

  it('refuses a vehicle that has not registered', async () => {
    const other = new TestVehicle('veh-9', [['TBOX-9', 'tbox-hw']]);
    await assert.rejects(world.director.accept(other.id, await other.manifest()), {
      code: 'NOT_REGISTERED',
    });
  });

  it('notes a missing ECU once, and that it is back {uptane E4}', async () => {
    await world.director.accept(vehicle.id, await vehicle.manifest());
    for (let times = 0; times < 2; times += 1) {
      const manifest = await vehicle.manifest({ reports: [vehicle.primary] });
      await world.director.accept(vehicle.id, manifest);
    }
    const missing = (await world.eventsOf(vehicle.id)).filter((kind) => kind === 'ecu.missing');
    assert.equal(missing.length, 1);
    assert.notEqual((await ecuRow('BRAKE-1'))['missing_since'], null);
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.equal((await ecuRow('BRAKE-1'))['missing_since'], null);
  });

  it('drops one forged report and keeps the rest', async () => {
    vehicle.ecu(1).signer = stranger;
    vehicle.ecu(1).image = brakeImage;
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.equal((await ecuRow('BRAKE-1'))['installed_name'], null);
    assert.equal((await ecuRow('TBOX-1'))['installed_name'], 'unknown');
    assert.ok((await world.eventsOf(vehicle.id)).includes('report.refused'));
  });

  it('tells a repeated report of a Secondary from a replayed one', async () => {
    vehicle.ecu(1).counter = 7;
    await world.director.accept(vehicle.id, await vehicle.manifest());
    // The Primary could not reach it, and sends its last report again.
    vehicle.ecu(1).counter = 7;
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.ok((await world.eventsOf(vehicle.id)).includes('ecu.missing'));
    await world.director.accept(vehicle.id, await vehicle.manifest());
    vehicle.ecu(1).counter = 2;
    vehicle.ecu(1).image = brakeImage;
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.ok((await world.eventsOf(vehicle.id)).includes('report.replayed'));
    assert.equal((await ecuRow('BRAKE-1'))['installed_name'], 'unknown');
  });

  it('records what an ECU says of an attack', async () => {
    vehicle.ecu(1).attacks = 'Failed to update Director metadata\0';
    await world.director.accept(vehicle.id, await vehicle.manifest());
    await world.director.accept(vehicle.id, await vehicle.manifest());
    const told = (await world.eventsOf(vehicle.id)).filter((one) => one === 'ecu.attack-reported');
    assert.equal(told.length, 1);
  });
});

describe('load()', () => {
  it('signs empty Targets that name the vehicle {uptane B8} {uptane E8}', async () => {
    await world.director.accept(vehicle.id, await vehicle.manifest());
    const { body } = await verifiedTargets(world, vehicle.id);
    assert.equal(body.files.size, 0);
    assert.equal(body.vehicleIdentifier, vehicle.id);
    assert.equal(typeof body.custom['correlationId'], 'string');
  });

  it('offers a plan with ECUs, must-match part and versions {uptane B9} {uptane B10} {uptane B12}', async () => {
    world.planner.offer(vehicle.id, CAMPAIGN, {
      'TBOX-1': tboxImage.name,
      'BRAKE-1': brakeImage.name,
    });
    await world.director.accept(vehicle.id, await vehicle.manifest());
    const { body } = await verifiedTargets(world, vehicle.id);
    assert.deepEqual([...body.files].map(([name]) => name).toSorted(), [
      'brake/fw-3.bin',
      'tbox/fw-2.bin',
    ]);
    const file = [...body.files].map(([, each]) => each).find((each) => each.releaseCounter === 2);
    assert.deepEqual([...(file?.ecus.keys() ?? [])], ['TBOX-1']);
    assert.equal(body.custom['correlationId'], CAMPAIGN);
    // What the vehicles' client would refuse must not stand here.
    assert.equal(file?.custom['hardwareIds'], undefined);
    assert.ok((await world.eventsOf(vehicle.id)).includes('update.offered'));
    assert.deepEqual(
      world.observed.map(({ kind }) => kind),
      ['installed', 'installed', 'offered', 'fetched'],
    );
  });

  it('keeps the version while nothing changes, and moves it when the plan does {uptane B4}', async () => {
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.equal((await world.director.load(vehicle.id, 'targets')).version, 1);
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.equal((await world.director.load(vehicle.id, 'targets')).version, 1);
    world.planner.offer(vehicle.id, CAMPAIGN, { 'TBOX-1': tboxImage.name });
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.equal((await world.director.load(vehicle.id, 'targets')).version, 2);
    world.planner.plans.clear();
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.equal((await verifiedTargets(world, vehicle.id)).body.version, 3);
    assert.equal((await world.eventsOf(vehicle.id)).at(-1), 'update.withdrawn');
  });

  it('signs anew before metadata run out, also without a manifest', async () => {
    await world.director.accept(vehicle.id, await vehicle.manifest());
    world.context.clock.advance({ hours: 37 });
    assert.ok(!world.director.isCurrent(vehicle.id, 1));
    assert.equal((await world.director.load(vehicle.id, 'timestamp')).version, 2);
  });

  it('refuses a vehicle that nobody knows', async () => {
    await assert.rejects(world.director.load('nobody', 'targets'), { code: 'NOT_REGISTERED' });
  });

  it('learns of another process’s manifest', async () => {
    const second = await world.openSecond();
    await world.director.accept(vehicle.id, await vehicle.manifest());
    world.planner.offer(vehicle.id, CAMPAIGN, { 'TBOX-1': tboxImage.name });
    await second.accept(vehicle.id, await vehicle.manifest());
    assert.equal((await world.director.load(vehicle.id, 'timestamp')).version, 2);
  });
});

describe('prepare()', () => {
  it('plans and signs ahead of the next contact {uptane E2}', async () => {
    world.planner.offer(vehicle.id, CAMPAIGN, { 'TBOX-1': tboxImage.name });
    assert.equal(await world.director.prepare([vehicle.id, 'nobody']), 1);
    const document = readJson((await world.director.load(vehicle.id, 'targets')).bytes);
    const { signed } = document;
    assert.ok(isJsonObject(signed) && isJsonObject(signed['targets']));
    assert.equal((await verifiedTargets(world, vehicle.id)).body.files.size, 1);
  });
});
