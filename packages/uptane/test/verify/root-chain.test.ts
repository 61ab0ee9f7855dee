import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '@immota/base';
import {
  advanceRoot,
  advanceTargets,
  AKTUALIZR,
  anchorRoot,
  decodeRoot,
  decodeTargets,
  keysOf,
  limits,
  parseMetadataVersion,
  RepositorySession,
  type Root,
  type Signed,
  TARGETS_ROLE,
  type Trusted,
} from '@immota/uptane';
import { settledWorld } from '../support/image-cycles.ts';
import { signerOf } from '../support/keys.ts';
import {
  describeTeam,
  editAt,
  signUnder,
  teamOf,
  type TestRepository,
  withMember,
} from '../support/repository.ts';
import {
  codeOf,
  DIALECTS,
  inImage,
  makeWorld,
  NOW,
  refreshImage,
  refusalOf,
  type World,
} from '../support/world.ts';

function rootOf(repository: TestRepository, version = repository.versions.root): Signed<Root> {
  const bytes = repository.served.get(`${version}.root.json`);
  assert.ok(bytes);
  return decodeRoot(repository.dialect, bytes, limits.ROOT_MAX_BYTES);
}

describe('anchorRoot()', () => {
  it('accepts a Root that vouches for itself {uptane H1} {uptane C1}', async () => {
    const { image } = await makeWorld();
    assert.equal(anchorRoot(rootOf(image)).body.version, 1);
  });

  it('refuses one that others signed', async () => {
    const { image } = await makeWorld();
    image.impostors.set('root', [signerOf('stranger')]);
    await image.publishRoot();
    assert.equal(
      codeOf(() => anchorRoot(rootOf(image))),
      'SIGNATURE_THRESHOLD',
    );
  });
});

describe('advanceRoot()', () => {
  for (const dialect of DIALECTS) {
    for (const profile of ['classic', 'hybrid'] as const) {
      it(`takes the next version that old and new keys signed, ${dialect.name} ${profile} {uptane L6} {uptane L7}`, async () => {
        const { image } = await makeWorld({ dialect, profile });
        const first = anchorRoot(rootOf(image));
        await image.rotate('root', 'targets');
        assert.equal(advanceRoot(first, rootOf(image)).body.version, 2);
      });

      it(`needs the old keys and the new ones, ${dialect.name} ${profile} {uptane L6}`, async () => {
        const { image } = await makeWorld({ dialect, profile });
        const first = anchorRoot(rootOf(image));
        const old = image.teams.root.signers;
        await image.rotate('root');
        const young = image.teams.root.signers;
        const few = [
          old,
          young,
          [...old, ...young.slice(1)],
          [...old.slice(1), ...young],
          [signerOf('stranger')],
        ];
        for (const signers of few) {
          image.impostors.set('root', signers);
          // oxlint-disable-next-line no-await-in-loop -- one Root after the other
          await image.publishRoot();
          assert.equal(
            codeOf(() => advanceRoot(first, rootOf(image))),
            'SIGNATURE_THRESHOLD',
          );
        }
      });
    }
  }

  it('takes exactly the next version {uptane L7}', async () => {
    const { image } = await makeWorld();
    const first = anchorRoot(rootOf(image));
    for (const [version, code] of [
      [1, 'ROOT_VERSION'],
      [2, undefined],
      [3, 'ROOT_VERSION'],
    ] as const) {
      image.edits.set('root', (signed) => ({ ...signed, version }));
      // oxlint-disable-next-line no-await-in-loop -- one Root after the other
      await image.publishRoot();
      assert.equal(
        codeOf(() => advanceRoot(first, rootOf(image, 1))),
        code,
      );
    }
  });

  it('counts each threshold of two by unique keys {uptane L6}', async () => {
    const [a, b] = [signerOf('a'), signerOf('b')];
    const { image } = await makeWorld();
    image.teams.root = { signers: [a, b], threshold: 2 };
    await image.publishRoot();
    const first = anchorRoot(rootOf(image));
    const { signed } = JSON.parse(new TextDecoder().decode(image.served.get('1.root.json'))) as {
      signed: JsonObject;
    };
    const [idA, idB] = describeTeam(AKTUALIZR, image.teams.root).keys.map(({ keyId }) => keyId);
    const { keys } = signed as { keys: JsonObject };
    const next = editAt(
      { ...signed, version: 2, keys: { ...keys, again: keys[idA ?? ''] ?? null } },
      ['roles', 'root'],
      (role) => ({ ...role, keyids: [idA ?? '', 'again', idB ?? ''] }),
    );
    const stuffed = await signUnder(AKTUALIZR, next, [
      { signer: a, keyId: idA ?? '' },
      { signer: a, keyId: 'again' },
    ]);
    const decoded = decodeRoot(AKTUALIZR, stuffed, limits.ROOT_MAX_BYTES);
    assert.equal(
      codeOf(() => advanceRoot(first, decoded)),
      'SIGNATURE_THRESHOLD',
    );
    const honest = await signUnder(AKTUALIZR, next, [
      { signer: a, keyId: 'again' },
      { signer: a, keyId: idA ?? '' },
      { signer: b, keyId: idB ?? '' },
    ]);
    assert.equal(advanceRoot(first, decodeRoot(AKTUALIZR, honest, 1e6)).body.version, 2);
  });

  it('knows an unverified Root from a trusted one', async () => {
    const { image } = await makeWorld();
    const unverified = rootOf(image);
    // @ts-expect-error an unverified Root is not a Trusted one
    const pretended: Trusted<Root> = unverified;
    // @ts-expect-error nor may it vouch for the next
    const step = (): unknown => advanceRoot(unverified, unverified);
    assert.equal(codeOf(step), 'ROOT_VERSION');
    assert.equal(pretended, unverified);
  });
});

describe('advanceTargets()', () => {
  it('says which role is not of the version that Snapshot names', async () => {
    const { image } = await makeWorld();
    const { body } = anchorRoot(rootOf(image));
    const bytes = image.served.get('1.targets.json') ?? new Uint8Array();
    const candidate = decodeTargets(AKTUALIZR, bytes, { role: TARGETS_ROLE, lengthMax: 1e6 });
    const info = { version: parseMetadataVersion(2), lengthBytes: undefined, hashes: undefined };
    const roleKeys = keysOf(body, 'targets');
    const context = { role: TARGETS_ROLE, keys: body.keys, roleKeys, info, current: undefined };
    assert.throws(() => advanceTargets(context, candidate), {
      code: 'VERSION_MISMATCH',
      role: 'targets',
    });
  });
});

describe('RepositorySession.refreshRoot()', () => {
  it('walks every version up to the newest and asks for one more {uptane L7}', async () => {
    const world = await settledWorld();
    for (let version = 2; version <= 5; version += 1) {
      // oxlint-disable-next-line no-await-in-loop -- a chain
      await world.image.rotate('root');
    }
    const { root } = await refreshImage(world);
    assert.equal(root.body.version, 5);
    assert.deepEqual(
      world.client.fetched(AKTUALIZR).filter((name) => name.includes('root')),
      [2, 3, 4, 5, 6].map((version) => `image/${version}.root.json`),
    );
    await refreshImage(world);
    assert.equal(world.client.fetched(AKTUALIZR)[0], 'image/6.root.json');
  });

  it('stops at a version that is missing and does not look beyond it', async () => {
    const world = await settledWorld();
    await world.image.rotate('root');
    await world.image.rotate('root');
    world.image.served.delete('2.root.json');
    assert.equal((await refreshImage(world)).root.body.version, 1);
  });

  it('refuses a version out of line, and keeps what it walked so far', async () => {
    const world = await settledWorld();
    await world.image.rotate('root');
    world.image.edits.set('root', (signed) => ({ ...signed, version: 9 }));
    await world.image.rotate('root');
    assert.deepEqual(await refusalOf(refreshImage(world)), inImage('ROOT_VERSION', 'root'));
    assert.deepEqual(world.client.saved(), ['image/root']);
    world.image.edits.clear();
    await world.image.publishRoot();
    assert.equal((await refreshImage(world)).root.body.version, 3);
  });

  it('looks at the expiry of the last version only {uptane L7}', async () => {
    const world = await settledWorld();
    world.image.expiries.root = NOW.subtract({ hours: 1 });
    await world.image.rotate('root');
    assert.deepEqual(await refusalOf(refreshImage(world)), inImage('EXPIRED', 'root'));
    world.image.expiries.root = NOW.add({ hours: 1 });
    await world.image.rotate('root');
    assert.equal((await refreshImage(world)).root.body.version, 3);
  });

  it('refuses a Root at the very instant of its expiry', async () => {
    const world = await makeWorld();
    world.image.expiries.root = NOW;
    await world.image.rotate();
    assert.deepEqual(await refusalOf(refreshImage(world)), inImage('EXPIRED', 'root'));
    const now = NOW.subtract({ nanoseconds: 1 });
    assert.equal((await refreshImage(world, { now })).root.body.version, 2);
  });

  it('starts from the pinned Root and never from another first one {uptane H1}', async () => {
    const world = await makeWorld();
    const pinnedRoot = world.pinned.get('image');
    world.image.teams.root = teamOf('forger', 'classic');
    await world.image.publishRoot();
    const { root } = await refreshImage(world, { pinnedRoot });
    assert.equal(root.bytes, pinnedRoot);
    assert.deepEqual(world.client.fetched(AKTUALIZR)[0], 'image/2.root.json');
  });

  it('takes the first Root from the repository only where none is pinned', async () => {
    const world = await makeWorld();
    await refreshImage(world, { pinnedRoot: undefined });
    assert.equal(world.client.fetched(AKTUALIZR)[0], 'image/1.root.json');
    const bare = await makeWorld();
    bare.image.served.delete('1.root.json');
    const refusal = await refusalOf(refreshImage(bare, { pinnedRoot: undefined }));
    assert.deepEqual(refusal, inImage('METADATA_MISSING', 'root'));
  });

  it('prefers the stored Root to the pinned one', async () => {
    const world = await settledWorld();
    await world.image.rotate('root');
    await refreshImage(world);
    world.image.served.delete('2.root.json');
    assert.equal((await refreshImage(world)).root.body.version, 2);
  });

  it('refuses a stored Root that does not vouch for itself', async () => {
    const world = await settledWorld();
    world.image.impostors.set('root', [signerOf('stranger')]);
    world.client.store.set('image/root', await world.image.publishRoot());
    const refusal = await refusalOf(refreshImage(world));
    assert.deepEqual(refusal, inImage('SIGNATURE_THRESHOLD', 'root'));
  });

  it('refuses a Root longer than its bound, and asks for no more', async () => {
    const world = await settledWorld();
    await world.image.rotate();
    const name = '2.root.json';
    const bytes = world.image.served.get(name) ?? new Uint8Array();
    const { ROOT_MAX_BYTES } = limits;
    const padded = (lengthBytes: number): Uint8Array => {
      const long = new Uint8Array(lengthBytes).fill(0x20);
      long.set(bytes);
      return long;
    };
    world.image.served.set(name, padded(ROOT_MAX_BYTES + 1));
    assert.deepEqual(await refusalOf(refreshImage(world)), inImage('LIMIT', 'root'));
    const step = world.client.steps.find(({ kind }) => kind === 'fetch');
    assert.equal(step?.kind === 'fetch' && step.lengthMaxBytes, ROOT_MAX_BYTES);
    world.image.served.set(name, padded(ROOT_MAX_BYTES));
    assert.equal((await refreshImage(world)).root.body.version, 2);
  });
});

/** A thief of the online keys has pushed their versions far up, and a client has seen it. */
async function pushedWorld(): Promise<World> {
  const world = await settledWorld();
  world.image.versions.timestamp = 1_000_000;
  world.image.versions.snapshot = 1_000_000;
  await world.image.publishBelowRoot();
  await refreshImage(world);
  world.image.versions.timestamp = 2;
  world.image.versions.snapshot = 2;
  return world;
}

describe('fast-forward recovery', () => {
  for (const role of ['timestamp', 'snapshot'] as const) {
    it(`forgets Timestamp and Snapshot when the keys of ${role} are rotated {uptane L7}`, async () => {
      const world = await pushedWorld();
      await world.image.rotate(role);
      await world.image.publishBelowRoot();
      const { timestamp, snapshot } = await refreshImage(world);
      assert.deepEqual([timestamp?.body.version, snapshot?.body.version], [2, 2]);
      const dropped = world.client.steps.flatMap((step) => (step.kind === 'drop' ? step.role : []));
      assert.deepEqual(dropped, ['timestamp', 'snapshot']);
    });
  }

  it('forgets them when only the threshold of a role changed', async () => {
    const world = await pushedWorld();
    const { signers } = world.image.teams.timestamp;
    world.image.teams.timestamp = { signers: [...signers, signerOf('second')], threshold: 1 };
    await world.image.rotate();
    await world.image.publishBelowRoot();
    assert.equal((await refreshImage(world)).timestamp?.body.version, 2);
    world.image.teams.timestamp = { ...world.image.teams.timestamp, threshold: 2 };
    world.image.versions.timestamp = 1;
    await world.image.rotate();
    await world.image.publishBelowRoot();
    assert.equal((await refreshImage(world)).timestamp?.body.version, 1);
  });

  it('still refuses the lower versions while the keys are the same {uptane L8}', async () => {
    const world = await pushedWorld();
    await world.image.rotate('root', 'targets');
    await world.image.publishBelowRoot();
    assert.deepEqual(await refusalOf(refreshImage(world)), inImage('ROLLBACK', 'timestamp'));
    assert.ok(!world.client.steps.some(({ kind }) => kind === 'drop'));
  });

  it('is not fooled by keys that are listed under another name', async () => {
    const world = await settledWorld();
    const { root } = await refreshImage(world);
    const [keyId] = root.body.roles.get('timestamp')?.keyIds ?? [];
    assert.ok(keyId);
    world.image.edits.set('root', (signed) => {
      const keys = signed['keys'] as JsonObject;
      const renamed = { ...signed, keys: { ...keys, renamed: keys[keyId] ?? null } };
      return editAt(renamed, ['roles', 'timestamp'], (role) => ({ ...role, keyids: ['renamed'] }));
    });
    await world.image.rotate();
    const session = new RepositorySession({ ...world.full().image, repository: 'image' });
    assert.equal((await world.run(session.refreshRoot())).body.version, 2);
    assert.ok(!world.client.steps.some(({ kind }) => kind === 'drop'));
  });

  it('takes a role that Root does not name for one without keys', async () => {
    const world = await makeWorld();
    world.image.edits.set('root', (signed) =>
      editAt(signed, ['roles'], (roles) => withMember(roles, 'snapshot', undefined)),
    );
    const pinnedRoot = await world.image.publishRoot();
    await world.image.rotate();
    const refusal = await refusalOf(refreshImage(world, { pinnedRoot }));
    assert.deepEqual(refusal, inImage('ROLE_UNKNOWN', 'snapshot'));
    assert.ok(!world.client.steps.some(({ kind }) => kind === 'drop'));
    world.image.edits.clear();
    await world.image.rotate();
    assert.equal(await refusalOf(refreshImage(world, { pinnedRoot })), undefined);
  });

  it('is not fooled by keys that are listed in another order', async () => {
    const world = await makeWorld({ profile: 'hybrid' });
    world.image.versions.timestamp = 10;
    await world.image.publishBelowRoot();
    await refreshImage(world);
    const { signers, threshold } = world.image.teams.timestamp;
    world.image.teams.timestamp = { signers: signers.toReversed(), threshold };
    world.image.versions.timestamp = 2;
    await world.image.rotate();
    await world.image.publishBelowRoot();
    assert.deepEqual(await refusalOf(refreshImage(world)), inImage('ROLLBACK', 'timestamp'));
  });
});
