import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { computeCmac, importAesKey } from '../../src/index.ts';

/** RFC 4493, section 4. */
const KEY = '2b7e151628aed2a6abf7158809cf4f3c';
const MESSAGE =
  '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51' +
  '30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710';
const VECTORS = [
  [0, 'bb1d6929e95937287fa37d129b756746'],
  [16, '070a16b46b4d4144f79bdd9dd04a287c'],
  [40, 'dfa66747de9ae63030ca32611497c827'],
  [64, '51f0bebf7e3b9d92fc49741779363cfe'],
] as const;

describe('computeCmac()', () => {
  it('computes the vectors of RFC 4493', () => {
    const key = importAesKey(Buffer.from(KEY, 'hex'));
    for (const [length, expected] of VECTORS) {
      const message = Buffer.from(MESSAGE, 'hex').subarray(0, length);
      assert.equal(Buffer.from(computeCmac(key, message)).toString('hex'), expected);
    }
  });

  it('refuses keys that are not 128 bits long', () => {
    for (const length of [0, 15, 17, 32]) {
      assert.throws(() => importAesKey(new Uint8Array(length)), { code: 'KEY_LENGTH' });
    }
  });
});
