import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Fault } from '@immota/base';
import { generateSigner } from '@immota/pki';
import {
  AKTUALIZR,
  checkThreshold,
  decodeRoot,
  keyIdOf,
  keysOf,
  limits,
  TUF,
} from '@immota/uptane';
import { nextRoot } from '../../src/ceremony/next-root.ts';
import {
  encodePublicKey,
  encodeRequest,
  encodeSignatures,
  importSignatures,
  parsePublicKey,
  parseRequest,
  parseSignatures,
  type SigningRequest,
  signRequest,
  unsignedFile,
} from '../../src/ceremony/signing-request.ts';

const ann = generateSigner('ed25519');
const bob = generateSigner('ml-dsa-65');
const online = generateSigner('ecdsa-p256');
const expires = Temporal.Instant.from('2040-01-01T00:00:00Z');
const card = (name: string, { algorithm, publicKeyDer }: typeof ann) => ({
  name,
  algorithm,
  publicKeyDer,
});

function firstRoot(): SigningRequest {
  const role = (name: 'targets' | 'snapshot' | 'timestamp') => ({
    role: name,
    add: [card('online', online)],
    remove: [],
    threshold: undefined,
  });
  const changes = [
    { role: 'root' as const, add: [card('ann', ann), card('bob', bob)], remove: [], threshold: 2 },
    role('targets'),
    role('snapshot'),
    role('timestamp'),
  ];
  return {
    repository: 'image',
    files: [AKTUALIZR, TUF].map((dialect) =>
      unsignedFile(dialect, 'root', nextRoot(dialect, { current: undefined, changes, expires })),
    ),
  };
}

/** As it travels: every step through its file. */
async function signedBy(
  request: SigningRequest,
  signers: readonly (typeof ann)[],
): Promise<SigningRequest> {
  let current = parseRequest(encodeRequest(request));
  for (const signer of signers) {
    const given = parseSignatures(encodeSignatures(await signRequest(current, signer)));
    current = parseRequest(encodeRequest(importSignatures(current, given)));
  }
  return current;
}

describe('importSignatures()', () => {
  it('makes a Root of what several people signed elsewhere {uptane L6} {uptane C1}', async () => {
    for (const { dialect, bytes } of (await signedBy(firstRoot(), [ann, bob])).files) {
      const root = decodeRoot(dialect, bytes, limits.ROOT_MAX_BYTES);
      assert.equal(root.signatures.length, 2);
      checkThreshold(root, root.body.keys, keysOf(root.body, 'root'));
    }
  });
  it('keeps one signature of a key that signs twice', async () => {
    for (const { dialect, bytes } of (await signedBy(firstRoot(), [ann, ann])).files) {
      const root = decodeRoot(dialect, bytes, limits.ROOT_MAX_BYTES);
      assert.equal(root.signatures.length, 1);
      assert.throws(() => checkThreshold(root, root.body.keys, keysOf(root.body, 'root')), {
        code: 'SIGNATURE_THRESHOLD',
      });
    }
  });
  it('lets no signature in that does not verify', async () => {
    const request = firstRoot();
    const [first, ...others] = await signRequest(request, ann);
    assert.ok(first);
    const forged = { ...first, bytes: first.bytes.toReversed() };
    assert.throws(() => importSignatures(request, [forged, ...others]), {
      code: 'SIGNATURE_THRESHOLD',
    });
  });
  it('refuses a signature for a file that nobody requested', async () => {
    const given = await signRequest(firstRoot(), ann);
    const stray = given.map((one) => ({ ...one, version: 7 }));
    assert.throws(() => importSignatures(firstRoot(), stray), { code: 'USAGE' });
  });
});

describe('nextRoot()', () => {
  it('rotates a key out and another in, one version on {uptane L7}', async () => {
    const [file] = (await signedBy(firstRoot(), [ann, bob])).files;
    assert.ok(file);
    const current = decodeRoot(AKTUALIZR, file.bytes, limits.ROOT_MAX_BYTES).body;
    const gone = keyIdOf(AKTUALIZR, online.algorithm, online.publicKeyDer);
    const change = {
      role: 'timestamp' as const,
      add: [card('ann', ann)],
      remove: [gone.slice(0, 12)],
      threshold: undefined,
    };
    const signed = nextRoot(AKTUALIZR, { current, changes: [change], expires });
    const next = decodeRoot(
      AKTUALIZR,
      unsignedFile(AKTUALIZR, 'root', signed).bytes,
      limits.ROOT_MAX_BYTES,
    ).body;
    assert.equal(next.version, 2);
    assert.deepEqual(
      [...keysOf(next, 'timestamp').keyIds],
      [keyIdOf(AKTUALIZR, ann.algorithm, ann.publicKeyDer)],
    );
    assert.deepEqual(keysOf(next, 'root').keyIds, keysOf(current, 'root').keyIds);
  });
  it('refuses to leave a role without enough keys', () => {
    assert.throws(() => nextRoot(AKTUALIZR, { current: undefined, changes: [], expires }), {
      code: 'USAGE',
    });
  });
  it('refuses to remove a key that is not there', async () => {
    const [file] = (await signedBy(firstRoot(), [ann, bob])).files;
    assert.ok(file);
    const current = decodeRoot(AKTUALIZR, file.bytes, limits.ROOT_MAX_BYTES).body;
    const change = { role: 'root' as const, add: [], remove: ['00000000'], threshold: undefined };
    assert.throws(() => nextRoot(AKTUALIZR, { current, changes: [change], expires }), {
      code: 'USAGE',
    });
  });
});

describe('parsePublicKey()', () => {
  it('reads what encodePublicKey() wrote', () => {
    assert.deepEqual(parsePublicKey(encodePublicKey(card('ann', ann))), card('ann', ann));
  });
  it('refuses a key whose fingerprint is another’s', () => {
    const text = new TextDecoder().decode(encodePublicKey(card('ann', ann)));
    const swapped = text.replace(/"fingerprint": "./, '"fingerprint": "x');
    assert.throws(() => parsePublicKey(new TextEncoder().encode(swapped)), { code: 'USAGE' });
  });
});

describe('files of a ceremony', () => {
  it('are read or refused with a code, whatever they hold', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          for (const parse of [parseRequest, parseSignatures, parsePublicKey]) {
            assert.throws(
              () => parse(bytes),
              (error: unknown) => error instanceof Fault,
            );
          }
        },
      ),
    );
  });
});
