import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { utf8 } from '@immota/base';
import { checkImage, type VerifiedAssignment } from '@immota/uptane';
import { BRAKE_IMAGE, codeOf, makeWorld, measure } from '../support/world.ts';

describe('checkImage()', () => {
  it('accepts the bytes that verified metadata names and no others {uptane I5} {uptane K7} {uptane I10}', async () => {
    const world = await makeWorld();
    const [brake] = (await world.verifyFully()).assignments;
    assert.ok(brake);
    const bytes = utf8(BRAKE_IMAGE);
    checkImage(brake, measure(bytes));
    assert.equal(
      codeOf(() => checkImage(brake, measure(bytes.subarray(1)))),
      'IMAGE_LENGTH',
    );
    const flipped = bytes.map((byte, index) => (index === 3 ? byte ^ 1 : byte));
    assert.equal(
      codeOf(() => checkImage(brake, measure(flipped))),
      'IMAGE_HASH',
    );
  });

  it('takes an assignment that was verified and nothing else', async () => {
    const world = await makeWorld();
    const { assignments } = await world.verifyFully();
    const [{ name, file, releaseCounter, assignment, ecuIdentifier, hardwareIdentifier }] =
      assignments as readonly [VerifiedAssignment];
    const copy = { name, file, releaseCounter, assignment, ecuIdentifier, hardwareIdentifier };
    // @ts-expect-error what only looks like an assignment is none
    const pretended: VerifiedAssignment = copy;
    assert.equal(pretended.name, name);
  });
});
