import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { utf8 } from '@immota/base';
import { publicKeyFromDer } from '@immota/uptane';
import { signerOf } from '../support/keys.ts';

const MESSAGE = utf8('message');

describe('PublicKey of RSA', () => {
  it('takes RSA keys of 2048, 3072 and 4096 bits and of no other length', async () => {
    for (const [bits, usable] of [
      [1024, false],
      [2048, true],
      [2056, false],
      [3072, true],
      [4096, true],
    ] as const) {
      const signer = signerOf('key', 'rsa-pss', bits);
      const key = publicKeyFromDer('rsa-pss', signer.publicKeyDer);
      // oxlint-disable-next-line no-await-in-loop -- one length after the other
      assert.equal(key.verify(MESSAGE, await signer.sign(MESSAGE)), usable);
      assert.equal(key.exportDer() !== undefined, usable);
    }
  });
});
