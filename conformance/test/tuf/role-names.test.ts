import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withClient } from './support/subject.ts';

describe('names of roles', () => {
  for (const [role, encoded] of [
    ['?', '%3F'],
    ['#', '%23'],
    ['/supplier', '%2Fsupplier'],
    ['../supplier', '..%2Fsupplier'],
    ['..', '..'],
    ['.', '.'],
    ['a b%20c', 'a%20b%2520c'],
    ['ü', '%C3%BC'],
    ['\u{1f697}', '%F0%9F%9A%97'],
    ["!'()*~-_.", '%21%27%28%29%2A~-_.'],
    ['a\\b:c', 'a%5Cb%3Ac'],
    ['targets.json', 'targets.json'],
  ] as const) {
    it(`asks for ${role} as 1.${encoded}.json and keeps it in its folder`, async () => {
      await withClient(async (client, repository) => {
        repository.delegate('targets', role);
        repository.addArtifact(role, 'image', 'content');
        repository.publish(role, 'targets', 'snapshot', 'timestamp');
        await client.init();
        assert.equal(await client.download('image'), 'DONE');
        assert.deepEqual(repository.metadataRequests.slice(4), [`1.${encoded}.json`]);
        assert.equal(Object.keys(client.trusted()).length, 5);
        repository.metadataRequests.length = 0;
        assert.equal(await client.download('image'), 'DONE');
        assert.deepEqual(repository.metadataRequests, ['2.root.json', 'timestamp.json']);
      });
    });
  }

  it('keeps a role of a very long name', async () => {
    await withClient(async (client, repository) => {
      const role = 'ü'.repeat(500);
      repository.delegate('targets', role);
      repository.addArtifact(role, 'image', 'content');
      repository.publish(role, 'targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.download('image'), 'DONE');
      assert.equal(Object.keys(client.trusted()).length, 5);
    });
  });

  for (const role of ['root', 'timestamp', 'snapshot', 'targets', 'Root']) {
    it(`refuses a delegation to a role called ${role}`, async () => {
      await withClient(async (client, repository) => {
        repository.part('targets')['delegations'] = {
          keys: {},
          roles: [{ name: role, keyids: [], threshold: 1, terminating: false, paths: ['*'] }],
        };
        repository.publish('targets', 'snapshot', 'timestamp');
        await client.init();
        assert.equal(await client.download('image'), 'MALFORMED');
        assert.equal(client.trusted()['targets'], undefined);
      });
    });
  }

  it('refuses two delegations of one file to one role', async () => {
    await withClient(async (client, repository) => {
      repository.delegate('targets', 'A');
      repository.delegate('targets', 'A', { paths: ['*.py'] });
      repository.publish('A', 'targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'MALFORMED');
    });
  });
});
