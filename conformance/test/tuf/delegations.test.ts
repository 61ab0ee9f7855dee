import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { makeSigner } from './support/signer.ts';
import type { DelegationOptions, Metadata, Simulator } from './support/simulator.ts';
import { withClient } from './support/subject.ts';

type Edge = readonly [from: string, to: string, options?: DelegationOptions];

const STOP = { terminating: true };
const PYTHON = { paths: ['*.py'] };

/** Who delegates to whom, and which roles the search for a name that nobody lists must visit. */
const GRAPHS: Readonly<Record<string, readonly [edges: readonly Edge[], visits: string]>> = {
  'one role': [[['targets', 'A']], 'A'],
  'two roles side by side': [
    [
      ['targets', 'A'],
      ['targets', 'B'],
    ],
    'A B',
  ],
  'a role below the second': [
    [
      ['targets', 'A'],
      ['targets', 'B'],
      ['B', 'C'],
    ],
    'A B C',
  ],
  'two roles below the first': [
    [
      ['targets', 'A'],
      ['targets', 'B'],
      ['A', 'C'],
      ['A', 'D'],
    ],
    'A C D B',
  ],
  'a chain below the first': [
    [
      ['targets', 'A'],
      ['targets', 'B'],
      ['A', 'C'],
      ['C', 'D'],
    ],
    'A C D B',
  ],
  'a terminating delegation': [
    [
      ['targets', 'A'],
      ['targets', 'B'],
      ['A', 'C', STOP],
      ['A', 'D'],
    ],
    'A C',
  ],
  'roles below a terminating delegation': [
    [
      ['targets', 'A'],
      ['targets', 'B'],
      ['A', 'C', STOP],
      ['C', 'D'],
    ],
    'A C D',
  ],
  'a terminating delegation that does not cover the name': [
    [
      ['targets', 'A', { ...STOP, ...PYTHON }],
      ['targets', 'B'],
    ],
    'B',
  ],
  'a branch that does not cover the name': [
    [
      ['targets', 'A', PYTHON],
      ['targets', 'B'],
      ['A', 'C'],
    ],
    'B',
  ],
  'a deep branch that does not cover the name': [
    [
      ['targets', 'A'],
      ['targets', 'B'],
      ['A', 'C', PYTHON],
      ['C', 'D'],
    ],
    'A B',
  ],
  'a circle': [
    [
      ['targets', 'A'],
      ['targets', 'B'],
      ['B', 'C'],
      ['C', 'D'],
      ['D', 'B'],
    ],
    'A B C D',
  ],
  'a role that delegates to itself': [
    [
      ['targets', 'A'],
      ['A', 'A'],
      ['targets', 'B'],
    ],
    'A B',
  ],
  'two roles that delegate to a third': [
    [
      ['targets', 'A'],
      ['targets', 'B'],
      ['B', 'C'],
      ['A', 'C'],
    ],
    'A C B',
  ],
  'a third role that only the second reaches': [
    [
      ['targets', 'A'],
      ['targets', 'B'],
      ['B', 'C'],
      ['A', 'C', PYTHON],
    ],
    'A B C',
  ],
};

function lay(repository: Simulator, edges: readonly Edge[]): void {
  for (const [from, to, options] of edges) repository.delegate(from, to, options);
  const roles = new Set(edges.flatMap(([from, to]) => [from, to]));
  repository.publish(...roles, 'snapshot', 'timestamp');
}

/** The delegated roles that were asked for, in order. */
function visits(repository: Simulator): readonly string[] {
  return repository.metadataRequests.slice(4);
}

/** Two roles below Targets, and two more below the second. */
function tree(repository: Simulator): void {
  repository.addArtifact('targets', 'top', 'by targets');
  repository.delegate('targets', 'A', { paths: ['*.doc', '*.md'] });
  repository.delegate('targets', 'B', { paths: ['releases/*/*'] });
  repository.delegate('B', 'C', { paths: ['releases/x/*'] });
  repository.delegate('B', 'D', { paths: ['releases/y/*.zip'] });
  repository.addArtifact('A', 'README.md', 'by A');
  repository.addArtifact('C', 'releases/x/x1', 'x by C');
  repository.addArtifact('D', 'releases/y/y1.zip', 'y by D');
  repository.addArtifact('D', 'releases/z/z1.zip', 'z by D');
  repository.publish('A', 'B', 'C', 'D', 'targets', 'snapshot', 'timestamp');
}

/** One role below Targets, which lists an image. */
function delegated(repository: Simulator, options: DelegationOptions = {}): void {
  repository.delegate('targets', 'A', options);
  repository.addArtifact('A', 'image', 'content');
  repository.publish('A', 'targets', 'snapshot', 'timestamp');
}

/** A and B both delegate to C, with keys of their own; only A's key signs it. */
function diamond(repository: Simulator): void {
  repository.delegate('targets', 'A', { paths: ['a/*'] });
  repository.delegate('targets', 'B', { paths: ['b/*'] });
  repository.delegate('A', 'C', { paths: ['a/*'] });
  repository.delegate('B', 'C', { paths: ['b/*'] });
  repository.signers.get('C')?.pop();
  repository.addArtifact('C', 'a/image', 'by way of A');
  repository.addArtifact('C', 'b/image', 'by way of B');
  repository.publish('A', 'B', 'C', 'targets', 'snapshot', 'timestamp');
}

describe('search for a name that nobody lists', () => {
  for (const [what, [edges, expected]] of Object.entries(GRAPHS)) {
    it(`visits ${expected} with ${what}`, async () => {
      await withClient(async (client, repository) => {
        lay(repository, edges);
        await client.init();
        assert.equal(await client.download('missing'), 'TARGET_UNKNOWN');
        const files = expected.split(' ').map((role) => `1.${role}.json`);
        assert.deepEqual(visits(repository), files);
        assert.equal(repository.openAtOnceMax, 1);
      });
    });
  }

  it('gives up beyond 32 roles', async () => {
    await withClient(async (client, repository) => {
      const names = Array.from({ length: 33 }, (_, index) => `role${index}`);
      lay(
        repository,
        names.map((name) => ['targets', name]),
      );
      await client.init();
      assert.equal(await client.download('missing'), 'LIMIT');
      assert.equal(visits(repository).length, 32);
    });
  });
});

describe('search for a name that is listed', () => {
  for (const [name, content, roles] of [
    ['top', 'by targets', ''],
    ['README.md', 'by A', 'A'],
    ['releases/x/x1', 'x by C', 'B C'],
    ['releases/y/y1.zip', 'y by D', 'B D'],
  ] as const) {
    it(`finds ${name} by way of ${roles === '' ? 'targets alone' : roles}`, async () => {
      await withClient(async (client, repository) => {
        tree(repository);
        await client.init();
        assert.equal(await client.download(name), 'DONE');
        assert.deepEqual(client.artifacts(), [content]);
        const expected = roles.split(' ').filter((role) => role !== '');
        assert.deepEqual(
          visits(repository),
          expected.map((role) => `1.${role}.json`),
        );
      });
    });
  }

  for (const [name, role] of [
    ['releases/z/z1.zip', '1.B.json'],
    ['docs/README.md', undefined],
  ] as const) {
    it(`does not find ${name}, which no chain of delegations covers to its end`, async () => {
      await withClient(async (client, repository) => {
        tree(repository);
        repository.addArtifact('A', 'docs/README.md', 'not covered');
        repository.publish('A', 'snapshot', 'timestamp');
        await client.init();
        assert.equal(await client.download(name), 'TARGET_UNKNOWN');
        assert.deepEqual(visits(repository), role === undefined ? [] : [role]);
      });
    });
  }

  it('takes what the first role in the order says of a name', async () => {
    await withClient(async (client, repository) => {
      repository.delegate('targets', 'A');
      repository.delegate('targets', 'B');
      repository.addArtifact('B', 'image', 'by B');
      repository.addArtifact('A', 'image', 'by A');
      repository.publish('A', 'B', 'targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.download('image'), 'DONE');
      assert.deepEqual(client.artifacts(), ['by A']);
      assert.deepEqual(visits(repository), ['1.A.json']);
    });
  });

  it('asks for a delegated role once, and again only for a new version', async () => {
    await withClient(async (client, repository) => {
      repository.delegate('targets', 'A');
      repository.addArtifact('A', 'image', 'one');
      repository.publish('A', 'targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.download('image'), 'DONE');
      assert.equal(await client.download('image'), 'DONE');
      const requests = repository.metadataRequests.filter((name) => name.endsWith('A.json'));
      assert.deepEqual(requests, ['1.A.json']);
      repository.addArtifact('A', 'image', 'two');
      repository.publish('A', 'snapshot', 'timestamp');
      assert.equal(await client.download('image'), 'DONE');
      assert.equal(repository.metadataRequests.at(-1), '2.A.json');
      assert.deepEqual(client.artifacts(), ['two']);
    });
  });

  it('asks for delegated roles without versions where consistent_snapshot is false', async () => {
    await withClient(async (client, repository) => {
      repository.root['consistent_snapshot'] = false;
      repository.delegate('targets', '..');
      repository.delegate('targets', '.');
      repository.addArtifact('.', 'image', 'content');
      repository.publish('root', '..', '.', 'targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.download('image'), 'DONE');
      assert.deepEqual(repository.metadataRequests.slice(5), ['...json', '..json']);
      assert.equal(Object.keys(client.trusted()).length, 6);
    });
  });
});

describe('delegations by hash', () => {
  const name = 'images/brake.bin';
  const digest = createHash('sha256').update(name).digest('hex');

  for (const [prefixes, found] of [
    [[digest.slice(0, 1)], true],
    [['ffffffff', digest.slice(0, 4)], true],
    [[digest], true],
    [['0', '1', '2', '3'].filter((prefix) => !digest.startsWith(prefix)), false],
  ] as const) {
    it(`${found ? 'covers' : 'does not cover'} a name by prefixes ${prefixes.join()}`, async () => {
      await withClient(async (client, repository) => {
        repository.delegate('targets', 'A', { pathHashPrefixes: [...prefixes] });
        repository.addArtifact('A', name, 'content');
        repository.publish('A', 'targets', 'snapshot', 'timestamp');
        await client.init();
        assert.equal(await client.download(name), found ? 'DONE' : 'TARGET_UNKNOWN');
        assert.equal(visits(repository).length, found ? 1 : 0);
      });
    });
  }

  for (const bits of [1, 3, 4, 5, 8]) {
    it(`finds the bin among ${2 ** bits} succinct roles`, async () => {
      await withClient(async (client, repository) => {
        const bins = repository.delegateSuccinctly('targets', bits, 'bin');
        const bin = bins[Number.parseInt(digest.slice(0, 8), 16) >>> (32 - bits)] ?? '';
        repository.addArtifact(bin, name, 'content');
        repository.publish(...bins, 'targets', 'snapshot', 'timestamp');
        await client.init();
        assert.equal(await client.download(name), 'DONE');
        assert.deepEqual(visits(repository), [`1.${bin}.json`]);
        assert.equal(await client.download('another name that no bin lists'), 'TARGET_UNKNOWN');
      });
    });
  }
});

describe('delegated roles that are not as they must be', () => {
  it('refuses one that is not there', async () => {
    await withClient(async (client, repository) => {
      delegated(repository);
      repository.published.delete('A');
      await client.init();
      assert.equal(await client.download('image'), 'DELEGATION_MISSING');
    });
  });

  it('refuses one that Snapshot does not list, and does not ask for it', async () => {
    await withClient(async (client, repository) => {
      delegated(repository);
      delete repository.part('snapshot', 'meta')['A.json'];
      repository.publish('snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.download('image'), 'VERSION_MISMATCH');
      assert.deepEqual(visits(repository), []);
    });
  });

  it('refuses one of another version than Snapshot names', async () => {
    await withClient(async (client, repository) => {
      delegated(repository);
      repository.published.set('A', [repository.latest('A'), repository.latest('A')]);
      repository.part('snapshot', 'meta')['A.json'] = { version: 2 };
      repository.publish('snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.download('image'), 'VERSION_MISMATCH');
    });
  });

  it('refuses one whose hash is not the one that Snapshot names', async () => {
    await withClient(async (client, repository) => {
      repository.statesHashes = true;
      delegated(repository);
      repository.bend('A', ({ signed }) => {
        signed['expires'] = '2031-01-01T00:00:00Z';
      });
      await client.init();
      assert.equal(await client.download('image'), 'METADATA_HASH');
    });
  });

  it('refuses one that the delegated key did not sign', async () => {
    await withClient(async (client, repository) => {
      repository.delegate('targets', 'A');
      repository.addArtifact('A', 'image', 'content');
      repository.signers.set('A', repository.signers.get('targets') ?? []);
      repository.publish('A', 'targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.download('image'), 'SIGNATURE_THRESHOLD');
      assert.equal(client.trusted()['A'], undefined);
    });
  });

  it('refuses one whose threshold is not met', async () => {
    await withClient(async (client, repository) => {
      delegated(repository, { threshold: 2 });
      await client.init();
      assert.equal(await client.download('image'), 'SIGNATURE_THRESHOLD');
    });
  });

  it('refuses one of another type', async () => {
    await withClient(async (client, repository) => {
      repository.delegate('targets', 'A');
      repository.of('A')['_type'] = 'snapshot';
      repository.publish('A', 'targets', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.download('image'), 'ROLE_TYPE');
    });
  });

  it('does not go on with a stored one whose keys its delegator took away', async () => {
    await withClient(async (client, repository) => {
      delegated(repository);
      await client.init();
      assert.equal(await client.download('image'), 'DONE');
      const signer = makeSigner('ed25519');
      const delegations = repository.part('targets', 'delegations');
      delegations['keys'] = { [signer.keyId]: signer.key };
      Object.assign((delegations['roles'] as Metadata[])[0] ?? {}, { keyids: [signer.keyId] });
      repository.publish('targets', 'snapshot', 'timestamp');
      assert.equal(await client.download('image'), 'SIGNATURE_THRESHOLD');
    });
  });
});

describe('one role, two delegators', () => {
  it('checks a role that is known already against the keys of the delegator at hand', async () => {
    await withClient(async (client, repository) => {
      diamond(repository);
      await client.init();
      assert.equal(await client.download('a/image', 'b/image'), 'SIGNATURE_THRESHOLD');
      assert.deepEqual(client.artifacts(), ['by way of A']);
      assert.equal(repository.artifactRequests.length, 1);
    });
  });

  it('does so for a role that an earlier call stored', async () => {
    await withClient(async (client, repository) => {
      diamond(repository);
      await client.init();
      assert.equal(await client.download('a/image'), 'DONE');
      assert.equal(await client.download('b/image'), 'SIGNATURE_THRESHOLD');
      assert.deepEqual(client.artifacts(), ['by way of A']);
    });
  });

  it('accepts a role that both delegators’ keys signed', async () => {
    await withClient(async (client, repository) => {
      diamond(repository);
      const delegations = repository.part('B', 'delegations');
      delegations['keys'] = repository.part('A', 'delegations')['keys'] ?? {};
      const [own] = delegations['roles'] as Metadata[];
      const [other] = repository.part('A', 'delegations')['roles'] as Metadata[];
      Object.assign(own ?? {}, { keyids: other?.['keyids'] });
      repository.publish('B', 'snapshot', 'timestamp');
      await client.init();
      assert.equal(await client.download('a/image', 'b/image'), 'DONE');
      assert.deepEqual(client.artifacts(), ['by way of A', 'by way of B']);
    });
  });
});
