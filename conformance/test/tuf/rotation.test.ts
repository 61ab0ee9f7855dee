import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeSigner } from './support/signer.ts';
import type { Simulator } from './support/simulator.ts';
import { withClient } from './support/subject.ts';

/** Which of ten keys a version lists, how many must agree, and which sign it. */
interface Version {
  readonly keys: readonly number[];
  readonly threshold: number;
  readonly signatures: readonly number[];
}

const v = (keys: readonly number[], threshold: number, signatures: readonly number[]): Version => ({
  keys,
  threshold,
  signatures,
});

const KEYS = Array.from({ length: 10 }, () => makeSigner('ed25519'));
const FIRST_FIVE = [0, 1, 2, 3, 4];
const ONE_CHANGED = [0, 1, 3, 4, 5];
const LAST_FIVE = [5, 6, 7, 8, 9];

const ACCEPTED: Readonly<Record<string, readonly Version[]>> = {
  'one key replaced': [v([1], 1, [1]), v([2], 1, [2, 1]), v([2], 1, [2])],
  'one key replaced among signatures of strangers': [
    v([1], 1, [3, 1, 4]),
    v([2], 1, [3, 2, 1, 4]),
    v([2], 1, [3, 2, 4]),
  ],
  'three of five, each time others': [
    v(FIRST_FIVE, 3, [0, 2, 4]),
    v(FIRST_FIVE, 3, [0, 4, 1]),
    v(FIRST_FIVE, 3, [0, 1, 3]),
    v(FIRST_FIVE, 3, [0, 1, 3]),
  ],
  'one of five replaced': [v(FIRST_FIVE, 3, [0, 2, 4]), v(ONE_CHANGED, 3, [0, 4, 1])],
  'one of five replaced, signed by old and new': [
    v(FIRST_FIVE, 3, [0, 2, 4]),
    v(ONE_CHANGED, 3, [0, 2, 4, 5]),
    v(ONE_CHANGED, 3, [0, 4, 5]),
  ],
  'all five replaced': [
    v(FIRST_FIVE, 3, [0, 2, 4]),
    v(LAST_FIVE, 3, [0, 2, 4, 5, 6, 7]),
    v(LAST_FIVE, 3, [5, 6, 7]),
  ],
  'threshold raised': [v([1, 2, 3], 1, [1]), v([1, 2, 3], 2, [1, 2])],
  'threshold lowered': [v([1, 2, 3], 2, [1, 2]), v([1, 2, 3], 1, [1, 2]), v([1, 2, 3], 1, [1])],
  'a key added and the threshold raised': [v([1], 1, [1]), v([1, 2], 2, [1, 2])],
};

const REFUSED: Readonly<Record<string, readonly Version[]>> = {
  'the old key did not sign': [v([1], 1, [1]), v([2], 1, [2, 3, 4])],
  'the new key did not sign': [v([1], 1, [1]), v([2], 1, [1, 3, 4])],
  'too few of the new keys signed': [v(FIRST_FIVE, 3, [0, 2, 4]), v(ONE_CHANGED, 3, [0, 2, 4])],
  'too few of the old keys signed': [v(FIRST_FIVE, 3, [0, 2, 4]), v(ONE_CHANGED, 3, [0, 4, 5])],
  'the new threshold is not met': [v([1, 2, 3], 1, [1]), v([1, 2, 3], 2, [2])],
  'the old threshold is not met': [v([1, 2, 3], 2, [1, 2]), v([1, 2, 3], 1, [1])],
};

const ROLE_ACCEPTED: Readonly<Record<string, Version>> = {
  'another key': v([2], 1, [2]),
  'signatures of strangers beside its own': v([1], 1, [3, 1, 4]),
  'three of five': v(FIRST_FIVE, 3, [0, 2, 4]),
  'three of five in another order': v(FIRST_FIVE, 3, [0, 4, 1]),
  'three of five, the first ones': v(FIRST_FIVE, 3, [0, 1, 3]),
  'three of five, the middle ones': v(FIRST_FIVE, 3, [1, 2, 3]),
  'three of five, the last ones': v(FIRST_FIVE, 3, [2, 3, 4]),
};

const ROLE_REFUSED: Readonly<Record<string, Version>> = {
  'its own key did not sign': v([2], 1, [1, 3, 4]),
  'one of three signatures is a stranger’s': v(ONE_CHANGED, 3, [0, 2, 4]),
  'one signature is missing': v(ONE_CHANGED, 3, [0, 4]),
};

function setKeys(repository: Simulator, role: string, version: Version): void {
  repository.clearKeys(role);
  repository.part('root', 'roles', role)['threshold'] = version.threshold;
  for (const index of version.keys) repository.addKey(role, keyAt(index));
  repository.signers.set(role, version.signatures.map(keyAt));
}

function keyAt(index: number): (typeof KEYS)[number] {
  const signer = KEYS[index];
  assert(signer !== undefined);
  return signer;
}

function publishRoots(repository: Simulator, versions: readonly Version[]): void {
  repository.forget('root');
  for (const version of versions) {
    setKeys(repository, 'root', version);
    repository.publish('root');
  }
}

describe('rotation of Root', () => {
  for (const [what, versions] of Object.entries(ACCEPTED)) {
    it(`follows ${what}`, async () => {
      await withClient(async (client, repository) => {
        publishRoots(repository, versions);
        await client.init();
        assert.equal(await client.refresh(), 'DONE');
        assert.deepEqual(client.stored('root'), repository.latest('root'));
      });
    });
  }

  for (const [what, versions] of Object.entries(REFUSED)) {
    it(`stops where ${what}`, async () => {
      await withClient(async (client, repository) => {
        publishRoots(repository, versions);
        await client.init();
        assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
        assert.deepEqual(client.stored('root'), repository.published.get('root')?.at(-2));
        assert.deepEqual(repository.metadataRequests, ['2.root.json']);
      });
    });
  }

  it('keeps each Root that it walked over before it refuses the next', async () => {
    await withClient(async (client, repository) => {
      repository.publish('root', 'root');
      repository.signers.set('root', [makeSigner()]);
      repository.publish('root');
      await client.init();
      assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
      assert.deepEqual(client.trusted(), { root: 3 });
    });
  });

  for (const [what, shift] of [
    ['repeats', -1],
    ['skips', 1],
  ] as const) {
    it(`refuses a version that ${what} one`, async () => {
      await withClient(async (client, repository) => {
        repository.root['version'] = 1 + shift;
        repository.publish('root');
        await client.init();
        assert.equal(await client.refresh(), 'ROOT_VERSION');
        assert.deepEqual(client.trusted(), { root: 1 });
      });
    });
  }
});

for (const role of ['timestamp', 'snapshot', 'targets']) {
  describe(`rotation of ${role}`, () => {
    for (const [what, version] of Object.entries(ROLE_ACCEPTED)) {
      it(`accepts ${what}`, async () => {
        await withClient(async (client, repository) => {
          await client.init();
          setKeys(repository, role, version);
          repository.publish('root', 'targets', 'snapshot', 'timestamp');
          assert.equal(await client.refresh(), 'DONE');
          assert.deepEqual(client.stored(role), repository.latest(role));
        });
      });
    }

    for (const [what, version] of Object.entries(ROLE_REFUSED)) {
      it(`refuses it where ${what}`, async () => {
        await withClient(async (client, repository) => {
          await client.init();
          setKeys(repository, role, version);
          repository.publish('root', 'targets', 'snapshot', 'timestamp');
          assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
          assert.equal(client.trusted()[role], undefined);
        });
      });
    }

    it('does not go on with a stored file whose keys were revoked', async () => {
      await withClient(async (client, repository) => {
        await client.init();
        assert.equal(await client.refresh(), 'DONE');
        repository.rotateKeys(role);
        repository.publish('root');
        assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
      });
    });
  });
}
