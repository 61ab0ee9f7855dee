/** A whole vehicle over its own buses: six ECUs on Ethernet and two CAN buses, with the gateway between. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { readData, startSession, writeData } from '@immota/bus';
import { parseEcuIdentifier, parseHardwareIdentifier, parseTargetName } from '@immota/uptane';
import {
  connectDoip,
  createVehicleLinkCredentials,
  type FactoryImage,
  keepFactoryImages,
  layoutOf,
  openTboxLinks,
  openUdsClient,
  parseTopology,
  type Primary,
  programAtFactory,
  type Refusal,
  saveSecondaryBundle,
  startVehicleNetwork,
  systemSurroundings,
  type VehicleNetwork,
  type VehicleTopology,
} from '@immota/vehicle';
import { entropy } from '../support/folder.ts';
import { makeWorld, objectAt, TBOX, VEHICLE, type World } from '../support/world.ts';

const TOPOLOGY: VehicleTopology = parseTopology(
  Buffer.from(
    JSON.stringify({
      tester: 0x0e80,
      gateway: 'GATEWAY-1',
      buses: [
        { name: 'chassis', nominalBps: 500_000, dataBps: 2_000_000 },
        { name: 'body', nominalBps: 500_000 },
      ],
      ecus: [
        ethernet('GATEWAY-1', 0x1001, { kind: 'two-bank', part: 'stm32h7' }),
        ethernet('IVI-1', 0x1002, { kind: 'file-system' }),
        can('BRAKE-1', 0x1003, 'chassis', 0x720, { kind: 'two-bank', part: 'stm32f4' }),
        can('BATTERY-1', 0x1004, 'chassis', 0x721, { kind: 'two-bank', part: 'nrf52840' }),
        {
          ...can('DOOR-1', 0x1005, 'body', 0x730, { kind: 'one-bank', part: 'stm32f0' }),
          rxswin: 'R79 DOOR 1',
        },
        can('LIGHT-1', 0x1006, 'body', 0x731, { kind: 'one-bank', part: 'stm32g4' }),
      ],
    }),
  ),
);

function ethernet(ecu: string, address: number, storage: object): object {
  return { ecu, address, storage, place: { kind: 'ethernet' } };
}

// A tuple of a line in the table above.
// oxlint-disable-next-line max-params
function can(
  ecu: string,
  address: number,
  bus: string,
  requestId: number,
  storage: object,
): object {
  return {
    ecu,
    address,
    storage,
    place: { kind: 'can', bus, requestId, responseId: requestId + 8 },
  };
}

interface Car {
  readonly world: World;
  readonly primary: Primary;
  readonly network: VehicleNetwork;
  readonly sick: Set<string>;
  readonly refusals: Refusal[];
}

async function makeCar(test: TestContext): Promise<Car> {
  const world = await makeWorld(test);
  const surroundings = { ...world.surroundings, timer: systemSurroundings().timer };
  const folder = world.pathOf('car');
  const ecus = TOPOLOGY.ecus.map(({ ecu }) => ecu);
  const { primary: credential, secondaries } = await createVehicleLinkCredentials({
    vehicleIdentifier: VEHICLE,
    secondaries: ecus,
    entropy,
  });
  for (const ecuIdentifier of ecus) {
    const own = secondaries.get(ecuIdentifier);
    assert.ok(own !== undefined);
    saveSecondaryBundle(join(folder, 'ecus', ecuIdentifier), {
      credential: own,
      factory: {
        vehicleIdentifier: VEHICLE,
        ecuIdentifier,
        hardwareIdentifier: hardwareOf(ecuIdentifier),
        verification: ecuIdentifier === 'LIGHT-1' ? 'partial' : 'full',
        profile: 'classic',
        builtAt: Temporal.Instant.from('2026-05-01T00:00:00Z'),
        directorRoot: world.director.pinnedRoot,
        imageRoot: world.image.pinnedRoot,
      },
    });
  }
  keepFactoryImages(
    world.pathOf('primary'),
    await Promise.all(['DOOR-1', 'LIGHT-1'].map((ecu) => programOldImage(folder, ecu))),
  );
  const sick = new Set<string>();
  const refusals: Refusal[] = [];
  const failures: unknown[] = [];
  const network = await startVehicleNetwork({
    topology: TOPOLOGY,
    folder,
    surroundings,
    isFlashPaced: false,
    healthCheck: (ecu) => () => Promise.resolve(!sick.has(ecu)),
    onRefusal: (refusal) => refusals.push(refusal),
    onFailure: (error) => failures.push(error),
  });
  const { entities } = network;
  const links = openTboxLinks({
    topology: TOPOLOGY,
    vehicleIdentifier: VEHICLE,
    credential,
    entities,
    surroundings,
  });
  test.after(async () => {
    await links.close();
    await network.close();
    assert.deepEqual(failures, []);
  });
  const primary = await world.run({ secondaries: links.links, layout: layoutOf(TOPOLOGY) });
  await primary.checkIn();
  return { world, primary, network, sick, refusals };
}

/** Programs the image that an ECU leaves the factory with. */
async function programOldImage(folder: string, ecu: string): Promise<FactoryImage> {
  const plan = TOPOLOGY.ecus.find((one) => one.ecu === ecu)?.storage;
  assert.ok(plan !== undefined);
  const bytes = new Uint8Array(randomBytes(40_000));
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const image = {
    name: parseTargetName(`${ecu}/fw-1.bin`),
    lengthBytes: bytes.length,
    hashes: new Map([['sha256', sha256] as const]),
    releaseCounter: 0,
  };
  const own = join(folder, 'ecus', ecu, 'own');
  const options = { folder: own, plan, hardwareIdentifier: hardwareOf(ecu) };
  await programAtFactory(options, image, async function* open(offsetBytes) {
    await Promise.resolve();
    yield bytes.subarray(offsetBytes);
  });
  const path = join(folder, `${ecu}.bin`);
  writeFileSync(path, bytes);
  return { ecu, sha256, name: image.name, lengthBytes: bytes.length, path };
}

function hardwareOf(ecu: string): ReturnType<typeof parseHardwareIdentifier> {
  return parseHardwareIdentifier(`${ecu.toLowerCase()}-hw`);
}

async function addImages(
  world: World,
): Promise<Record<string, Awaited<ReturnType<World['addImage']>>>> {
  const images: Record<string, Awaited<ReturnType<World['addImage']>>> = {
    [TBOX]: await world.addImage('tbox/fw-2.bin', 'tbox-hw'),
  };
  for (const { ecu } of TOPOLOGY.ecus) {
    images[ecu] = await world.addImage(`${ecu}/fw-2.bin`, hardwareOf(ecu));
  }
  return images;
}

function runs(world: World): Readonly<Record<string, unknown>> {
  const reports = objectAt(world.lastManifest(), ['ecu_version_manifests']);
  return Object.fromEntries(
    Object.keys(reports).map((ecu) => [
      ecu,
      objectAt(reports, [ecu, 'signed', 'installed_image'])['filepath'],
    ]),
  );
}

const NEW = Object.fromEntries([
  [TBOX, 'tbox/fw-2.bin'],
  ...TOPOLOGY.ecus.map(({ ecu }) => [ecu, `${ecu}/fw-2.bin`]),
]);

describe('startVehicleNetwork()', () => {
  it('updates six ECUs over DoIP, the gateway and two CAN buses', async (test) => {
    const { world, primary, network, refusals } = await makeCar(test);
    await world.assign(await addImages(world));
    const result = await primary.checkIn();
    assert.equal(result.kind, 'installed', JSON.stringify(result));
    assert.deepEqual(runs(world), NEW);
    assert.equal((await primary.checkIn()).kind, 'nothing-new');
    assert.deepEqual(refusals, []);
    for (const bus of network.buses.values()) assert.ok(bus.busyMs > 0, 'images went over the bus');
  });

  it('brings them by deltas where there is a second place, and by full images elsewhere', async (test) => {
    const { world, primary } = await makeCar(test);
    const first = await addImages(world);
    await world.assign(first);
    assert.equal((await primary.checkIn()).kind, 'installed');
    const next: typeof first = {};
    for (const [ecu, from] of Object.entries(first)) {
      const hardware = ecu === TBOX ? 'tbox-hw' : hardwareOf(ecu);
      const changes = { from, releaseCounter: 2 };
      next[ecu] = await world.addImage(`${ecu}/fw-3.bin`, hardware, changes);
    }
    await world.assign(next);
    const before = world.gateway.requests.length;
    const result = await primary.checkIn();
    assert.equal(result.kind, 'installed', JSON.stringify(result));
    const wanted = Object.keys(first).map((ecu) => [ecu, `${ecu}/fw-3.bin`]);
    assert.deepEqual(runs(world), Object.fromEntries(wanted));
    const full = world.gateway
      .paths()
      .slice(before)
      .flatMap((path) => /targets\/(.*)\/fw-3\.bin\.enc$/.exec(path)?.[1] ?? []);
    assert.deepEqual(new Set(full), new Set(['DOOR-1', 'LIGHT-1']));
  });

  it('takes all six back over the same way when one of them is not healthy', async (test) => {
    const { world, primary, sick } = await makeCar(test);
    const before = runs(world);
    assert.equal(before['DOOR-1'], 'DOOR-1/fw-1.bin');
    sick.add('BATTERY-1');
    await world.assign(await addImages(world));
    const result = await primary.checkIn();
    assert.equal(result.kind, 'failed', JSON.stringify(result));
    assert.deepEqual(runs(world), before);
  });

  it('lets a stranger read and nothing else, and tells of each attempt', async (test) => {
    const { network, refusals } = await makeCar(test);
    const gateway = network.entities.get('GATEWAY-1');
    assert.ok(gateway !== undefined);
    const { timer } = systemSurroundings();
    const connection = await connectDoip({
      host: gateway.host,
      port: gateway.tcpPort,
      timer,
      source: 0x0e00,
    });
    const brake = openUdsClient({ channel: connection.openChannel(0x1003), timer });
    const vin = await brake.ask(readData(0xf190));
    assert.equal(Buffer.from(vin).toString('latin1'), VEHICLE);
    const door = openUdsClient({ channel: connection.openChannel(0x1005), timer });
    const identity: string[] = [];
    for (const identifier of [0xf188, 0xf189, 0xf18f]) {
      identity.push(Buffer.from(await door.ask(readData(identifier))).toString('latin1'));
    }
    assert.deepEqual(identity, ['DOOR-1/fw-1.bin', '0', 'R79 DOOR 1']);
    await assert.rejects(brake.ask(readData(0xf18f)), { code: 'REFUSED' });
    await door.close();
    await assert.rejects(brake.ask(startSession('programming')), { code: 'CLOSED' });
    await assert.rejects(brake.ask(writeData(0xf15a, Uint8Array.of(1))), { code: 'CLOSED' });
    assert.deepEqual(
      refusals.map(({ reason }) => reason),
      ['diagnostic-unauthenticated', 'diagnostic-unauthenticated'],
    );
    await network.events.flush();
    const told = await network.events.list(10);
    assert.ok(told.length > 0);
    await brake.close();
    await connection.close();
  });

  it('does not let a stranger in as the T-BOX', async (test) => {
    const { network } = await makeCar(test);
    const gateway = network.entities.get('GATEWAY-1');
    assert.ok(gateway !== undefined);
    const { timer } = systemSurroundings();
    const foreign = await createVehicleLinkCredentials({
      vehicleIdentifier: VEHICLE,
      secondaries: [parseEcuIdentifier('GATEWAY-1')],
      entropy,
    });
    await assert.rejects(
      connectDoip({
        host: gateway.host,
        port: gateway.tcpPort,
        tls: {
          port: gateway.tlsPort,
          ca: foreign.primary.authorityPem,
          credential: { cert: foreign.primary.certificatePem, key: foreign.primary.privateKeyPem },
          use: 'always',
        },
        timer,
        source: 0x0e80,
      }),
      { code: 'NETWORK' },
    );
  });
});
