import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { AKTUALIZR, type RoleDescription, rootPayload, signMetadata } from '@immota/uptane';
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
import { TestVehicle } from '../support/vehicle.ts';
import { verifiedTargets } from '../support/verified-targets.ts';
import { type DirectorWorld, emptyVehicles, openDirectorWorld } from '../support/world.ts';

let world: DirectorWorld;
let vehicle: TestVehicle;
before(async () => {
  world = await openDirectorWorld();
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
    assert.equal((await verifiedTargets(world, vehicle.id)).body.version, version + 1);
  });

  it('stops the signing with keys that it does not name {uptane L6}', async () => {
    await world.director.accept(vehicle.id, await vehicle.manifest());
    world.context.clock.advance({ seconds: 1 });
    await publishRoot(createKeystore(generateKeys('classic')));
    await assert.rejects(world.openSecond(), { code: 'KEY_MISSING' });
    await assert.rejects(world.director.load(vehicle.id, 'targets'), { code: 'KEY_MISSING' });
    world.context.clock.advance({ seconds: 1 });
    await publishRoot(world.trust.keystore);
    await verifiedTargets(world, vehicle.id);
  });
});
