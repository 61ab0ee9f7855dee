import assert from 'node:assert/strict';
import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  ECDH,
  generateKeyPairSync,
  sign,
} from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes, SIGNATURE_ALGORITHMS, type SignatureAlgorithm, utf8 } from '@immota/base';
import {
  type PublicKey,
  publicKeyFromDer,
  publicKeyFromEd25519,
  publicKeyFromPem,
} from '@immota/uptane';
import { signerFrom, signerOf } from '../support/keys.ts';

const MESSAGE = utf8('message');
const SPKI = { type: 'spki', format: 'der' } as const;

function toPem(der: Uint8Array): string {
  return createPublicKey({ key: Buffer.from(der), ...SPKI }).export({
    type: 'spki',
    format: 'pem',
  });
}

async function checkVerifies(
  algorithm: SignatureAlgorithm,
  signer = signerOf('key', algorithm),
): Promise<void> {
  const key = publicKeyFromDer(algorithm, signer.publicKeyDer);
  const other = publicKeyFromDer(algorithm, signerOf('other', algorithm).publicKeyDer);
  const signature = await signer.sign(MESSAGE);
  assert.ok(key.verify(MESSAGE, signature));
  assert.ok(!key.verify(utf8('massage'), signature));
  assert.ok(!other.verify(MESSAGE, signature));
  assert.ok(!key.verify(MESSAGE, signature.subarray(1)));
  assert.ok(!key.verify(MESSAGE, new Uint8Array()));
  assert.ok(!key.verify(MESSAGE, new Uint8Array(10_000)));
  assert.deepEqual(key.exportDer(), signer.publicKeyDer);
}

/** RFC 5280: the same RSA key with id-RSASSA-PSS, no parameters, as its algorithm. */
function asRsaPss(der: Uint8Array): Uint8Array {
  const bitString = der.subarray(4 + 15);
  const algorithm = Uint8Array.fromHex('300b06092a864886f70d01010a');
  const length = algorithm.length + bitString.length;
  const head = Uint8Array.of(0x30, 0x82, length >> 8, length & 0xff);
  return concatBytes([head, algorithm, bitString]);
}

/** The same P-256 point in its compressed form. */
function compressed(der: Uint8Array): Uint8Array {
  const point = der.subarray(26);
  const short = ECDH.convertKey(point, 'prime256v1', undefined, undefined, 'compressed') as Buffer;
  const algorithm = der.subarray(2, 23);
  const head = Uint8Array.of(0x30, algorithm.length + 3 + short.length);
  return concatBytes([head, algorithm, Uint8Array.of(0x03, short.length + 1, 0), short]);
}

function identityOf(algorithm: SignatureAlgorithm | undefined, der: Uint8Array): string {
  return publicKeyFromDer(algorithm, der).identity;
}

describe('PublicKey', () => {
  for (const algorithm of SIGNATURE_ALGORITHMS) {
    it(`verifies its own ${algorithm} signatures and nothing else {uptane A1}`, async () => {
      await checkVerifies(algorithm);
    });

    it(`never throws on any ${algorithm} signature bytes`, () => {
      const key = publicKeyFromDer(algorithm, signerOf('key', algorithm).publicKeyDer);
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
          assert.equal(key.verify(MESSAGE, bytes), false);
        }),
        { numRuns: 50 },
      );
    });
  }

  it('takes RSA-PSS signatures of any salt length, and no PKCS#1 ones', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = publicKeyFromDer('rsa-pss', publicKey.export(SPKI));
    for (const saltLength of [0, 20, 32, 222]) {
      const padding = constants.RSA_PKCS1_PSS_PADDING;
      assert.ok(
        key.verify(MESSAGE, sign('sha256', MESSAGE, { key: privateKey, padding, saltLength })),
      );
      assert.ok(
        !key.verify(MESSAGE, sign('sha512', MESSAGE, { key: privateKey, padding, saltLength: 32 })),
      );
    }
    assert.ok(!key.verify(MESSAGE, sign('sha256', MESSAGE, privateKey)));
  });

  it('takes no RSA-PSS signature that is shorter than the modulus', async () => {
    const signer = signerOf('key', 'rsa-pss');
    const key = publicKeyFromDer('rsa-pss', signer.publicKeyDer);
    let signature: Uint8Array;
    do {
      // oxlint-disable-next-line no-await-in-loop -- until one begins with a zero, one in 256
      signature = await signer.sign(MESSAGE);
    } while (signature[0] !== 0);
    assert.ok(key.verify(MESSAGE, signature));
    assert.ok(!key.verify(MESSAGE, signature.subarray(1)));
    assert.ok(!key.verify(MESSAGE, concatBytes([Uint8Array.of(0), signature])));
  });

  it('verifies nothing under another algorithm than its own', async () => {
    for (const real of SIGNATURE_ALGORITHMS) {
      const signer = signerOf('key', real);
      // oxlint-disable-next-line no-await-in-loop -- four of them
      const signature = await signer.sign(MESSAGE);
      for (const stated of [...SIGNATURE_ALGORITHMS, undefined]) {
        const key = publicKeyFromDer(stated, signer.publicKeyDer);
        assert.equal(key.verify(MESSAGE, signature), stated === real, `${real} as ${stated}`);
        assert.equal(key.exportDer() === undefined, stated !== real);
        assert.equal(key.algorithm, stated);
      }
    }
  });

  it('takes P-256 and no other curve', () => {
    for (const [namedCurve, expected] of [
      ['prime256v1', true],
      ['secp256k1', false],
      ['secp384r1', false],
    ] as const) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
      const key = publicKeyFromDer('ecdsa-p256', publicKey.export(SPKI));
      assert.equal(key.verify(MESSAGE, sign('sha256', MESSAGE, privateKey)), expected);
    }
  });

  it('verifies nothing when its bytes are no key', () => {
    for (const key of [
      publicKeyFromDer('ed25519', Uint8Array.of(1, 2, 3)),
      publicKeyFromDer('rsa-pss', new Uint8Array()),
      publicKeyFromEd25519(new Uint8Array(31)),
      publicKeyFromPem('rsa-pss', 'no PEM'),
      publicKeyFromPem('rsa-pss', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'),
      publicKeyFromPem(undefined, toPem(signerOf('key').publicKeyDer)),
    ]) {
      assert.ok(!key.verify(MESSAGE, new Uint8Array(64)));
      assert.equal(key.exportDer(), undefined);
      assert.match(key.identity, /^[0-9a-f]{64}$/);
    }
  });

  it('takes no PEM of a private key or of a certificate for a public one', () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const signature = sign('sha256', MESSAGE, {
      key: privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: 32,
    });
    for (const [pem, expected] of [
      [publicKey.export({ type: 'spki', format: 'pem' }), true],
      [publicKey.export({ type: 'pkcs1', format: 'pem' }), false],
      [privateKey.export({ type: 'pkcs8', format: 'pem' }), false],
    ] as const) {
      assert.equal(publicKeyFromPem('rsa-pss', pem).verify(MESSAGE, signature), expected);
    }
  });

  it('is the same key from PEM, DER or raw bytes', async () => {
    const signer = signerOf('key');
    const keys = [
      publicKeyFromDer('ed25519', signer.publicKeyDer),
      publicKeyFromPem('ed25519', toPem(signer.publicKeyDer)),
      publicKeyFromEd25519(signer.publicKeyDer.subarray(12)),
    ];
    const signature = await signer.sign(MESSAGE);
    for (const key of keys) assert.ok(key.verify(MESSAGE, signature));
    assert.equal(new Set(keys.map(({ identity }) => identity)).size, 1);
  });
});

describe('PublicKey.identity', () => {
  it('tells keys and kinds apart', () => {
    const identities = [
      ...SIGNATURE_ALGORITHMS.flatMap((algorithm) =>
        ['a', 'b'].map((name) => identityOf(algorithm, signerOf(name, algorithm).publicKeyDer)),
      ),
      identityOf('rsa-pss', signerOf('a').publicKeyDer),
      identityOf(undefined, signerOf('a').publicKeyDer),
      identityOf('ed25519', Uint8Array.of(1)),
      identityOf('ed25519', Uint8Array.of(2)),
      identityOf(undefined, Uint8Array.of(1)),
    ];
    assert.equal(new Set(identities).size, identities.length);
  });

  it('is the hash of kind and bare value', () => {
    // Where the value starts in a SubjectPublicKeyInfo; of P-256 it is the point alone.
    const starts = { ed25519: 9, 'ecdsa-p256': 26, 'rsa-pss': 19, 'ml-dsa-65': 17 } as const;
    for (const algorithm of SIGNATURE_ALGORITHMS) {
      const { publicKeyDer } = signerOf('key', algorithm);
      const digest = createHash('sha256').update(`${algorithm}:`);
      const expected = digest.update(publicKeyDer.subarray(starts[algorithm])).digest('hex');
      assert.equal(identityOf(algorithm, publicKeyDer), expected);
    }
    const odd = createHash('sha256').update('unknown:').update(MESSAGE).digest('hex');
    assert.equal(identityOf(undefined, MESSAGE), odd);
  });

  it('is one for an RSA key under either name of its algorithm {uptane L6}', async () => {
    const signer = signerOf('key', 'rsa-pss');
    const renamed: PublicKey = publicKeyFromDer('rsa-pss', asRsaPss(signer.publicKeyDer));
    assert.ok(renamed.verify(MESSAGE, await signer.sign(MESSAGE)));
    assert.equal(renamed.identity, identityOf('rsa-pss', signer.publicKeyDer));
  });

  it('is one for a P-256 point, compressed or not {uptane L6}', async () => {
    const signer = signerOf('key', 'ecdsa-p256');
    const short = compressed(signer.publicKeyDer);
    assert.ok(publicKeyFromDer('ecdsa-p256', short).verify(MESSAGE, await signer.sign(MESSAGE)));
    assert.equal(identityOf('ecdsa-p256', short), identityOf('ecdsa-p256', signer.publicKeyDer));
  });
});

describe('Ed25519', () => {
  it('agrees with RFC 8032, test 2', async () => {
    const seed = '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb';
    const key = createPrivateKey({
      key: Buffer.from(`302e020100300506032b657004220420${seed}`, 'hex'),
      format: 'der',
      type: 'pkcs8',
    });
    const signer = signerFrom('ed25519', key);
    const raw = '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c';
    const signature =
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da' +
      '085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00';
    assert.equal((await signer.sign(Uint8Array.of(0x72))).toHex(), signature);
    const verifier = publicKeyFromEd25519(Uint8Array.fromHex(raw));
    assert.ok(verifier.verify(Uint8Array.of(0x72), Uint8Array.fromHex(signature)));
  });
});
