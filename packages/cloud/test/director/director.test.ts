import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { isJsonObject } from '@immota/base';
import {
  AKTUALIZR,
  anchorRoot,
  advanceSnapshot,
  advanceTimestamp,
  advanceTargets,
  checkDirectorTargets,
  checkVehicle,
  decodeRoot,
  decodeSnapshot,
  decodeTargets,
  decodeTimestamp,
  keysOf,
  parseVehicleIdentifier,
  type RoleDescription,
  rootPayload,
  signMetadata,
  type Targets,
  TARGETS_ROLE,
  type Trusted,
} from '@immota/uptane';
import { verifyStream } from '../../src/event-log/verify-stream.ts';
import { registerEcus } from '../../src/inventory/register.ts';
import {
  type CloudRole,
  createKeystore,
  describeRole,
  generateKeys,
  type Keystore,
} from '../../src/trust/keystore.ts';
import { expiryOf } from '../../src/trust/lifetimes.ts';
import { publishMetadata } from '../../src/trust/publish.ts';
import type { TestImage } from '../support/repositories.ts';
import { installationReport, readJson, TestVehicle } from '../support/vehicle.ts';
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

/** Verifies the three files as a vehicle would. */
async function verifiedTargets(of = vehicle): Promise<Trusted<Targets>> {
  const { director, store } = world;
  const root = anchorRoot(
    decodeRoot(AKTUALIZR, store.director().root.bytes, store.director().root.bytes.length),
  );
  const timestamp = advanceTimestamp(
    root,
    undefined,
    decodeTimestamp(AKTUALIZR, (await director.load(of.id, 'timestamp')).bytes, 65_536),
  );
  const snapshot = advanceSnapshot(
    { root, timestamp, current: undefined },
    decodeSnapshot(AKTUALIZR, (await director.load(of.id, 'snapshot')).bytes, 65_536),
  );
  const signed = decodeTargets(AKTUALIZR, (await director.load(of.id, 'targets')).bytes, {
    role: TARGETS_ROLE,
    lengthMax: 65_536,
  });
  const info = snapshot.body.files.get(TARGETS_ROLE);
  const roleKeys = keysOf(root.body, 'targets');
  const context = { role: TARGETS_ROLE, keys: root.body.keys, roleKeys, info, current: undefined };
  const targets = advanceTargets(context, signed);
  checkDirectorTargets(targets.body);
  checkVehicle(targets.body, parseVehicleIdentifier(of.id));
  return targets;
}

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
    const { body } = await verifiedTargets();
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
    const { body } = await verifiedTargets();
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
    assert.equal((await verifiedTargets()).body.version, 3);
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
    assert.equal((await verifiedTargets()).body.files.size, 0);
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
      assert.equal((await verifiedTargets()).body.files.size, 0);
    });
  }
});

async function publishRoot(keystore: Keystore): Promise<void> {
  const { trust, store } = world;
  const roleOf = (role: CloudRole): RoleDescription => describeRole(AKTUALIZR, keystore, role);
  const payload = rootPayload(AKTUALIZR, {
    version: store.director().root.body.version + 1,
    expires: expiryOf(trust.clock.now(), trust.lifetimes.rootHours),
    consistentSnapshot: true,
    roles: {
      root: describeRole(AKTUALIZR, trust.keystore, 'director-root'),
      targets: roleOf('director-targets'),
      snapshot: roleOf('director-snapshot'),
      timestamp: roleOf('director-timestamp'),
    },
  });
  const signers = trust.keystore.signers('director-root');
  const bytes = await signMetadata(AKTUALIZR, payload, signers);
  await publishMetadata(trust, [
    { repository: 'director', dialect: 'aktualizr', role: 'root', bytes },
  ]);
  await store.reload();
}

describe('a new Root of the Director', () => {
  it('makes every vehicle’s metadata be signed anew', async () => {
    await world.director.accept(vehicle.id, await vehicle.manifest());
    const { version } = await world.director.load(vehicle.id, 'targets');
    world.context.clock.advance({ seconds: 1 });
    await publishRoot(world.trust.keystore);
    await world.director.accept(vehicle.id, await vehicle.manifest());
    assert.equal((await verifiedTargets()).body.version, version + 1);
  });

  it('stops the signing with keys that it does not name {uptane L6}', async () => {
    await world.director.accept(vehicle.id, await vehicle.manifest());
    world.context.clock.advance({ seconds: 1 });
    await publishRoot(createKeystore(generateKeys('classic')));
    await assert.rejects(world.openSecond(), { code: 'KEY_MISSING' });
    await assert.rejects(world.director.load(vehicle.id, 'targets'), { code: 'KEY_MISSING' });
    world.context.clock.advance({ seconds: 1 });
    await publishRoot(world.trust.keystore);
    await verifiedTargets();
  });
});

describe('prepare()', () => {
  it('plans and signs ahead of the next contact {uptane E2}', async () => {
    world.planner.offer(vehicle.id, CAMPAIGN, { 'TBOX-1': tboxImage.name });
    assert.equal(await world.director.prepare([vehicle.id, 'nobody']), 1);
    const document = readJson((await world.director.load(vehicle.id, 'targets')).bytes);
    const { signed } = document;
    assert.ok(isJsonObject(signed) && isJsonObject(signed['targets']));
    assert.equal((await verifiedTargets()).body.files.size, 1);
  });
});
