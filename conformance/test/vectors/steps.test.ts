/** Versions over several steps, Directors with all four roles, and other spellings. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  draftOf,
  HARDWARE,
  hashesOf,
  listed,
  makeDirectorOfFourRoles,
  type Members,
  PAST,
  PLAIN,
  type Repository,
  role,
  rootOf,
} from './support/author.ts';
import { lastStep, runSteps } from './support/folder.ts';

/** Lists images whose contents are their names, under versions that stay as they are. */
function offer(...names: string[]): (image: Repository) => void {
  return (image) => {
    image.statesHashes = true;
    image.targets.signed['targets'] = Object.fromEntries(
      names.map((name) => [
        name,
        { length: name.length, hashes: hashesOf(name), custom: { hardwareIds: [HARDWARE] } },
      ]),
    );
    for (const name of names) image.images.set(name, name);
  };
}

/** Assigns one of those images. */
function assign(name: string, version: number): (director: Repository) => void {
  return ({ targets: { signed } }) => {
    signed['version'] = version;
    signed['targets'] = {
      [name]: {
        length: name.length,
        hashes: hashesOf(name),
        custom: { ecuIdentifiers: { test_primary_ecu_serial: { hardwareId: HARDWARE } } },
      },
    };
  };
}

/** Serves a second Root with another root key, signed by the given keys. */
function rotate(signers: number[], version = 2): (repository: Repository) => void {
  return (repository) => {
    const signed = structuredClone(rootOf(repository));
    signed['version'] = version;
    (signed['roles'] as Members)['root'] = role(7);
    Object.assign(signed['keys'] as Members, listed(7));
    repository.roots.clear();
    repository.roots.set(2, { signed, signers });
  };
}

function bendDirector(bend: (director: Repository) => void): Repository {
  const director = makeDirectorOfFourRoles();
  bend(director);
  return director;
}

describe('vectors: rotation of Root', () => {
  for (const repository of ['director', 'image'] as const) {
    const old = repository === 'director' ? 4 : 0;
    it(`follows the ${repository} over a Root that both keys signed`, async () => {
      const outcome = await runSteps([{}, { [repository]: rotate([old, 7]) }]);
      assert.deepEqual(lastStep(outcome), { passed: true, seen: 'accepted' });
    });

    for (const [what, signers, version, err, code] of [
      ['that the old key did not sign', [7], 2, 'BadKeyId', 'SIGNATURE_THRESHOLD'],
      ['that the new key did not sign', [old], 2, 'BadKeyId', 'SIGNATURE_THRESHOLD'],
      ['that repeats a version', [old, 7], 1, 'RootRotationError', 'ROOT_VERSION'],
      ['that skips a version', [old, 7], 3, 'RootRotationError', 'ROOT_VERSION'],
    ] as const) {
      it(`refuses the ${repository}’s Root ${what}`, async () => {
        const step = { [repository]: rotate([...signers], version), errs: { [repository]: err } };
        const outcome = await runSteps([{}, step]);
        assert.deepEqual(lastStep(outcome), { passed: true, seen: `${code} ${repository} root` });
      });
    }
  }
});

describe('vectors: versions over several steps', () => {
  it('takes new contents under versions that stay the same {uptane L8}', async () => {
    const outcome = await runSteps([
      { director: assign('one', 1), image: offer('one') },
      { director: assign('two', 2), image: offer('one', 'two') },
    ]);
    assert.deepEqual(lastStep(outcome), { passed: true, seen: 'accepted' });
  });

  for (const name of ['timestamp', 'snapshot', 'targets'] as const) {
    it(`refuses an Image repository whose ${name} went back`, async () => {
      const version =
        (to: number) =>
        (image: Repository): void => {
          draftOf(image, name).signed['version'] = to;
          if (name !== 'timestamp')
            draftOf(image, 'timestamp').signed['version'] = to === 2 ? 1 : 2;
          if (name === 'targets') draftOf(image, 'snapshot').signed['version'] = to === 2 ? 1 : 2;
        };
      const place = name === 'targets' ? 'Snapshot' : 'Timestamp';
      const outcome = await runSteps([
        { image: version(2) },
        { image: version(1), errs: { image: `SecurityException::${place}` } },
      ]);
      const seen = `ROLLBACK image ${place.toLowerCase()}`;
      assert.deepEqual(lastStep(outcome), { passed: true, seen });
    });
  }

  it('refuses a Director whose Targets went back', async () => {
    const outcome = await runSteps([
      { director: ({ targets }) => void (targets.signed['version'] = 2) },
      { errs: { director: 'SecurityException::Targets' } },
    ]);
    assert.deepEqual(lastStep(outcome), { passed: true, seen: 'ROLLBACK director targets' });
  });
});

describe('vectors: a Director with all four roles', () => {
  it('accepts it', async () => {
    const outcome = await runSteps([{ director: makeDirectorOfFourRoles() }]);
    assert.deepEqual(lastStep(outcome), { passed: true, seen: 'accepted' });
  });

  for (const name of ['timestamp', 'snapshot'] as const) {
    it(`verifies its ${name}`, async () => {
      const director = bendDirector((one) => void (draftOf(one, name).signed['expires'] = PAST));
      const Name = name === 'timestamp' ? 'Timestamp' : 'Snapshot';
      const errs = { director: `ExpiredMetadata::${Name}` };
      const outcome = await runSteps([{ director, errs }]);
      assert.deepEqual(lastStep(outcome), { passed: true, seen: `EXPIRED director ${name}` });
    });
  }

  it('goes by Targets alone where Root names no keys for the files that are there', async () => {
    const director = bendDirector((one) => {
      delete (rootOf(one)['roles'] as Members)['timestamp'];
    });
    const outcome = await runSteps([{ director }]);
    assert.deepEqual(lastStep(outcome), { passed: true, seen: 'accepted' });
  });
});

describe('vectors: other spellings', () => {
  for (const spelling of [
    { ...PLAIN, encoding: 'hex' },
    { ...PLAIN, pretty: true },
    { ...PLAIN, keyType: 'rsa' },
  ] as const) {
    it(`reads ${JSON.stringify(spelling)}`, async () => {
      const accepted = await runSteps([{}], spelling);
      assert.deepEqual(lastStep(accepted), { passed: true, seen: 'accepted' });
      const hashed = await runSteps(
        [{ image: (image) => void (image.statesHashes = true) }],
        spelling,
      );
      assert.deepEqual(lastStep(hashed), { passed: true, seen: 'accepted' });
      const refused = await runSteps(
        [
          {
            image: ({ targets }) => void (targets.signers = []),
            errs: { image: 'UnmetThreshold::Targets' },
          },
        ],
        spelling,
      );
      assert.equal(lastStep(refused).seen, 'SIGNATURE_THRESHOLD image targets');
    });
  }
});
