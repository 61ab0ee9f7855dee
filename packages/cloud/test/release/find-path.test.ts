import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { JsonValue } from '@immota/base';
import { parseHardwareIdentifier } from '@immota/uptane';
import { type EcuConfiguration, findPath } from '../../src/release/find-path.ts';
import { parseRelease, type Release } from '../../src/release/release-document.ts';

interface ImageInput {
  readonly [name: string]: JsonValue;
}

function release(goal: Readonly<Record<string, string>>, images: readonly ImageInput[]): Release {
  return parseRelease({ _type: 'Release', name: 'r', version: '1', goal, images });
}

function ecu(name: string, hardware: string, image: string): EcuConfiguration {
  return { ecu: name, hardwareIdentifier: parseHardwareIdentifier(hardware), image };
}

function bundles(found: ReturnType<typeof findPath>): readonly Readonly<Record<string, string>>[] {
  assert.equal(found.kind, 'path');
  return found.bundles.map((bundle) => Object.fromEntries(bundle));
}

const chain = [
  { hardwareId: 'a', name: 'a2', installsOver: ['a1'] },
  { hardwareId: 'a', name: 'a3', installsOver: ['a2'] },
  { hardwareId: 'a', name: 'a4', installsOver: ['a2', 'a3'] },
];

describe('findPath()', () => {
  it('takes the shortest chain through intermediate versions {uptane E7}', () => {
    const found = findPath(release({ a: 'a4' }, chain), [ecu('E', 'a', 'a1')]);
    assert.deepEqual(bundles(found), [{ E: 'a2' }, { E: 'a4' }]);
  });
  it('asks for nothing when the release runs already', () => {
    assert.deepEqual(bundles(findPath(release({ a: 'a4' }, chain), [ecu('E', 'a', 'a4')])), []);
  });
  it('says which ECU no chain reaches', () => {
    const found = findPath(release({ a: 'a4' }, chain), [ecu('E', 'a', 'a0')]);
    assert.deepEqual(found, { kind: 'none', reason: 'NO_PATH', ecus: ['E'] });
  });
  it('says when the vehicle has none of the hardware', () => {
    const found = findPath(release({ a: 'a4' }, chain), [ecu('E', 'b', 'b1')]);
    assert.deepEqual(found, { kind: 'none', reason: 'HARDWARE_UNKNOWN', ecus: ['E'] });
  });
  it('moves another ECU first where an image requires it {uptane E7}', () => {
    const tied = release({ a: 'a3' }, [
      {
        hardwareId: 'a',
        name: 'a2',
        installsOver: ['a1'],
        requires: [{ hardwareId: 'b', images: ['b1'] }],
      },
      {
        hardwareId: 'a',
        name: 'a3',
        installsOver: ['a2'],
        requires: [{ hardwareId: 'b', images: ['b2'] }],
      },
      { hardwareId: 'b', name: 'b2', installsOver: ['b1'] },
    ]);
    const needsGoal = release({ a: 'a3', b: 'b2' }, [
      { hardwareId: 'a', name: 'a2', installsOver: ['a1'] },
      {
        hardwareId: 'a',
        name: 'a3',
        installsOver: ['a2'],
        requires: [{ hardwareId: 'b', images: ['b2'] }],
      },
      { hardwareId: 'b', name: 'b2', installsOver: 'any' },
    ]);
    const vehicle = [ecu('A', 'a', 'a1'), ecu('B', 'b', 'b1')];
    // b is not among the goals of `tied`, so it may not be moved, and a3 stays out of reach.
    assert.equal(findPath(tied, vehicle).kind, 'none');
    const way = bundles(findPath(needsGoal, vehicle));
    assert.equal(way.length, 2);
    assert.deepEqual(Object.assign({}, ...way), { A: 'a3', B: 'b2' });
  });
  it('gives up in bounded time where every way is barred', () => {
    // 40 ECUs of one hardware that two others bar each other's way: 2^40 combinations, none allowed.
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
    const found = findPath(barred, [...many, ecu('B', 'b', 'b1')]);
    assert.equal(found.kind === 'none' && found.reason, 'NO_PATH');
  });
  it('never pairs images that conflict {uptane E7}', () => {
    const clash = release({ a: 'a2', b: 'b2' }, [
      {
        hardwareId: 'a',
        name: 'a2',
        installsOver: ['a1'],
        conflicts: [{ hardwareId: 'b', images: ['b2'] }],
      },
      { hardwareId: 'b', name: 'b2', installsOver: ['b1'] },
    ]);
    const found = findPath(clash, [ecu('A', 'a', 'a1'), ecu('B', 'b', 'b1')]);
    assert.equal(found.kind, 'none');
  });
  it('finds a way exactly when a plain search does, and none longer', () => {
    fc.assert(
      fc.property(arbitraryCase(), ({ images, goal, start }) => {
        const parsed = release(goal, images);
        const vehicle = Object.entries(start).map(([hw, image]) => ecu(`E${hw}`, hw, image));
        const found = findPath(parsed, vehicle);
        const plain = plainSearch(parsed, vehicle);
        assert.equal(found.kind === 'path' ? found.bundles.length : undefined, plain);
      }),
    );
  });
});

function names(hw: string): readonly string[] {
  return [1, 2, 3].map((n) => `${hw}${n}`);
}

function arbitraryCase(): fc.Arbitrary<{
  readonly images: readonly ImageInput[];
  readonly goal: Readonly<Record<string, string>>;
  readonly start: Readonly<Record<string, string>>;
}> {
  const constraint = (other: string): fc.Arbitrary<ImageInput> =>
    fc.record({
      hardwareId: fc.constant(other),
      images: fc.subarray([...names(other)], { minLength: 1 }),
    });
  const imageOf = (hw: string, other: string, name: string): fc.Arbitrary<ImageInput> =>
    fc.record({
      hardwareId: fc.constant(hw),
      name: fc.constant(name),
      installsOver: fc.oneof(fc.constant('any'), fc.subarray([...names(hw)])),
      requires: fc.array(constraint(other), { maxLength: 1 }),
      conflicts: fc.array(constraint(other), { maxLength: 1 }),
    });
  const all = [
    ...names('a').map((name) => imageOf('a', 'b', name)),
    ...names('b').map((name) => imageOf('b', 'a', name)),
  ];
  return fc.record({
    images: fc.tuple(...all),
    goal: fc.record({ a: fc.constantFrom(...names('a')), b: fc.constantFrom(...names('b')) }),
    start: fc.record({ a: fc.constantFrom(...names('a')), b: fc.constantFrom(...names('b')) }),
  });
}

/** Breadth first over whole configurations, with no cleverness at all. */
function plainSearch(parsed: Release, vehicle: readonly EcuConfiguration[]): number | undefined {
  const at = (config: readonly string[], hw: string): readonly string[] =>
    config.filter((_, other) => vehicle[other]?.hardwareIdentifier === hw);
  const allowed = (config: readonly string[]): boolean =>
    vehicle.every((own, index) => {
      const image = parsed.images.find(
        (i) => i.hardwareIdentifier === own.hardwareIdentifier && i.name === config[index],
      );
      return (
        image === undefined ||
        (image.requires.every((c) =>
          at(config, c.hardwareIdentifier).every((n) => c.images.has(n)),
        ) &&
          image.conflicts.every(
            (c) => !at(config, c.hardwareIdentifier).some((n) => c.images.has(n)),
          ))
      );
    });
  const done = (config: readonly string[]): boolean =>
    vehicle.every((own, i) => (parsed.goal.get(own.hardwareIdentifier) ?? config[i]) === config[i]);
  let frontier: (readonly string[])[] = [vehicle.map(({ image }) => image)];
  const seen = new Set(frontier.map((config) => config.join()));
  for (let steps = 0; frontier.length > 0; steps += 1) {
    if (frontier.some(done)) return steps;
    const next: (readonly string[])[] = [];
    for (const config of frontier) {
      const choices = vehicle.map((own, index) => [
        config[index] ?? '',
        ...parsed.images
          .filter(
            (image) =>
              image.hardwareIdentifier === own.hardwareIdentifier &&
              parsed.goal.get(own.hardwareIdentifier) !== config[index],
          )
          .filter(
            (image) => image.installsOver === 'any' || image.installsOver.has(config[index] ?? ''),
          )
          .map(({ name }): string => name),
      ]);
      for (const one of choices[0] ?? []) {
        for (const two of choices[1] ?? []) {
          const candidate = [one, two];
          if (!seen.has(candidate.join()) && allowed(candidate)) {
            seen.add(candidate.join());
            next.push(candidate);
          }
        }
      }
    }
    frontier = next;
  }
  return undefined;
}
