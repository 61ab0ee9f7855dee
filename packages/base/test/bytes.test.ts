import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes, equalBytes, utf8 } from '@immota/base';

describe('concatBytes()', () => {
  it('joins in order and shares no memory', () => {
    const first = Uint8Array.of(1, 2);
    const joined = concatBytes([first, new Uint8Array(0), Uint8Array.of(3)]);
    first[0] = 9;
    assert.deepEqual(joined, Uint8Array.of(1, 2, 3));
  });
  it('makes nothing of nothing', () => {
    assert.equal(concatBytes([]).length, 0);
  });
});

describe('equalBytes()', () => {
  it('agrees with a comparison of the hex forms', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 3, max: 1 }),
        fc.uint8Array({ maxLength: 3, max: 1 }),
        (left, right) => {
          assert.equal(equalBytes(left, right), left.toHex() === right.toHex());
        },
      ),
    );
  });
});

describe('utf8()', () => {
  it('encodes beyond ASCII', () => {
    assert.equal(utf8('ä€').toHex(), 'c3a4e282ac');
  });
});
