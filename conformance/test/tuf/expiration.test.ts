import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inDays, NOW } from './support/simulator.ts';
import { withClient } from './support/subject.ts';

describe('expiry of what the repository offers', () => {
  it('keeps a Root that has run out and goes no further', async () => {
    await withClient(async (client, repository) => {
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.root['expires'] = inDays(-1);
      repository.publish('root', 'targets', 'snapshot', 'timestamp');
      repository.metadataRequests.length = 0;
      assert.equal(await client.refresh(), 'EXPIRED');
      assert.deepEqual(client.trusted(), { root: 2, snapshot: 1, targets: 1, timestamp: 1 });
      assert.deepEqual(repository.metadataRequests, ['2.root.json', '3.root.json']);
    });
  });

  it('walks over a Root that has run out when a later one has not', async () => {
    await withClient(async (client, repository) => {
      repository.root['expires'] = inDays(-1);
      repository.publish('root');
      repository.root['expires'] = inDays(1);
      repository.publish('root');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['root'], 3);
    });
  });

  for (const [role, roles, trusted] of [
    ['timestamp', ['timestamp'], { root: 1, snapshot: 1, targets: 1, timestamp: 1 }],
    ['snapshot', ['snapshot', 'timestamp'], { root: 1, snapshot: 1, targets: 1, timestamp: 2 }],
    [
      'targets',
      ['targets', 'snapshot', 'timestamp'],
      { root: 1, snapshot: 2, targets: 1, timestamp: 2 },
    ],
  ] as const) {
    it(`does not take over a ${role} that has run out`, async () => {
      await withClient(async (client, repository) => {
        await client.init();
        assert.equal(await client.refresh(), 'DONE');
        repository.of(role)['expires'] = inDays(-5);
        repository.publish(...roles);
        assert.equal(await client.refresh(), 'EXPIRED');
        assert.deepEqual(client.trusted(), trusted);
      });
    });
  }

  it('goes by the second: a file is good until its expiry and not at it', async () => {
    await withClient(async (client) => {
      await client.init();
      client.now = NOW.add({ hours: 24 * 30 }).subtract({ nanoseconds: 1 });
      assert.equal(await client.refresh(), 'DONE');
      client.now = NOW.add({ hours: 24 * 30 });
      assert.equal(await client.refresh(), 'EXPIRED');
    });
  });
});

describe('expiry of what the client holds', () => {
  it('stops at its Root when it ran out and no newer one is there', async () => {
    await withClient(async (client, repository) => {
      repository.root['expires'] = inDays(7);
      repository.publish('root');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      client.now = NOW.add({ hours: 24 * 8 });
      repository.metadataRequests.length = 0;
      assert.equal(await client.refresh(), 'EXPIRED');
      assert.deepEqual(repository.metadataRequests, ['3.root.json']);
    });
  });

  it('goes on from a Root that ran out to one that has not', async () => {
    await withClient(async (client, repository) => {
      repository.root['expires'] = inDays(7);
      repository.publish('root');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      repository.root['expires'] = inDays(21);
      repository.publish('root');
      client.now = NOW.add({ hours: 24 * 18 });
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(client.trusted()['root'], 3);
    });
  });

  for (const [role, roles] of [
    ['timestamp', ['timestamp']],
    ['snapshot', ['snapshot', 'timestamp']],
    ['targets', ['targets', 'snapshot', 'timestamp']],
  ] as const) {
    it(`goes on from a ${role} that ran out to one that has not`, async () => {
      await withClient(async (client, repository) => {
        repository.of(role)['expires'] = inDays(7);
        repository.publish(...roles);
        await client.init();
        assert.equal(await client.refresh(), 'DONE');
        repository.of(role)['expires'] = inDays(21);
        repository.publish('targets', 'snapshot', 'timestamp');
        client.now = NOW.add({ hours: 24 * 18 });
        assert.equal(await client.refresh(), 'DONE');
        assert.deepEqual(client.stored(role), repository.latest(role));
      });
    });

    it(`still holds a ${role} that ran out against rollback`, async () => {
      await withClient(async (client, repository) => {
        repository.of(role)['expires'] = inDays(7);
        repository.publish(...roles);
        await client.init();
        assert.equal(await client.refresh(), 'DONE');
        repository.of(role)['expires'] = inDays(21);
        repository.forget(role);
        repository.publish(...roles);
        client.now = NOW.add({ hours: 24 * 18 });
        assert.equal(await client.refresh(), 'ROLLBACK');
      });
    });

    it(`refuses the ${role} it holds when it ran out and the repository has no other`, async () => {
      await withClient(async (client, repository) => {
        repository.of(role)['expires'] = inDays(7);
        repository.publish(...roles);
        await client.init();
        assert.equal(await client.refresh(), 'DONE');
        client.now = NOW.add({ hours: 24 * 8 });
        assert.equal(await client.refresh(), 'EXPIRED');
      });
    });
  }
});

describe('expiry of a delegated role', () => {
  it('refuses one that has run out, and keeps none of it', async () => {
    await withClient(async (client, repository) => {
      repository.delegate('targets', 'supplier', { paths: ['sup/*'], expires: inDays(-1) });
      repository.addArtifact('supplier', 'sup/image', 'content');
      repository.publish('supplier', 'targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.refresh(), 'DONE');
      assert.equal(await client.download('sup/image'), 'EXPIRED');
      assert.deepEqual(repository.artifactRequests, []);
      assert.deepEqual(client.trusted(), { root: 1, snapshot: 2, targets: 2, timestamp: 2 });
    });
  });

  it('does not go on using one that ran out since, and takes a newer one', async () => {
    await withClient(async (client, repository) => {
      repository.delegate('targets', 'supplier', { paths: ['sup/*'], expires: inDays(7) });
      repository.addArtifact('supplier', 'sup/first', 'one');
      repository.addArtifact('supplier', 'sup/second', 'two');
      repository.publish('supplier', 'targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.download('sup/first'), 'DONE');
      client.now = NOW.add({ hours: 24 * 18 });
      assert.equal(await client.download('sup/second'), 'EXPIRED');
      assert.deepEqual(client.artifacts(), ['one']);
      repository.of('supplier')['expires'] = inDays(21);
      repository.publish('supplier', 'snapshot', 'timestamp');
      assert.equal(await client.download('sup/second'), 'DONE');
      assert.deepEqual(client.artifacts(), ['one', 'two']);
    });
  });
});
