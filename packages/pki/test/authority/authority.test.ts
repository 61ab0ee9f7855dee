import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { checkChain, checkDevice } from '@immota/pki';

import { makeWorld, NOW, refuses } from '../support/world.ts';

const world = await makeWorld();
const notRevoked = (): boolean => false;

describe('a small hierarchy', () => {
  it('leads from a device to its root', () => {
    const device = checkDevice(world.device, {
      intermediates: [world.devices.certificate],
      anchors: [world.root.certificate],
      at: NOW,
      isRevoked: notRevoked,
    });
    assert.equal(device.deviceId, 'veh-1');
    assert.equal(device.chain.length, 3);
  });

  it('does not let a device play a server', async () => {
    await refuses('CHAIN_PURPOSE', () =>
      checkChain(world.device, 'server', {
        intermediates: [world.devices.certificate],
        anchors: [world.root.certificate],
        at: NOW,
      }),
    );
  });
});
