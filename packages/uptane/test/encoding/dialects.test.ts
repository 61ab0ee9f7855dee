import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { type JsonObject, SIGNATURE_ALGORITHMS, type SignatureAlgorithm, utf8 } from '@immota/base';
import { AKTUALIZR, type Dialect, keyIdOf, TUF } from '@immota/uptane';
import { signerOf } from '../support/keys.ts';
import { codeOf, DIALECTS } from '../support/world.ts';

const MESSAGE = utf8('message');

function pemOf(algorithm: SignatureAlgorithm): string {
  const key = Buffer.from(signerOf('key', algorithm).publicKeyDer);
  return createPublicKey({ key, format: 'der', type: 'spki' }).export({
    format: 'pem',
    type: 'spki',
  });
}

function spelled(dialect: Dialect, algorithm: SignatureAlgorithm): JsonObject {
  return dialect.encodeKey(algorithm, signerOf('key', algorithm).publicKeyDer);
}

function publicHex(): string {
  return signerOf('key').publicKeyDer.subarray(12).toHex();
}

async function verifies(
  dialect: Dialect,
  algorithm: SignatureAlgorithm,
  object: JsonObject,
): Promise<boolean> {
  const signature = await signerOf('key', algorithm).sign(MESSAGE);
  return dialect.decodeKey(object).verify(MESSAGE, signature);
}

describe('the vehicle dialect', () => {
  it('spells keys and methods as vehicles read them', () => {
    assert.deepEqual(spelled(AKTUALIZR, 'ed25519'), {
      keytype: 'ED25519',
      keyval: { public: publicHex() },
    });
    assert.deepEqual(spelled(AKTUALIZR, 'rsa-pss'), {
      keytype: 'RSA',
      keyval: { public: pemOf('rsa-pss') },
    });
    assert.deepEqual(spelled(AKTUALIZR, 'ecdsa-p256'), {
      keytype: 'ECDSA',
      keyval: { public: pemOf('ecdsa-p256') },
    });
    assert.deepEqual(spelled(AKTUALIZR, 'ml-dsa-65'), {
      keytype: 'ML-DSA-65',
      keyval: { public: pemOf('ml-dsa-65') },
    });
    assert.deepEqual(
      SIGNATURE_ALGORITHMS.map((algorithm) => AKTUALIZR.methodOf(algorithm)),
      ['ed25519', 'ecdsa-sha2-nistp256', 'rsassa-pss-sha256', 'ml-dsa-65'],
    );
    assert.ok(pemOf('rsa-pss').startsWith('-----BEGIN PUBLIC KEY-----\n'));
    assert.ok(pemOf('rsa-pss').endsWith('-----END PUBLIC KEY-----\n'));
  });

  it('reads key types and hexadecimal in either case', async () => {
    for (const keytype of ['ED25519', 'ed25519', 'Ed25519']) {
      for (const hex of [publicHex(), publicHex().toUpperCase()]) {
        // oxlint-disable-next-line no-await-in-loop -- one spelling after the other
        assert.ok(await verifies(AKTUALIZR, 'ed25519', { keytype, keyval: { public: hex } }));
      }
    }
    const keyval = { public: pemOf('rsa-pss') };
    for (const keytype of ['RSA', 'rsa']) {
      // oxlint-disable-next-line no-await-in-loop -- one spelling after the other
      assert.ok(await verifies(AKTUALIZR, 'rsa-pss', { keytype, keyval }));
    }
  });

  it('has the names, folders and rules of its own', () => {
    assert.deepEqual(AKTUALIZR.typeNames, {
      root: 'Root',
      timestamp: 'Timestamp',
      snapshot: 'Snapshot',
      targets: 'Targets',
    });
    assert.equal(AKTUALIZR.delegationFolder, 'delegations/');
    assert.equal(AKTUALIZR.name, 'aktualizr');
  });
});

describe('the TUF dialect', () => {
  it('spells keys with their scheme', () => {
    assert.deepEqual(spelled(TUF, 'ed25519'), {
      keytype: 'ed25519',
      scheme: 'ed25519',
      keyval: { public: publicHex() },
    });
    for (const [algorithm, keytype, scheme] of [
      ['ecdsa-p256', 'ecdsa', 'ecdsa-sha2-nistp256'],
      ['rsa-pss', 'rsa', 'rsassa-pss-sha256'],
      ['ml-dsa-65', 'ml-dsa', 'ml-dsa-65'],
    ] as const) {
      assert.deepEqual(spelled(TUF, algorithm), {
        keytype,
        scheme,
        keyval: { public: pemOf(algorithm) },
      });
    }
    for (const algorithm of SIGNATURE_ALGORITHMS) assert.equal(TUF.methodOf(algorithm), undefined);
  });

  it('reads the older spelling of P-256 keys too', async () => {
    const keyval = { public: pemOf('ecdsa-p256') };
    const scheme = 'ecdsa-sha2-nistp256';
    for (const keytype of ['ecdsa', 'ecdsa-sha2-nistp256']) {
      // oxlint-disable-next-line no-await-in-loop -- one spelling after the other
      assert.ok(await verifies(TUF, 'ecdsa-p256', { keytype, scheme, keyval }));
    }
  });

  it('verifies nothing with a scheme that does not fit the key type', async () => {
    const keyval = { public: pemOf('rsa-pss') };
    assert.ok(
      await verifies(TUF, 'rsa-pss', { keytype: 'rsa', scheme: 'rsassa-pss-sha256', keyval }),
    );
    for (const [keytype, scheme] of [
      ['rsa', 'rsa-pkcs1v15-sha256'],
      ['rsa', 'rsassa-pss-sha512'],
      ['RSA', 'rsassa-pss-sha256'],
      ['ecdsa', 'rsassa-pss-sha256'],
      ['ed25519', 'ed25519'],
    ] as const) {
      // oxlint-disable-next-line no-await-in-loop -- one spelling after the other
      assert.ok(!(await verifies(TUF, 'rsa-pss', { keytype, scheme, keyval })));
    }
    assert.equal(
      codeOf(() => TUF.decodeKey({ keytype: 'rsa', keyval })),
      'MALFORMED',
    );
    assert.equal(
      codeOf(() => TUF.decodeKey({ scheme: 'rsa', keyval })),
      'MALFORMED',
    );
  });

  it('has the names and folders of its own', () => {
    assert.deepEqual(Object.values(TUF.typeNames), ['root', 'timestamp', 'snapshot', 'targets']);
    assert.equal(TUF.delegationFolder, '');
    assert.equal(TUF.name, 'tuf');
  });
});

describe('Dialect.decodeKey()', () => {
  for (const dialect of DIALECTS) {
    for (const algorithm of SIGNATURE_ALGORITHMS) {
      it(`reads back the ${algorithm} key that was written in ${dialect.name} {uptane B2}`, async () => {
        const { publicKeyDer } = signerOf('key', algorithm);
        const object = dialect.encodeKey(algorithm, publicKeyDer);
        assert.ok(await verifies(dialect, algorithm, object));
        assert.equal(dialect.decodeKey(object).exportDer()?.toHex(), publicKeyDer.toHex());
        assert.equal(dialect.decodeKey(object).algorithm, algorithm);
      });
    }

    it(`makes a key that verifies nothing of what is none, in ${dialect.name}`, async () => {
      for (const text of [
        '',
        'zz',
        publicHex().slice(2),
        `${publicHex()}00`,
        `x${publicHex()}`,
        pemOf('rsa-pss'),
      ]) {
        for (const algorithm of ['ed25519', 'rsa-pss', 'ecdsa-p256', 'ml-dsa-65'] as const) {
          const spelling = dialect.encodeKey(algorithm, signerOf('key', algorithm).publicKeyDer);
          const odd = { ...spelling, keyval: { public: text } };
          const right = text === pemOf('rsa-pss') && algorithm === 'rsa-pss';
          // oxlint-disable-next-line no-await-in-loop -- one spelling after the other
          assert.equal(await verifies(dialect, algorithm, odd), right);
        }
      }
    });

    it(`tells unusable keys apart, in ${dialect.name}`, () => {
      const identity = (keytype: string, scheme: string, keyval: JsonObject): string =>
        dialect.decodeKey({ keytype, scheme, keyval }).identity;
      const identities = [
        identity('new', 'a', { public: 'x' }),
        identity('new', 'b', { public: 'x' }),
        identity('newer', 'a', { public: 'x' }),
        identity('new', 'a', { public: 'y' }),
        identity('new', 'a', { public: 'x', more: 'é' }),
      ];
      assert.equal(new Set(identities).size, identities.length);
      assert.equal(identity('new', 'a', { public: 'x' }), identities[0]);
      const key = dialect.decodeKey({ keytype: 'new', scheme: 'a', keyval: {} });
      assert.equal(key.algorithm, undefined);
      assert.ok(!key.verify(MESSAGE, new Uint8Array(64)));
    });

    it(`refuses what has not the shape of a key, in ${dialect.name}`, () => {
      const spelling = dialect.encodeKey('ed25519', signerOf('key').publicKeyDer);
      for (const odd of [
        {},
        { ...spelling, keyval: 1 },
        { ...spelling, keyval: {} },
        { ...spelling, keyval: { public: 1 } },
        { ...spelling, keytype: 1 },
      ]) {
        assert.equal(
          codeOf(() => dialect.decodeKey(odd)),
          'MALFORMED',
          JSON.stringify(odd),
        );
      }
    });
  }

  it('gives each kind of key an identifier that depends on the dialect', () => {
    for (const algorithm of SIGNATURE_ALGORITHMS) {
      const { publicKeyDer } = signerOf('key', algorithm);
      assert.notEqual(
        keyIdOf(TUF, algorithm, publicKeyDer),
        keyIdOf(AKTUALIZR, algorithm, publicKeyDer),
      );
    }
  });
});
