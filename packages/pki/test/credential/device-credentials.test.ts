import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { describe, it } from 'node:test';

import {
  checkDevice,
  type DeviceId,
  encodeCredentialFiles,
  makeCredentialsBatch,
  makeDeviceCredentials,
  parseCertificatesPem,
  parseDeviceId,
} from '@immota/pki';

import { days, entropy, makeWorld, NOW, refuses } from '../support/world.ts';

const world = await makeWorld();
const request = { serverRoots: [world.root.certificate], validity: days(200), entropy };

describe('encodeCredentialFiles()', () => {
  it('gives root, chain and key as three texts that fit each other', async () => {
    const id = parseDeviceId('veh-2');
    const credentials = await makeDeviceCredentials(world.devices, id, request);
    const { rootPem, clientPem, privateKeyPem } = encodeCredentialFiles(credentials);
    const anchors = parseCertificatesPem(rootPem);
    const [leaf, ...intermediates] = parseCertificatesPem(clientPem);
    assert.ok(leaf);
    assert.equal(intermediates.length, 1);
    const context = { intermediates, anchors, at: NOW, isRevoked: () => false };
    assert.equal(checkDevice(leaf, context).deviceId, 'veh-2');
    const publicKey = createPublicKey(createPrivateKey(privateKeyPem));
    const der = publicKey.export({ format: 'der', type: 'spki' });
    assert.deepEqual(new Uint8Array(der), leaf.publicKeyDer);
  });
});

describe('makeCredentialsBatch()', () => {
  it('makes one each, in order, with keys and serial numbers of their own', async () => {
    const ids = ['a', 'b', 'c'].map((id) => parseDeviceId(id));
    const batch = await Array.fromAsync(makeCredentialsBatch(world.devices, ids, request));
    assert.deepEqual(
      batch.map(({ deviceId }) => deviceId),
      ids,
    );
    assert.equal(new Set(batch.map(({ certificate }) => certificate.serial)).size, 3);
    assert.equal(new Set(batch.map(({ signer }) => signer.publicKeyDer.join())).size, 3);
  });

  it('takes ids only as fast as it is asked, and may be left early', async () => {
    let taken = 0;
    function* endless(): Generator<DeviceId> {
      for (;;) {
        taken += 1;
        yield parseDeviceId(`veh-${taken}`);
      }
    }
    for await (const { deviceId } of makeCredentialsBatch(world.devices, endless(), request)) {
      if (deviceId === 'veh-2') break;
    }
    assert.equal(taken, 2);
  });

  it('refuses an id that repeats', async () => {
    const id = parseDeviceId('twice');
    await refuses('DEVICE_ID', () =>
      Array.fromAsync(makeCredentialsBatch(world.devices, [id, id], request)),
    );
  });

  it('makes as many as it may and no more', async () => {
    const ids = ['a', 'b', 'c'].map((id) => parseDeviceId(id));
    const make = (devicesMax: number): Promise<unknown> =>
      Array.fromAsync(makeCredentialsBatch(world.devices, ids, { ...request, devicesMax }));
    assert.ok(await make(3));
    await refuses('LIMIT', () => make(2));
  });

  it('refuses an authority that is for servers', async () => {
    await refuses('ISSUE_REFUSED', () =>
      makeDeviceCredentials(world.servers, parseDeviceId('veh-3'), request),
    );
  });
});
