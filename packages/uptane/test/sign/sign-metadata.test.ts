import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SIGNATURE_ALGORITHMS, utf8 } from '@immota/base';
import {
  addSignature,
  checkThreshold,
  decodeEnvelope,
  encodeCanonical,
  encodeEnvelope,
  keyIdOf,
  makeSignature,
  payloadBytes,
  publicKeyFromDer,
  signMetadata,
} from '@immota/uptane';
import { signerOf } from '../support/keys.ts';
import { codeOf, DIALECTS } from '../support/world.ts';

const SIGNED = { a: 'é\n', b: 1 };

describe('signMetadata()', () => {
  for (const dialect of DIALECTS) {
    for (const algorithm of SIGNATURE_ALGORITHMS) {
      it(`signs the canonical payload with ${algorithm} in ${dialect.name} {uptane B2} {uptane B3}`, async () => {
        const signer = signerOf('key', algorithm);
        const file = await signMetadata(dialect, SIGNED, [signer]);
        const { payload, signatures } = decodeEnvelope(dialect, file, 100_000);
        assert.deepEqual(payload, payloadBytes(dialect, SIGNED));
        assert.deepEqual(payload, encodeCanonical(SIGNED, dialect.canonicalForm));
        const [signature, ...others] = signatures;
        assert.deepEqual(others, []);
        assert.equal(signature?.keyId, keyIdOf(dialect, algorithm, signer.publicKeyDer));
        assert.equal(signature?.method, dialect.methodOf(algorithm));
        const key = publicKeyFromDer(algorithm, signer.publicKeyDer);
        assert.ok(key.verify(payload, signature?.bytes ?? new Uint8Array()));
      });
    }
  }

  it('keeps the order of its signers', async () => {
    for (const dialect of DIALECTS) {
      const signers = ['b', 'a', 'c'].map((name) => signerOf(name));
      // oxlint-disable-next-line no-await-in-loop -- two dialects
      const { signatures } = decodeEnvelope(
        dialect,
        await signMetadata(dialect, SIGNED, signers),
        10_000,
      );
      const ids = signers.map(({ publicKeyDer }) => keyIdOf(dialect, 'ed25519', publicKeyDer));
      assert.deepEqual(
        signatures.map(({ keyId }) => keyId),
        ids,
      );
    }
  });
});

describe('addSignature()', () => {
  for (const dialect of DIALECTS) {
    it(`gathers a threshold from people who sign elsewhere, in ${dialect.name} {uptane L6}`, async () => {
      const people = ['ann', 'ben', 'cem'].map((name) => {
        const signer = signerOf(name);
        const key = publicKeyFromDer('ed25519', signer.publicKeyDer);
        return { signer, key, keyId: keyIdOf(dialect, 'ed25519', signer.publicKeyDer) };
      });
      const keys = new Map(people.map(({ keyId, key }) => [keyId, key]));
      const role = { keyIds: new Set(keys.keys()), threshold: 2 };
      let bytes = encodeEnvelope(dialect, SIGNED, []);
      const codes: (string | undefined)[] = [];
      for (const { signer, key } of people) {
        const current = bytes;
        codes.push(
          codeOf(() => checkThreshold(decodeEnvelope(dialect, current, 10_000), keys, role)),
        );
        // oxlint-disable-next-line no-await-in-loop -- one person after the other
        const signature = await makeSignature(dialect, SIGNED, signer);
        bytes = addSignature(dialect, { bytes, lengthMaxBytes: 10_000 }, { signature, key });
      }
      assert.deepEqual(codes, ['SIGNATURE_THRESHOLD', 'SIGNATURE_THRESHOLD', undefined]);
      const signers = people.map(({ signer }) => signer);
      assert.deepEqual(bytes, await signMetadata(dialect, SIGNED, signers));
    });
  }

  it('replaces an older signature of the same key', async () => {
    for (const dialect of DIALECTS) {
      const [signer, other] = [signerOf('ann', 'ecdsa-p256'), signerOf('ben')];
      const key = publicKeyFromDer('ecdsa-p256', signer.publicKeyDer);
      // oxlint-disable-next-line no-await-in-loop -- two dialects
      const bytes = await signMetadata(dialect, SIGNED, [signer, other]);
      // oxlint-disable-next-line no-await-in-loop -- two dialects
      const signature = await makeSignature(dialect, SIGNED, signer);
      const again = addSignature(dialect, { bytes, lengthMaxBytes: 10_000 }, { signature, key });
      const { signatures } = decodeEnvelope(dialect, again, 10_000);
      assert.equal(signatures.length, 2);
      assert.deepEqual(signatures.at(-1)?.bytes, signature.bytes);
    }
  });

  it('lets no signature in that does not verify', async () => {
    for (const dialect of DIALECTS) {
      const [signer, other] = [signerOf('ann'), signerOf('ben')];
      const key = publicKeyFromDer('ed25519', signer.publicKeyDer);
      const file = { bytes: encodeEnvelope(dialect, SIGNED, []), lengthMaxBytes: 10_000 };
      // oxlint-disable-next-line no-await-in-loop -- two dialects
      const wrong = [
        await makeSignature(dialect, SIGNED, other),
        await makeSignature(dialect, { a: 1 }, signer),
      ];
      for (const signature of wrong) {
        assert.equal(
          codeOf(() => addSignature(dialect, file, { signature, key })),
          'SIGNATURE_THRESHOLD',
        );
      }
    }
  });

  it('reads the file under a limit', async () => {
    for (const dialect of DIALECTS) {
      const signer = signerOf('ann');
      const key = publicKeyFromDer('ed25519', signer.publicKeyDer);
      // oxlint-disable-next-line no-await-in-loop -- two dialects
      const signature = await makeSignature(dialect, SIGNED, signer);
      const bytes = encodeEnvelope(dialect, SIGNED, []);
      const add = (lengthMaxBytes: number): unknown =>
        addSignature(dialect, { bytes, lengthMaxBytes }, { signature, key });
      assert.equal(
        codeOf(() => add(bytes.length)),
        undefined,
      );
      assert.equal(
        codeOf(() => add(bytes.length - 1)),
        'LIMIT',
      );
      const file = { bytes: utf8('{}'), lengthMaxBytes: 10 };
      assert.equal(
        codeOf(() => addSignature(dialect, file, { signature, key })),
        'MALFORMED',
      );
    }
  });
});
