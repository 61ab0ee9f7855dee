/** The runner itself: what it must not let pass, and what it says. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { renderOutcome, runFolder } from '../../vectors/run-folder.ts';
import { PAST } from './support/author.ts';
import { NOW, runSteps, type Step, writeExpected } from './support/folder.ts';

const expired: Step['director'] = ({ targets }) => void (targets.signed['expires'] = PAST);

describe('runFolder(): verdicts', () => {
  for (const [what, step] of [
    ['a refusal where success is expected', { director: expired }],
    ['success where an error is expected', { errs: { director: 'ExpiredMetadata::Targets' } }],
    [
      'a refusal for another reason',
      { director: expired, errs: { director: 'UnmetThreshold::Targets' } },
    ],
    [
      'a refusal in another role',
      { director: expired, errs: { director: 'ExpiredMetadata::Root' } },
    ],
    [
      'a refusal in another repository',
      { director: expired, errs: { image: 'ExpiredMetadata::Targets' } },
    ],
    [
      'a refusal for a later error than the first one',
      {
        director: expired,
        errs: { director: 'BadKeyId', image: 'ExpiredMetadata::Targets' },
      },
    ],
    ['an error that no row knows', { director: expired, errs: { director: 'Unheard' } }],
  ] as const satisfies readonly (readonly [string, Step])[]) {
    it(`fails a vector with ${what}`, async () => {
      const outcome = await runSteps([step]);
      assert.equal(outcome.vectors[0]?.passed, false);
      assert.match(renderOutcome(outcome), /^FAIL vector .*instead of.*\n0 passed, 1 failed$/s);
    });
  }

  it('fails a vector when any of its steps fails', async () => {
    const errs = { director: 'ExpiredMetadata::Targets' };
    const outcome = await runSteps([{ errs }, { director: expired, errs }]);
    assert.deepEqual(
      outcome.vectors[0]?.steps.map(({ passed }) => passed),
      [false, true],
    );
    assert.equal(outcome.vectors[0]?.passed, false);
  });

  it('passes a vector and names both words for the refusal', async () => {
    const errs = { director: 'ExpiredMetadata::Targets' };
    const outcome = await runSteps([{ director: expired, errs }]);
    assert.equal(
      renderOutcome(outcome),
      'ok   vector  EXPIRED (director targets) for ExpiredMetadata::Targets\n1 passed, 0 failed',
    );
  });
});

describe('runFolder(): folders', () => {
  const folder = mkdtempSync(join(tmpdir(), 'immota-vectors-'));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it('fails a vector whose folder is not there, and lists a folder that nothing is said of', async () => {
    writeExpected(folder, [{}]);
    mkdirSync(join(folder, 'stray'));
    const outcome = await runFolder({ folder, only: undefined, now: NOW });
    assert.deepEqual(outcome.notRun, ['stray']);
    assert.match(
      renderOutcome(outcome),
      /^FAIL vector .*no folder for step 0\nnot run: stray.*\n0 passed, 1 failed$/s,
    );
  });

  it('refuses a name that no vector has', async () => {
    const run = runFolder({ folder, only: 'another', now: NOW });
    await assert.rejects(run, { code: 'UNKNOWN_VECTOR' });
  });

  it('refuses a folder without expected.json', async () => {
    const run = runFolder({ folder: join(folder, 'stray'), only: undefined, now: NOW });
    await assert.rejects(run, { code: 'NOT_FOUND' });
  });

  for (const text of [
    '{}',
    '{"vectors":[]}',
    '{"vectors":{"v":{"steps":[]}}}',
    '{"vectors":{"v":{"steps":[{}]}}}',
    '{"vectors":{"v":{"steps":[{"director":{"update":{"is_success":1}}}]}}}',
    '{"vectors":{"v":{"steps":[{"director":{"update":{"is_success":false}}}]}}}',
    '{"params":{"signature_encoding":"base58"},"vectors":{}}',
    '{"params":7,"vectors":{}}',
  ]) {
    it(`refuses expected.json of the form ${text}`, async () => {
      const place = mkdtempSync(join(folder, 'bad-'));
      writeFileSync(join(place, 'expected.json'), text);
      const run = runFolder({ folder: place, only: undefined, now: NOW });
      await assert.rejects(run, { code: 'MALFORMED' });
    });
  }
});
