import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  findBroken,
  type GuardState,
  judge,
  NOTHING_KNOWN,
} from '../../../src/campaign/statistics/campaign-guard.ts';

const DESIGN = { failureMax: 0.02, harmMax: 0.02, falseHolds: 0.05 };

function outcomes(count: number, bad: number): GuardState['updates'] {
  return { outcomes: count, bad };
}

describe('judge()', () => {
  it('says nothing of what it does not know', () => {
    const report = judge(NOTHING_KNOWN, DESIGN);
    assert.equal(report.broken, undefined);
    assert.equal(report.failures.verdict, 'unknown');
    assert.equal(report.harm.verdict, 'unknown');
  });

  it('lets a campaign go on that keeps its limits', () => {
    const state = {
      updates: outcomes(20_000, 100),
      treated: outcomes(20_000, 100),
      control: outcomes(20_000, 100),
    };
    const report = judge(state, DESIGN);
    assert.equal(report.broken, undefined);
    assert.equal(report.failures.verdict, 'within');
    assert.equal(report.harm.verdict, 'within');
  });

  it('holds one whose updates fail', () => {
    const report = judge({ ...NOTHING_KNOWN, updates: outcomes(100, 20) }, DESIGN);
    assert.equal(report.broken, 'failures');
    assert.equal(report.failures.verdict, 'exceeded');
  });

  it('holds one whose vehicles are less healthy than untouched ones', () => {
    const state = {
      updates: outcomes(1000, 0),
      treated: outcomes(1000, 150),
      control: outcomes(1000, 20),
    };
    assert.equal(judge(state, DESIGN).broken, 'harm');
  });

  it('does not blame an update for what untouched vehicles have too', () => {
    const state = {
      updates: outcomes(1000, 0),
      treated: outcomes(1000, 150),
      control: outcomes(1000, 150),
    };
    assert.equal(judge(state, DESIGN).broken, undefined);
  });

  it('compares with nobody when nobody is left untouched', () => {
    const state = { ...NOTHING_KNOWN, treated: outcomes(1000, 500) };
    assert.equal(judge(state, DESIGN).broken, undefined);
  });
});

describe('findBroken()', () => {
  it('says what judge() says', () => {
    const known = fc
      .integer({ min: 0, max: 3000 })
      .chain((count) => fc.integer({ min: 0, max: count }).map((bad) => outcomes(count, bad)));
    fc.assert(
      fc.property(known, known, known, (updates, treated, control) => {
        const state = { updates, treated, control };
        assert.equal(findBroken(state, DESIGN), judge(state, DESIGN).broken);
      }),
    );
  });
});
