/** Our Primary with our own Secondaries, over the authenticated link and the real gateway. */
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { generateSigner } from '@immota/pki';
import { parseEcuIdentifier, parseHardwareIdentifier, TARGETS_ROLE } from '@immota/uptane';
import {
  type CheckInResult,
  connectSecondary,
  createVehicleLinkCredentials,
  openState,
  type Primary,
  runSecondary,
  type SecondaryFactory,
  type SecondaryServer,
  systemSurroundings,
} from '@immota/vehicle';
import { entropy } from '../support/folder.ts';
import {
  makeWorld,
  objectAt,
  TBOX,
  type TestImage,
  VEHICLE,
  type World,
} from '../support/world.ts';

const ECUS = [
  { name: 'BRAKE-1', hardware: 'brake-hw', verification: 'full', profile: 'classic' },
  { name: 'DOOR-1', hardware: 'door-hw', verification: 'partial', profile: 'classic' },
  { name: 'DOOR-2', hardware: 'door-hw', verification: 'full', profile: 'hybrid' },
] as const;

interface Car {
  readonly world: World;
  readonly primary: Primary;
  readonly checkIn: () => Promise<CheckInResult>;
  /** Health of the next image, by ECU. */
  readonly sick: Set<string>;
  readonly images: Readonly<Record<string, TestImage>>;
}

async function makeCar(test: Parameters<typeof makeWorld>[0]): Promise<Car> {
  const world = await makeWorld(test);
  // The wire between the ECUs is real, so its timeouts are too.
  const { timer } = systemSurroundings();
  const surroundings = { ...world.surroundings, timer };
  const sick = new Set<string>();
  const { primary: credential, secondaries } = await createVehicleLinkCredentials({
    vehicleIdentifier: VEHICLE,
    secondaries: ECUS.map(({ name }) => parseEcuIdentifier(name)),
    entropy,
  });
  const links = [];
  for (const { name, hardware, verification, profile } of ECUS) {
    const ecuIdentifier = parseEcuIdentifier(name);
    const own = secondaries.get(ecuIdentifier);
    assert.ok(own !== undefined);
    const factory: SecondaryFactory = {
      vehicleIdentifier: VEHICLE,
      ecuIdentifier,
      hardwareIdentifier: parseHardwareIdentifier(hardware),
      verification,
      profile,
      builtAt: Temporal.Instant.from('2026-05-01T00:00:00Z'),
      directorRoot: world.director.pinnedRoot,
      imageRoot: world.image.pinnedRoot,
    };
    const server: SecondaryServer = await runSecondary({
      factory,
      folder: world.pathOf(name),
      credential: own,
      surroundings,
      healthCheck: () => Promise.resolve(!sick.has(name)),
    });
    test.after(() => server.close());
    const port = { host: '127.0.0.1', port: server.port };
    links.push(connectSecondary({ ...port, ecuIdentifier, credential, timer }));
  }
  const primary = await world.run({ secondaries: links });
  await primary.checkIn();
  const door = await world.addImage('door/fw-2.bin', 'door-hw');
  const images = {
    [TBOX]: await world.addImage('tbox/fw-2.bin', 'tbox-hw'),
    'BRAKE-1': await world.addImage('brake/fw-2.bin', 'brake-hw'),
    'DOOR-1': door,
    'DOOR-2': door,
  };
  return { world, primary, checkIn: () => primary.checkIn(), sick, images };
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

const NEW = {
  [TBOX]: 'tbox/fw-2.bin',
  'BRAKE-1': 'brake/fw-2.bin',
  'DOOR-1': 'door/fw-2.bin',
  'DOOR-2': 'door/fw-2.bin',
};

describe('a whole vehicle', () => {
  it('updates every ECU, fully or partially verifying, in both profiles', async (test) => {
    const { world, checkIn, images } = await makeCar(test);
    await world.assign(images);
    const result = await checkIn();
    assert.equal(result.kind, 'installed', JSON.stringify(result));
    assert.deepEqual(runs(world), NEW);
    const served = world.gateway.paths().filter((path) => path.includes('door/'));
    assert.equal(new Set(served).size, served.length, 'one download for both doors');
    assert.equal((await checkIn()).kind, 'nothing-new');
  });
  it('leaves the latest metadata with every ECU that needs them {uptane I7}', async (test) => {
    const { world, checkIn, images } = await makeCar(test);
    await world.assign(images);
    assert.equal((await checkIn()).kind, 'installed');
    for (const { name, verification } of ECUS) {
      const copy = join(world.pathOf('copies'), name);
      cpSync(join(world.pathOf(name), 'state.sqlite'), copy);
      const state = openState(copy);
      for (const repository of ['director', 'image'] as const) {
        const published = world[repository].files.get('targets.json');
        const isWanted = repository === 'director' || verification === 'full';
        const kept = state.metadata.load(repository, TARGETS_ROLE);
        assert.deepEqual(kept, isWanted ? published : undefined, `${name} ${repository}`);
      }
      state.close();
    }
  });
  it('follows new keys of the repositories in every ECU {uptane L6}', async (test) => {
    const { world, checkIn, images } = await makeCar(test);
    await world.director.rotate({ targets: generateSigner('ed25519') });
    await world.director.rotate({ time: generateSigner('ed25519') });
    await world.image.rotate({ snapshot: generateSigner('ed25519') });
    await world.publishImages();
    await world.assign(images);
    assert.equal((await checkIn()).kind, 'installed');
    assert.deepEqual(runs(world), NEW);
  });
  it('takes all ECUs back when the new image of one is not healthy, and says which', async (test) => {
    const { world, checkIn, images, sick } = await makeCar(test);
    await world.assign(images);
    const before = runs(world);
    sick.add('DOOR-1');
    let result = await checkIn();
    for (let count = 0; count < 4 && result.kind === 'failed'; count += 1) result = await checkIn();
    assert.equal('fault' in result && result.fault.code, 'ATTEMPTS_EXHAUSTED');
    assert.deepEqual(runs(world), before);
    const code = world.gateway
      .bodies('/director/manifest')
      .map((body) => objectAt(body, ['signed', 'installation_report', 'report', 'result'])['code'])
      .find((told) => told !== undefined);
    assert.equal(
      code,
      'brake-hw:ROLLED_BACK|door-hw:INSTALL_FAILED|door-hw:ROLLED_BACK|tbox-hw:OPERATION_CANCELLED',
    );
    sick.clear();
    await world.assignNothing();
    await checkIn();
    await world.assign(images);
    assert.equal((await checkIn()).kind, 'installed');
    assert.deepEqual(runs(world), NEW);
  });
});
