import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  advanceRevocationList,
  checkDevice,
  emptyRevocationList,
  isRevokedIn,
  parseSerialNumber,
  type Revocation,
} from '@immota/pki';

import { makeWorld, NOW, refuses } from '../support/world.ts';

const world = await makeWorld();
const empty = emptyRevocationList(world.devices.certificate);
const serial = parseSerialNumber('4711');
const revocation: Revocation = { serial, reason: 'keyCompromise', at: NOW };

describe('advanceRevocationList()', () => {
  it('adds what is new and leaves the list before as it was', () => {
    const list = advanceRevocationList(empty, [revocation]);
    assert.deepEqual([...list.revocations], [[serial, revocation]]);
    assert.equal(empty.revocations.size, 0);
    assert.deepEqual(list.issuerKeyId, empty.issuerKeyId);
  });

  it('takes the same one again', () => {
    const list = advanceRevocationList(empty, [revocation]);
    assert.deepEqual(advanceRevocationList(list, [revocation, revocation]), list);
  });

  it('refuses to change time or reason of one', async () => {
    const list = advanceRevocationList(empty, [revocation]);
    const later = { ...revocation, at: NOW.add({ seconds: 1 }) };
    await refuses('REVOCATION_CONFLICT', () => advanceRevocationList(list, [later]));
    const other = { ...revocation, reason: 'superseded' } as const;
    await refuses('REVOCATION_CONFLICT', () => advanceRevocationList(list, [other]));
    await refuses('REVOCATION_CONFLICT', () => advanceRevocationList(empty, [revocation, other]));
  });
});

describe('isRevokedIn()', () => {
  const context = {
    intermediates: [world.devices.certificate],
    anchors: [world.root.certificate],
    at: NOW,
  };

  it('refuses a device from the moment it is in its authority’s list', async () => {
    const list = advanceRevocationList(empty, [{ ...revocation, serial: world.device.serial }]);
    assert.ok(checkDevice(world.device, { ...context, isRevoked: isRevokedIn([empty]) }));
    const isRevoked = isRevokedIn([emptyRevocationList(world.root.certificate), list]);
    await refuses('REVOKED', () => checkDevice(world.device, { ...context, isRevoked }));
  });

  it('does not mistake the same number under another authority', () => {
    const other = emptyRevocationList(world.servers.certificate);
    const list = advanceRevocationList(other, [{ ...revocation, serial: world.device.serial }]);
    assert.ok(checkDevice(world.device, { ...context, isRevoked: isRevokedIn([list]) }));
  });

  it('refuses every device of an authority that was revoked', async () => {
    const { serial: authority } = world.devices.certificate;
    const root = emptyRevocationList(world.root.certificate);
    const list = advanceRevocationList(root, [{ ...revocation, serial: authority }]);
    const isRevoked = isRevokedIn([list]);
    await refuses('REVOKED', () => checkDevice(world.device, { ...context, isRevoked }));
  });
});
