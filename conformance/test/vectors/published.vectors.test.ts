/** The published vectors, the whole set, where the folder `../shared` beside the repository is there. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { runFolder } from '../../vectors/run-folder.ts';
import { NOW } from './support/folder.ts';

const FOLDER = resolve(import.meta.dirname, '../../../../shared/uptane/vectors');
const skip = existsSync(FOLDER) ? false : 'the folder ../shared/uptane/vectors is not there';

describe('published vectors', { skip }, async () => {
  const { vectors, notRun } = skip
    ? { vectors: [], notRun: [] }
    : await runFolder({ folder: FOLDER, only: undefined, now: NOW });

  it('runs all of them', () => {
    assert(vectors.length >= 60);
    assert.deepEqual(notRun, []);
  });

  for (const { name, passed, steps } of vectors) {
    it(`passes ${name}`, () => {
      assert(passed, JSON.stringify(steps));
    });
  }
});
