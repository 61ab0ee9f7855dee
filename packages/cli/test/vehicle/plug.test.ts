import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { canBitRate, canFrame } from '@immota/bus';
import { createCanHub, openUdpMulticast, systemSurroundings } from '@immota/vehicle';
import { parseBusPlan, parseEcuPlan, wire } from '../../src/vehicle/ecu-plan.ts';
import { plugIn } from '../../src/vehicle/plug.ts';

const GROUP = '239.74.163.91';

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

function wired(ecus: readonly string[]): ReturnType<typeof wire> {
  return wire(
    ecus.map((one) => parseEcuPlan(one)),
    [parseBusPlan('body:500000')],
  );
}

describe('wire()', () => {
  it('lets the gateway and what is behind it answer at the plug, eight of them by eleven bits {15765-4:2021}', () => {
    const doors = Array.from({ length: 9 }, (_, index) => `door-${index}:door-hw@body`);
    const { obd } = wired(['gateway:gateway-hw', 'ivi:ivi-hw', ...doors]);
    assert.equal(obd?.bus, 'obd');
    assert.deepEqual(
      obd.ecus.map(({ ecu, requestId, responseId }) => [
        ecu,
        requestId.toString(16),
        responseId.toString(16),
      ]),
      [
        ['gateway', '7e0', '7e8'],
        ...[0, 1, 2, 3, 4, 5, 6].map((index) => [
          `door-${index}`,
          (0x7e1 + index).toString(16),
          (0x7e9 + index).toString(16),
        ]),
        ['door-7', '18da40f1', '18daf140'],
        ['door-8', '18da41f1', '18daf141'],
      ],
    );
  });

  it('gives no plug to a vehicle without a bus', () => {
    assert.equal(wired(['gateway:gateway-hw', 'ivi:ivi-hw']).obd, undefined);
  });
});

describe('plugIn()', () => {
  const { obd } = wired(['gateway:gateway-hw', 'door:door-hw@body']);

  it('joins the plug to python-can’s multicast, until it is unplugged', async () => {
    const { timer } = systemSurroundings();
    const hub = createCanHub({ timer, rate: canBitRate(500_000) });
    const port = await freePort();
    const unplug = await plugIn({ buses: new Map([['obd', hub]]) }, `udp:${GROUP}:${port}`, obd);
    const tester = await openUdpMulticast({ group: GROUP, port });
    const gateway = hub.connect();
    const { promise, resolve } = Promise.withResolvers<number>();
    gateway.listen(({ id }) => resolve(id));
    await tester.send(canFrame({ id: 0x7e1, data: Uint8Array.of(2, 0x3e, 0) }));
    assert.equal(await promise, 0x7e1);
    await unplug();
    await tester.close();
    hub.close();
  });

  it('refuses what is no bus, and a vehicle without a plug', async () => {
    const { timer } = systemSurroundings();
    const hub = createCanHub({ timer, rate: canBitRate(500_000) });
    const buses = new Map([['obd', hub]]);
    for (const spelled of ['doip', 'udp:1', 'udp:239.1.1.1:x', 'cannelloni:1', '']) {
      await assert.rejects(plugIn({ buses }, spelled, obd), { code: 'USAGE' });
    }
    await assert.rejects(plugIn({ buses }, 'udp', undefined), { code: 'USAGE' });
    await (
      await plugIn({ buses }, undefined, undefined)
    )();
    hub.close();
  });
});
