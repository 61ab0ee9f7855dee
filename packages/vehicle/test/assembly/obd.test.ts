/** The plug under the dashboard: testers on a CAN bus, and the gateway between them and the vehicle. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import {
  canFrame,
  type CanFrame,
  type IsoTpAddress,
  normalAddress,
  normalFixedAddress,
  readData,
  startSession,
  testerPresent,
} from '@immota/bus';
import { parseEcuIdentifier, parseTargetName } from '@immota/uptane';
import {
  bridgeBuses,
  createVehicleLinkCredentials,
  type ImageOffer,
  type LinkCredential,
  type MetadataBundle,
  openIsoTpTester,
  openUdpMulticast,
  openUdsClient,
  openUdsSecondaryLink,
  type SecondaryLink,
  systemSurroundings,
  type UdsClient,
} from '@immota/vehicle';
import { entropy } from '../support/folder.ts';
import type { TestRepository } from '../support/repository.ts';
import { type Car, hardwareOf, makeCar } from '../support/wired-car.ts';
import { type TestImage, VEHICLE, type World } from '../support/world.ts';

const { timer } = systemSurroundings();
const ids = (index: number): IsoTpAddress =>
  normalAddress({ txId: 0x7e0 + index, rxId: 0x7e8 + index, functionalId: 0x7df });
const GATEWAY = ids(0);
const BRAKE = ids(1);
const DOOR = ids(2);
const LIGHT = normalFixedAddress({ source: 0xf1, target: 0x10, functionalTarget: 0x33 });

/** Plugs a tester in: clients for the ECUs that it asks. */
function plugIn(
  test: TestContext,
  { network }: Pick<Car, 'network'>,
): (address: IsoTpAddress) => UdsClient {
  const hub = network.buses.get('obd');
  assert.ok(hub !== undefined);
  const tester = openIsoTpTester({ bus: hub.connect(), timer: hub.timer });
  test.after(() => tester.close());
  return (address) => openUdsClient({ channel: tester.channelTo(address), timer: hub.timer });
}

async function vinOf(client: UdsClient): Promise<string> {
  return Buffer.from(await client.ask(readData(0xf190))).toString('latin1');
}

/** What whoever has a credential makes of the plug. */
function linkOf(
  ask: (address: IsoTpAddress) => UdsClient,
  credential: LinkCredential,
): SecondaryLink {
  return openUdsSecondaryLink({
    ecuIdentifier: parseEcuIdentifier('BRAKE-1'),
    vehicleIdentifier: VEHICLE,
    connect: () => Promise.resolve(ask(BRAKE)),
    credential,
    entropy,
    timer,
    now: () => Temporal.Instant.from('2026-06-01T12:00:00Z'),
    transfer: 'memory',
    flavour: 'silent',
    fingerprint: Uint8Array.of(7),
  });
}

function bundleOf({ director, image }: World): MetadataBundle {
  return new Map([...bundled('director', director), ...bundled('image', image)]);
}

function bundled(
  name: string,
  { files }: TestRepository,
): readonly (readonly [string, Uint8Array])[] {
  return [...files].flatMap(([file, bytes]) => {
    const role = /^(timestamp|snapshot|targets)\.json$/.exec(file)?.[1];
    if (role === undefined) return [];
    return [[`${name}/${role === 'targets' ? 'targets/targets' : role}`, bytes] as const];
  });
}

function offerOf({ cipher, name, cipherBytes }: TestImage): ImageOffer {
  return {
    name: parseTargetName(name),
    lengthBytes: cipher.lengthBytes,
    open: async function* open(offsetBytes) {
      await Promise.resolve();
      yield cipherBytes.subarray(offsetBytes);
    },
  };
}

async function addBrake(world: World, releaseCounter: number): Promise<TestImage> {
  const name = `BRAKE-1/fw-${releaseCounter}.bin`;
  return await world.addImage(name, hardwareOf('BRAKE-1'), { releaseCounter, lengthBytes: 20_000 });
}

describe('a tester at the plug {15765-4:2021}', () => {
  it('reads what it is allowed to, of ECUs on both buses and of the gateway, by both kinds of identifiers', async (test) => {
    const car = await makeCar(test);
    const ask = plugIn(test, car);
    const chassis: CanFrame[] = [];
    car.network.buses
      .get('chassis')
      ?.connect()
      .listen((frame) => chassis.push(frame));
    for (const address of [GATEWAY, BRAKE, DOOR, LIGHT]) {
      assert.equal(await vinOf(ask(address)), VEHICLE);
    }
    assert.deepEqual(car.refusals, []);
    // Nothing that came in at the plug went on as it was: the gateway asks with identifiers of its own.
    const seen = new Set(chassis.map(({ id }) => id));
    assert.deepEqual(seen, new Set([0x720, 0x728]));
  });

  it('asks all ECUs at once, and hears each', async (test) => {
    const car = await makeCar(test);
    const hub = car.network.buses.get('obd');
    assert.ok(hub !== undefined);
    const bus = hub.connect();
    const heard = new Map<number, string>();
    const { promise, resolve } = Promise.withResolvers<void>();
    bus.listen(({ id, data }) => {
      heard.set(id, Buffer.from(data.subarray(0, 3)).toString('hex'));
      if (heard.size === 3) resolve();
    });
    await bus.send(canFrame({ id: 0x7df, data: Uint8Array.of(2, 0x3e, 0, 0, 0, 0, 0, 0) }));
    await promise;
    assert.deepEqual(
      [...heard].toSorted(([left], [right]) => left - right),
      [0x7e8, 0x7e9, 0x7ea].map((id) => [id, '027e00']),
    );
    assert.deepEqual(car.refusals, []);
  });

  it('programs nothing that it has not been authenticated for, and nothing in a vehicle that may drive', async (test) => {
    let isParked = true;
    const car = await makeCar(test, { isParked: () => isParked });
    const ask = plugIn(test, car);
    for (const address of [BRAKE, GATEWAY]) {
      const client = ask(address);
      await assert.rejects(client.ask(startSession('programming')), { code: 'TIMEOUT' });
      await client.ask(testerPresent());
    }
    const stranger = await createVehicleLinkCredentials({
      vehicleIdentifier: VEHICLE,
      secondaries: [parseEcuIdentifier('BRAKE-1')],
      entropy,
    });
    await assert.rejects(linkOf(ask, stranger.primary).confirm(), { code: 'ECU_REFUSED' });
    assert.deepEqual(reasons(car), ['diagnostic-unauthenticated']);
    assert.ok(car.refusals.every(({ from, tester }) => from === 'obd' && tester === 0xf1));
    car.refusals.length = 0;
    isParked = false;
    const own = linkOf(ask, car.credential);
    await car.world.assign({ 'BRAKE-1': await addBrake(car.world, 2) });
    await assert.rejects(own.putMetadata(bundleOf(car.world)), { code: 'ECU_UNREACHABLE' });
    assert.deepEqual(reasons(car), ['diagnostic-not-parked']);
    await car.network.events.flush();
    const told = await car.network.events.list(20);
    assert.ok(told.length > 0, 'each kind of refusal is a signed event');
  });

  it('brings signed software as the air does, and neither unsigned nor older software', async (test) => {
    const car = await makeCar(test, { isParked: () => true });
    const { world } = car;
    const link = linkOf(plugIn(test, car), car.credential);
    const [second, third] = [await addBrake(world, 2), await addBrake(world, 3)];
    await world.assign({ 'BRAKE-1': third });
    await link.putMetadata(bundleOf(world));
    // Nobody has signed that this ECU is to have it.
    await assert.rejects(link.sendImage(offerOf(second)), { code: 'ECU_REFUSED' });
    await link.sendImage(offerOf(third));
    await link.activate();
    await link.confirm();
    assert.equal((await link.status()).phase, 'idle');
    await world.assign({ 'BRAKE-1': second });
    await assert.rejects(link.putMetadata(bundleOf(world)), { code: 'ECU_REFUSED' });
    await assert.rejects(link.sendImage(offerOf(second)), { code: 'ECU_REFUSED' });
    await car.primary.checkIn();
    const { custom, installed_image: running } = world.lastReport('BRAKE-1');
    assert.deepEqual(
      [custom, running]
        .map((one) => JSON.stringify(one))
        .map((one) => /fw-3|trial":false/.test(one)),
      [true, true],
    );
  });

  it('asks no faster than a person, and floods nobody', async (test) => {
    const car = await makeCar(test);
    const hub = car.network.buses.get('obd');
    assert.ok(hub !== undefined);
    const bus = hub.connect();
    const present = canFrame({ id: 0x7e1, data: Uint8Array.of(2, 0x3e, 0x80, 0, 0, 0, 0, 0) });
    for (let count = 0; count < 400; count += 1) await bus.send(present);
    assert.deepEqual(reasons(car), ['diagnostic-rate']);
    assert.ok(car.refusals.length > 100 && car.refusals.length < 400);
  });

  it('gets no frame through, and each that is no question is told once', async (test) => {
    const car = await makeCar(test);
    const hub = car.network.buses.get('obd');
    assert.ok(hub !== undefined);
    const bus = hub.connect();
    const heard: CanFrame[] = [];
    for (const name of ['chassis', 'body']) {
      car.network.buses
        .get(name)
        ?.connect()
        .listen((frame) => heard.push(frame));
    }
    const data = Uint8Array.of(2, 0x10, 2, 0, 0, 0, 0, 0);
    // An ECU’s own identifier, one of nobody, an answer, and a message that never goes on.
    for (const id of [0x720, 0x123]) await bus.send(canFrame({ id, data }));
    await bus.send(canFrame({ id: 0x7e8, data }));
    await bus.send(canFrame({ id: 0x18da99f1, isExtended: true, data }));
    assert.deepEqual(
      car.refusals.map(({ reason, id }) => `${reason} ${id?.toString(16)}`),
      ['unknown-identifier 720', 'unknown-identifier 123', 'unknown-identifier 18da99f1'],
    );
    assert.deepEqual(heard, []);
  });

  it('is plugged in from python-can’s multicast by a bridge', async (test) => {
    const car = await makeCar(test);
    const hub = car.network.buses.get('obd');
    assert.ok(hub !== undefined);
    const group = { group: '239.74.163.77', port: 43_200 + (process.pid % 1000) };
    const [near, far] = [await openUdpMulticast(group), await openUdpMulticast(group)];
    const part = bridgeBuses({ buses: [hub.connect(), near] });
    const tester = openIsoTpTester({ bus: far, timer });
    test.after(async () => {
      part();
      tester.close();
      await Promise.all([near.close(), far.close()]);
    });
    const client = openUdsClient({ channel: tester.channelTo(DOOR), timer });
    assert.equal(await vinOf(client), VEHICLE);
    await assert.rejects(client.ask(startSession('programming')), { code: 'TIMEOUT' });
    assert.deepEqual(reasons(car), ['diagnostic-unauthenticated']);
  });
});

function reasons({ refusals }: Car): readonly string[] {
  return [...new Set(refusals.map(({ reason }) => reason))];
}
