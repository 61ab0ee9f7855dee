import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { openTestDatabase, type TestDatabase } from '@immota/store/testing';
import {
  listSigningKeys,
  type NewSigningKey,
  registerSigningKey,
  revokeSigningKey,
} from '../../src/access/signing-keys.ts';
import type { CloudContext } from '../../src/context.ts';
import { eventLog } from '../../src/event-log/event-log.ts';
import { type CloudSchema, MIGRATIONS } from '../../src/index.ts';
import type { Caller } from '../../src/operator/tokens.ts';
import { repeatingEntropy, standingClock } from '../support/ports.ts';

let test: TestDatabase<CloudSchema>;
let context: CloudContext;
const clock = standingClock();
before(async () => {
  test = await openTestDatabase<CloudSchema>(MIGRATIONS);
  const { database } = test;
  context = { database, events: eventLog, clock, entropy: repeatingEntropy('keys') };
});
after(() => test.drop());

function caller(name: string, role: Caller['role'] = 'approver'): Caller {
  const fleet = { tenant: 'main' };
  return { kind: 'person', name, role, uploadsFor: [], fleet, expiresAt: clock.now() };
}

type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };
const ed25519 = (): Pair => generateKeyPairSync('ed25519');
const p256 = (): Pair => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

function request(
  { publicKey, privateKey }: Pair,
  algorithm: NewSigningKey['algorithm'],
  said?: string,
): NewSigningKey {
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const keyId = createHash('sha256').update(der).digest('hex');
  const digest = algorithm === 'ed25519' ? null : 'sha256';
  const proof = sign(digest, Buffer.from(said ?? keyId), privateKey).toString('base64');
  return { name: 'mine', algorithm, publicKey: der.toString('base64'), proof };
}

describe('registerSigningKey()', () => {
  it('takes keys of both algorithms from whoever holds them', async () => {
    await registerSigningKey(context, caller('a@x.test'), request(ed25519(), 'ed25519'));
    await registerSigningKey(context, caller('a@x.test'), request(p256(), 'ecdsa-p256'));
    const page = { before: undefined, limit: 10 };
    assert.equal((await listSigningKeys(context, 'main', page)).length, 2);
    assert.equal((await listSigningKeys(context, 'other', page)).length, 0);
  });

  it('takes a proof as browsers make it, both halves side by side', async () => {
    const { publicKey, privateKey } = p256();
    const asked = request({ publicKey, privateKey }, 'ecdsa-p256');
    const der = publicKey.export({ type: 'spki', format: 'der' });
    const keyId = createHash('sha256').update(der).digest('hex');
    const raw = (said: string): NewSigningKey => {
      const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
      const proof = sign('sha256', Buffer.from(said), key);
      assert.equal(proof.length, 64);
      return { ...asked, proof: proof.toString('base64') };
    };
    await assert.rejects(registerSigningKey(context, caller('g@x.test'), raw('another')), {
      code: 'SIGNING_KEY',
    });
    const { key_id: found } = await registerSigningKey(context, caller('g@x.test'), raw(keyId));
    assert.equal(found, keyId);
  });

  const pair = ed25519();
  const refused: Readonly<Record<string, NewSigningKey>> = {
    'a proof over something else': request(pair, 'ed25519', 'another'),
    'a proof by another key': {
      ...request(pair, 'ed25519'),
      proof: request(ed25519(), 'ed25519').proof,
    },
    'a key of another algorithm': { ...request(pair, 'ed25519'), algorithm: 'ecdsa-p256' },
    'a key of another curve': request(
      generateKeyPairSync('ec', { namedCurve: 'secp384r1' }),
      'ecdsa-p256',
    ),
    'bytes that are no key': { ...request(pair, 'ed25519'), publicKey: 'AAAA' },
  };
  for (const [what, one] of Object.entries(refused)) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(registerSigningKey(context, caller('b@x.test'), one), {
        code: 'SIGNING_KEY',
      });
    });
  }

  it('refuses a key that somebody has, and one too many', async () => {
    const one = request(ed25519(), 'ed25519');
    await registerSigningKey(context, caller('c@x.test'), one);
    await assert.rejects(registerSigningKey(context, caller('d@x.test'), one), {
      code: 'SIGNING_KEY',
    });
    for (let count = 1; count < 16; count += 1) {
      await registerSigningKey(context, caller('c@x.test'), request(ed25519(), 'ed25519'));
    }
    const more = request(ed25519(), 'ed25519');
    await assert.rejects(registerSigningKey(context, caller('c@x.test'), more), { code: 'QUOTA' });
  });
});

describe('revokeSigningKey()', () => {
  it('is for the owner and for administrators', async () => {
    const { key_id: keyId } = await registerSigningKey(
      context,
      caller('e@x.test'),
      request(ed25519(), 'ed25519'),
    );
    await assert.rejects(revokeSigningKey(context, caller('f@x.test'), keyId), {
      code: 'NOT_FOUND',
    });
    const revoked = await revokeSigningKey(context, caller('root@x.test', 'admin'), keyId);
    assert.notEqual(revoked.revoked_at, null);
  });
});
