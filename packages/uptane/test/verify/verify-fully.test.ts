import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BRAKE, DIALECTS, makeWorld, TBOX } from '../support/world.ts';

describe('verifyFully()', () => {
  for (const dialect of DIALECTS) {
    for (const profile of ['classic', 'hybrid'] as const) {
      it(`verifies a right pair of repositories in ${dialect.name}, ${profile} {uptane L1}`, async () => {
        const world = await makeWorld({ dialect, profile });
        const { assignments } = await world.verifyFully();
        assert.deepEqual(
          assignments.map(({ ecuIdentifier }) => ecuIdentifier),
          [BRAKE, TBOX],
        );
      });
    }
  }
});
