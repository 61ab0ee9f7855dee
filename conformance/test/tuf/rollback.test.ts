import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withClient } from './support/subject.ts';

describe('rollback', () => {
  it('refuses a lower Timestamp', async () => {
    await withClient(async (client, repository) => {
      repository.publish('timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.forget('timestamp');
      repository.publish('timestamp');
      assert.equal(await client.refresh(), 'ROLLBACK');
      assert.equal(client.trusted()['timestamp'], 2);
      assert.equal(repository.metadataRequests.at(-1), 'timestamp.json');
    });
  });

  for (const hashes of [false, true]) {
    const how = hashes ? 'with hashes' : 'without hashes';

    it(`refuses a Timestamp that names a lower Snapshot, ${how}`, async () => {
      await withClient(async (client, repository) => {
        repository.statesHashes = hashes;
        repository.publish('snapshot', 'timestamp');
        await client.init();
        assert.equal(await client.refresh(), 'DONE');
        repository.forget('snapshot');
        repository.publish('snapshot', 'timestamp');
        assert.equal(await client.refresh(), 'ROLLBACK');
        assert.deepEqual(client.trusted(), { root: 1, snapshot: 2, targets: 1, timestamp: 2 });
        assert.equal(repository.metadataRequests.at(-1), 'timestamp.json');
      });
    });

    it(`refuses a Snapshot that names lower Targets, ${how}`, async () => {
      await withClient(async (client, repository) => {
        repository.statesHashes = hashes;
        repository.publish('targets', 'snapshot', 'timestamp');
        await client.init();
        assert.equal(await client.refresh(), 'DONE');
        repository.forget('targets');
        repository.publish('targets', 'snapshot', 'timestamp');
        assert.equal(await client.refresh(), 'ROLLBACK');
        assert.deepEqual(client.trusted(), { root: 1, snapshot: 2, targets: 2, timestamp: 3 });
        assert.equal(repository.metadataRequests.at(-1), '3.snapshot.json');
      });
    });
  }

  it('refuses a Snapshot that drops a role', async () => {
    await withClient(async (client, repository) => {
      repository.delegate('targets', 'supplier');
      repository.publish('supplier', 'targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      delete repository.part('snapshot', 'meta')['supplier.json'];
      repository.publish('snapshot', 'timestamp');
      assert.equal(await client.refresh(), 'SNAPSHOT_FILE_MISSING');
      assert.equal(client.trusted()['snapshot'], 2);
    });
  });

  it('refuses a Snapshot that names a lower version of a delegated role', async () => {
    await withClient(async (client, repository) => {
      repository.delegate('targets', 'supplier');
      repository.publish('supplier', 'supplier', 'targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.part('snapshot', 'meta')['supplier.json'] = { version: 1 };
      repository.publish('snapshot', 'timestamp');
      assert.equal(await client.refresh(), 'ROLLBACK');
    });
  });

  it('needs no Snapshot again that it has, whatever the repository serves under its name', async () => {
    await withClient(async (client, repository) => {
      repository.publish('snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.published.set('snapshot', []);
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['snapshot'], 2);
      assert.equal(repository.metadataRequests.at(-1), 'timestamp.json');
    });
  });
});

describe('recovery from fast-forward by new keys', () => {
  it('lets Targets go back, and roles vanish, when the keys of Snapshot are new', async () => {
    await withClient(async (client, repository) => {
      repository.delegate('targets', 'supplier');
      repository.of('targets')['version'] = 99;
      repository.publish('supplier', 'targets');
      repository.published.set(
        'targets',
        Array.from({ length: 100 }, () => repository.latest('targets')),
      );
      repository.publish('snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['targets'], 100);
      repository.rotateKeys('snapshot');
      repository.forget('targets');
      delete repository.part('snapshot', 'meta')['supplier.json'];
      repository.publish('root', 'targets', 'snapshot', 'timestamp');
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['targets'], 1);
    });
  });

  it('lets Snapshot go back when its keys and those of Timestamp are new', async () => {
    await withClient(async (client, repository) => {
      repository.of('snapshot')['version'] = 99;
      repository.publish('snapshot');
      repository.published.set(
        'snapshot',
        Array.from({ length: 100 }, () => repository.latest('snapshot')),
      );
      repository.publish('timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['snapshot'], 100);
      repository.rotateKeys('snapshot');
      repository.rotateKeys('timestamp');
      repository.forget('snapshot');
      repository.publish('root', 'targets', 'snapshot', 'timestamp');
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['snapshot'], 1);
    });
  });

  it('lets Timestamp go back when its keys are new', async () => {
    await withClient(async (client, repository) => {
      repository.of('timestamp')['version'] = 99;
      repository.publish('timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['timestamp'], 100);
      repository.rotateKeys('timestamp');
      repository.forget('timestamp');
      repository.publish('root', 'timestamp');
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['timestamp'], 1);
    });
  });

  it('forgets Snapshot too when only the keys of Timestamp are new', async () => {
    await withClient(async (client, repository) => {
      repository.delegate('targets', 'supplier');
      repository.publish('supplier', 'targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.rotateKeys('timestamp');
      delete repository.part('snapshot', 'meta')['supplier.json'];
      repository.publish('root', 'snapshot', 'timestamp');
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['snapshot'], 3);
    });
  });

  it('lets nothing go back when only the keys of Targets are new', async () => {
    await withClient(async (client, repository) => {
      repository.publish('timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.rotateKeys('targets');
      repository.forget('timestamp');
      repository.publish('root', 'timestamp');
      assert.equal(await client.refresh(), 'ROLLBACK');
    });
  });
});
