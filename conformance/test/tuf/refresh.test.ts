import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeSigner } from './support/signer.ts';
import { withClient } from './support/subject.ts';

const TOP_LEVEL = ['root', 'timestamp', 'snapshot', 'targets'] as const;

describe('init', () => {
  it('takes the Root over byte for byte and asks the repository for nothing', async () => {
    await withClient(async (client, repository) => {
      assert.equal(await client.init(), 'DONE');
      assert.deepEqual(client.stored('root'), repository.latest('root'));
      assert.deepEqual(client.trusted(), { root: 1 });
      assert.deepEqual(repository.metadataRequests, []);
    });
  });

  it('refuses a Root that is not there or too long', async () => {
    await withClient(async (client) => {
      const missing = await client.run('--metadata-dir', client.metadataDir, 'init', '/nowhere');
      assert.equal(missing, 'FILE');
      assert.equal(await client.init(Buffer.alloc(512_001, ' ')), 'FILE');
    });
  });

  it('starts again from an older Root that is given later, and walks the chain once more', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      repository.publish('root');
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(await client.init(), 'DONE');
      assert.equal(client.trusted()['root'], 1);
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['root'], 2);
      assert.deepEqual(repository.metadataRequests.slice(5), [
        '2.root.json',
        '3.root.json',
        'timestamp.json',
      ]);
    });
  });
});

describe('refresh: requests', () => {
  it('asks for the next Root, Timestamp, Snapshot and Targets, in this order and one at a time', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.deepEqual(repository.metadataRequests, [
        '2.root.json',
        'timestamp.json',
        '1.snapshot.json',
        '1.targets.json',
      ]);
      assert.equal(repository.openAtOnceMax, 1);
    });
  });

  it('asks for no more than Root and Timestamp when nothing is new', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      await client.refresh();
      repository.metadataRequests.length = 0;
      assert.equal(await client.refresh(), 'DONE');
      assert.deepEqual(repository.metadataRequests, ['2.root.json', 'timestamp.json']);
    });
  });

  it('asks for Targets only when Snapshot names another version', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      await client.refresh();
      repository.metadataRequests.length = 0;
      repository.publish('snapshot', 'timestamp');
      assert.equal(await client.refresh(), 'DONE');
      assert.deepEqual(repository.metadataRequests, [
        '2.root.json',
        'timestamp.json',
        '2.snapshot.json',
      ]);
    });
  });

  it('asks for names without versions where consistent_snapshot is false', async () => {
    await withClient(async (client, repository) => {
      repository.root['consistent_snapshot'] = false;
      repository.publish('root');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.deepEqual(repository.metadataRequests, [
        '2.root.json',
        '3.root.json',
        'timestamp.json',
        'snapshot.json',
        'targets.json',
      ]);
    });
  });

  it('asks for names without versions where consistent_snapshot is absent', async () => {
    await withClient(async (client, repository) => {
      delete repository.root['consistent_snapshot'];
      repository.publish('root');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.deepEqual(repository.metadataRequests.slice(3), ['snapshot.json', 'targets.json']);
    });
  });

  it('walks a long chain of Roots version by version', async () => {
    await withClient(async (client, repository) => {
      for (let count = 0; count < 40; count += 1) repository.publish('root');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      const chain = Array.from({ length: 41 }, (_, index) => `${index + 2}.root.json`);
      assert.deepEqual(repository.metadataRequests.slice(0, 41), chain);
      assert.equal(client.trusted()['root'], 41);
    });
  });

  it('refreshes before it looks for an artifact', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      assert.equal(await client.download('nothing of the kind'), 'TARGET_UNKNOWN');
      assert.deepEqual(client.trusted(), { root: 1, snapshot: 1, targets: 1, timestamp: 1 });
      assert.equal(repository.metadataRequests.length, 4);
      assert.deepEqual(repository.artifactRequests, []);
    });
  });
});

describe('refresh: trusted files', () => {
  it('keeps each file byte for byte under a name without version, and no other .json', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.deepEqual(client.trusted(), { root: 1, snapshot: 1, targets: 1, timestamp: 1 });
      for (const role of TOP_LEVEL) assert.deepEqual(client.stored(role), repository.latest(role));
    });
  });

  it('keeps spaces that mean nothing', async () => {
    await withClient(async (client, repository) => {
      const spaced = Buffer.concat([repository.latest('timestamp'), Buffer.from(' \n')]);
      repository.published.set('timestamp', [spaced]);
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.deepEqual(client.stored('timestamp'), spaced);
    });
  });

  it('accepts fields that nobody defined, in file, key and role', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.addKey('root', makeSigner('ecdsa', { 'x-owner': { name: '@one', since: 2020 } }));
      repository.root['x-field'] = ['value', null, true];
      repository.part('root', 'roles', 'root')['x-field'] = 'value';
      repository.part('root', 'roles')['x-role'] = { keyids: [], threshold: 1 };
      repository.publish('root');
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['root'], 2);
    });
  });

  it('sorts names by code point where UTF-16 units sort otherwise', async () => {
    await withClient(async (client, repository) => {
      Object.assign(repository.of('timestamp'), { '\u{1f697}': 1, '\uff5e': 2, z: 3 });
      repository.publish('timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['timestamp'], 2);
    });
  });

  it('reads quotes, backslashes, line ends and unusual letters in signed text', async () => {
    await withClient(async (client, repository) => {
      repository.of('targets')['x-text'] = 'a"b\\c\nd\te\u0000ü\u2028\u{1f697}/';
      repository.publish('targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['targets'], 2);
    });
  });

  it('does not care for keyid_hash_algorithms', async () => {
    await withClient(async (client, repository) => {
      repository.clearKeys('snapshot');
      repository.addKey('snapshot', makeSigner('ecdsa', { keyid_hash_algorithms: 'md5' }));
      repository.publish('root', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.deepEqual(client.trusted(), { root: 2, snapshot: 2, targets: 1, timestamp: 2 });
    });
  });
});

describe('refresh: a bad start', () => {
  it('refuses to begin without a Root and asks for nothing', async () => {
    await withClient(async (client, repository) => {
      assert.equal(await client.refresh(), 'NOT_INITIALISED');
      assert.equal(await client.download('x'), 'NOT_INITIALISED');
      assert.deepEqual(repository.metadataRequests, []);
    });
  });

  it('refuses a first Root of the wrong shape and asks for nothing', async () => {
    await withClient(async (client, repository) => {
      delete repository.root['version'];
      await client.init(repository.seal('root'));
      assert.equal(await client.refresh(), 'MALFORMED');
      assert.deepEqual(repository.metadataRequests, []);
    });
  });

  it('refuses a first Root that does not vouch for itself and asks for nothing', async () => {
    await withClient(async (client, repository) => {
      await client.init(repository.seal('root', [makeSigner()]));
      assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
      repository.bend('root', ({ signatures }) => {
        const [signature] = signatures;
        assert(signature !== undefined);
        signature['sig'] = repository.signers.get('targets')?.[0]?.sign(Buffer.from('other')) ?? '';
      });
      await client.init();
      assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
      assert.deepEqual(repository.metadataRequests, []);
    });
  });

  for (const [version, outcome] of [
    ['1.0.0', 'DONE'],
    ['1.0', 'DONE'],
    ['1.0.999', 'DONE'],
    ['2.0.0', 'MALFORMED'],
    ['0.9', 'MALFORMED'],
  ] as const) {
    it(`answers specification ${version} with ${outcome}`, async () => {
      await withClient(async (client, repository) => {
        repository.of('timestamp')['spec_version'] = version;
        repository.publish('timestamp');
        await client.init();
        assert.equal(await client.refresh(), outcome);
      });
    });
  }
});

describe('refresh: roles that are not as they must be', () => {
  for (const [role, trusted] of [
    ['root', { root: 1 }],
    ['timestamp', { root: 2 }],
    ['snapshot', { root: 2, timestamp: 2 }],
    ['targets', { root: 2, snapshot: 2, timestamp: 2 }],
  ] as const) {
    it(`refuses an unsigned ${role} and keeps what was checked before it`, async () => {
      await withClient(async (client, repository) => {
        repository.signers.set(role, []);
        repository.publish('root', 'targets', 'snapshot', 'timestamp');
        await client.init();
        assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
        assert.deepEqual(client.trusted(), trusted);
      });
    });

    it(`refuses other metadata in the place of ${role}, though the right keys signed it`, async () => {
      await withClient(async (client, repository) => {
        repository.of(role)['_type'] = role === 'root' ? 'targets' : 'root';
        repository.publish('root', 'targets', 'snapshot', 'timestamp');
        await client.init();
        assert.equal(await client.refresh(), 'ROLE_TYPE');
        assert.deepEqual(client.trusted(), trusted);
      });
    });
  }

  it('refuses a Snapshot in the place of Timestamp even if it could be read as one', async () => {
    await withClient(async (client, repository) => {
      const [signer] = repository.signers.get('timestamp') ?? [];
      repository.addKey('snapshot', signer);
      repository.of('snapshot')['meta'] = { 'snapshot.json': { version: 1 } };
      repository.publish('root', 'snapshot');
      repository.published.get('timestamp')?.push(repository.latest('snapshot'));
      await client.init();
      assert.equal(await client.refresh(), 'ROLE_TYPE');
      assert.deepEqual(client.trusted(), { root: 2 });
    });
  });

  for (const [role, code, trusted] of [
    ['root', 'ROOT_VERSION', { root: 1 }],
    ['snapshot', 'METADATA_MISSING', { root: 2, timestamp: 2 }],
    ['targets', 'METADATA_MISSING', { root: 2, snapshot: 2, timestamp: 2 }],
  ] as const) {
    it(`refuses ${role} of another version than its address says`, async () => {
      await withClient(async (client, repository) => {
        repository.of(role)['version'] = 2;
        repository.publish('root', 'targets', 'snapshot', 'timestamp');
        await client.init();
        assert.equal(await client.refresh(), code);
        assert.deepEqual(client.trusted(), trusted);
      });
    });
  }

  for (const role of ['snapshot', 'targets']) {
    it(`refuses ${role} of another version than the one named`, async () => {
      await withClient(async (client, repository) => {
        repository.publish(role);
        repository.part(role === 'snapshot' ? 'timestamp' : 'snapshot', 'meta')[`${role}.json`] = {
          version: 3,
        };
        const files = repository.published.get(role) ?? [];
        files.push(repository.latest(role));
        repository.publish(...(role === 'snapshot' ? [] : ['snapshot']), 'timestamp');
        await client.init();
        assert.equal(await client.refresh(), 'VERSION_MISMATCH');
      });
    });
  }

  it('refuses a repository without Timestamp', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.published.delete('timestamp');
      assert.equal(await client.refresh(), 'METADATA_MISSING');
      assert.equal(repository.metadataRequests.at(-1), 'timestamp.json');
    });
  });

  it('refuses a repository without the Snapshot that Timestamp names', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.part('timestamp', 'meta')['snapshot.json'] = { version: 2 };
      repository.publish('timestamp');
      assert.equal(await client.refresh(), 'METADATA_MISSING');
      assert.equal(repository.metadataRequests.at(-1), '2.snapshot.json');
      assert.deepEqual(client.trusted(), { root: 1, snapshot: 1, targets: 1, timestamp: 2 });
    });
  });

  it('refuses a repository without the Targets that Snapshot names', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.part('snapshot', 'meta')['targets.json'] = { version: 2 };
      repository.publish('snapshot', 'timestamp');
      assert.equal(await client.refresh(), 'METADATA_MISSING');
      assert.equal(repository.metadataRequests.at(-1), '2.targets.json');
      assert.deepEqual(client.trusted(), { root: 1, snapshot: 2, targets: 1, timestamp: 2 });
    });
  });
});

describe('refresh: hashes and lengths in Timestamp and Snapshot', () => {
  it('accepts files that fit them', async () => {
    await withClient(async (client, repository) => {
      repository.statesHashes = true;
      repository.publish('targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(await client.refresh(), 'DONE');
    });
  });

  for (const [role, holder] of [
    ['targets', 'snapshot'],
    ['snapshot', 'timestamp'],
  ] as const) {
    const rest = role === 'targets' ? ['snapshot', 'timestamp'] : ['timestamp'];

    it(`refuses ${role} with another hash`, async () => {
      await withClient(async (client, repository) => {
        await client.init();
        assert.equal(await client.refresh(), 'DONE');
        repository.statesHashes = true;
        repository.publish(role);
        repository.part(holder, 'meta', `${role}.json`, 'hashes')['sha256'] = '0'.repeat(64);
        repository.publish(...rest);
        assert.equal(await client.refresh(), 'METADATA_HASH');
        assert.equal(client.trusted()[role], 1);
      });
    });

    for (const [length, code] of [
      [-1, 'LIMIT'],
      [1, 'METADATA_HASH'],
    ] as const) {
      it(`refuses ${role} ${length < 0 ? 'longer' : 'shorter'} than stated`, async () => {
        await withClient(async (client, repository) => {
          await client.init();
          repository.publish(role);
          repository.part(holder, 'meta')[`${role}.json`] = {
            version: 2,
            length: repository.latest(role).length + length,
          };
          repository.publish(...rest);
          assert.equal(await client.refresh(), code);
          assert.equal(client.trusted()[role], undefined);
        });
      });
    }

    it(`accepts ${role} where only the length is stated`, async () => {
      await withClient(async (client, repository) => {
        await client.init();
        repository.publish(role);
        repository.part(holder, 'meta')[`${role}.json`] = {
          version: 2,
          length: repository.latest(role).length,
        };
        repository.publish(...rest);
        assert.equal(await client.refresh(), 'DONE');
        assert.equal(client.trusted()[role], 2);
      });
    });
  }
});

describe('refresh: Timestamp of the version at hand', () => {
  it('keeps the one it has and asks for nothing that the other one names', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      const kept = client.stored('timestamp');
      repository.part('timestamp', 'meta')['snapshot.json'] = { version: 100 };
      repository.forget('timestamp');
      repository.publish('timestamp');
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(repository.metadataRequests.at(-1), 'timestamp.json');
      assert.deepEqual(client.stored('timestamp'), kept);
    });
  });

  it('keeps the one it has when the other one names a lower Snapshot', async () => {
    await withClient(async (client, repository) => {
      repository.publish('snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.part('timestamp', 'meta')['snapshot.json'] = { version: 1 };
      repository.of('timestamp')['version'] = 1;
      repository.publish('timestamp');
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['snapshot'], 2);
    });
  });

  it('refuses one that nobody signed', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.published.set('timestamp', [repository.seal('timestamp', [])]);
      assert.equal(await client.refresh(), 'SIGNATURE_THRESHOLD');
    });
  });
});
