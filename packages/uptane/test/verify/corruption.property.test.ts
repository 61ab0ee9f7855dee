import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { concatBytes } from '@immota/base';
import type { VerifiedUpdate } from '@immota/uptane';
import { DIALECTS, makeWorld, refusalOf, type World, type WorldSetup } from '../support/world.ts';

/** What a cycle came to, in a form that can be compared. */
function outcome({ assignments, directorTargets }: VerifiedUpdate): unknown {
  return {
    payload: Buffer.from(directorTargets.payload).toString('latin1'),
    assignments: assignments.map(({ name, ecuIdentifier, file, releaseCounter }) => ({
      name,
      ecuIdentifier,
      releaseCounter,
      hashes: [...file.hashes],
    })),
  };
}

/** The signed part of a file, as it was signed. */
function signedPart(bytes: Uint8Array): string {
  return JSON.stringify(
    (JSON.parse(new TextDecoder().decode(bytes)) as { signed: unknown }).signed,
  );
}

interface Damage {
  readonly describe: string;
  readonly apply: (bytes: Uint8Array, others: readonly Uint8Array[]) => Uint8Array | undefined;
}

const place = fc.nat({ max: 1_000_000 });
const flip: fc.Arbitrary<Damage> = fc
  .record({ at: place, mask: fc.integer({ min: 1, max: 255 }) })
  .map(({ at, mask }) => ({
    describe: `flip ${mask} at ${at}`,
    apply: (bytes) => {
      const copy = new Uint8Array(bytes);
      const index = at % bytes.length;
      copy[index] = (copy[index] ?? 0) ^ mask;
      return copy;
    },
  }));
const damage: fc.Arbitrary<Damage> = fc.oneof(
  { weight: 3, arbitrary: flip },
  place.map((at) => ({
    describe: `cut at ${at}`,
    apply: (bytes: Uint8Array) => bytes.slice(0, at % bytes.length),
  })),
  fc.tuple(place, fc.uint8Array({ minLength: 1, maxLength: 8 })).map(([at, more]) => ({
    describe: `insert ${more.toHex()} at ${at}`,
    apply: (bytes: Uint8Array) => {
      const index = at % bytes.length;
      return concatBytes([bytes.slice(0, index), more, bytes.slice(index)]);
    },
  })),
  place.map((at) => ({
    describe: `another file ${at}`,
    apply: (_: Uint8Array, others: readonly Uint8Array[]) => others[at % others.length],
  })),
  fc.constant({ describe: 'take away', apply: () => undefined }),
);

/** A world in its second version, with a Root to walk and delegations to follow. */
async function richWorld(setup: WorldSetup): Promise<World> {
  const world = await makeWorld(setup);
  for (const repository of [world.director, world.image]) {
    // oxlint-disable-next-line no-await-in-loop -- two repositories
    await repository.rotate('root', 'timestamp');
    // oxlint-disable-next-line no-await-in-loop -- two repositories
    await repository.release();
  }
  return world;
}

/** Damages one file for one cycle, then mends it for another. */
async function checkDamage(
  world: World,
  before: ReadonlyMap<string, Uint8Array>,
  file: number,
  { apply }: Damage,
): Promise<void> {
  const all = [world.director, world.image].flatMap(({ served }) =>
    [...served].map(([name, bytes]) => ({ served, name, bytes })),
  );
  const good = new Set([...all.map((each) => each.bytes), ...before.values()].map(signedPart));
  const chosen = all[file % all.length];
  assert.ok(chosen);
  const { served, name, bytes } = chosen;
  const { store } = world.client;
  store.clear();
  for (const [role, stored] of before) store.set(role, stored);
  const damaged = apply(
    bytes,
    all.map((each) => each.bytes),
  );
  if (damaged === undefined) served.delete(name);
  else served.set(name, damaged);
  let seen: unknown;
  const refusal = await refusalOf(
    world.verifyFully().then((update) => {
      seen = outcome(update);
    }),
  );
  served.set(name, bytes);
  for (const stored of store.values()) assert.ok(good.has(signedPart(stored)));
  const mended = outcome(await world.verifyFully());
  if (refusal === undefined) assert.deepEqual(seen, mended);
  else assert.match(refusal.code, /^[A-Z_]+$/);
}

describe('a damaged repository', () => {
  for (const dialect of DIALECTS) {
    it(`is refused or does not matter, to a new client, ${dialect.name} {uptane L1}`, async () => {
      const world = await richWorld({ dialect });
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: 1000 }), damage, async (file, harm) => {
          await checkDamage(world, new Map(), file, harm);
        }),
        { numRuns: 40 },
      );
    });

    it(`is refused or does not matter, to one that is up to date, ${dialect.name} {uptane L1}`, async () => {
      const world = await richWorld({ dialect });
      await world.verifyFully();
      const before = new Map(world.client.store);
      await world.image.release();
      await world.director.release();
      await fc.assert(
        fc.asyncProperty(fc.nat({ max: 1000 }), damage, async (file, harm) => {
          await checkDamage(world, before, file, harm);
        }),
        { numRuns: 40 },
      );
    });
  }

  it('is refused or does not matter wherever a single bit of a delegated role flips', async () => {
    const world = await richWorld({ dialect: DIALECTS[0] ?? assert.fail() });
    const names = [...world.director.served.keys(), ...world.image.served.keys()];
    const file = names.lastIndexOf(world.image.fileNameOf('brakes'));
    assert.ok(file >= 0);
    const index = fc.nat({ max: (world.image.served.get(names[file] ?? '')?.length ?? 1) - 1 });
    await fc.assert(
      fc.asyncProperty(index, fc.nat({ max: 7 }), async (at, bit) => {
        const harm: Damage = {
          describe: `bit ${bit} of ${at}`,
          apply: (bytes) => bytes.map((byte, each) => (each === at ? byte ^ (1 << bit) : byte)),
        };
        await checkDamage(world, new Map(), file, harm);
      }),
      { numRuns: 30 },
    );
  });
});

describe('a damaged store', () => {
  it('never leads to a result that a good one does not give', async () => {
    const world = await richWorld({});
    const expected = outcome(await world.verifyFully());
    const before = [...world.client.store];
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: before.length - 1 }), damage, async (index, { apply }) => {
        const { store } = world.client;
        store.clear();
        for (const [role, stored] of before) store.set(role, stored);
        const [role, bytes] = before[index] ?? assert.fail();
        const damaged = apply(
          bytes,
          before.map(([, each]) => each),
        );
        if (damaged === undefined) store.delete(role);
        else store.set(role, damaged);
        let seen: unknown = expected;
        await refusalOf(
          world.verifyFully().then((update) => {
            seen = outcome(update);
          }),
        );
        assert.deepEqual(seen, expected);
      }),
      { numRuns: 30 },
    );
  });
});
