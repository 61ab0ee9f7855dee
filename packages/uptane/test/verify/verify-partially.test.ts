import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AKTUALIZR, limits, parseEcuIdentifier, parseVehicleIdentifier } from '@immota/uptane';
import { signerOf } from '../support/keys.ts';
import {
  BRAKE,
  BRAKE_HARDWARE,
  BRAKE_IMAGE,
  DIALECTS,
  directorFile,
  inDirector,
  makeWorld,
  NOW,
  refusalOf,
  TBOX_HARDWARE,
  type World,
  type WorldSetup,
} from '../support/world.ts';

/** A world whose Director serves unnumbered Targets, as without Snapshot nobody knows a number. */
async function partialWorld(setup: WorldSetup = {}): Promise<World> {
  return await makeWorld({ ...setup, consistentSnapshot: false });
}

async function refusalAfter(
  world: World,
  changes: Parameters<World['verifyPartially']>[0] = {},
): ReturnType<typeof refusalOf> {
  await world.director.publishBelowRoot();
  return await refusalOf(world.verifyPartially(changes));
}

describe('verifyPartially()', () => {
  for (const dialect of DIALECTS) {
    it(`verifies what the Director assigns to one ECU, ${dialect.name} {uptane M1} {uptane M2}`, async () => {
      const world = await partialWorld({ dialect, profile: 'hybrid' });
      const assignment = await world.verifyPartially();
      assert.equal(assignment?.name, BRAKE_IMAGE);
      assert.equal(assignment?.ecuIdentifier, BRAKE);
      assert.deepEqual(world.client.fetched(dialect), [
        'director/2.root.json',
        'director/targets.json',
      ]);
      assert.deepEqual(world.client.saved(), ['director/root', 'director/targets']);
    });
  }

  it('goes on from the Root and the Targets that the factory delivered {uptane H2}', async () => {
    const factory = await partialWorld();
    factory.director.top.version = 5;
    await factory.director.publishBelowRoot();
    await factory.verifyPartially();
    const world = await partialWorld();
    for (const [role, bytes] of factory.client.store) world.client.store.set(role, bytes);
    const director = { ...world.partial().director, pinnedRoot: undefined };
    const refusal = await refusalOf(world.verifyPartially({ director }));
    assert.deepEqual(refusal, inDirector('ROLLBACK', 'targets'));
    world.director.top.version = 5;
    assert.equal(await refusalAfter(world, { director }), undefined);
  });

  it('finds nothing where the ECU is not named', async () => {
    const world = await partialWorld();
    const ecuIdentifier = parseEcuIdentifier('RADIO-1');
    assert.equal(await world.verifyPartially({ ecuIdentifier }), undefined);
    world.director.top.files = [];
    await world.director.publishBelowRoot();
    assert.equal(await world.verifyPartially(), undefined);
  });

  it('refuses Targets that their keys did not sign {uptane M1}', async () => {
    const world = await partialWorld();
    world.director.impostors.set('targets', [signerOf('stranger')]);
    assert.deepEqual(await refusalAfter(world), inDirector('SIGNATURE_THRESHOLD', 'targets'));
    assert.deepEqual(world.client.saved(), ['director/root']);
  });

  it('refuses a version that went back, even after it has run out {uptane M1}', async () => {
    const world = await partialWorld();
    const { top } = world.director;
    top.version = 5;
    top.expires = NOW.add({ hours: 1 });
    assert.equal(await refusalAfter(world), undefined);
    assert.equal(await refusalAfter(world), undefined);
    world.now = NOW.add({ hours: 2 });
    top.expires = NOW.add({ hours: 9 });
    top.version = 4;
    assert.deepEqual(await refusalAfter(world), inDirector('ROLLBACK', 'targets'));
    top.version = 6;
    assert.equal(await refusalAfter(world), undefined);
  });

  it('refuses Targets at the instant of their expiry {uptane M1}', async () => {
    const world = await partialWorld();
    world.director.top.expires = NOW;
    assert.deepEqual(await refusalAfter(world), inDirector('EXPIRED', 'targets'));
    assert.ok(!world.client.store.has('director/targets'));
    world.director.top.expires = NOW.add({ seconds: 1 });
    assert.equal(await refusalAfter(world), undefined);
  });

  it('refuses delegations, an ECU twice and another vehicle {uptane M1}', async () => {
    const world = await partialWorld();
    const { director } = world;
    director.delegate('anyone', ['*']);
    assert.deepEqual(await refusalAfter(world), inDirector('DIRECTOR_DELEGATION', 'targets'));
    director.top.delegations.length = 0;
    director.top.files.push(directorFile('x', { [BRAKE]: BRAKE_HARDWARE }));
    assert.deepEqual(await refusalAfter(world), inDirector('ECU_DUPLICATE', 'targets'));
    director.top.files.pop();
    director.top.vehicleIdentifier = parseVehicleIdentifier('ANOTHER');
    assert.deepEqual(await refusalAfter(world), inDirector('VEHICLE_MISMATCH', 'targets'));
    assert.equal(await refusalAfter(world, { vehicleIdentifier: undefined }), undefined);
  });

  it('refuses a Director without Targets', async () => {
    const world = await partialWorld();
    world.director.served.delete('targets.json');
    assert.deepEqual(
      await refusalOf(world.verifyPartially()),
      inDirector('METADATA_MISSING', 'targets'),
    );
  });

  it('refuses other hardware and a lower release counter {uptane M3} {uptane K7}', async () => {
    const world = await partialWorld();
    const ecu = { hardwareIdentifier: BRAKE_HARDWARE, releaseCounter: 2 };
    assert.equal(await refusalAfter(world, { ecu }), undefined);
    const later = { ...ecu, releaseCounter: 3 };
    assert.deepEqual(
      await refusalAfter(world, { ecu: later }),
      inDirector('RELEASE_COUNTER', 'targets'),
    );
    const other = { ...ecu, hardwareIdentifier: TBOX_HARDWARE };
    assert.deepEqual(
      await refusalAfter(world, { ecu: other }),
      inDirector('HARDWARE_MISMATCH', 'targets'),
    );
  });

  it('follows new keys by the Root, and lets them lower the version {uptane M2}', async () => {
    const world = await partialWorld();
    world.director.top.version = 1_000_000;
    assert.equal(await refusalAfter(world), undefined);
    world.director.top.version = 2;
    await world.director.rotate('timestamp', 'snapshot');
    assert.deepEqual(await refusalAfter(world), inDirector('ROLLBACK', 'targets'));
    await world.director.rotate('targets');
    assert.equal(await refusalAfter(world), undefined);
    const dropped = world.client.steps.flatMap((step) => (step.kind === 'drop' ? step.role : []));
    assert.deepEqual(dropped, ['targets']);
  });

  it('asks for no more than its bound', async () => {
    const world = await partialWorld();
    await world.verifyPartially();
    const step = world.client.steps.findLast(({ kind }) => kind === 'fetch');
    assert.equal(step?.kind === 'fetch' && step.lengthMaxBytes, limits.DIRECTOR_TARGETS_MAX_BYTES);
    world.director.top.custom = { note: 'x'.repeat(limits.DIRECTOR_TARGETS_MAX_BYTES) };
    assert.deepEqual(await refusalAfter(world), inDirector('LIMIT', 'targets'));
    assert.equal(world.dialect, AKTUALIZR);
  });
});
