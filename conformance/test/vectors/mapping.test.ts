import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { findRow, MAPPING, renderMapping } from '../../vectors/mapping.ts';

describe('MAPPING', () => {
  it('has one row for each error', () => {
    assert.equal(new Set(MAPPING.map(({ err }) => err)).size, MAPPING.length);
  });

  it('gives a reason for each row', () => {
    for (const { err, reason } of MAPPING) assert.match(reason, /^\P{Ll}.{15,}\.$/su, err);
  });

  it('stands in the guide as it is', () => {
    const guide = join(import.meta.dirname, '../../../docs/guides/conformance.md');
    assert(readFileSync(guide, 'utf8').includes(renderMapping()));
  });
});

describe('findRow()', () => {
  for (const [err, repository, code, where, role, found] of [
    ['UnmetThreshold::Root', 'image', 'SIGNATURE_THRESHOLD', 'image', 'root', true],
    ['UnmetThreshold::Root', 'image', 'SIGNATURE_THRESHOLD', 'director', 'root', false],
    ['UnmetThreshold::Root', 'image', 'SIGNATURE_THRESHOLD', 'image', 'targets', false],
    ['UnmetThreshold::Root', 'image', 'EXPIRED', 'image', 'root', false],
    ['UnmetThreshold::foo', 'image', 'SIGNATURE_THRESHOLD', 'image', 'foo', true],
    ['UnmetThreshold::Foo', 'image', 'SIGNATURE_THRESHOLD', 'image', 'foo', false],
    ['UnmetThreshold', 'image', 'SIGNATURE_THRESHOLD', 'image', 'snapshot', true],
    ['TargetMismatch', 'director', 'EXPIRED', 'image', 'foo', true],
    ['TargetMismatch', 'director', 'EXPIRED', 'image', 'targets', false],
    ['TargetMismatch', 'director', 'EXPIRED', 'director', 'foo', false],
    ['TargetMismatch', 'director', 'TARGET_UNKNOWN', 'image', 'targets', true],
    ['BadHardwareId', 'image', 'HARDWARE_MISMATCH', 'director', 'targets', true],
    ['BadHardwareId', 'image', 'HARDWARE_MISMATCH', 'image', 'targets', false],
    ['MetadataFetchFailure::Targets::Image', 'director', 'LIMIT', 'image', 'targets', true],
    ['MetadataFetchFailure::Targets::Image', 'image', 'LIMIT', 'director', 'targets', false],
    ['MissingRepo::Repo', 'director', 'METADATA_MISSING', 'image', 'root', true],
    ['MissingRepo::Repo', 'director', 'METADATA_MISSING', 'image', 'targets', false],
    ['OversizedTarget', 'director', 'IMAGE_LENGTH', undefined, undefined, true],
    ['OversizedTarget', 'director', 'IMAGE_HASH', undefined, undefined, false],
    ['Unheard', 'image', 'EXPIRED', 'image', 'root', false],
  ] as const) {
    it(`${found ? 'takes' : 'does not take'} ${code} ${where} ${role} for ${err} in ${repository}`, () => {
      const row = findRow({ err, repository }, { code, repository: where, role });
      assert.equal(row !== undefined, found);
    });
  }
});
