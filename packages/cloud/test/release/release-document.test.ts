import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonObject } from '@immota/base';
import { parseRelease, RELEASE_MAX_BYTES } from '../../src/release/release-document.ts';

const good: JsonObject = {
  _type: 'Release',
  name: 'Autumn',
  version: '26.11',
  goal: { a: 'a2' },
  images: [
    {
      hardwareId: 'a',
      name: 'a2',
      installsOver: ['a1'],
      requires: [{ hardwareId: 'b', images: ['b1'] }],
      conflicts: [{ hardwareId: 'c', images: ['c1'] }],
    },
  ],
  description: { en: 'Better brakes' },
  unusableSeconds: 300,
  unavailable: ['radio'],
  security: true,
};
const [first] = good['images'] as readonly JsonObject[];

describe('parseRelease()', () => {
  it('reads goal, images, their constraints and what the owner is told {uptane E7}', () => {
    const release = parseRelease(good);
    assert.deepEqual([...release.goal], [['a', 'a2']]);
    assert.deepEqual(release.images[0]?.installsOver, new Set(['a1']));
    assert.deepEqual(release.images[0].requires[0]?.images, new Set(['b1']));
    assert.deepEqual([...release.description], [['en', 'Better brakes']]);
    assert.deepEqual([release.unusableSeconds, release.isSecurity], [300, true]);
    assert.ok(RELEASE_MAX_BYTES > JSON.stringify(good).length);
  });

  it('hands on all that people are told, by language, as it was signed', () => {
    const told = {
      title: { en: 'Brakes', zh: '制动' },
      purpose: { kind: 'recall', text: { de: 'Ein Mangel.' } },
      changes: { en: ['Shorter way to a stop.'] },
      unavailableTexts: { en: ['Driving'] },
      instructions: { en: ['Doors keep working.'] },
      manual: { en: [{ title: 'Brakes', where: 'page 12' }] },
      mandatory: true,
      postpone: { times: 3, until: '2026-12-01T00:00:00Z', after: 'install' },
    };
    const { notice } = parseRelease({ ...good, ...told });
    const { description, unusableSeconds, unavailable, security } = good;
    assert.deepEqual(notice, { ...told, description, unusableSeconds, unavailable, security });
  });

  it('leaves out what need not be said', () => {
    const bare = { _type: 'Release', name: 'n', version: '1', goal: { a: 'a2' } };
    const images = [{ hardwareId: 'a', name: 'a2', installsOver: 'any' }];
    const release = parseRelease({ ...bare, images });
    assert.equal(release.images[0]?.installsOver, 'any');
    assert.deepEqual(
      [release.unusableSeconds, release.isSecurity, release.unavailable],
      [0, false, []],
    );
  });

  it('reads where a technician has to stand by {R156 7.1.4.2}', () => {
    const task = { hardwareId: 'a', step: 'commit', task: { en: 'Calibrate' } };
    const { technician } = parseRelease({ ...good, technician: [task] });
    assert.deepEqual(technician, [
      { hardwareIdentifier: 'a', step: 'commit', task: { en: 'Calibrate' } },
    ]);
    assert.deepEqual(parseRelease(good).technician, []);
  });

  const refused: Readonly<Record<string, JsonObject>> = {
    'a technician for hardware that it does not touch': {
      ...good,
      technician: [{ hardwareId: 'z', step: 'commit', task: {} }],
    },
    'a technician at a step that there is not': {
      ...good,
      technician: [{ hardwareId: 'a', step: 'later', task: {} }],
    },
    'another type': { ...good, _type: 'Targets' },
    'no name': { ...good, name: '' },
    'no images': { ...good, images: [] },
    'no goal': { ...good, goal: {} },
    'a goal that is not among its images': { ...good, goal: { a: 'a9' } },
    'a goal for other hardware': { ...good, goal: { b: 'a2' } },
    'a goal named like a prototype': { ...good, goal: { constructor: 'a2' } },
    'an image twice': { ...good, images: [first ?? {}, first ?? {}] },
    'an image without a name': { ...good, images: [{ ...first, name: '' }] },
    'a name that leaves its folder': {
      ...good,
      goal: { a: '../a2' },
      images: [{ ...first, name: '../a2' }],
    },
    'hardware that no ECU can have': { ...good, images: [{ ...first, hardwareId: '' }] },
    'a constraint without images': {
      ...good,
      images: [{ ...first, requires: [{ hardwareId: 'b', images: [] }] }],
    },
    'more images than a vehicle line has': {
      ...good,
      images: Array.from({ length: 1025 }, (_, index) => ({ ...first, name: `a${index}` })),
    },
    'a day and more without the vehicle': { ...good, unusableSeconds: 86_401 },
    'a purpose that is none': { ...good, purpose: { kind: 'fun' } },
    'a last date that is none': { ...good, postpone: { times: 1, until: 'soon' } },
    'more postponements than anybody counts': { ...good, postpone: { times: 101 } },
    'a text with a NUL': { ...good, description: { en: 'a\0b' } },
  };
  for (const [what, signed] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseRelease(signed), { code: 'RELEASE_MALFORMED' });
    });
  }
});
