/** The T-BOX is an ECU like others: its RXSWINs come with its image too {R156 7.1.1.3}. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonValue } from '@immota/base';
import { makeWorld, objectAt, TBOX, type World } from '../support/world.ts';

const RXSWINS = [{ regulation: 'R155', rxswin: 'R155-7' }];

function reported(world: World): JsonValue | undefined {
  return objectAt(world.lastReport(TBOX), ['custom'])['rxswins'];
}

describe('RXSWINs of the Primary', () => {
  it('are reported when its image is final, and stay with one that says nothing of them', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    await primary.checkIn();
    assert.equal(reported(world), undefined);
    const first = await world.addImage('tbox/fw-1.bin', 'tbox-hw');
    await world.assign({ [TBOX]: first }, {}, (target) => ({
      ...target,
      custom: { ...target.custom, rxswins: RXSWINS },
    }));
    assert.equal((await primary.checkIn()).kind, 'installed');
    assert.deepEqual(reported(world), RXSWINS);
    const second = await world.addImage('tbox/fw-2.bin', 'tbox-hw', { releaseCounter: 2 });
    await world.assign({ [TBOX]: second });
    assert.equal((await primary.checkIn()).kind, 'installed');
    assert.deepEqual(reported(world), RXSWINS);
  });
});
