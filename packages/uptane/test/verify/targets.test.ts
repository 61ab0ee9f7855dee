import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '@immota/base';
import { AKTUALIZR, limits, TARGETS_ROLE, TUF } from '@immota/uptane';
import { refusalAfter, refusalAtFirst, settledWorld } from '../support/image-cycles.ts';
import { editAt, withMember } from '../support/repository.ts';
import {
  DIALECTS,
  inImage,
  makeWorld,
  refreshImage,
  refusalOf,
  type World,
} from '../support/world.ts';

/** Changes what Snapshot says of the top-level Targets. */
function entry(world: World, edit: (info: JsonObject) => JsonObject): void {
  world.image.edits.set('snapshot', (signed) => editAt(signed, ['meta', 'targets.json'], edit));
}

describe('Targets', () => {
  for (const dialect of DIALECTS) {
    it(`is the one that Snapshot names, by version and hash, ${dialect.name} {uptane L10}`, async () => {
      const world = await makeWorld({ dialect, consistentSnapshot: false });
      entry(world, () => ({ version: 2 }));
      assert.deepEqual(await refusalAtFirst(world), inImage('VERSION_MISMATCH', 'targets'));
      entry(world, (info) => ({ ...info, hashes: { sha256: '0'.repeat(64) } }));
      assert.deepEqual(await refusalAtFirst(world), inImage('METADATA_HASH', 'targets'));
      entry(world, () => ({ version: 1 }));
      assert.equal(await refusalAtFirst(world), undefined);
    });
  }

  it('is held to what Snapshot states of it, be it length, hash or neither', async () => {
    for (const dialect of DIALECTS) {
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      const world = await makeWorld({ dialect });
      const length = world.image.served.get('1.targets.json')?.length ?? 0;
      const exact = dialect === TUF ? 'METADATA_HASH' : undefined;
      for (const [keep, code] of [
        [{ length }, undefined],
        [{ length: length - 1 }, 'METADATA_HASH'],
        [{ length: length + 1 }, exact],
      ] as const) {
        entry(world, () => ({ version: 1, ...keep }));
        // oxlint-disable-next-line no-await-in-loop -- one statement after the other
        assert.equal((await refusalAtFirst(world))?.code, code);
      }
      entry(world, (info) => withMember(info, 'length', undefined));
      // oxlint-disable-next-line no-await-in-loop -- two worlds
      assert.equal(await refusalAtFirst(world), undefined);
    }
  });

  it('is refused when Snapshot does not list it', async () => {
    const world = await makeWorld();
    world.image.edits.set('snapshot', (signed) =>
      editAt(signed, ['meta'], (meta) => withMember(meta, 'targets.json', undefined)),
    );
    assert.deepEqual(await refusalAfter(world), inImage('VERSION_MISMATCH', 'targets'));
  });

  for (const dialect of DIALECTS) {
    it(`is fetched with a length that never exceeds its bound, ${dialect.name}`, async () => {
      const { TARGETS_MAX_BYTES } = limits;
      for (const [length, expected] of [
        // A length of the canonical form says nothing of the file in the vehicle dialect.
        [5_000, dialect === TUF ? 5_000 : TARGETS_MAX_BYTES],
        [2 ** 40, TARGETS_MAX_BYTES],
        [undefined, TARGETS_MAX_BYTES],
      ] as const) {
        // oxlint-disable-next-line no-await-in-loop -- three worlds
        const world = await makeWorld({ dialect });
        entry(world, (info) => withMember(info, 'length', length));
        // oxlint-disable-next-line no-await-in-loop -- three worlds
        await refusalAtFirst(world);
        const step = world.client.steps.findLast(({ kind }) => kind === 'fetch');
        assert.equal(step?.kind === 'fetch' && step.lengthMaxBytes, expected);
      }
    });
  }

  it('is checked again against the keys in force when it is a stored one {uptane L10}', async () => {
    const world = await settledWorld();
    await world.image.rotate('targets');
    // Snapshot still names the file that the old keys signed.
    assert.deepEqual(
      await refusalOf(refreshImage(world)),
      inImage('SIGNATURE_THRESHOLD', 'targets'),
    );
    await world.image.release();
    assert.equal(await refusalOf(refreshImage(world)), undefined);
  });

  it('is fetched again when the stored one is damaged or has run out', async () => {
    const world = await settledWorld();
    world.client.store.set('image/targets', new Uint8Array(3));
    assert.equal(await refusalOf(refreshImage(world)), undefined);
    assert.ok(world.client.fetched(AKTUALIZR).includes('image/1.targets.json'));
    assert.deepEqual(world.client.saved(), ['image/targets']);
    for (const role of ['timestamp', 'snapshot'] as const) {
      world.client.store.set(`image/${role}`, new Uint8Array(3));
      // oxlint-disable-next-line no-await-in-loop -- one cycle after the other
      assert.equal(await refusalOf(refreshImage(world)), undefined);
      assert.deepEqual(world.client.saved(), [`image/${role}`]);
    }
    assert.equal(world.image.top.version, 1);
    assert.ok(world.client.store.has(`image/${TARGETS_ROLE}`));
  });

  it('mixes with no Snapshot of another time {uptane L9}', async () => {
    const world = await settledWorld();
    const old = world.image.served.get('1.targets.json') ?? new Uint8Array();
    await world.image.release();
    world.image.served.set('2.targets.json', old);
    assert.deepEqual(await refusalOf(refreshImage(world)), inImage('METADATA_HASH', 'targets'));
  });
});
