/** Deltas on their way to the Primary itself and to a Secondary behind the authenticated link. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseEcuIdentifier, parseHardwareIdentifier } from '@immota/uptane';
import {
  connectSecondary,
  createVehicleLinkCredentials,
  type Primary,
  runSecondary,
  systemSurroundings,
} from '@immota/vehicle';
import { entropy } from '../support/folder.ts';
import {
  BRAKE,
  makeWorld,
  objectAt,
  TBOX,
  type TestImage,
  VEHICLE,
  type World,
} from '../support/world.ts';

interface Car {
  readonly world: World;
  readonly primary: Primary;
  readonly next: Readonly<Record<string, TestImage>>;
  /** What was asked of the images since the first ones were installed. */
  readonly asked: () => readonly string[];
}

/** A car whose ECUs run their first images, with the next ones assigned. */
async function makeCar(test: Parameters<typeof makeWorld>[0]): Promise<Car> {
  const world = await makeWorld(test);
  const { timer } = systemSurroundings();
  const ecuIdentifier = parseEcuIdentifier(BRAKE);
  const { primary: credential, secondaries } = await createVehicleLinkCredentials({
    vehicleIdentifier: VEHICLE,
    secondaries: [ecuIdentifier],
    entropy,
  });
  const own = secondaries.get(ecuIdentifier);
  assert.ok(own !== undefined);
  const server = await runSecondary({
    factory: {
      vehicleIdentifier: VEHICLE,
      ecuIdentifier,
      hardwareIdentifier: parseHardwareIdentifier('brake-hw'),
      verification: 'full',
      profile: 'classic',
      builtAt: Temporal.Instant.from('2026-05-01T00:00:00Z'),
      directorRoot: world.director.pinnedRoot,
      imageRoot: world.image.pinnedRoot,
    },
    folder: world.pathOf(BRAKE),
    credential: own,
    surroundings: { ...world.surroundings, timer },
  });
  test.after(() => server.close());
  const link = { host: '127.0.0.1', port: server.port, ecuIdentifier, credential, timer };
  const primary = await world.run({ secondaries: [connectSecondary(link)] });
  await primary.checkIn();
  const tbox = await world.addImage('tbox/fw-1.bin', 'tbox-hw');
  const brake = await world.addImage('brake/fw-1.bin', 'brake-hw');
  await world.assign({ [TBOX]: tbox, [BRAKE]: brake });
  assert.equal((await primary.checkIn()).kind, 'installed');
  const before = world.gateway.requests.length;
  const next = {
    [TBOX]: await world.addImage('tbox/fw-2.bin', 'tbox-hw', { from: tbox, releaseCounter: 2 }),
    [BRAKE]: await world.addImage('brake/fw-2.bin', 'brake-hw', { from: brake, releaseCounter: 2 }),
  };
  await world.assign(next);
  const asked = (): readonly string[] =>
    world.gateway
      .paths()
      .slice(before)
      .filter((path) => path.includes('/repo/targets/'));
  return { world, primary, next, asked };
}

function runs(world: World): readonly unknown[] {
  return [TBOX, BRAKE].map(
    (ecu) => objectAt(world.lastReport(ecu), ['installed_image'])['filepath'],
  );
}

const NEW = ['tbox/fw-2.bin', 'brake/fw-2.bin'];

/** The full images that were asked for under their own names. */
function fullImages(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => /targets\/(.*\/fw-2\.bin)\.enc$/.exec(path)?.[1] ?? []);
}

describe('a Primary that finds deltas', () => {
  it('brings itself and a Secondary by them, and fetches no full image {uptane K8}', async (test) => {
    const { world, primary, asked } = await makeCar(test);
    const result = await primary.checkIn();
    assert.equal(result.kind, 'installed', JSON.stringify(result));
    assert.deepEqual(runs(world), NEW);
    assert.deepEqual(fullImages(asked()), []);
    assert.ok(asked().some((path) => path.includes('.delta-from-')));
    assert.equal((await primary.checkIn()).kind, 'nothing-new');
  });

  it('takes the full images where there are none', async (test) => {
    const { world, primary, asked } = await makeCar(test);
    for (const name of world.gateway.images.keys()) {
      if (name.includes('.delta-from-')) world.gateway.images.delete(name);
    }
    assert.equal((await primary.checkIn()).kind, 'installed');
    assert.deepEqual(runs(world), NEW);
    assert.deepEqual(new Set(fullImages(asked())), new Set(NEW));
  });

  const spoilt: Readonly<
    Record<string, readonly [code: string, spoil: (delta: Uint8Array) => Uint8Array]>
  > = {
    'were changed': [
      'CHUNK_AUTHENTICATION',
      (delta) => delta.map((byte, index) => (index === 400 ? byte ^ 1 : byte)),
    ],
    'were cut': ['CHUNK_AUTHENTICATION', (delta) => delta.slice(0, -1)],
    'are none': ['HEADER_MALFORMED', () => new Uint8Array(500)],
  };
  for (const [what, [code, spoil]] of Object.entries(spoilt)) {
    it(`takes the full images where they ${what}, and tells of it {uptane I5}`, async (test) => {
      const { world, primary, asked } = await makeCar(test);
      for (const [name, bytes] of world.gateway.images) {
        if (name.includes('.delta-from-')) world.gateway.images.set(name, spoil(bytes));
      }
      const result = await primary.checkIn();
      assert.equal(result.kind, 'installed', JSON.stringify(result));
      assert.deepEqual(runs(world), NEW);
      assert.deepEqual(new Set(fullImages(asked())), new Set(NEW));
      assert.ok(world.lastAttacks().includes(code), world.lastAttacks());
    });
  }
});
