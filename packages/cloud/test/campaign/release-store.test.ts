import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { JsonObject } from '@immota/base';
import { generateSigner } from '@immota/pki';
import { AKTUALIZR, signMetadata } from '@immota/uptane';
import { type FleetWorld, image, openFleetWorld, releaseOf } from '../support/fleet-world.ts';

let world: FleetWorld;
before(async () => {
  world = await openFleetWorld();
  await world.publish([image('a/2', 'a-hw'), image('b/2', 'b-hw')]);
});
after(() => world.close());

const good = releaseOf({ 'a-hw': 'a/2' }, [
  { hardwareId: 'a-hw', name: 'a/2', installsOver: 'any' },
]);

function renamed(version: string): JsonObject {
  return { ...good, version };
}

describe('ReleaseStore.create()', () => {
  it('takes a release that a threshold of release keys signed, and puts it on record', async () => {
    const { releaseId } = await world.room.releases.create(await world.sign(good), 'ann');
    const { goal, version } = await world.room.releases.load(releaseId);
    assert.deepEqual([[...goal], version], [[['a-hw', 'a/2']], '1']);
    const [event] = await world.test.database.kysely
      .selectFrom('event')
      .select(['kind', 'body'])
      .where('kind', '=', 'release.created')
      .execute();
    const { sha256, ...said } = event?.body ?? {};
    assert.ok(typeof sha256 === 'string');
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert.deepEqual(said, { releaseId, name: 'line', version: '1', by: 'ann' });
  });

  it('takes the same document again as the same release', async () => {
    const document = await world.sign(renamed('again'));
    const one = await world.room.releases.create(document, 'ann');
    const two = await world.room.releases.create(document, 'bob');
    assert.equal(one.releaseId, two.releaseId);
  });

  const refused: Readonly<Record<string, readonly [string, () => Promise<Uint8Array>]>> = {
    'a release of a stranger': [
      'SIGNATURE_THRESHOLD',
      () => world.sign(renamed('s'), [generateSigner('ed25519')]),
    ],
    'a release signed by an online key': [
      'SIGNATURE_THRESHOLD',
      () => world.sign(renamed('o'), world.trust.keys.get('director-targets') ?? []),
    ],
    'a release that was changed after it was signed': [
      'SIGNATURE_THRESHOLD',
      async () => {
        const text = Buffer.from(await world.sign(renamed('c'))).toString();
        return Buffer.from(text.replace('"version":"c"', '"version":"d"'));
      },
    ],
    'what is no document': ['MALFORMED', () => Promise.resolve(Buffer.from('{'))],
    'a document that never ends': [
      'LIMIT',
      () => Promise.resolve(Buffer.alloc(3 * 1024 * 1024, 0x20)),
    ],
    'signed metadata that is no release': [
      'RELEASE_MALFORMED',
      async () => {
        const keys = world.trust.keys.get('image-targets') ?? [];
        return await signMetadata(AKTUALIZR, { ...good, _type: 'Targets' }, keys);
      },
    ],
    'a release of an image that nobody stored': [
      'IMAGE_UNKNOWN',
      () =>
        world.sign(
          releaseOf({ 'a-hw': 'a/9' }, [{ hardwareId: 'a-hw', name: 'a/9', installsOver: 'any' }]),
        ),
    ],
    'an image on hardware that it is not for': [
      'RELEASE_MALFORMED',
      () =>
        world.sign(
          releaseOf({ 'a-hw': 'b/2' }, [{ hardwareId: 'a-hw', name: 'b/2', installsOver: 'any' }]),
        ),
    ],
  };
  for (const [what, [code, make]] of Object.entries(refused)) {
    it(`refuses ${what}, keeps nothing of it, and puts it on record`, async () => {
      const count = await countReleases();
      await assert.rejects(world.room.releases.create(await make(), 'eve'), { code });
      assert.equal(await countReleases(), count);
      const events = await world.test.database.kysely
        .selectFrom('event')
        .select(['kind', 'body'])
        .orderBy('sequence', 'desc')
        .limit(1)
        .execute();
      assert.deepEqual(events, [{ kind: 'release.refused', body: { code, by: 'eve' } }]);
    });
  }
});

async function countReleases(): Promise<number> {
  return (await world.test.database.kysely.selectFrom('release').select('name').execute()).length;
}

describe('ReleaseStore.load()', () => {
  it('refuses an id that it never gave', async () => {
    await assert.rejects(world.room.releases.load('nobody'), { code: 'NOT_FOUND' });
    await assert.rejects(world.room.releases.planner('nobody'), { code: 'NOT_FOUND' });
  });
});
