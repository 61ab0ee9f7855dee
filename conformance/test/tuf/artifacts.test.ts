import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { percentEncoded, type Simulator } from './support/simulator.ts';
import { withClient } from './support/subject.ts';

const NAME = 'image.bin';

function offer(repository: Simulator, content: string | Buffer, name: string = NAME): void {
  repository.addArtifact('targets', name, content);
  repository.publish('targets', 'snapshot', 'timestamp');
}

/** The address of an artifact as a test's own answer is looked up by. */
function addressOf(repository: Simulator, name: string = NAME): string {
  return `targets/${repository.hashOf('targets', name)}.${name}`;
}

describe('download', () => {
  it('gets an artifact, and refresh gets none', async () => {
    await withClient(async (client, repository) => {
      offer(repository, 'content');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.deepEqual(repository.artifactRequests, []);
      assert.equal(await client.download(NAME), 'DONE');
      assert.deepEqual(client.artifacts(), ['content']);
    });
  });

  it('puts the hash before the last part of the name', async () => {
    await withClient(async (client, repository) => {
      offer(repository, 'content', 'path/to/image.bin');
      await client.init();
      assert.equal(await client.download('path/to/image.bin'), 'DONE');
      const hash = repository.hashOf('targets', 'path/to/image.bin');
      assert.deepEqual(repository.artifactRequests, [`path/to/${hash}.image.bin`]);
      assert.deepEqual(client.artifacts(), ['content']);
    });
  });

  it('puts no hash before it where consistent_snapshot is false', async () => {
    await withClient(async (client, repository) => {
      repository.root['consistent_snapshot'] = false;
      repository.publish('root');
      offer(repository, 'content', 'path/to/image.bin');
      await client.init();
      assert.equal(await client.download('path/to/image.bin'), 'DONE');
      assert.deepEqual(repository.artifactRequests, ['path/to/image.bin']);
    });
  });

  for (const functions of [['sha256'], ['sha512'], ['sha512', 'sha256']]) {
    it(`takes ${functions.join(' and ')}`, async () => {
      await withClient(async (client, repository) => {
        repository.addArtifact('targets', NAME, 'content', functions);
        repository.publish('targets', 'snapshot', 'timestamp');
        await client.init();
        assert.equal(await client.download(NAME), 'DONE');
        assert.equal(repository.artifactRequests.length, 1);
        assert.deepEqual(client.artifacts(), ['content']);
      });
    });
  }

  it('checks each hash that is listed', async () => {
    await withClient(async (client, repository) => {
      repository.addArtifact('targets', NAME, 'content', ['sha256', 'sha512']);
      repository.part('targets', 'targets', NAME, 'hashes')['sha512'] = '0'.repeat(128);
      repository.publish('targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.download(NAME), 'IMAGE_HASH');
      assert.deepEqual(client.artifacts(), []);
    });
  });

  it('refuses an artifact that only a hash of an unknown kind guards', async () => {
    await withClient(async (client, repository) => {
      repository.addArtifact('targets', NAME, 'content');
      repository.part('targets', 'targets', NAME)['hashes'] = { 'unknown-hash': 'abcd' };
      repository.publish('targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.download(NAME), 'MALFORMED');
      assert.deepEqual(repository.artifactRequests, []);
    });
  });

  it('takes an artifact of no length, and one of many pieces', async () => {
    await withClient(async (client, repository) => {
      const large = Buffer.alloc(3_000_000, 'immota');
      offer(repository, large);
      offer(repository, '', 'empty');
      await client.init();
      assert.equal(await client.download(NAME, 'empty'), 'DONE');
      assert.deepEqual(client.artifacts(), ['', large.toString()]);
    });
  });

  for (const custom of [
    { sigstore: { status: 'Active' } },
    { uri: 5, hardwareIds: 'all', ecuIdentifiers: [], encryption: null, mustMatch: 'no' },
    'a text',
  ]) {
    it(`passes the custom field ${JSON.stringify(custom).slice(0, 24)} by`, async () => {
      await withClient(async (client, repository) => {
        repository.addArtifact('targets', NAME, 'content');
        repository.part('targets', 'targets', NAME)['custom'] = custom;
        repository.of('targets')['custom'] = custom;
        repository.publish('targets', 'snapshot', 'timestamp');
        await client.init();
        assert.equal(await client.download(NAME), 'DONE');
      });
    });
  }
});

describe('download: what is there already', () => {
  it('does not get it again', async () => {
    await withClient(async (client, repository) => {
      offer(repository, 'content');
      await client.init();
      assert.equal(await client.download(NAME), 'DONE');
      assert.equal(await client.download(NAME, NAME), 'DONE');
      assert.equal(repository.artifactRequests.length, 1);
    });
  });

  it('gets it again when the file there was changed', async () => {
    await withClient(async (client, repository) => {
      offer(repository, 'content');
      await client.init();
      assert.equal(await client.download(NAME), 'DONE');
      const [file = ''] = client.artifactNames();
      for (const other of ['CONTENT', 'content and more', '']) {
        writeFileSync(join(client.targetDir, file), other);
        assert.equal(await client.download(NAME), 'DONE');
        assert.deepEqual(client.artifacts(), ['content']);
      }
      assert.equal(repository.artifactRequests.length, 4);
    });
  });

  it('replaces it under the same name when a new version is listed', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      for (const content of ['one', 'two, longer', '3']) {
        offer(repository, content);
        assert.equal(await client.download(NAME), 'DONE');
        assert.deepEqual(client.artifacts(), [content]);
      }
      offer(repository, 'new', 'another');
      assert.equal(await client.download('another'), 'DONE');
      assert.deepEqual(client.artifacts(), ['3', 'new']);
    });
  });

  it('keeps the old content when the new one is not as listed', async () => {
    await withClient(async (client, repository) => {
      offer(repository, 'old');
      await client.init();
      assert.equal(await client.download(NAME), 'DONE');
      offer(repository, 'new');
      repository.artifacts.set(NAME, Buffer.from('bad'));
      assert.equal(await client.download(NAME), 'IMAGE_HASH');
      assert.deepEqual(client.artifacts(), ['old']);
    });
  });
});

describe('download: other bytes than listed', () => {
  for (const [what, content, code] of [
    ['of the same length', 'CONTENT', 'IMAGE_HASH'],
    ['shorter', 'conten', 'IMAGE_LENGTH'],
    ['longer', 'content!', 'LIMIT'],
    ['none', '', 'IMAGE_LENGTH'],
  ] as const) {
    it(`refuses them when they are ${what}, and leaves nothing behind`, async () => {
      await withClient(async (client, repository) => {
        offer(repository, 'content');
        repository.artifacts.set(NAME, Buffer.from(content));
        await client.init();
        assert.equal(await client.download(NAME), code);
        assert.deepEqual(client.artifactNames(), []);
        assert.equal(repository.artifactRequests.length, 1);
      });
    });
  }

  it('stops at the listed length of a stream that does not end', async () => {
    await withClient(async (client, repository) => {
      offer(repository, 'content');
      const stopped = Promise.withResolvers<void>();
      repository.answers.set(addressOf(repository), (response) => {
        response.once('close', stopped.resolve);
        response.writeHead(200);
        const pour = (): void => {
          while (!response.destroyed && response.write('more and more ')) continue;
          response.once('drain', pour);
        };
        pour();
      });
      await client.init();
      assert.equal(await client.download(NAME), 'LIMIT');
      await stopped.promise;
      assert.deepEqual(client.artifactNames(), []);
    });
  });

  it('refuses a stream that breaks off', async () => {
    await withClient(async (client, repository) => {
      offer(repository, 'content');
      repository.answers.set(addressOf(repository), (response) => {
        response.writeHead(200, { 'content-length': 7 });
        response.write('con', () => response.destroy());
      });
      await client.init();
      assert.equal(await client.download(NAME), 'TRANSPORT');
      assert.deepEqual(client.artifactNames(), []);
    });
  });

  it('refuses an artifact that is not there', async () => {
    await withClient(async (client, repository) => {
      offer(repository, 'content');
      repository.artifacts.delete(NAME);
      await client.init();
      assert.equal(await client.download(NAME), 'TRANSPORT');
      assert.equal(repository.artifactRequests.length, 1);
    });
  });
});

describe('download: several names in one call', () => {
  it('gets them in order by one client', async () => {
    await withClient(async (client, repository) => {
      for (const name of ['a', 'b', 'c']) repository.addArtifact('targets', name, `in ${name}`);
      repository.publish('targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.download('b', 'c', 'a'), 'DONE');
      assert.equal(repository.metadataRequests.length, 4);
      const names = repository.artifactRequests.map((path) => path.slice(65));
      assert.deepEqual(names, ['b', 'c', 'a']);
      assert.equal(repository.openAtOnceMax, 1);
    });
  });

  it('stops at the first that fails', async () => {
    await withClient(async (client, repository) => {
      for (const name of ['a', 'b', 'c']) repository.addArtifact('targets', name, `in ${name}`);
      repository.publish('targets', 'snapshot', 'timestamp');
      repository.artifacts.set('b', Buffer.from('IN b'));
      await client.init();
      assert.equal(await client.download('a', 'b', 'c'), 'IMAGE_HASH');
      assert.deepEqual(client.artifacts(), ['in a']);
      assert.equal(await client.download('c', 'missing', 'b'), 'TARGET_UNKNOWN');
      assert.deepEqual(client.artifacts(), ['in a', 'in c']);
    });
  });
});

describe('download: unusual names', () => {
  for (const name of [
    '../../escape',
    '/rooted',
    '.hidden',
    '..',
    '.',
    'a b?c#d%20e',
    'ü/\u{1f697}',
    '-x',
    '--target-dir',
    '__proto__',
    'ends/',
    'n'.repeat(900),
  ]) {
    it(`stores ${name.slice(0, 20)} in its folder and nowhere else`, async () => {
      await withClient(async (client, repository) => {
        repository.addArtifact('targets', 'other', 'other');
        Object.defineProperty(repository.part('targets', 'targets'), name, {
          value: repository.part('targets', 'targets')['other'],
          enumerable: true,
        });
        repository.artifacts.set(name, Buffer.from('other'));
        repository.publish('targets', 'snapshot', 'timestamp');
        await client.init();
        mkdirSync(client.targetDir);
        assert.equal(await client.download(name), 'DONE');
        assert.deepEqual(client.artifacts(), ['other']);
        assert.equal(client.artifactNames().length, 1);
        const hash = repository.hashOf('targets', 'other');
        const parts = name.split('/').map(percentEncoded);
        const last = `${hash}.${parts.pop() ?? ''}`;
        assert.deepEqual(repository.artifactRequests, [[...parts, last].join('/')]);
      });
    });
  }

  it('refuses a name of no length or beyond all reason', async () => {
    await withClient(async (client) => {
      await client.init();
      assert.equal(await client.download(''), 'MALFORMED');
      assert.equal(await client.download('n'.repeat(1025)), 'MALFORMED');
    });
  });
});
