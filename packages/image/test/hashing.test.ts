import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createHashTap, tapHashes } from '@immota/image';
import { gather, streamOf } from './bytes.ts';

// FIPS 180-4: the message "abc".
const SHA256_ABC = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
const SHA512_ABC =
  'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f';

describe('createHashTap() and tapHashes()', () => {
  it('tell length and hashes of what passed, and change nothing', async () => {
    const tap = createHashTap({ sha512: true });
    const pieces = ['a', '', 'bc'].map((text) => Buffer.from(text));
    assert.equal((await gather(tapHashes(streamOf(pieces), tap))).toString(), 'abc');
    const expected = { lengthBytes: 3, sha256: SHA256_ABC, sha512: SHA512_ABC };
    assert.deepEqual(tap.digest(), expected);
    assert.deepEqual(tap.digest(), expected);
  });

  it('leave SHA-512 out where it is not wanted', () => {
    const tap = createHashTap({ sha512: false });
    tap.update(Buffer.from('abc'));
    assert.deepEqual(tap.digest(), { lengthBytes: 3, sha256: SHA256_ABC });
  });
});
