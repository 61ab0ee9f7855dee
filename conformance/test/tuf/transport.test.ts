import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PATIENCE } from '../../tuf/transport.ts';
import { withClient } from './support/subject.ts';

describe('a repository that misbehaves', () => {
  for (const status of [500, 503, 400, 204, 206, 301, 302, 304]) {
    it(`ends the refresh at status ${status} and asks no second time`, async () => {
      await withClient(async (client, repository) => {
        repository.answers.set('metadata/timestamp.json', (response) => {
          response.writeHead(status, { location: '/metadata/1.root.json' }).end();
        });
        await client.init();
        assert.equal(await client.refresh(), 'TRANSPORT');
        assert.deepEqual(repository.metadataRequests, ['2.root.json', 'timestamp.json']);
        assert.deepEqual(client.trusted(), { root: 1 });
      });
    });
  }

  for (const status of [403, 404]) {
    it(`takes status ${status} for the end of the chain of Roots`, async () => {
      await withClient(async (client, repository) => {
        repository.answers.set('metadata/2.root.json', (response) => {
          response.writeHead(status).end('no such thing');
        });
        await client.init();
        assert.equal(await client.refresh(), 'DONE');
      });
    });
  }

  it('does not take a broken server for the end of the chain of Roots', async () => {
    await withClient(async (client, repository) => {
      repository.answers.set('metadata/2.root.json', (response) => {
        response.writeHead(500).end();
      });
      await client.init();
      assert.equal(await client.refresh(), 'TRANSPORT');
      assert.deepEqual(repository.metadataRequests, ['2.root.json']);
    });
  });

  it('refuses an answer that breaks off', async () => {
    await withClient(async (client, repository) => {
      const whole = repository.latest('timestamp');
      repository.answers.set('metadata/timestamp.json', (response) => {
        response.writeHead(200, { 'content-length': whole.length });
        response.write(whole.subarray(0, 100), () => response.destroy());
      });
      await client.init();
      assert.equal(await client.refresh(), 'TRANSPORT');
    });
  });

  it('refuses a connection that closes without an answer, and asks no second time', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.answers.set('metadata/timestamp.json', (response) => {
        response.destroy();
      });
      repository.metadataRequests.length = 0;
      assert.equal(await client.refresh(), 'TRANSPORT');
      assert.deepEqual(repository.metadataRequests, ['2.root.json', 'timestamp.json']);
    });
  });

  it('refuses a repository that is not there', async () => {
    await withClient(async (client) => {
      await client.init();
      const args = ['--metadata-dir', client.metadataDir, '--metadata-url', 'http://127.0.0.1:1'];
      assert.equal(await client.run(...args, 'refresh'), 'TRANSPORT');
    });
  });

  for (const [file, limit] of [
    ['2.root.json', 512_000],
    ['timestamp.json', 65_536],
  ] as const) {
    it(`stops at the limit of ${file} when its stated length is beyond it`, async () => {
      await withClient(async (client, repository) => {
        repository.answers.set(`metadata/${file}`, (response) => {
          response.writeHead(200, { 'content-length': limit + 1 });
          response.flushHeaders();
        });
        await client.init();
        assert.equal(await client.refresh(), 'LIMIT');
      });
    });

    it(`stops at the limit of ${file} when no length is stated`, async () => {
      await withClient(async (client, repository) => {
        repository.answers.set(`metadata/${file}`, (response) => {
          response.writeHead(200);
          response.write(Buffer.alloc(limit, ' '));
          response.write(' ');
        });
        await client.init();
        assert.equal(await client.refresh(), 'LIMIT');
      });
    });
  }

  it('takes a Timestamp of just the limit', async () => {
    await withClient(async (client, repository) => {
      const padded = Buffer.alloc(65_536, ' ');
      padded.set(repository.latest('timestamp'));
      repository.published.set('timestamp', [padded]);
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
    });
  });

  it('takes a large answer that comes in many pieces', async () => {
    await withClient(async (client, repository) => {
      for (let index = 0; index < 5_000; index += 1) {
        repository.part('targets', 'targets')[`image-${index}`] = {
          length: index,
          hashes: { sha256: index.toString(16).padStart(64, '0') },
        };
      }
      repository.publish('targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.deepEqual(client.stored('targets'), repository.latest('targets'));
    });
  });

  it('gives up on a server that accepts and says nothing', async () => {
    await withClient(async (client, repository) => {
      repository.answers.set('metadata/timestamp.json', () => undefined);
      client.patience = { ...PATIENCE, idleMaxMs: 20 };
      await client.init();
      assert.equal(await client.refresh(), 'TOO_SLOW');
    });
  });

  it('gives up on a server that trickles: the rate counts, not only the silence', async () => {
    await withClient(async (client, repository) => {
      let trickle: NodeJS.Timeout | undefined;
      repository.answers.set('metadata/2.root.json', (response) => {
        response.writeHead(200);
        trickle = setInterval(() => response.write(' '), 5);
        response.once('close', () => clearInterval(trickle));
      });
      // A request may take its base and the limit's length at the least rate: 512,000 bytes at 5,000 a
      // second are 102,400 ms, so the base that leaves 50 ms is below nothing.
      client.patience = { idleMaxMs: 60_000, requestBaseMs: 50 - 102_400 };
      await client.init();
      assert.equal(await client.refresh(), 'TOO_SLOW');
      clearInterval(trickle);
    });
  });
});

describe('addresses', () => {
  it('takes a base with or without a slash at its end', async () => {
    await withClient(async (client, repository) => {
      repository.addArtifact('targets', 'image', 'content');
      repository.publish('targets', 'snapshot', 'timestamp');
      await client.init();
      const slashed = `${repository.metadataUrl}/`;
      const unslashed = repository.targetsUrl.replace(/\/$/, '');
      const folders = ['--metadata-dir', client.metadataDir, '--target-dir', client.targetDir];
      const addresses = ['--metadata-url', slashed, '--target-base-url', unslashed];
      const name = ['--target-name', 'image'];
      const outcome = await client.run(...folders, ...addresses, ...name, 'download');
      assert.equal(outcome, 'DONE');
      assert.deepEqual(repository.metadataRequests.slice(0, 2), ['2.root.json', 'timestamp.json']);
    });
  });

  it('keeps what is percent-encoded in a base as it is', async () => {
    await withClient(async (client, repository) => {
      const base = 'a%5B..%2Frole%5D/%23/metadata';
      const paths: string[] = [];
      for (const name of ['2.root.json', 'timestamp.json']) {
        repository.answers.set(`${base}/${name}`, (response) => {
          paths.push(name);
          response.writeHead(404).end();
        });
      }
      await client.init();
      const url = repository.metadataUrl.replace('metadata', base);
      const args = ['--metadata-dir', client.metadataDir, '--metadata-url', url];
      assert.equal(await client.run(...args, 'refresh'), 'METADATA_MISSING');
      assert.deepEqual(paths, ['2.root.json', 'timestamp.json']);
    });
  });

  for (const url of ['ftp://127.0.0.1/', 'metadata', 'file:///etc/passwd']) {
    it(`refuses ${url}`, async () => {
      await withClient(async (client) => {
        await client.init();
        const args = ['--metadata-dir', client.metadataDir, '--metadata-url', url];
        assert.equal(await client.run(...args, 'refresh'), 'USAGE');
      });
    });
  }
});
