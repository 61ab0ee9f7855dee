import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '@immota/base';
import { AKTUALIZR, limits, parseDelegatedRoleName, TARGETS_ROLE, TUF } from '@immota/uptane';
import { refusalAfter, refusalAtFirst, settledWorld } from '../support/image-cycles.ts';
import { signerOf } from '../support/keys.ts';
import { editAt, withMember } from '../support/repository.ts';
import {
  DIALECTS,
  inImage,
  makeWorld,
  NOW,
  refreshImage,
  refusalOf,
  type World,
} from '../support/world.ts';

type Role = 'timestamp' | 'snapshot' | 'targets';
const ROLES: readonly Role[] = ['timestamp', 'snapshot', 'targets'];

function expiry(world: World, role: Role, instant: Temporal.Instant): void {
  if (role === 'targets') world.image.top.expires = instant;
  else world.image.expiries[role] = instant;
}

describe('RepositorySession.refresh()', () => {
  for (const dialect of DIALECTS) {
    for (const role of ROLES) {
      it(`refuses ${role} that its keys did not sign, ${dialect.name} {uptane L8} {uptane L9} {uptane L10} {uptane C3} {uptane C4}`, async () => {
        const world = await makeWorld({ dialect, profile: 'hybrid' });
        const [one, other] = world.image.teams[role].signers;
        assert.ok(one && other);
        const stranger = signerOf('stranger');
        for (const signers of [[], [one], [other], [stranger], [one, stranger]]) {
          world.image.impostors.set(role, signers);
          // oxlint-disable-next-line no-await-in-loop -- one forgery after the other
          assert.deepEqual(await refusalAtFirst(world), inImage('SIGNATURE_THRESHOLD', role));
        }
        world.image.impostors.set(role, [other, stranger, one]);
        assert.equal(await refusalAtFirst(world), undefined);
      });

      it(`refuses ${role} at the instant of its expiry, ${dialect.name} {uptane G4}`, async () => {
        const world = await makeWorld({ dialect });
        for (const [instant, refusal] of [
          [NOW, inImage('EXPIRED', role)],
          [NOW.add({ seconds: 1 }), undefined],
        ] as const) {
          expiry(world, role, instant);
          // oxlint-disable-next-line no-await-in-loop -- one cycle after the other
          assert.deepEqual(await refusalAtFirst(world), refusal);
          assert.equal(world.client.saved().includes(`image/${role}`), refusal === undefined);
        }
      });

      it(`refuses another role's file as ${role}, ${dialect.name}`, async () => {
        const world = await makeWorld({ dialect });
        world.image.edits.set(role, (signed) => ({ ...signed, _type: dialect.typeNames.root }));
        assert.deepEqual(await refusalAtFirst(world), inImage('ROLE_TYPE', role));
      });
    }
  }

  for (const role of ROLES) {
    it(`refuses a repository without ${role}`, async () => {
      const world = await makeWorld();
      world.image.served.delete(world.image.fileNameOf(role));
      assert.deepEqual(await refusalOf(refreshImage(world)), inImage('METADATA_MISSING', role));
    });

    it(`refuses ${role} when Root names nobody for it`, async () => {
      const world = await makeWorld();
      world.image.edits.set('root', (signed) =>
        editAt(signed, ['roles'], (roles) => withMember(roles, role, undefined)),
      );
      const pinnedRoot = await world.image.publishRoot();
      const refusal = await refusalOf(refreshImage(world, { pinnedRoot }));
      assert.deepEqual(refusal, inImage('ROLE_UNKNOWN', role));
    });
  }

  it('asks for nothing but a new Root and the Timestamp when nothing is new {uptane L3}', async () => {
    const world = await settledWorld();
    await refreshImage(world);
    assert.deepEqual(world.client.fetched(AKTUALIZR), [
      'image/2.root.json',
      'image/timestamp.json',
    ]);
    assert.deepEqual(world.client.saved(), []);
  });

  it('names files with their versions only where Root says so {uptane B16}', async () => {
    for (const consistentSnapshot of [true, false]) {
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      const world = await makeWorld({ consistentSnapshot });
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      await refreshImage(world);
      const prefix = consistentSnapshot ? '1.' : '';
      const expected = ['2.root', 'timestamp', `${prefix}snapshot`, `${prefix}targets`];
      const names = expected.map((name) => `image/${name}.json`);
      assert.deepEqual(world.client.fetched(AKTUALIZR), names);
    }
  });

  it('keeps what it verified, though the next file is not there', async () => {
    const world = await makeWorld();
    for (const [missing, kept] of [
      ['snapshot', ['image/root', 'image/timestamp']],
      ['targets', ['image/snapshot']],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one cycle after the other
      await world.image.publishBelowRoot();
      world.image.served.delete(world.image.fileNameOf(missing));
      // oxlint-disable-next-line no-await-in-loop -- one cycle after the other
      assert.deepEqual(await refusalOf(refreshImage(world)), inImage('METADATA_MISSING', missing));
      assert.deepEqual(world.client.saved(), kept);
    }
  });

  it('gives what it trusts, role by role', async () => {
    const world = await makeWorld();
    const trust = await refreshImage(world);
    assert.equal(trust.root.body.kind, 'root');
    assert.equal(trust.timestamp?.body.kind, 'timestamp');
    assert.equal(trust.snapshot?.body.kind, 'snapshot');
    assert.deepEqual([...trust.targets.keys()], ['targets']);
  });

  it("leaves other makers' custom parts alone where it is told to", async () => {
    const world = await makeWorld({ dialect: TUF });
    world.image.edits.set('targets', (signed) => ({ ...signed, custom: { vehicleIdentifier: 1 } }));
    assert.deepEqual(await refusalAtFirst(world), inImage('MALFORMED', 'targets'));
    world.client.store.clear();
    const { targets } = await refreshImage(world, { custom: 'opaque' });
    assert.deepEqual(targets.get(TARGETS_ROLE)?.body.custom, { vehicleIdentifier: 1 });
  });

  it('hands through what the shell throws', async () => {
    const world = await makeWorld();
    const gone = new RangeError('disk full');
    world.client.store.get = (): never => {
      throw gone;
    };
    await assert.rejects(refreshImage(world), (error) => error === gone);
  });
});

describe('Timestamp', () => {
  for (const dialect of DIALECTS) {
    it(`never goes back, ${dialect.name} {uptane L8}`, async () => {
      const world = await makeWorld({ dialect });
      world.image.versions.timestamp = 5;
      assert.equal(await refusalAfter(world), undefined);
      world.image.versions.timestamp = 4;
      assert.deepEqual(await refusalAfter(world), inImage('ROLLBACK', 'timestamp'));
      world.image.versions.timestamp = 6;
      assert.equal(await refusalAfter(world), undefined);
      assert.deepEqual(world.client.saved(), ['image/timestamp']);
    });
  }

  it('never names a Snapshot that went back {uptane L8}', async () => {
    const world = await makeWorld();
    world.image.versions.snapshot = 5;
    assert.equal(await refusalAfter(world), undefined);
    world.image.versions.snapshot = 4;
    world.image.versions.timestamp = 2;
    assert.deepEqual(await refusalAfter(world), inImage('ROLLBACK', 'timestamp'));
  });

  it('guards against rollback when it has run out', async () => {
    const world = await makeWorld();
    world.image.versions.timestamp = 5;
    expiry(world, 'timestamp', NOW.add({ hours: 1 }));
    assert.equal(await refusalAfter(world), undefined);
    world.now = NOW.add({ hours: 2 });
    world.image.versions.timestamp = 4;
    expiry(world, 'timestamp', NOW.add({ hours: 9 }));
    assert.deepEqual(await refusalAfter(world), inImage('ROLLBACK', 'timestamp'));
  });

  it('stays the stored one when TUF offers another of the same version', async () => {
    const world = await settledWorld({ dialect: TUF });
    const stored = world.client.store.get('image/timestamp');
    expiry(world, 'timestamp', NOW.add({ hours: 9 }));
    assert.equal(await refusalAfter(world), undefined);
    assert.equal(world.client.store.get('image/timestamp'), stored);
    assert.deepEqual(world.client.saved(), []);
  });

  it('gives way to another of the same version in the vehicle dialect', async () => {
    const world = await settledWorld();
    expiry(world, 'timestamp', NOW.add({ hours: 9 }));
    assert.equal(await refusalAfter(world), undefined);
    assert.deepEqual(world.client.saved(), ['image/timestamp']);
    const now = NOW.add({ hours: 9 });
    const refusal = await refusalOf(refreshImage(world, { now }));
    assert.deepEqual(refusal, inImage('EXPIRED', 'timestamp'));
  });

  it('refuses the stored one again once it has run out', async () => {
    for (const dialect of DIALECTS) {
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      const world = await makeWorld({ dialect });
      expiry(world, 'timestamp', NOW.add({ hours: 1 }));
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      assert.equal(await refusalAfter(world), undefined);
      world.now = NOW.add({ hours: 1 });
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      const refusal = await refusalOf(refreshImage(world));
      assert.deepEqual(refusal, inImage('EXPIRED', 'timestamp'));
    }
  });

  it('refuses one of the same version that its keys did not sign', async () => {
    for (const dialect of DIALECTS) {
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      const world = await settledWorld({ dialect });
      world.image.impostors.set('timestamp', [signerOf('stranger')]);
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      assert.deepEqual(await refusalAfter(world), inImage('SIGNATURE_THRESHOLD', 'timestamp'));
    }
  });

  it('forgets a stored one that revoked keys signed', async () => {
    const world = await makeWorld();
    world.image.versions.timestamp = 9;
    assert.equal(await refusalAfter(world), undefined);
    const old = world.client.store.get('image/timestamp') ?? new Uint8Array();
    world.image.versions.timestamp = 1;
    await world.image.rotate('timestamp');
    assert.equal(await refusalAfter(world), undefined);
    // A store that kept it all the same does no harm.
    world.client.store.set('image/timestamp', old);
    assert.equal(await refusalAfter(world), undefined);
  });

  it('has a bound of its own', async () => {
    const world = await makeWorld();
    const { TIMESTAMP_MAX_BYTES } = limits;
    world.image.edits.set('timestamp', (signed) => ({
      ...signed,
      note: 'x'.repeat(TIMESTAMP_MAX_BYTES),
    }));
    assert.deepEqual(await refusalAfter(world), inImage('LIMIT', 'timestamp'));
    const step = world.client.steps.findLast(({ kind }) => kind === 'fetch');
    assert.equal(step?.kind === 'fetch' && step.lengthMaxBytes, TIMESTAMP_MAX_BYTES);
    world.image.edits.set('timestamp', (signed) => ({ ...signed, note: 'x'.repeat(60_000) }));
    assert.equal(await refusalAfter(world), undefined);
  });
});

/** Changes what Timestamp says of the Snapshot. */
function statement(world: World, change: JsonObject): void {
  world.image.edits.set('timestamp', (signed) =>
    editAt(signed, ['meta', 'snapshot.json'], (info) => ({ ...info, ...change })),
  );
}

describe('Snapshot', () => {
  for (const dialect of DIALECTS) {
    it(`is the one that Timestamp names, by hash and version, ${dialect.name} {uptane L9}`, async () => {
      const world = await makeWorld({ dialect, consistentSnapshot: false });
      const wrong = '0'.repeat(64);
      statement(world, { hashes: { sha256: wrong } });
      assert.deepEqual(await refusalAtFirst(world), inImage('METADATA_HASH', 'snapshot'));
      statement(world, { version: 2 });
      assert.deepEqual(await refusalAtFirst(world), inImage('VERSION_MISMATCH', 'snapshot'));
      statement(world, {});
      assert.equal(await refusalAtFirst(world), undefined);
    });

    it(`has the length that Timestamp names, ${dialect.name}`, async () => {
      const world = await makeWorld({ dialect, consistentSnapshot: false });
      await world.image.publishBelowRoot();
      const length = world.image.served.get('snapshot.json')?.length ?? 0;
      const longer = dialect === TUF ? 'METADATA_HASH' : undefined;
      statement(world, { length: length + 1 });
      assert.equal((await refusalAtFirst(world))?.code, longer);
      statement(world, { length: length - 1 });
      assert.deepEqual(await refusalAtFirst(world), inImage('LIMIT', 'snapshot'));
      const step = world.client.steps.findLast(({ kind }) => kind === 'fetch');
      assert.equal(step?.kind === 'fetch' && step.lengthMaxBytes, length - 1);
      statement(world, { length });
      assert.equal(await refusalAtFirst(world), undefined);
    });
  }

  it('is held to its version alone where TUF states no more', async () => {
    const world = await makeWorld({ dialect: TUF });
    world.image.edits.set('timestamp', (signed) => ({
      ...signed,
      meta: { 'snapshot.json': { version: 1 } },
    }));
    assert.equal(await refusalAfter(world), undefined);
    const step = world.client.steps.find(
      (each) => each.kind === 'fetch' && each.file.kind === 'snapshot',
    );
    assert.equal(step?.kind === 'fetch' && step.lengthMaxBytes, limits.SNAPSHOT_MAX_BYTES);
  });

  it('is not fetched beyond its bound, whatever length Timestamp states', async () => {
    const world = await makeWorld();
    statement(world, { length: 2 ** 50 });
    assert.equal(await refusalAfter(world), undefined);
    const step = world.client.steps.find(
      (each) => each.kind === 'fetch' && each.file.kind === 'snapshot',
    );
    assert.equal(step?.kind === 'fetch' && step.lengthMaxBytes, limits.SNAPSHOT_MAX_BYTES);
  });

  it('lets no listed version go back {uptane L9}', async () => {
    const world = await makeWorld();
    world.image.top.version = 5;
    assert.equal(await refusalAfter(world), undefined);
    world.image.top.version = 4;
    await world.image.renew();
    assert.deepEqual(await refusalOf(refreshImage(world)), inImage('ROLLBACK', 'snapshot'));
    world.image.top.version = 6;
    assert.equal(await refusalAfter(world), undefined);
  });

  it('lets no delegated version go back {uptane L9}', async () => {
    const world = await makeWorld();
    const brakes = world.image.delegated.get(parseDelegatedRoleName('brakes'));
    assert.ok(brakes);
    brakes.version = 2;
    assert.equal(await refusalAfter(world), undefined);
    brakes.version = 1;
    await world.image.renew();
    assert.deepEqual(await refusalOf(refreshImage(world)), inImage('ROLLBACK', 'snapshot'));
  });

  it('drops no file that it once listed {uptane L9}', async () => {
    const world = await settledWorld();
    world.image.edits.set('snapshot', (signed) =>
      editAt(signed, ['meta'], (meta) => withMember(meta, 'brakes.json', undefined)),
    );
    await world.image.renew();
    assert.deepEqual(
      await refusalOf(refreshImage(world)),
      inImage('SNAPSHOT_FILE_MISSING', 'snapshot'),
    );
    world.image.edits.clear();
    world.image.delegate('more', ['more/*']);
    assert.equal(await refusalAfter(world), undefined);
  });

  it('guards against rollback when the stored one has run out', async () => {
    const world = await makeWorld();
    world.image.top.version = 5;
    expiry(world, 'snapshot', NOW.add({ hours: 1 }));
    assert.equal(await refusalAfter(world), undefined);
    world.now = NOW.add({ hours: 2 });
    world.image.top.version = 4;
    expiry(world, 'snapshot', NOW.add({ hours: 9 }));
    await world.image.renew();
    assert.deepEqual(await refusalOf(refreshImage(world)), inImage('ROLLBACK', 'snapshot'));
  });

  it('is fetched again when the stored one has run out', async () => {
    const world = await makeWorld();
    expiry(world, 'snapshot', NOW.add({ hours: 1 }));
    assert.equal(await refusalAfter(world), undefined);
    world.now = NOW.add({ hours: 1 });
    assert.deepEqual(await refusalOf(refreshImage(world)), inImage('EXPIRED', 'snapshot'));
    assert.ok(world.client.fetched(AKTUALIZR).includes('image/1.snapshot.json'));
  });

  it('is checked again against the keys in force when it is a stored one {uptane L3}', async () => {
    const world = await makeWorld();
    world.image.top.version = 5;
    assert.equal(await refusalAfter(world), undefined);
    const old = world.client.store.get('image/snapshot') ?? new Uint8Array();
    await world.image.rotate('snapshot');
    world.image.top.version = 4;
    await world.image.publishBelowRoot();
    assert.equal(await refusalOf(refreshImage(world)), undefined);
    world.client.store.set('image/snapshot', old);
    assert.equal(await refusalOf(refreshImage(world)), undefined);
  });
});
