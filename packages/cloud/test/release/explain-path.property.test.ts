import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { JsonValue } from '@immota/base';
import { parseHardwareIdentifier } from '@immota/uptane';
import { describeFact } from '../../src/release/describe-clash.ts';
import { type ClashFact, explainPath } from '../../src/release/explain-path.ts';
import type { EcuConfiguration } from '../../src/release/find-path.ts';
import {
  parseRelease,
  type Release,
  type ReleaseImage,
} from '../../src/release/release-document.ts';

interface ImageInput {
  readonly [name: string]: JsonValue;
}

function release(goal: Readonly<Record<string, string>>, images: readonly ImageInput[]): Release {
  return parseRelease({ _type: 'Release', name: 'r', version: '1', goal, images });
}

function ecu(name: string, hardware: string, image: string): EcuConfiguration {
  return { ecu: name, hardwareIdentifier: parseHardwareIdentifier(hardware), image };
}

const HARDWARE = ['a', 'b', 'c'] as const;
const names = (hw: string): readonly string[] => [1, 2, 3].map((n) => `${hw}${n}`);

function arbitraryCase(): fc.Arbitrary<{
  readonly parsed: Release;
  readonly vehicle: readonly EcuConfiguration[];
}> {
  const constraint = (hw: string): fc.Arbitrary<ImageInput> =>
    fc.constantFrom(...HARDWARE.filter((one) => one !== hw)).chain((other) =>
      fc.record({
        hardwareId: fc.constant(other),
        images: fc.subarray([...names(other)], { minLength: 1 }),
      }),
    );
  const imageOf = (hw: string, name: string): fc.Arbitrary<ImageInput> =>
    fc.record({
      hardwareId: fc.constant(hw),
      name: fc.constant(name),
      installsOver: fc.oneof(fc.constant('any'), fc.subarray([...names(hw)])),
      requires: fc.array(constraint(hw), { maxLength: 2 }),
      conflicts: fc.array(constraint(hw), { maxLength: 1 }),
    });
  const all = HARDWARE.flatMap((hw) => names(hw).map((name) => imageOf(hw, name)));
  const choice = { a: fc.constantFrom(...names('a')), b: fc.constantFrom(...names('b')) };
  return fc
    .record({
      images: fc.tuple(...all),
      goal: fc.record(choice),
      start: fc.record({ ...choice, c: fc.constantFrom(...names('c')) }),
    })
    .map(({ images, goal, start }) => ({
      parsed: release(goal, images),
      vehicle: Object.entries(start).map(([hw, image]) => ecu(`E${hw}`, hw, image)),
    }));
}

/** What is allowed when nothing holds but some facts; written without looking at the solver. */
interface World {
  readonly ecus: readonly EcuConfiguration[];
  readonly mayFollow: (image: ReleaseImage, from: string) => boolean;
  readonly stands: (
    image: ReleaseImage,
    runs: (hw: string) => readonly string[],
    touches: (hw: string) => boolean,
  ) => boolean;
  readonly mayMove: (hw: string, from: string) => boolean;
  readonly isThere: (hw: string, image: string) => boolean;
}

function worldOf(
  parsed: Release,
  vehicle: readonly EcuConfiguration[],
  facts: readonly ClashFact[],
): World {
  const has = (test: (fact: ClashFact) => boolean): boolean => facts.some(test);
  const goals = new Map<string, string>(
    facts.flatMap((fact) =>
      fact.kind === 'goal' ? [[fact.hardwareIdentifier, fact.image] as const] : [],
    ),
  );
  return {
    ecus: vehicle.filter((one) => has((fact) => fact.kind === 'runs' && fact.ecu.ecu === one.ecu)),
    mayFollow: (image, from) =>
      image.installsOver === 'any' ||
      image.installsOver.has(from) ||
      !has((fact) => fact.kind === 'installs-over' && fact.image === image),
    stands: (image, runs, touches) =>
      facts.every((fact) => {
        if (fact.kind !== 'requires' && fact.kind !== 'conflicts') return true;
        if (fact.image !== image) return true;
        if (!touches(fact.constraint.hardwareIdentifier)) return true;
        const beside = runs(fact.constraint.hardwareIdentifier);
        return fact.kind === 'requires'
          ? beside.every((name) => fact.constraint.images.has(name))
          : !beside.some((name) => fact.constraint.images.has(name));
      }),
    // What has reached its goal stays there; what has none any more goes where it likes.
    mayMove: (hw, from) =>
      [...parsed.goal.keys()].some((one) => one === hw) && goals.get(hw) !== from,
    isThere: (hw, image) => (goals.get(hw) ?? image) === image,
  };
}

/** Where everything holds that the release says. */
function wholeWorld(parsed: Release, vehicle: readonly EcuConfiguration[]): World {
  const facts: readonly ClashFact[] = [
    ...vehicle.map((one) => ({ kind: 'runs', ecu: one }) as const),
    ...[...parsed.goal].map(
      ([hardwareIdentifier, name]) =>
        ({ kind: 'goal', hardwareIdentifier, image: name, isAbsent: false }) as const,
    ),
    ...parsed.images.flatMap((image): readonly ClashFact[] => [
      { kind: 'installs-over', image },
      ...image.requires.map((constraint) => ({ kind: 'requires', image, constraint }) as const),
      ...image.conflicts.map((constraint) => ({ kind: 'conflicts', image, constraint }) as const),
    ]),
  ];
  return worldOf(parsed, vehicle, facts);
}

/** Breadth first over whole configurations. @returns how many bundles it takes. */
function countBundles(parsed: Release, world: World): number | undefined {
  const { ecus } = world;
  const done = (config: readonly string[]): boolean =>
    ecus.every(({ hardwareIdentifier: hw }, at) => world.isThere(hw, config[at] ?? ''));
  const runsOf = (config: readonly string[], other: string): readonly string[] =>
    config.filter((_, index) => ecus[index]?.hardwareIdentifier === other);
  const allowed = (from: readonly string[], config: readonly string[]): boolean =>
    ecus.every(({ hardwareIdentifier: hw }, at) => {
      const image = parsed.images.find(
        (one) => one.hardwareIdentifier === hw && one.name === config[at],
      );
      // A bundle answers for what it changes, and for what stands beside that.
      const touches = (other: string): boolean =>
        config[at] !== from[at] ||
        ecus.some(
          (one, index) => one.hardwareIdentifier === other && config[index] !== from[index],
        );
      return image === undefined || world.stands(image, (other) => runsOf(config, other), touches);
    });
  const choices = (hw: string, from: string): readonly string[] => {
    const isFixed = !world.mayMove(hw, from);
    const next = isFixed
      ? []
      : parsed.images.filter(
          (image) => image.hardwareIdentifier === hw && world.mayFollow(image, from),
        );
    return [from, ...next.map(({ name }): string => name)];
  };
  const start = ecus.map(({ image }) => image);
  const frontier: { readonly config: readonly string[]; readonly steps: number }[] = [
    { config: start, steps: 0 },
  ];
  const seen = new Set([start.join()]);
  for (let node = frontier.shift(); node !== undefined; node = frontier.shift()) {
    const { config, steps } = node;
    if (done(config)) return steps;
    let nexts: (readonly string[])[] = [[]];
    for (const [at, { hardwareIdentifier: hw }] of ecus.entries()) {
      const own = choices(hw, config[at] ?? '');
      nexts = nexts.flatMap((head) => own.map((name) => [...head, name]));
    }
    for (const next of nexts) {
      if (seen.has(next.join()) || !allowed(config, next)) continue;
      seen.add(next.join());
      frontier.push({ config: next, steps: steps + 1 });
    }
  }
  return undefined;
}

describe('explainPath()', () => {
  it('finds the fewest bundles, or facts that leave no way while any one less leaves one {uptane E7}', () => {
    let clashes = 0;
    fc.assert(
      fc.property(arbitraryCase(), ({ parsed, vehicle }) => {
        const { found, clash } = explainPath(parsed, vehicle);
        if (found.kind === 'path') {
          assert.deepEqual(clash, []);
          assert.equal(found.bundles.length, countBundles(parsed, wholeWorld(parsed, vehicle)));
          return;
        }
        clashes += 1;
        assert.ok(clash.length > 0);
        assert.equal(countBundles(parsed, worldOf(parsed, vehicle, clash)), undefined);
        for (const fact of clash) {
          const others = clash.filter((one) => one !== fact);
          const left = countBundles(parsed, worldOf(parsed, vehicle, others));
          assert.notEqual(left, undefined, describeFact(fact));
        }
      }),
      { numRuns: 500 },
    );
    assert.ok(clashes > 20, `${clashes} clashes were looked at`);
  });

  it('says it in words', () => {
    const parsed = release({ a: 'a3', b: 'b2' }, [
      { hardwareId: 'a', name: 'a2', installsOver: ['a1'] },
      {
        hardwareId: 'a',
        name: 'a3',
        installsOver: ['a2'],
        requires: [{ hardwareId: 'b', images: ['b9'] }],
      },
      { hardwareId: 'b', name: 'b2', installsOver: ['b1'] },
      { hardwareId: 'b', name: 'b9', installsOver: ['b2'] },
    ]);
    const vehicle = [ecu('BRAKE', 'a', 'a1'), ecu('GATE', 'b', 'b1')];
    const { clash } = explainPath(parsed, vehicle);
    assert.deepEqual(clash.map(describeFact).toSorted(), [
      '"a3" runs only beside "b9" on "b".',
      'ECU "BRAKE" (a) runs "a1".',
      'ECU "GATE" (b) runs "b1".',
      'The release wants "a3" on "a".',
      'The release wants "b2" on "b".',
    ]);
  });

  it('looks several versions back', () => {
    const chain = [2, 3, 4, 5].map((n) => ({
      hardwareId: 'a',
      name: `a${n}`,
      installsOver: [`a${n - 1}`],
    }));
    const { found } = explainPath(release({ a: 'a5' }, chain), [ecu('E', 'a', 'a1')]);
    assert.equal(found.kind === 'path' && found.bundles.length, 4);
    const { clash } = explainPath(release({ a: 'a5' }, chain.slice(1)), [ecu('E', 'a', 'a1')]);
    assert.deepEqual(
      clash.map(({ kind }) => kind),
      ['runs', 'goal', 'installs-over', 'installs-over', 'installs-over'],
    );
  });

  it('says which hardware the vehicle has none of', () => {
    const parsed = release({ a: 'a2' }, [{ hardwareId: 'a', name: 'a2', installsOver: 'any' }]);
    const { clash } = explainPath(parsed, [ecu('E', 'b', 'b1')]);
    assert.deepEqual(clash.map(describeFact), [
      'The release is for "a", and the vehicle has none.',
    ]);
  });

  it('says that it gave up where it did, in bounded time', () => {
    const barred = release({ a: 'a2', b: 'b2' }, [
      {
        hardwareId: 'a',
        name: 'a2',
        installsOver: ['a1'],
        requires: [{ hardwareId: 'b', images: ['b2'] }],
      },
      {
        hardwareId: 'b',
        name: 'b2',
        installsOver: ['b1'],
        conflicts: [{ hardwareId: 'a', images: ['a1', 'a2'] }],
      },
    ]);
    const many = Array.from({ length: 40 }, (_, index) => ecu(`A${index}`, 'a', 'a1'));
    const { clash } = explainPath(barred, [...many, ecu('B', 'b', 'b1')]);
    assert.deepEqual(
      clash.map(({ kind }) => kind),
      ['bound'],
    );
  });
});
