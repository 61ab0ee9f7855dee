/** A whole vehicle over its own buses: six ECUs on Ethernet and two CAN buses, with the gateway between. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readData, startSession, writeData } from '@immota/bus';
import { parseEcuIdentifier } from '@immota/uptane';
import {
  connectDoip,
  createVehicleLinkCredentials,
  openUdsClient,
  systemSurroundings,
} from '@immota/vehicle';
import { entropy } from '../support/folder.ts';
import { addImages, hardwareOf, makeCar, NEW, runs } from '../support/wired-car.ts';
import { TBOX, VEHICLE } from '../support/world.ts';

describe('startVehicleNetwork()', () => {
  it('updates six ECUs over DoIP, the gateway and two CAN buses', async (test) => {
    const { world, primary, network, refusals } = await makeCar(test);
    await world.assign(await addImages(world));
    const result = await primary.checkIn();
    assert.equal(result.kind, 'installed', JSON.stringify(result));
    assert.deepEqual(runs(world), NEW);
    assert.equal((await primary.checkIn()).kind, 'nothing-new');
    assert.deepEqual(refusals, []);
    for (const [name, bus] of network.buses) {
      // Nobody is at the plug.
      assert.equal(bus.busyMs > 0, name !== 'obd', `${name}: images went over the bus`);
    }
  });

  it('brings them by deltas, and downloads full images where those are the way back', async (test) => {
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
