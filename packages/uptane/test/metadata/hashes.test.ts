import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkMeasurement, type Hashes, hashesAgree, parseDigest } from '@immota/uptane';
import { codeOf } from '../support/world.ts';

const A = 'a'.repeat(64);
const B = 'b'.repeat(64);
const LONG_A = 'a'.repeat(128);
const LONG_B = 'b'.repeat(128);

function hashes(sha256?: string, sha512?: string): Hashes {
  return new Map([
    ...(sha256 === undefined ? [] : [['sha256', sha256] as const]),
    ...(sha512 === undefined ? [] : [['sha512', sha512] as const]),
  ]);
}

describe('parseDigest()', () => {
  it('takes hex of the length of its function, in either case', () => {
    assert.equal(parseDigest('sha256', A.toUpperCase()), A);
    assert.equal(parseDigest('sha512', LONG_A), LONG_A);
    const bad = [
      undefined,
      1,
      '',
      A.slice(1),
      `${A}a`,
      `${A.slice(1)}g`,
      LONG_A,
      `${A}\n`,
      ` ${A}`,
    ];
    for (const value of bad)
      assert.equal(
        codeOf(() => parseDigest('sha256', value)),
        'MALFORMED',
      );
    for (const value of [A, `${LONG_A}a`, `x${LONG_A}`]) {
      assert.equal(
        codeOf(() => parseDigest('sha512', value)),
        'MALFORMED',
      );
    }
  });
});

describe('checkMeasurement()', () => {
  const expected = { lengthBytes: 10, hashes: hashes(A, LONG_A) };
  const check = (lengthBytes: number, measured: Hashes): string | undefined =>
    codeOf(() => checkMeasurement(expected, { lengthBytes, hashes: measured }));

  it('accepts the length and every listed hash {uptane I5} {uptane K7}', () => {
    assert.equal(check(10, hashes(A, LONG_A)), undefined);
  });
  it('refuses another length, one byte more or less', () => {
    assert.equal(check(9, hashes(A, LONG_A)), 'IMAGE_LENGTH');
    assert.equal(check(11, hashes(A, LONG_A)), 'IMAGE_LENGTH');
  });
  it('refuses when any listed hash differs, the first or the second', () => {
    assert.equal(check(10, hashes(B, LONG_A)), 'IMAGE_HASH');
    assert.equal(check(10, hashes(A, LONG_B)), 'IMAGE_HASH');
  });
  it('refuses when a listed hash was not measured', () => {
    assert.equal(check(10, hashes(A)), 'IMAGE_HASH');
    assert.equal(check(10, hashes(undefined, LONG_A)), 'IMAGE_HASH');
    assert.equal(check(10, hashes()), 'IMAGE_HASH');
  });
  it('needs no more than what is listed', () => {
    const one = { lengthBytes: 10, hashes: hashes(A) };
    checkMeasurement(one, { lengthBytes: 10, hashes: hashes(A, LONG_B) });
  });
});

describe('hashesAgree()', () => {
  it('needs every shared function to agree, and one to be shared {uptane L4}', () => {
    const agree = [
      [hashes(A), hashes(A)],
      [hashes(A, LONG_A), hashes(A)],
      [hashes(A), hashes(A, LONG_A)],
      [hashes(A, LONG_A), hashes(A, LONG_A)],
      [hashes(undefined, LONG_A), hashes(A, LONG_A)],
    ] as const;
    const disagree = [
      [hashes(A), hashes(B)],
      [hashes(A, LONG_A), hashes(A, LONG_B)],
      [hashes(A, LONG_A), hashes(B, LONG_A)],
      [hashes(A), hashes(undefined, LONG_A)],
      [hashes(), hashes()],
      [hashes(A), hashes()],
    ] as const;
    for (const [left, right] of agree) assert.ok(hashesAgree(left, right));
    for (const [left, right] of disagree) assert.ok(!hashesAgree(left, right));
  });
});
