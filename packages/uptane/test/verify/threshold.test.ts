import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { type Signer, utf8 } from '@immota/base';
import {
  checkThreshold,
  type KeyId,
  parseKeyId,
  type PublicKey,
  publicKeyFromDer,
  type Signature,
} from '@immota/uptane';
import { signerOf } from '../support/keys.ts';
import { codeOf } from '../support/world.ts';

const PAYLOAD = utf8('payload');
const SIGNERS: readonly Signer[] = ['a', 'b', 'c', 'd'].map((name) => signerOf(name));
const [A, B, C] = SIGNERS as readonly [Signer, Signer, Signer, Signer];

function keyOf({ algorithm, publicKeyDer }: Signer): PublicKey {
  return publicKeyFromDer(algorithm, publicKeyDer);
}

function table(entries: readonly (readonly [string, Signer])[]): ReadonlyMap<KeyId, PublicKey> {
  return new Map(entries.map(([keyId, signer]) => [parseKeyId(keyId), keyOf(signer)]));
}

async function signed(
  entries: readonly (readonly [string, Signer])[],
  payload = PAYLOAD,
): Promise<readonly Signature[]> {
  return await Promise.all(
    entries.map(async ([keyId, signer]) => ({
      keyId: parseKeyId(keyId),
      bytes: await signer.sign(payload),
      method: undefined,
    })),
  );
}

function check(
  signatures: readonly Signature[],
  keys: ReadonlyMap<KeyId, PublicKey>,
  [threshold, ...keyIds]: readonly [number, ...string[]],
): string | undefined {
  const role = { threshold, keyIds: new Set(keyIds.map(parseKeyId)) };
  return codeOf(() => checkThreshold({ payload: PAYLOAD, signatures }, keys, role));
}

describe('checkThreshold()', () => {
  const keys = table([
    ['a', A],
    ['b', B],
    ['c', C],
  ]);

  it('accepts as many signatures as the threshold and refuses one fewer {uptane L6}', async () => {
    const two = await signed([
      ['a', A],
      ['b', B],
    ]);
    assert.equal(check(two, keys, [2, 'a', 'b', 'c']), undefined);
    assert.equal(check(two, keys, [1, 'a', 'b', 'c']), undefined);
    assert.equal(check(two, keys, [3, 'a', 'b', 'c']), 'SIGNATURE_THRESHOLD');
    assert.equal(check([], keys, [1, 'a']), 'SIGNATURE_THRESHOLD');
  });

  it('counts a signature wherever it stands', async () => {
    const [stranger, wrong, right] = await signed([
      ['x', A],
      ['b', A],
      ['c', C],
    ]);
    assert.ok(stranger && wrong && right);
    for (const signatures of [
      [stranger, wrong, right],
      [right, wrong, stranger],
    ]) {
      assert.equal(check(signatures, keys, [1, 'b', 'c']), undefined);
      assert.equal(check(signatures, keys, [2, 'b', 'c']), 'SIGNATURE_THRESHOLD');
    }
  });

  it('counts no key that is not of the role, though it is listed {uptane L8}', async () => {
    const two = await signed([
      ['a', A],
      ['b', B],
    ]);
    assert.equal(check(two, keys, [1, 'b']), undefined);
    assert.equal(check(two, keys, [2, 'b']), 'SIGNATURE_THRESHOLD');
    assert.equal(check(two, keys, [1, 'c']), 'SIGNATURE_THRESHOLD');
  });

  it('counts no key of the role that is not listed', async () => {
    const one = await signed([['x', A]]);
    assert.equal(check(one, keys, [1, 'x']), 'SIGNATURE_THRESHOLD');
  });

  it('counts one key once, under however many identifiers {uptane L6} {uptane L10}', async () => {
    const entries = [
      ['a', A],
      ['again', A],
      ['b', B],
    ] as const;
    const all = await signed(entries);
    assert.equal(
      check(all.slice(0, 2), table(entries), [2, 'a', 'again', 'b']),
      'SIGNATURE_THRESHOLD',
    );
    assert.equal(check(all, table(entries), [2, 'a', 'again', 'b']), undefined);
    assert.equal(check(all, table(entries), [3, 'a', 'again', 'b']), 'SIGNATURE_THRESHOLD');
  });

  it('counts no signature over another payload', async () => {
    const other = await signed([['a', A]], utf8('another'));
    assert.equal(check(other, keys, [1, 'a']), 'SIGNATURE_THRESHOLD');
  });

  it('needs both keys of a hybrid pair', async () => {
    const pair = [
      ['a', A],
      ['q', signerOf('a', 'ml-dsa-65')],
    ] as const;
    const both = await signed(pair);
    assert.equal(check(both, table(pair), [2, 'a', 'q']), undefined);
    for (const one of both) {
      assert.equal(check([one], table(pair), [2, 'a', 'q']), 'SIGNATURE_THRESHOLD');
    }
  });

  it('treats a threshold below 1 as a bug of the caller', () => {
    const role = { threshold: 0, keyIds: new Set<KeyId>() };
    assert.throws(() => checkThreshold({ payload: PAYLOAD, signatures: [] }, keys, role), {
      name: 'AssertionFailure',
    });
  });

  it('agrees with counting distinct keys of the role that really signed', async () => {
    const names = ['k0', 'k1', 'k2', 'k3', 'k4'];
    const cache = new Map<string, Signature>();
    for (const name of names) {
      for (const [index, signer] of SIGNERS.entries()) {
        // oxlint-disable-next-line no-await-in-loop -- twenty signatures, once
        const [signature] = await signed([[name, signer]]);
        if (signature !== undefined) cache.set(`${name} ${index}`, signature);
      }
    }
    const signerIndex = fc.nat({ max: SIGNERS.length - 1 });
    fc.assert(
      fc.property(
        fc.array(signerIndex, { minLength: 5, maxLength: 5 }),
        fc.uniqueArray(fc.tuple(fc.constantFrom(...names), signerIndex), {
          selector: ([name]) => name,
          maxLength: 5,
        }),
        fc.subarray(names),
        fc.integer({ min: 1, max: 5 }),
        (listed, made, role, threshold) => {
          const owners = new Map(names.map((name, index) => [name, listed[index] ?? 0]));
          const entries = names.map((name) => [name, SIGNERS[owners.get(name) ?? 0] ?? A] as const);
          const valid = made.filter(([name, by]) => role.includes(name) && owners.get(name) === by);
          const expected = new Set(valid.map(([, by]) => by)).size >= threshold;
          const signatures = made.flatMap(([name, by]) => cache.get(`${name} ${by}`) ?? []);
          const code = check(signatures, table(entries), [threshold, ...role]);
          assert.equal(code, expected ? undefined : 'SIGNATURE_THRESHOLD');
        },
      ),
      { numRuns: 60 },
    );
  });
});
