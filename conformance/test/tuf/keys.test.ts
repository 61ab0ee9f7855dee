import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type KeyKind, keyIdOf, makeSigner } from './support/signer.ts';
import { withClient } from './support/subject.ts';

describe('thresholds', () => {
  it('refuses Snapshot when one signature too few is there', async () => {
    await withClient(async (client, repository) => {
      repository.part('root', 'roles', 'snapshot')['threshold'] = 3;
      repository.addKey('snapshot');
      repository.addKey('snapshot');
      repository.publish('root', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.signers.get('snapshot')?.pop();
      repository.publish('snapshot', 'timestamp');
      assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
      assert.equal(client.trusted()['snapshot'], 2);
    });
  });

  it('refuses Snapshot when its role has fewer keys than its threshold', async () => {
    await withClient(async (client, repository) => {
      for (let count = 0; count < 4; count += 1) repository.addKey('snapshot');
      repository.part('root', 'roles', 'snapshot')['threshold'] = 6;
      repository.publish('root', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
      assert.deepEqual(client.trusted(), { root: 2, timestamp: 2 });
    });
  });

  for (const threshold of [0, -1, 1.5, '1', 1001]) {
    it(`refuses a Root with the threshold ${JSON.stringify(threshold)}`, async () => {
      await withClient(async (client, repository) => {
        repository.part('root', 'roles', 'targets')['threshold'] = threshold;
        await client.init(Buffer.from(JSON.stringify({ signatures: [], signed: repository.root })));
        const outcome = await client.refresh();
        assert(['THRESHOLD_INVALID', 'MALFORMED'].includes(outcome), outcome);
        assert.deepEqual(repository.metadataRequests, []);
      });
    });
  }

  it('refuses a role that names a key twice', async () => {
    await withClient(async (client, repository) => {
      const signer = makeSigner();
      for (let count = 0; count < 9; count += 1) repository.addKey('snapshot', signer);
      repository.part('root', 'roles', 'snapshot')['threshold'] = 6;
      repository.publish('root', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'MALFORMED');
      assert.deepEqual(client.trusted(), { root: 1 });
    });
  });

  it('refuses a file with two signatures of one key, though one would do', async () => {
    await withClient(async (client, repository) => {
      repository.bend('snapshot', ({ signatures }) => {
        signatures.push(...signatures);
      });
      await client.init();
      assert.equal(await client.refresh(), 'SIGNATURE_DUPLICATE');
      assert.deepEqual(client.trusted(), { root: 1, timestamp: 1 });
    });
  });

  it('counts one key under two identifiers once', async () => {
    await withClient(async (client, repository) => {
      const [signer] = repository.signers.get('snapshot') ?? [];
      assert(signer !== undefined);
      const twin = { ...signer.key, 'x-name': 'another' };
      repository.addKey('snapshot', { ...signer, key: twin, keyId: keyIdOf(twin) });
      repository.part('root', 'roles', 'snapshot')['threshold'] = 2;
      repository.publish('root', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
    });
  });

  it('counts no signature of a key that Root lists for another role', async () => {
    await withClient(async (client, repository) => {
      repository.signers.set('snapshot', repository.signers.get('targets') ?? []);
      repository.publish('snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
    });
  });

  it('accepts a key that speaks for several roles', async () => {
    await withClient(async (client, repository) => {
      const signer = makeSigner();
      for (const role of ['timestamp', 'snapshot', 'targets']) {
        repository.clearKeys(role);
        repository.addKey(role, signer);
      }
      repository.publish('root', 'targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
    });
  });
});

describe('kinds of keys', () => {
  for (const kind of ['rsa', 'ecdsa', 'ed25519'] as const satisfies readonly KeyKind[]) {
    it(`verifies ${kind} and refuses a signature of that kind over something else`, async () => {
      await withClient(async (client, repository) => {
        const signer = repository.addKey('root', makeSigner(kind));
        repository.part('root', 'roles', 'root')['threshold'] = 2;
        repository.publish('root');
        await client.init();
        assert.equal(await client.refresh(), 'DONE');
        assert.equal(client.trusted()['root'], 2);
        repository.publish('root');
        repository.bend('root', ({ signatures }) => {
          const own = signatures.find(({ keyid }) => keyid === signer.keyId);
          assert(own !== undefined);
          own['sig'] = signer.sign(Buffer.from('something else'));
        });
        assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
        assert.equal(client.trusted()['root'], 2);
      });
    });
  }

  it('leaves keys of unknown kinds alone', async () => {
    await withClient(async (client, repository) => {
      for (const key of [
        { keytype: 'sphincs+', scheme: 'sphincs-sha2-128s', keyval: { public: 'AA==' } },
        { keytype: 'sigstore-oidc', scheme: 'Fulcio', keyval: { identity: 'a', issuer: 'b' } },
        { keytype: 'ecdsa', scheme: 'ecdsa-sha2-nistp384', keyval: { public: 'no PEM' } },
        { keytype: 'ed25519', scheme: 'ed25519', keyval: { public: 'not hex' } },
      ]) {
        const keyId = keyIdOf(key);
        repository.addKey('timestamp', { key, keyId, sign: () => 'abcd' });
      }
      repository.publish('root', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
    });
  });

  it('does not count a signature of an unknown kind', async () => {
    await withClient(async (client, repository) => {
      const key = { keytype: 'new', scheme: 'new', keyval: { public: '' } };
      repository.addKey('timestamp', { key, keyId: keyIdOf(key), sign: () => '' });
      repository.part('root', 'roles', 'timestamp')['threshold'] = 2;
      repository.publish('root', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
    });
  });

  it('takes key identifiers as they stand, hash or not', async () => {
    await withClient(async (client, repository) => {
      const signer = makeSigner();
      repository.rotateKeys('timestamp');
      repository.addKey('timestamp', { ...signer, keyId: 'the key of the night shift' });
      repository.part('root', 'roles', 'timestamp')['threshold'] = 2;
      repository.publish('root', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
    });
  });

  it('does not miss a key that a role names and no list has', async () => {
    await withClient(async (client, repository) => {
      (repository.part('root', 'roles', 'timestamp')['keyids'] as string[]).push('f'.repeat(64));
      repository.publish('root', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
    });
  });
});

describe('signatures that do not verify beside enough that do', () => {
  for (const [what, sig] of [
    ['of other bytes', undefined],
    ['empty', ''],
    ['no hexadecimal', 'not yet signed'],
  ] as const) {
    it(`accepts a file with one that is ${what}`, async () => {
      await withClient(async (client, repository) => {
        const [first] = repository.signers.get('timestamp') ?? [];
        assert(first !== undefined);
        repository.addKey('timestamp');
        repository.publish('root', 'timestamp');
        repository.bend('timestamp', ({ signatures }) => {
          const own = signatures.find(({ keyid }) => keyid === first.keyId);
          assert(own !== undefined);
          own['sig'] = sig ?? first.sign(Buffer.from('other bytes'));
        });
        await client.init();
        assert.equal(await client.refresh(), 'DONE');
        assert.equal(client.trusted()['timestamp'], 2);
      });
    });
  }

  it('accepts signatures of strangers', async () => {
    await withClient(async (client, repository) => {
      repository.signers.get('timestamp')?.unshift(makeSigner(), makeSigner('ed25519'));
      repository.publish('timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
    });
  });
});
