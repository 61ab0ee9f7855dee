import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '@immota/base';
import {
  AKTUALIZR,
  checkDirectorTargets,
  decodeTargets,
  type Dialect,
  encodeEnvelope,
  findTarget,
  parseTargetName,
  RepositorySession,
  TARGETS_ROLE,
  type Targets,
} from '@immota/uptane';
import { editAt } from './support/repository.ts';
import { DIALECTS, imageFile, makeWorld, type World } from './support/world.ts';

const MANY = 10_000;
const FEWER = 2_000;

/** Delegations to roles that nobody serves; each has a key of its own. */
function crowd(count: number): {
  readonly keys: JsonObject;
  readonly roles: readonly JsonObject[];
} {
  const ids = Array.from({ length: count }, (_, index) => `k${index}`);
  const key = { keytype: 'new', scheme: 'new', keyval: { public: 'x' } };
  return {
    keys: Object.fromEntries(ids.map((id) => [id, key])),
    roles: ids.map((id, index) => ({
      name: `r${index}`,
      keyids: [id],
      threshold: 1,
      paths: [`r${index}/*`],
      terminating: false,
    })),
  };
}

/** A world whose top-level Targets list images, and many delegations before the one to `brakes`. */
async function crowdedWorld(count: number, images: number, dialect: Dialect): Promise<World> {
  const world = await makeWorld({ dialect });
  for (let index = 0; index < images; index += 1) {
    world.image.top.files.push(imageFile(`many/${index}.bin`, ['h']));
  }
  const { keys, roles } = crowd(count);
  world.image.edits.set('targets', (signed) =>
    editAt(signed, ['delegations'], (own) => ({
      keys: { ...keys, ...(own['keys'] as JsonObject) },
      roles: [...roles, ...(own['roles'] as readonly JsonObject[])],
    })),
  );
  await world.image.release();
  return world;
}

/** Counts how often any member of a value, however deep, is read. */
function counted<Value extends object>(value: Value, count: () => void): Value {
  return new Proxy(value, {
    get(target, name): unknown {
      count();
      const found: unknown = Reflect.get(target, name);
      if (typeof found === 'function')
        return (found as (...args: unknown[]) => unknown).bind(target);
      return typeof found === 'object' && found !== null && !(found instanceof Map)
        ? counted(found, count)
        : found;
    },
  });
}

describe('metadata with 10,000 images and 10,000 delegations', () => {
  for (const dialect of DIALECTS) {
    it(`is verified in ${dialect.name}, and asks for no file more than a small one`, async () => {
      const world = await crowdedWorld(MANY, MANY, dialect);
      const { assignments } = await world.verifyFully();
      assert.equal(assignments.length, 2);
      assert.equal(
        world.client.fetched(dialect).filter((name) => name.startsWith('image/')).length,
        5,
      );
    });
  }

  it('is searched in steps that grow with its length and no faster', async () => {
    const reads: number[] = [];
    for (const count of [FEWER, MANY]) {
      // oxlint-disable-next-line no-await-in-loop -- two sizes
      const world = await crowdedWorld(count, 0, AKTUALIZR);
      const session = new RepositorySession({ ...world.full().image, repository: 'image' });
      // oxlint-disable-next-line no-await-in-loop -- two sizes
      const trust = await world.run(session.refresh());
      const top = trust.targets.get(TARGETS_ROLE);
      assert.ok(top?.body.delegations);
      let seen = 0;
      const entries = top.body.delegations.entries.map((entry) =>
        counted(entry, () => {
          seen += 1;
        }),
      );
      const body: Targets = { ...top.body, delegations: { ...top.body.delegations, entries } };
      const targets = new Map([[TARGETS_ROLE, { ...top, body } as typeof top]]);
      const query = { name: parseTargetName('brake/fw-2.bin'), hardwareIdentifiers: [] };
      // oxlint-disable-next-line no-await-in-loop -- two sizes
      const found = await world.run(
        findTarget(AKTUALIZR, { session, trust: { ...trust, targets } }, query),
      );
      assert.equal(found?.role, 'brakes');
      reads.push(seen / count);
    }
    const [fewer = 0, many = 0] = reads;
    assert.ok(
      many > 1 && many < fewer * 1.01,
      `${many} reads a delegation, ${fewer} in a smaller file`,
    );
  });
});

describe('Director Targets', () => {
  it('are checked in steps that grow with their length and no faster', () => {
    const reads: number[] = [];
    for (const count of [FEWER, MANY]) {
      const targets = Object.fromEntries(
        Array.from({ length: count }, (_, index) => [
          `i${index}`,
          {
            length: 1,
            hashes: { sha256: '0'.repeat(64) },
            custom: { ecuIdentifiers: { [`e${index}`]: { hardwareId: 'h' } } },
          },
        ]),
      );
      const signed = { _type: 'Targets', version: 1, expires: '2030-01-01T00:00:00Z', targets };
      const file = encodeEnvelope(AKTUALIZR, signed, []);
      const { body } = decodeTargets(AKTUALIZR, file, { role: TARGETS_ROLE, lengthMax: 1e8 });
      let seen = 0;
      const files = new Map(
        [...body.files].map(([name, each]) => [
          name,
          counted(each, () => {
            seen += 1;
          }),
        ]),
      );
      checkDirectorTargets({ ...body, files });
      reads.push(seen / count);
    }
    assert.deepEqual(reads[0], reads[1]);
  });
});
