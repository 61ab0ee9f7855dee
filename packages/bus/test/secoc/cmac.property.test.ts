import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cmac } from '@noble/ciphers/aes.js';
import { assert as holds, property, uint8Array, array } from 'fast-check';
import { computeCmac, importAesKey } from '../../src/index.ts';

describe('computeCmac()', () => {
  it('agrees with an independent implementation, however the message is cut', () => {
    const key = uint8Array({ minLength: 16, maxLength: 16 });
    const parts = array(uint8Array({ maxLength: 40 }), { maxLength: 4 });
    holds(
      property(key, parts, (bytes, pieces) => {
        const ours = computeCmac(importAesKey(bytes), ...pieces);
        assert.deepEqual(
          Uint8Array.from(ours),
          cmac(Uint8Array.from(Buffer.concat(pieces)), bytes),
        );
      }),
    );
  });
});
