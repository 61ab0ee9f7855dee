import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { JsonObject, JsonValue } from '@immota/base';
import {
  type Dialect,
  findTarget,
  type FoundTarget,
  limits,
  parseDelegatedRoleName,
  parseHardwareIdentifier,
  parseTargetName,
  RepositorySession,
  TUF,
  type Workflow,
} from '@immota/uptane';
import { signerOf } from '../support/keys.ts';
import {
  describeTeam,
  editAt,
  type TargetsState,
  teamOf,
  type TestRepository,
} from '../support/repository.ts';
import {
  DIALECTS,
  imageFile,
  inImage,
  NOW,
  refusalOf,
  TestClient,
  World,
} from '../support/world.ts';

const NAME = 'x/fw.bin';

/** A search for `x/fw.bin` in an Image repository that a test lays out. */
class Search {
  readonly world: World;
  readonly image: TestRepository;
  hardware = ['h'];
  /** A role whose file the repository does not serve. */
  missing: string | undefined;
  #session: RepositorySession | undefined;

  constructor(dialect: Dialect = TUF) {
    this.world = new World({ dialect });
    this.image = this.world.image;
    this.image.top.files.length = 0;
    this.image.top.delegations.length = 0;
    this.image.delegated.clear();
  }

  /** Delegates `x/*` to a role that lists the file when `counter` is given. */
  delegate(
    name: string,
    counter?: number,
    options: Parameters<TestRepository['delegate']>[2] = {},
  ): TargetsState {
    const state = this.image.delegate(name, ['x/*'], options);
    if (counter !== undefined) state.files.push(file(counter));
    return state;
  }

  /** Publishes, refreshes and searches. */
  async find(): Promise<FoundTarget | undefined> {
    await this.image.publish();
    if (this.missing !== undefined) this.image.served.delete(this.image.fileNameOf(this.missing));
    this.world.client.store.clear();
    return await this.world.run(this.#find());
  }

  /** Searches once more in the same session. */
  async findAgain(name: string): Promise<FoundTarget | undefined> {
    const session = this.#session;
    assert.ok(session);
    const trust = await new TestClient().run(
      new RepositorySession({ ...this.world.full().image, repository: 'image' }).refresh(),
      this.world,
    );
    const query = { name: parseTargetName(name), hardwareIdentifiers: this.#hardware() };
    return await this.world.run(findTarget(this.world.dialect, { session, trust }, query));
  }

  /** Which delegated roles the last search asked for, in order. */
  asked(): readonly string[] {
    return this.world.client.steps.flatMap((step) =>
      step.kind === 'fetch' && step.file.kind === 'targets' && step.file.role !== 'targets'
        ? [step.file.role]
        : [],
    );
  }

  *#find(): Workflow<FoundTarget | undefined> {
    const { image } = this.world.full();
    const session = new RepositorySession({ ...image, repository: 'image' });
    this.#session = session;
    const trust = yield* session.refresh();
    const query = { name: parseTargetName(NAME), hardwareIdentifiers: this.#hardware() };
    return yield* findTarget(this.world.dialect, { session, trust }, query);
  }

  #hardware(): ReturnType<typeof parseHardwareIdentifier>[] {
    return this.hardware.map(parseHardwareIdentifier);
  }
}

/** The file with a release counter that tells who listed it. */
function file(counter: number, name = NAME): TargetsState['files'][number] {
  return imageFile(name, ['h'], { mustMatch: { releaseCounter: counter } });
}

function counterOf(found: FoundTarget | undefined): number | undefined {
  return found?.file.releaseCounter;
}

describe('findTarget()', () => {
  for (const dialect of DIALECTS) {
    it(`finds what the top-level Targets list, and asks for nothing more, ${dialect.name} {uptane C2}`, async () => {
      const search = new Search(dialect);
      search.image.top.files.push(file(1));
      search.delegate('a', 2);
      const found = await search.find();
      assert.equal(counterOf(found), 1);
      assert.equal(found?.role, 'targets');
      assert.deepEqual(search.asked(), []);
    });

    it(`takes the first delegation in listed order, ${dialect.name} {uptane C5} {uptane L11}`, async () => {
      const search = new Search(dialect);
      search.delegate('z', 1);
      search.delegate('a', 2);
      const found = await search.find();
      assert.equal(counterOf(found), 1);
      assert.equal(found?.role, 'z');
      assert.deepEqual(search.asked(), ['z']);
    });

    it(`goes down before it goes on, ${dialect.name} {uptane L11}`, async () => {
      const search = new Search(dialect);
      const a = search.delegate('a');
      search.delegate('b', 9);
      const aa = search.delegate('aa', undefined, { from: a });
      search.delegate('ab', undefined, { from: a });
      search.delegate('aaa', undefined, { from: aa });
      assert.equal(counterOf(await search.find()), 9);
      assert.deepEqual(search.asked(), ['a', 'aa', 'aaa', 'ab', 'b']);
    });

    it(`looks beyond no terminating delegation, here or further up, ${dialect.name} {uptane C6}`, async () => {
      const search = new Search(dialect);
      const a = search.delegate('a');
      search.delegate('b', 2);
      search.delegate('aa', undefined, { from: a, terminating: true });
      search.delegate('ab', 3, { from: a });
      assert.equal(await search.find(), undefined);
      assert.deepEqual(search.asked(), ['a', 'aa']);
      a.delegations[0] = { ...(a.delegations[0] as (typeof a.delegations)[0]), terminating: false };
      assert.equal(counterOf(await search.find()), 3);
    });

    it(`looks below a terminating delegation, ${dialect.name}`, async () => {
      const search = new Search(dialect);
      const a = search.delegate('a', undefined, { terminating: true });
      search.delegate('b', 2);
      search.delegate('aa', undefined, { from: a });
      search.delegate('ab', 3, { from: a });
      assert.equal(counterOf(await search.find()), 3);
      assert.deepEqual(search.asked(), ['a', 'aa', 'ab']);
    });
  }

  it('passes over a terminating delegation that does not cover the name', async () => {
    const search = new Search();
    search.image.delegate('a', ['y/*'], { terminating: true });
    search.delegate('b', 2);
    assert.equal(counterOf(await search.find()), 2);
    assert.deepEqual(search.asked(), ['b']);
  });

  it('follows a delegation only for the hardware it includes {uptane L11}', async () => {
    const search = new Search();
    search.delegate('a', 1, { hardwareIdentifiers: ['other'], terminating: true });
    search.delegate('b', 2, { hardwareIdentifiers: ['h', 'i'] });
    assert.equal(counterOf(await search.find()), 2);
    assert.deepEqual(search.asked(), ['b']);
    search.hardware = ['h', 'other'];
    assert.equal(await search.find(), undefined);
    search.hardware = [];
    assert.equal(counterOf(await search.find()), 1);
  });

  it('finds nothing where no Targets are trusted', async () => {
    const { world } = new Search();
    await world.image.publish();
    const session = new RepositorySession({ ...world.full().image, repository: 'image' });
    const trust = { ...(await world.run(session.refresh())), targets: new Map() };
    const query = { name: parseTargetName(NAME), hardwareIdentifiers: [] };
    assert.equal(await world.run(findTarget(TUF, { session, trust }, query)), undefined);
  });

  it('finds nothing where nobody lists the name', async () => {
    const search = new Search();
    search.delegate('a');
    assert.equal(await search.find(), undefined);
    const empty = new Search();
    assert.equal(await empty.find(), undefined);
  });

  it('takes a file that a role lists outside of its paths from nobody', async () => {
    const search = new Search();
    search.image.delegate('a', ['y/*']).files.push(file(1));
    assert.equal(await search.find(), undefined);
    assert.deepEqual(search.asked(), []);
  });

  it('refuses when a role on the way is missing {uptane L11}', async () => {
    const search = new Search();
    search.delegate('a');
    search.delegate('b', 2);
    search.missing = 'a';
    assert.deepEqual(await refusalOf(search.find()), inImage('DELEGATION_MISSING', 'a'));
    search.missing = undefined;
    assert.equal(counterOf(await search.find()), 2);
  });

  it('refuses when a role on the way is invalid {uptane L11} {uptane L10}', async () => {
    const search = new Search();
    const a = search.delegate('a');
    search.delegate('b', 2);
    search.image.impostors.set('a', [signerOf('stranger')]);
    assert.deepEqual(await refusalOf(search.find()), inImage('SIGNATURE_THRESHOLD', 'a'));
    search.image.impostors.clear();
    a.expires = NOW;
    assert.deepEqual(await refusalOf(search.find()), inImage('EXPIRED', 'a'));
    a.expires = NOW.add({ seconds: 1 });
    search.image.edits.set('a', (signed) => ({ ...signed, _type: 'root' }));
    assert.deepEqual(await refusalOf(search.find()), inImage('ROLE_TYPE', 'a'));
    search.image.edits.clear();
    assert.equal(counterOf(await search.find()), 2);
  });

  it('refuses a role whose version or bytes are not what Snapshot names {uptane L10}', async () => {
    const search = new Search();
    search.delegate('a', 1);
    const change = (info: JsonValue | undefined): void => {
      search.image.edits.set('snapshot', (signed) =>
        editAt(signed, ['meta'], (meta): JsonObject => {
          const { 'a.json': _, ...others } = meta;
          return info === undefined ? others : { ...others, 'a.json': info };
        }),
      );
    };
    change(undefined);
    assert.deepEqual(await refusalOf(search.find()), inImage('VERSION_MISMATCH', 'a'));
    change({ version: 1, hashes: { sha256: '0'.repeat(64) } });
    assert.deepEqual(await refusalOf(search.find()), inImage('METADATA_HASH', 'a'));
    change({ version: 2 });
    assert.deepEqual(await refusalOf(search.find()), inImage('DELEGATION_MISSING', 'a'));
    change({ version: 1 });
    assert.equal(counterOf(await search.find()), 1);
  });

  it('counts the keys of the delegating file and not those of Root {uptane L10}', async () => {
    const search = new Search();
    search.delegate('a', 1);
    search.image.impostors.set('a', search.image.teams.targets.signers);
    assert.deepEqual(await refusalOf(search.find()), inImage('SIGNATURE_THRESHOLD', 'a'));
  });

  it('visits a role once, in a ring of delegations', async () => {
    const search = new Search();
    const a = search.delegate('a');
    const b = search.delegate('b', undefined, { from: a });
    search.delegate('a', undefined, { from: b });
    search.delegate('c', 3);
    assert.equal(counterOf(await search.find()), 3);
    assert.deepEqual(search.asked(), ['a', 'b', 'c']);
  });

  it('checks a role again for each delegator that leads to it {uptane L11}', async () => {
    const search = new Search();
    const a = search.image.delegate('a', ['x/*']);
    const b = search.image.delegate('b', ['y/*']);
    const shared = search.delegate('shared', 1, { from: a });
    shared.files.push(file(5, 'y/fw.bin'));
    search.image.delegate('shared', ['y/*'], { from: b, team: teamOf('another', 'classic') });
    assert.equal(counterOf(await search.find()), 1);
    assert.deepEqual(
      await refusalOf(search.findAgain('y/fw.bin')),
      inImage('SIGNATURE_THRESHOLD', 'shared'),
    );
    b.delegations.length = 0;
    search.image.delegate('shared', ['y/*'], { from: b, team: shared.team });
    assert.equal(counterOf(await search.find()), 1);
    assert.equal(counterOf(await search.findAgain('y/fw.bin')), 5);
    assert.deepEqual(search.asked(), ['b']);
    const { steps } = search.world.client;
    assert.ok(!steps.some((step) => step.kind === 'load' && step.role === 'shared'));
  });

  it('follows as many roles as the limit and not one more', async () => {
    const { DELEGATIONS_VISITED_MAX } = limits;
    const search = new Search();
    for (let index = 1; index < DELEGATIONS_VISITED_MAX; index += 1) search.delegate(`r${index}`);
    const last = search.delegate('last', 7);
    assert.equal(counterOf(await search.find()), 7);
    assert.equal(search.asked().length, DELEGATIONS_VISITED_MAX);
    last.files.length = 0;
    search.delegate('beyond', 8);
    assert.deepEqual(await refusalOf(search.find()), inImage('LIMIT', 'beyond'));
  });

  it('keeps delegated roles apart whatever their names', async () => {
    for (const name of ['__proto__', 'constructor', '../../etc', 'a/b', '🚗', "it's (*)"]) {
      const search = new Search();
      search.delegate(name, 1);
      // oxlint-disable-next-line no-await-in-loop -- one name after the other
      assert.equal((await search.find())?.role, name);
      for (const served of search.image.served.keys()) assert.match(served, /^[\w.~%-]+$/);
    }
  });

  it('asks the one bin of succinct roles', async () => {
    for (const bitLength of [1, 4, 5, 8, 32]) {
      const first = createHash('sha256').update(NAME).digest().readUInt32BE();
      const bin = Math.floor(first / 2 ** (32 - bitLength));
      const digits = (2 ** bitLength - 1).toString(16).length;
      const role = `bin-${bin.toString(16).padStart(digits, '0')}`;
      const search = new Search();
      const state = search.delegate(role, 1);
      const { keys, threshold } = describeTeam(TUF, state.team);
      search.image.edits.set('targets', (signed) => ({
        ...signed,
        delegations: {
          keys: Object.fromEntries(
            keys.map(({ keyId, algorithm, publicKeyDer }) => [
              keyId,
              TUF.encodeKey(algorithm, publicKeyDer),
            ]),
          ),
          succinct_roles: {
            keyids: keys.map(({ keyId }) => keyId),
            threshold,
            bit_length: bitLength,
            name_prefix: 'bin',
          },
        },
      }));
      // oxlint-disable-next-line no-await-in-loop -- one bin after the other
      assert.equal((await search.find())?.role, role);
      assert.deepEqual(search.asked(), [role]);
    }
  });
});

/** Lets several roles have to agree on `x/*`. */
function agree(search: Search, agreeing: number, names: readonly string[]): void {
  search.image.edits.set('targets', (signed) =>
    editAt(signed, ['delegations'], (delegations) => {
      const listed = delegations['roles'] as readonly (JsonObject & { readonly name: string })[];
      const chosen = listed.filter(({ name }) => names.includes(name));
      const roles = chosen.map(
        ({ name, keyids, threshold }) => ({ name, keyids, threshold }) as JsonObject,
      );
      const several = { paths: ['x/*'], min_roles_in_agreement: agreeing, roles };
      const at = listed.findIndex(({ name }) => names.includes(name));
      const others: JsonObject[] = listed.filter(({ name }) => !names.includes(name));
      return { ...delegations, roles: others.toSpliced(at, 0, several) };
    }),
  );
}

describe('findTarget() by several roles', () => {
  it('needs enough of them to state the same {uptane C8} {uptane L12}', async () => {
    const search = new Search();
    for (const name of ['a', 'b', 'c']) search.delegate(name, name === 'b' ? 2 : 1);
    agree(search, 2, ['a', 'b', 'c']);
    assert.equal(counterOf(await search.find()), 1);
    assert.deepEqual(search.asked(), ['a', 'b', 'c']);
    agree(search, 3, ['a', 'b', 'c']);
    assert.equal(await search.find(), undefined);
  });

  it('compares length, hashes and the must-match part, and no more', async () => {
    const [one, other] = [file(1), file(1)];
    const variants = [
      [{ ...other, custom: { ...other.custom, note: 'x', uri: 'https://x/' } }, true],
      [{ ...other, lengthBytes: one.lengthBytes + 1 }, false],
      [{ ...other, hashes: new Map([...other.hashes].slice(0, 1)) }, false],
      [{ ...other, hashes: new Map([...other.hashes].toReversed()) }, true],
      [
        { ...other, custom: { ...other.custom, mustMatch: { releaseCounter: 1, line: 'x' } } },
        false,
      ],
    ] as const;
    for (const [variant, agreed] of variants) {
      const search = new Search();
      search.delegate('a').files.push(one);
      search.delegate('b').files.push(variant);
      agree(search, 2, ['a', 'b']);
      // oxlint-disable-next-line no-await-in-loop -- one variant after the other
      assert.equal((await search.find()) !== undefined, agreed);
    }
  });

  it('lets the group with the earliest role win {uptane L12}', async () => {
    const search = new Search();
    for (const [index, name] of ['a', 'b', 'c', 'd'].entries())
      search.delegate(name, (index + 1) % 2);
    agree(search, 2, ['a', 'b', 'c', 'd']);
    const found = await search.find();
    assert.equal(counterOf(found), 1);
    assert.equal(found?.role, 'a');
  });

  it('counts a role that lists nothing for nothing', async () => {
    const search = new Search();
    search.delegate('a', 1);
    search.delegate('b');
    search.delegate('c', 1);
    agree(search, 2, ['a', 'b', 'c']);
    assert.equal(counterOf(await search.find()), 1);
    agree(search, 3, ['a', 'b', 'c']);
    assert.equal(await search.find(), undefined);
  });

  it('goes on to the next delegation when they do not agree', async () => {
    const search = new Search();
    search.delegate('a', 1);
    search.delegate('b', 2);
    search.delegate('c', 3);
    agree(search, 2, ['a', 'b']);
    assert.equal(counterOf(await search.find()), 3);
    assert.deepEqual(search.asked(), ['a', 'b', 'c']);
  });

  it('takes the first that lists it where one is enough', async () => {
    const search = new Search();
    search.delegate('a');
    search.delegate('b', 2);
    search.delegate('c', 3);
    agree(search, 1, ['a', 'b', 'c']);
    assert.equal(counterOf(await search.find()), 2);
  });

  it('refuses when one of them is invalid', async () => {
    const search = new Search();
    for (const name of ['a', 'b', 'c']) search.delegate(name, 1);
    agree(search, 2, ['a', 'b', 'c']);
    search.image.impostors.set('c', [signerOf('stranger')]);
    assert.deepEqual(await refusalOf(search.find()), inImage('SIGNATURE_THRESHOLD', 'c'));
  });

  it('checks a role in its company that was visited alone before', async () => {
    const search = new Search();
    const a = search.delegate('a');
    search.delegate('b', 2);
    search.delegate('c', 2);
    const { team } = search.image.delegated.get(parseDelegatedRoleName('b')) ?? {};
    assert.ok(team);
    search.image.delegate('b', ['x/none'], { from: a, team });
    agree(search, 2, ['b', 'c']);
    assert.equal(counterOf(await search.find()), 2);
  });

  it('counts them all towards the limit', async () => {
    const { DELEGATIONS_VISITED_MAX } = limits;
    for (const [extra, code] of [
      [0, undefined],
      [1, 'LIMIT'],
    ] as const) {
      const search = new Search();
      const names = Array.from(
        { length: DELEGATIONS_VISITED_MAX + extra - 1 },
        (_, index) => `r${index}`,
      );
      search.delegate('alone');
      for (const name of names) search.delegate(name, 4);
      agree(search, names.length, names);
      // oxlint-disable-next-line no-await-in-loop -- two of them
      assert.equal((await refusalOf(search.find()))?.code, code);
      assert.equal(search.asked().length, code === undefined ? DELEGATIONS_VISITED_MAX : 1);
    }
  });
});
