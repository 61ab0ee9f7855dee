/** Requests recorded from the vehicles' own client, where the folder `../shared` beside the repository is there. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, it } from 'node:test';
import { checkLogs, type RequestOutcome } from '../../wire/check-log.ts';

const FOLDER = resolve(import.meta.dirname, '../../../../shared/uptane/wire-logs');
const skip = existsSync(FOLDER) ? false : 'the folder ../shared/uptane/wire-logs is not there';

describe('recorded requests', { skip }, () => {
  const outcomes: readonly RequestOutcome[] = skip ? [] : checkLogs(FOLDER);

  it('holds registrations and manifests', () => {
    assert(outcomes.some(({ kind }) => kind === 'registration'));
    assert(outcomes.some(({ kind }) => kind === 'manifest'));
  });

  for (const { where, kind, count, refusal } of outcomes) {
    it(`${kind === 'manifest' ? 'verifies the manifest' : 'reads the registration'} at ${where}`, () => {
      assert.equal(refusal, undefined);
      assert(count >= (kind === 'manifest' ? 2 : 1));
    });
  }
});
