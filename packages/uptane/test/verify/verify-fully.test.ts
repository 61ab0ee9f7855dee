import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '@immota/base';
import {
  AKTUALIZR,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseVehicleIdentifier,
  type TargetDescription,
} from '@immota/uptane';
import { signerOf } from '../support/keys.ts';
import { describeTeam } from '../support/repository.ts';
import {
  BRAKE,
  BRAKE_HARDWARE,
  BRAKE_IMAGE,
  DIALECTS,
  directorFile,
  imageFile,
  inDirector,
  inImage,
  makeWorld,
  NOW,
  refusalOf,
  TBOX,
  TBOX_HARDWARE,
  TBOX_IMAGE,
  VEHICLE,
  type World,
} from '../support/world.ts';

/** Publishes both repositories as the test left them, and gives the refusal of a full cycle. */
async function refusalAfter(
  world: World,
  changes: Parameters<World['verifyFully']>[0] = {},
): ReturnType<typeof refusalOf> {
  await world.director.release();
  await world.image.release();
  return await refusalOf(world.verifyFully(changes));
}

/** Replaces an entry of the Director's Targets. */
function reassign(world: World, name: string, change: Partial<TargetDescription>): void {
  world.director.top.files = world.director.top.files.map((file) =>
    file.name === name ? { ...file, ...change } : file,
  );
}

describe('verifyFully()', () => {
  for (const dialect of DIALECTS) {
    for (const profile of ['classic', 'hybrid'] as const) {
      it(`verifies a right pair of repositories, ${dialect.name} ${profile} {uptane L1} {uptane I4}`, async () => {
        const world = await makeWorld({ dialect, profile });
        const { assignments, directorTargets } = await world.verifyFully();
        assert.equal(directorTargets.body.vehicleIdentifier, VEHICLE);
        assert.deepEqual(
          assignments.map(({ ecuIdentifier, hardwareIdentifier, name, releaseCounter }) => ({
            ecuIdentifier,
            hardwareIdentifier,
            name,
            releaseCounter,
          })),
          [
            {
              ecuIdentifier: BRAKE,
              hardwareIdentifier: BRAKE_HARDWARE,
              name: BRAKE_IMAGE,
              releaseCounter: 2,
            },
            {
              ecuIdentifier: TBOX,
              hardwareIdentifier: TBOX_HARDWARE,
              name: TBOX_IMAGE,
              releaseCounter: 2,
            },
          ],
        );
      });
    }
  }

  it('takes its steps in the order of the standard {uptane L3}', async () => {
    const world = await makeWorld();
    await world.verifyFully();
    const expected = [
      'director/2.root.json',
      'director/timestamp.json',
      'director/1.snapshot.json',
      'director/1.targets.json',
      'image/2.root.json',
      'image/timestamp.json',
      'image/1.snapshot.json',
      'image/1.targets.json',
      'image/delegations/1.brakes.json',
    ];
    assert.deepEqual(world.client.fetched(AKTUALIZR), expected);
    assert.deepEqual(
      world.client.saved(),
      ['director', 'image']
        .flatMap((name) =>
          ['root', 'timestamp', 'snapshot', 'targets'].map((role) => `${name}/${role}`),
        )
        .concat('image/brakes'),
    );
    await world.verifyFully();
    assert.deepEqual(
      world.client.fetched(AKTUALIZR),
      expected.filter((name) => /2\.root|timestamp/.test(name)),
    );
    assert.deepEqual(world.client.saved(), []);
  });

  it('goes on from what the factory delivered, all roles of both repositories {uptane H3}', async () => {
    const world = await makeWorld();
    const factory = await makeWorld();
    await factory.verifyFully();
    for (const [role, bytes] of factory.client.store) world.client.store.set(role, bytes);
    await world.verifyFully({
      director: { ...world.full().director, pinnedRoot: undefined },
      image: { ...world.full().image, pinnedRoot: undefined },
    });
    assert.equal(world.client.fetched(AKTUALIZR).length, 4);
    assert.deepEqual(world.client.saved(), []);
  });

  it('asks nothing of the Image repository when all is installed {uptane L3}', async () => {
    const world = await makeWorld();
    world.image.served.clear();
    world.installed.add(TBOX_IMAGE).add(BRAKE_IMAGE);
    const { assignments } = await world.verifyFully();
    assert.deepEqual(assignments, []);
    assert.ok(world.client.steps.every(({ repository }) => repository === 'director'));
    world.installed.delete(BRAKE_IMAGE);
    assert.deepEqual(
      await refusalOf(world.verifyFully()),
      inImage('METADATA_MISSING', 'timestamp'),
    );
  });

  it('asks nothing of the Image repository when the Director assigns nothing {uptane B8}', async () => {
    const world = await makeWorld();
    world.director.top.files = [];
    await world.director.release();
    const { assignments } = await world.verifyFully();
    assert.deepEqual(assignments, []);
    assert.ok(world.client.steps.every(({ repository }) => repository === 'director'));
  });

  it('assigns what is not installed and compares all {uptane L4}', async () => {
    const world = await makeWorld();
    world.installed.add(TBOX_IMAGE);
    const { assignments } = await world.verifyFully();
    assert.deepEqual(
      assignments.map(({ ecuIdentifier }) => ecuIdentifier),
      [BRAKE],
    );
    world.image.top.files = [];
    assert.deepEqual(await refusalAfter(world), inImage('TARGET_UNKNOWN', 'targets'));
  });

  it('finds one image for several ECUs of different hardware', async () => {
    const world = await makeWorld();
    const shared = 'shared/fw.bin';
    world.director.top.files = [
      directorFile(shared, { [TBOX]: TBOX_HARDWARE, [BRAKE]: BRAKE_HARDWARE }),
    ];
    world.image.top.files = [imageFile(shared, [TBOX_HARDWARE, BRAKE_HARDWARE])];
    assert.equal(await refusalAfter(world), undefined);
    world.image.top.files = [imageFile(shared, [TBOX_HARDWARE])];
    assert.deepEqual(await refusalAfter(world), inImage('HARDWARE_MISMATCH', 'targets'));
    world.image.top.files = [imageFile(shared, [BRAKE_HARDWARE])];
    assert.deepEqual(await refusalAfter(world), inImage('HARDWARE_MISMATCH', 'targets'));
  });

  it('searches for each hardware along its own delegations {uptane L11}', async () => {
    const world = await makeWorld();
    const shared = 'shared/fw.bin';
    world.director.top.files = [
      directorFile(shared, { [TBOX]: TBOX_HARDWARE, [BRAKE]: BRAKE_HARDWARE }),
    ];
    world.image
      .delegate('t', ['shared/*'], { hardwareIdentifiers: [TBOX_HARDWARE] })
      .files.push(imageFile(shared, [TBOX_HARDWARE]));
    const b = world.image.delegate('b', ['shared/*'], { hardwareIdentifiers: [BRAKE_HARDWARE] });
    b.files.push(imageFile(shared, [BRAKE_HARDWARE]));
    assert.equal(await refusalAfter(world), undefined);
    b.files.length = 0;
    assert.deepEqual(await refusalAfter(world), inImage('TARGET_UNKNOWN', 'targets'));
  });

  it('serves a Secondary that looks for itself alone', async () => {
    const world = await makeWorld();
    const ecus = new Map([[BRAKE, { hardwareIdentifier: BRAKE_HARDWARE, releaseCounter: 1 }]]);
    assert.deepEqual(
      await refusalOf(world.verifyFully({ ecus })),
      inDirector('ECU_UNKNOWN', 'targets'),
    );
    const { assignments } = await world.verifyFully({ ecus, strangers: 'ignore' });
    assert.deepEqual(
      assignments.map(({ ecuIdentifier }) => ecuIdentifier),
      [BRAKE],
    );
    assert.ok(world.client.fetched(AKTUALIZR).includes('image/delegations/1.brakes.json'));
  });

  it('keeps nothing of a repository that fails, and goes on when it is mended {uptane L1}', async () => {
    const world = await makeWorld();
    await world.verifyFully();
    const store = new Map(world.client.store);
    world.director.impostors.set('targets', [signerOf('stranger')]);
    assert.deepEqual(await refusalAfter(world), inDirector('SIGNATURE_THRESHOLD', 'targets'));
    assert.deepEqual(world.client.store, store);
    world.director.impostors.clear();
    assert.equal(await refusalAfter(world), undefined);
  });
});

describe('verifyFully(): the rules of the Director', () => {
  it('refuses a Director that delegates {uptane C9} {uptane E9}', async () => {
    const world = await makeWorld();
    world.director.delegate('anyone', ['*']);
    assert.deepEqual(await refusalAfter(world), inDirector('DIRECTOR_DELEGATION', 'targets'));
    world.director.top.delegations.length = 0;
    assert.equal(await refusalAfter(world), undefined);
  });

  it('refuses an ECU that stands in two entries {uptane L10} {uptane E9}', async () => {
    const world = await makeWorld();
    world.director.top.files.push(directorFile('tbox/fw-3.bin', { [TBOX]: TBOX_HARDWARE }));
    world.image.top.files.push(imageFile('tbox/fw-3.bin', [TBOX_HARDWARE]));
    assert.deepEqual(await refusalAfter(world), inDirector('ECU_DUPLICATE', 'targets'));
    world.director.top.files.pop();
    assert.equal(await refusalAfter(world), undefined);
  });

  it('refuses an ECU that the vehicle has not {uptane L10}', async () => {
    const world = await makeWorld();
    const name = 'x.bin';
    world.director.top.files.push(directorFile(name, { 'RADIO-1': 'radio-hw' }));
    world.image.top.files.push(imageFile(name, ['radio-hw']));
    assert.deepEqual(await refusalAfter(world), inDirector('ECU_UNKNOWN', 'targets'));
    world.ecus.set(parseEcuIdentifier('RADIO-1'), {
      hardwareIdentifier: parseHardwareIdentifier('radio-hw'),
      releaseCounter: 0,
    });
    assert.equal(await refusalAfter(world), undefined);
  });

  it('refuses an image for other hardware {uptane K7}', async () => {
    const world = await makeWorld();
    world.director.top.files[0] = directorFile(TBOX_IMAGE, { [TBOX]: BRAKE_HARDWARE });
    assert.deepEqual(await refusalAfter(world), inDirector('HARDWARE_MISMATCH', 'targets'));
  });

  it('refuses what was made for another vehicle {uptane B8}', async () => {
    for (const files of [1, 0]) {
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      const world = await makeWorld();
      world.director.top.files.length = files;
      world.director.top.vehicleIdentifier = parseVehicleIdentifier('ANOTHER');
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      assert.deepEqual(await refusalAfter(world), inDirector('VEHICLE_MISMATCH', 'targets'));
      world.director.top.vehicleIdentifier = VEHICLE;
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      assert.equal(await refusalAfter(world), undefined);
    }
  });

  it('needs the name of the vehicle where nothing is assigned {uptane B8}', async () => {
    const world = await makeWorld();
    world.director.top.vehicleIdentifier = undefined;
    assert.equal(await refusalAfter(world), undefined);
    world.director.top.files = [];
    assert.deepEqual(await refusalAfter(world), inDirector('VEHICLE_MISMATCH', 'targets'));
    assert.equal(await refusalAfter(world, { vehicleIdentifier: undefined }), undefined);
    world.director.top.vehicleIdentifier = VEHICLE;
    assert.equal(await refusalAfter(world, { vehicleIdentifier: undefined }), undefined);
  });

  it('is not barred by what another vehicle was told, replayed to it {uptane L1} {uptane B8}', async () => {
    for (const vehicleIdentifier of [parseVehicleIdentifier('ANOTHER'), undefined]) {
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      const world = await makeWorld();
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      await world.verifyFully();
      const own = new Map(world.director.served);
      const store = new Map(world.client.store);
      const { director } = world;
      director.top.vehicleIdentifier = vehicleIdentifier;
      director.top.files = [directorFile('x.bin', { 'RADIO-1': 'radio-hw' })];
      director.top.version = 900;
      director.versions.timestamp = 900;
      director.versions.snapshot = 900;
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      await director.publishBelowRoot();
      const code = vehicleIdentifier === undefined ? 'ECU_UNKNOWN' : 'VEHICLE_MISMATCH';
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      assert.deepEqual(await refusalOf(world.verifyFully()), inDirector(code, 'targets'));
      assert.deepEqual(world.client.saved(), []);
      assert.deepEqual(world.client.store, store);
      director.served.clear();
      for (const [name, bytes] of own) director.served.set(name, bytes);
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      assert.equal(await refusalOf(world.verifyFully()), undefined);
    }
  });

  it('holds stored Targets to the same rules', async () => {
    const world = await makeWorld();
    await world.verifyFully();
    const changes = { vehicleIdentifier: parseVehicleIdentifier('ANOTHER') };
    const refusal = await refusalOf(world.verifyFully(changes));
    assert.deepEqual(refusal, inDirector('VEHICLE_MISMATCH', 'targets'));
    world.ecus.delete(BRAKE);
    assert.deepEqual(await refusalOf(world.verifyFully()), inDirector('ECU_UNKNOWN', 'targets'));
  });

  it('takes a Director with Targets alone, and guards its versions {uptane M1}', async () => {
    const world = await makeWorld();
    const director = { ...world.full().director, chain: 'targets-only' } as const;
    for (const name of ['timestamp', 'snapshot']) {
      world.director.served.delete(world.director.fileNameOf(name));
    }
    world.director.served.set(
      'targets.json',
      world.director.served.get('1.targets.json') ?? new Uint8Array(),
    );
    const { assignments } = await world.verifyFully({ director });
    assert.equal(assignments.length, 2);
    assert.deepEqual(world.client.fetched(AKTUALIZR).slice(0, 2), [
      'director/2.root.json',
      'director/targets.json',
    ]);
    assert.ok(!world.client.saved().includes('director/timestamp'));
  });
});

describe('verifyFully(): both repositories', () => {
  const cases: readonly (readonly [string, string, Partial<TargetDescription>])[] = [
    ['another length', 'TARGET_MISMATCH', { lengthBytes: 1 }],
    ['another hash', 'TARGET_MISMATCH', { hashes: new Map([['sha256', 'a'.repeat(64)]]) }],
  ];
  for (const [what, code, change] of cases) {
    it(`refuses an image for which they state ${what} {uptane L4}`, async () => {
      for (const name of [TBOX_IMAGE, BRAKE_IMAGE]) {
        // oxlint-disable-next-line no-await-in-loop -- two worlds
        const world = await makeWorld();
        reassign(world, name, change);
        // oxlint-disable-next-line no-await-in-loop -- two worlds
        assert.deepEqual(await refusalAfter(world), inImage(code, 'targets'));
      }
    });
  }

  it('refuses an image that the Image repository does not know {uptane L4} {uptane L2} {uptane B15}', async () => {
    const world = await makeWorld();
    world.director.top.files[0] = directorFile('TBOX/fw-2.bin', { [TBOX]: TBOX_HARDWARE });
    assert.deepEqual(await refusalAfter(world), inImage('TARGET_UNKNOWN', 'targets'));
  });

  it('compares the must-match part as a whole, whatever the order of its members {uptane B9}', async () => {
    const world = await makeWorld();
    const director = (mustMatch: JsonObject): void => {
      world.director.top.files[0] = directorFile(
        TBOX_IMAGE,
        { [TBOX]: TBOX_HARDWARE },
        { mustMatch },
      );
    };
    const mustMatch = { releaseCounter: 2, line: 'x', parts: [{ a: 1, b: 2 }] };
    world.image.top.files[0] = imageFile(TBOX_IMAGE, [TBOX_HARDWARE], { mustMatch });
    director({ parts: [{ b: 2, a: 1 }], line: 'x', releaseCounter: 2 });
    assert.equal(await refusalAfter(world), undefined);
    for (const other of [
      { ...mustMatch, line: 'y' },
      { ...mustMatch, more: 1 },
      { ...mustMatch, releaseCounter: 3 },
      { releaseCounter: 2 },
      {},
    ]) {
      director(other);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const code = (await refusalAfter(world))?.code;
      assert.equal(code, 'releaseCounter' in other ? 'TARGET_MISMATCH' : 'RELEASE_COUNTER');
    }
  });

  it('ignores what each says for itself', async () => {
    const world = await makeWorld();
    world.director.top.files[0] = directorFile(
      TBOX_IMAGE,
      { [TBOX]: TBOX_HARDWARE },
      { uri: 'https://cdn/x' },
    );
    world.image.top.files[0] = imageFile(TBOX_IMAGE, [TBOX_HARDWARE], { name: 'fw', version: '2' });
    assert.equal(await refusalAfter(world), undefined);
  });

  it("takes an image's hardware from the ECUs that it lists", async () => {
    const world = await makeWorld();
    world.image.top.files[0] = directorFile(TBOX_IMAGE, { any: TBOX_HARDWARE });
    assert.equal(await refusalAfter(world), undefined);
    world.image.top.files[0] = directorFile(TBOX_IMAGE, { [TBOX]: BRAKE_HARDWARE });
    assert.deepEqual(await refusalAfter(world), inImage('HARDWARE_MISMATCH', 'targets'));
    world.image.top.files[0] = imageFile(TBOX_IMAGE, []);
    assert.deepEqual(await refusalAfter(world), inImage('HARDWARE_MISMATCH', 'targets'));
  });

  it('refuses a release counter below the installed one {uptane L4} {uptane B10}', async () => {
    const world = await makeWorld();
    const install = (releaseCounter: number): void => {
      world.ecus.set(TBOX, { hardwareIdentifier: TBOX_HARDWARE, releaseCounter });
    };
    install(2);
    assert.equal(await refusalAfter(world), undefined);
    install(3);
    assert.deepEqual(await refusalAfter(world), inDirector('RELEASE_COUNTER', 'targets'));
  });

  it('takes an image without a release counter only where none was installed', async () => {
    const world = await makeWorld();
    world.director.top.files[0] = directorFile(
      TBOX_IMAGE,
      { [TBOX]: TBOX_HARDWARE },
      { mustMatch: {} },
    );
    world.image.top.files[0] = imageFile(TBOX_IMAGE, [TBOX_HARDWARE], { mustMatch: {} });
    assert.deepEqual(await refusalAfter(world), inDirector('RELEASE_COUNTER', 'targets'));
    world.ecus.set(TBOX, { hardwareIdentifier: TBOX_HARDWARE, releaseCounter: 0 });
    assert.equal(await refusalAfter(world), undefined);
  });

  it('refuses a name that is no plain path {uptane K4}', async () => {
    const world = await makeWorld();
    for (const name of ['../etc/passwd', '/boot', 'a//b']) {
      world.director.top.files[0] = directorFile(name, { [TBOX]: TBOX_HARDWARE });
      world.image.top.files[0] = imageFile(name, [TBOX_HARDWARE]);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      assert.deepEqual(await refusalAfter(world), inDirector('MALFORMED', 'targets'));
    }
    for (const name of ['__proto__', 'constructor', '🚗/fw.bin']) {
      world.director.top.files[0] = directorFile(name, { [TBOX]: TBOX_HARDWARE });
      world.image.top.files[0] = imageFile(name, [TBOX_HARDWARE]);
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      assert.equal(await refusalAfter(world), undefined);
    }
  });

  it('does not let the Director alone decide what an ECU runs {uptane A6}', async () => {
    const world = await makeWorld();
    const thief = { signers: [signerOf('thief')], threshold: 1 };
    world.director.teams.targets = thief;
    world.director.top.team = thief;
    world.director.versions.root = 2;
    await world.director.publishRoot();
    world.director.top.files[0] = directorFile('evil.bin', { [TBOX]: TBOX_HARDWARE });
    assert.deepEqual(await refusalAfter(world), inImage('TARGET_UNKNOWN', 'targets'));
    assert.equal(describeTeam(AKTUALIZR, thief).threshold, 1);
  });

  it('refuses what has run out, on either side {uptane G4}', async () => {
    for (const repository of ['director', 'image'] as const) {
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      const world = await makeWorld();
      world[repository].top.expires = NOW;
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      const refusal = await refusalAfter(world);
      assert.deepEqual(refusal, { code: 'EXPIRED', repository, role: 'targets' });
    }
  });
});
