import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { limits } from '@immota/uptane';
import { inImage, makeWorld, refreshImage, refusalOf } from '../support/world.ts';

describe('RepositorySession.refreshRoot()', () => {
  it('takes as many rotations in a cycle as the limit and not one more', async () => {
    const world = await makeWorld();
    await refreshImage(world);
    const { ROOT_ROTATIONS_MAX } = limits;
    for (let count = 0; count < ROOT_ROTATIONS_MAX; count += 1) {
      // oxlint-disable-next-line no-await-in-loop -- a chain
      await world.image.rotate();
    }
    const store = new Map(world.client.store);
    assert.equal((await refreshImage(world)).root.body.version, ROOT_ROTATIONS_MAX + 1);
    for (const [role, bytes] of store) world.client.store.set(role, bytes);
    await world.image.rotate();
    assert.deepEqual(await refusalOf(refreshImage(world)), inImage('LIMIT', 'root'));
    assert.equal((await refreshImage(world)).root.body.version, ROOT_ROTATIONS_MAX + 2);
  });
});
