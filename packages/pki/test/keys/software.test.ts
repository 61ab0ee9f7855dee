import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import { describe, it } from 'node:test';

import { utf8 } from '@immota/base';
import {
  algorithmOfKey,
  exportPrivateKey,
  generateSigner,
  isSignedBy,
  parsePublicKey,
  signerFromPrivateKey,
  signerOnOtherThreads,
} from '@immota/pki';

import { ALGORITHMS, refuses } from '../support/world.ts';

const MESSAGE = utf8('what is signed');
const SIGNATURE_LENGTHS = { ed25519: 64, 'rsa-pss': 384, 'ml-dsa-65': 3309 } as const;

describe('generateSigner()', () => {
  for (const algorithm of ALGORITHMS) {
    it(`makes ${algorithm} keys whose signatures verify, and no others do`, async () => {
      const signer = generateSigner(algorithm);
      assert.equal(signer.algorithm, algorithm);
      const key = parsePublicKey(signer.publicKeyDer);
      assert.equal(key.algorithm, algorithm);
      const signature = await signer.sign(MESSAGE);
      assert.ok(isSignedBy(key, MESSAGE, signature));
      assert.ok(!isSignedBy(key, utf8('what is not signed'), signature));
      assert.ok(!isSignedBy(key, MESSAGE, signature.subarray(1)));
      assert.ok(!isSignedBy(key, MESSAGE, new Uint8Array()));
      const other = parsePublicKey(generateSigner(algorithm).publicKeyDer);
      assert.ok(!isSignedBy(other, MESSAGE, signature));
      if (algorithm === 'ecdsa-p256') assert.equal(signature[0], 0x30);
      else assert.equal(signature.length, SIGNATURE_LENGTHS[algorithm]);
    });
  }

  it('makes another key each time', () => {
    const [one, two] = [generateSigner('ed25519'), generateSigner('ed25519')];
    assert.notDeepEqual(one.publicKeyDer, two.publicKeyDer);
  });

  it('shows no private key when it is printed', () => {
    const signer = generateSigner('ed25519');
    const secret = Buffer.from(exportPrivateKey(signer)).subarray(-32);
    assert.ok(!JSON.stringify(signer).includes(secret.toString('base64')));
    assert.equal(JSON.stringify(signer.privateKey), '{}');
  });
});

describe('signerFromPrivateKey()', () => {
  for (const algorithm of ALGORITHMS) {
    it(`opens an ${algorithm} key from PKCS #8 and from a key object`, async () => {
      const signer = generateSigner(algorithm);
      for (const key of [exportPrivateKey(signer), signer.privateKey]) {
        const opened = signerFromPrivateKey(key);
        assert.deepEqual(opened.publicKeyDer, signer.publicKeyDer);
        const signature = await opened.sign(MESSAGE);
        assert.ok(isSignedBy(parsePublicKey(signer.publicKeyDer), MESSAGE, signature));
      }
    });
  }

  it('refuses what is no private key', async () => {
    await refuses('KEY_MALFORMED', () => signerFromPrivateKey(Uint8Array.of(1, 2, 3)));
    const { publicKeyDer, privateKey } = generateSigner('ed25519');
    await refuses('KEY_MALFORMED', () => signerFromPrivateKey(publicKeyDer));
    await refuses('KEY_MALFORMED', () => signerFromPrivateKey(createPublicKey(privateKey)));
  });

  it('refuses more than 16 KiB', async () => {
    await refuses('KEY_MALFORMED', () => signerFromPrivateKey(new Uint8Array(16_384)));
    await refuses('LIMIT', () => signerFromPrivateKey(new Uint8Array(16_385)));
  });
});

describe('algorithmOfKey()', () => {
  it('refuses kinds, curves, sizes and exponents that the house does not have', async () => {
    for (const { privateKey } of [
      generateKeyPairSync('ec', { namedCurve: 'P-384' }),
      generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
      generateKeyPairSync('ed448'),
      generateKeyPairSync('x25519'),
      generateKeyPairSync('ml-dsa-44'),
      generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
      generateKeyPairSync('rsa', { modulusLength: 1024 }),
      generateKeyPairSync('rsa', { modulusLength: 2176 }),
      generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 }),
    ]) {
      await refuses('ALGORITHM', () => algorithmOfKey(privateKey));
      await refuses('ALGORITHM', () => signerFromPrivateKey(privateKey));
      const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
      await refuses('ALGORITHM', () => parsePublicKey(der));
    }
  });

  it('takes RSA of 2048 bits', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    assert.equal(algorithmOfKey(privateKey), 'rsa-pss');
  });
});

describe('parsePublicKey()', () => {
  it('refuses what is no public key, and more than 16 KiB', async () => {
    await refuses('KEY_MALFORMED', () => parsePublicKey(Uint8Array.of(1)));
    await refuses('KEY_MALFORMED', () => parsePublicKey(new Uint8Array(16_384)));
    await refuses('LIMIT', () => parsePublicKey(new Uint8Array(16_385)));
  });
});

describe('isSignedBy()', () => {
  it('refuses RSA signatures of another padding or salt', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = parsePublicKey(publicKey.export({ format: 'der', type: 'spki' }));
    assert.ok(!isSignedBy(key, MESSAGE, sign('sha256', MESSAGE, privateKey)));
    const padding = 6;
    const make = (saltLength: number): Buffer =>
      sign('sha256', MESSAGE, { key: privateKey, padding, saltLength });
    assert.ok(isSignedBy(key, MESSAGE, make(32)));
    assert.ok(!isSignedBy(key, MESSAGE, make(20)));
    const sha512 = sign('sha512', MESSAGE, { key: privateKey, padding, saltLength: 32 });
    assert.ok(!isSignedBy(key, MESSAGE, sha512));
  });
});

describe('signerOnOtherThreads()', () => {
  for (const algorithm of ALGORITHMS) {
    it(`signs with the same ${algorithm} key, many messages at once`, async () => {
      const signer = generateSigner(algorithm);
      const other = signerOnOtherThreads(signer);
      assert.equal(other.algorithm, algorithm);
      assert.deepEqual(other.publicKeyDer, signer.publicKeyDer);
      const key = parsePublicKey(other.publicKeyDer);
      const messages = Array.from({ length: 8 }, (_, index) => utf8(`message ${index}`));
      const signatures = await Promise.all(messages.map((message) => other.sign(message)));
      for (const [index, message] of messages.entries()) {
        assert.ok(isSignedBy(key, message, signatures[index] ?? new Uint8Array()));
        assert.ok(!isSignedBy(key, message, signatures[(index + 1) % 8] ?? new Uint8Array()));
      }
    });
  }
});
