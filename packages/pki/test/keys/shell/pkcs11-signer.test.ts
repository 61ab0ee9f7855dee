import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';

import { utf8 } from '@immota/base';
import {
  createRootAuthority,
  generatePkcs11Signer,
  isSignedBy,
  listPkcs11Keys,
  openPkcs11Signer,
  parsePublicKey,
} from '@immota/pki';

import { OID } from '../../../src/oid.ts';
import {
  makeOddKey,
  makeToken,
  makeTokenStore,
  modulePath,
  PIN,
  skip,
} from '../../support/softhsm.ts';
import { days, entropy, refuses } from '../../support/world.ts';

const MESSAGE = utf8('what is signed');

if (skip === false) {
  after(makeTokenStore());
  makeToken('immota test');
  makeToken('empty');
  makeToken('twin');
  makeToken('twin');
}
const token = { modulePath, tokenLabel: 'immota test', pin: PIN };

describe('generatePkcs11Signer()', () => {
  for (const algorithm of ['ecdsa-p256', 'rsa-pss', 'ed25519'] as const) {
    it(`makes an ${algorithm} key whose signatures verify`, { skip }, async () => {
      await using signer = await generatePkcs11Signer(
        { ...token, keyLabel: `made ${algorithm}` },
        algorithm,
        entropy,
      );
      assert.equal(signer.algorithm, algorithm);
      const key = parsePublicKey(signer.publicKeyDer);
      assert.equal(key.algorithm, algorithm);
      const signature = await signer.sign(MESSAGE);
      assert.ok(isSignedBy(key, MESSAGE, signature));
      assert.ok(!isSignedBy(key, utf8('something else'), signature));
    });
  }

  it('refuses an algorithm that no token has', { skip }, async () => {
    await refuses('PKCS11_MECHANISM', () =>
      generatePkcs11Signer({ ...token, keyLabel: 'post-quantum' }, 'ml-dsa-65', entropy),
    );
  });

  it('refuses a label that is taken, and leaves its key usable', { skip }, async () => {
    const options = { ...token, keyLabel: 'taken' };
    const first = await generatePkcs11Signer(options, 'ecdsa-p256', entropy);
    await first.close();
    await refuses('PKCS11_KEY_AMBIGUOUS', () =>
      generatePkcs11Signer(options, 'ecdsa-p256', entropy),
    );
    await using again = await openPkcs11Signer(options);
    assert.deepEqual(again.publicKeyDer, first.publicKeyDer);
  });
});

describe('openPkcs11Signer()', () => {
  it('signs for many at once, one after the other', { skip }, async () => {
    await using signer = await generatePkcs11Signer(
      { ...token, keyLabel: 'busy' },
      'ecdsa-p256',
      entropy,
    );
    const key = parsePublicKey(signer.publicKeyDer);
    const messages = Array.from({ length: 20 }, (_, index) => utf8(`message ${index}`));
    const signatures = await Promise.all(messages.map((message) => signer.sign(message)));
    for (const [index, message] of messages.entries()) {
      assert.ok(isSignedBy(key, message, signatures[index] ?? new Uint8Array()));
    }
  });

  it('is the key of an authority', { skip }, async () => {
    await using signer = await generatePkcs11Signer(
      { ...token, keyLabel: 'root' },
      'ecdsa-p256',
      entropy,
    );
    const name = { commonName: 'Token Root' };
    const root = await createRootAuthority({ signer, name, validity: days(10), entropy });
    assert.deepEqual(root.certificate.publicKeyDer, signer.publicKeyDer);
  });

  it('refuses a wrong PIN, a first one and beside an open session', { skip }, async () => {
    const options = { ...token, keyLabel: 'pin' };
    const wrong = { ...options, pin: '000000' };
    await refuses('PKCS11_PIN_WRONG', () => openPkcs11Signer(wrong));
    await using signer = await generatePkcs11Signer(options, 'ecdsa-p256', entropy);
    await refuses('PKCS11_PIN_WRONG', () => openPkcs11Signer(wrong));
    await using second = await openPkcs11Signer(options);
    assert.deepEqual(second.publicKeyDer, signer.publicKeyDer);
  });

  it('refuses a PIN of a length that the token does not have', { skip }, async () => {
    await refuses('PKCS11_PIN_WRONG', () =>
      openPkcs11Signer({ ...token, tokenLabel: 'empty', keyLabel: 'x', pin: '1' }),
    );
  });

  it('refuses a key that is missing, or of which one half is', { skip }, async () => {
    await refuses('PKCS11_KEY_MISSING', () => openPkcs11Signer({ ...token, keyLabel: 'none' }));
    await makeOddKey('immota test', { privateKey: 'half', publicKey: 'other half' }, OID.p256);
    for (const keyLabel of ['half', 'other half']) {
      await refuses('PKCS11_KEY_MISSING', () => openPkcs11Signer({ ...token, keyLabel }));
    }
  });

  it('refuses a label that several keys have', { skip }, async () => {
    const both = { privateKey: 'two', publicKey: 'two' };
    await makeOddKey('immota test', both, OID.p256);
    await using signer = await openPkcs11Signer({ ...token, keyLabel: 'two' });
    assert.equal(signer.algorithm, 'ecdsa-p256');
    await signer.close();
    await makeOddKey('immota test', both, OID.p256);
    await refuses('PKCS11_KEY_AMBIGUOUS', () => openPkcs11Signer({ ...token, keyLabel: 'two' }));
  });

  it('refuses two halves that are not a pair', { skip }, async () => {
    await makeOddKey('immota test', { privateKey: 'odd', publicKey: 'spare' }, OID.p256);
    await makeOddKey('immota test', { privateKey: 'spare', publicKey: 'odd' }, OID.p256);
    for (const keyLabel of ['odd', 'spare']) {
      await refuses('PKCS11_FAILED', () => openPkcs11Signer({ ...token, keyLabel }));
    }
  });

  it('refuses a curve that the house does not have', { skip }, async () => {
    const label = { privateKey: 'p384', publicKey: 'p384' };
    await makeOddKey('immota test', label, '1.3.132.0.34');
    await refuses('ALGORITHM', () => openPkcs11Signer({ ...token, keyLabel: 'p384' }));
  });

  it('refuses a token that is missing, or is one of two', { skip }, async () => {
    for (const tokenLabel of ['absent', 'twin']) {
      await refuses('PKCS11_TOKEN', () =>
        openPkcs11Signer({ ...token, tokenLabel, keyLabel: 'none' }),
      );
    }
  });

  it('refuses a module that is none, or is not named by its whole path', { skip }, async () => {
    for (const path of ['/nowhere/none.so', 'libsofthsm2.so']) {
      await refuses('PKCS11_MODULE', () =>
        openPkcs11Signer({ ...token, modulePath: path, keyLabel: 'none' }),
      );
    }
  });

  it('signs no more when it is closed, and closes twice', { skip }, async () => {
    const options = { ...token, keyLabel: 'closed' };
    const signer = await generatePkcs11Signer(options, 'ecdsa-p256', entropy);
    await signer.close();
    await signer.close();
    await refuses('PKCS11_FAILED', () => signer.sign(MESSAGE));
  });
});

describe('listPkcs11Keys()', () => {
  it('lists labels in order, and none of an empty token', { skip }, async () => {
    for (const keyLabel of ['listed b', 'listed a']) {
      const signer = await generatePkcs11Signer({ ...token, keyLabel }, 'ecdsa-p256', entropy);
      await signer.close();
    }
    const labels = await listPkcs11Keys(token);
    assert.deepEqual(labels, labels.toSorted());
    assert.deepEqual(
      labels.filter((label) => label.startsWith('listed')),
      ['listed a', 'listed b'],
    );
    assert.deepEqual(await listPkcs11Keys({ ...token, tokenLabel: 'empty' }), []);
  });
});
