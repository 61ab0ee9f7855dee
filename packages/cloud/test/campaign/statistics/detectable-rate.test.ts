import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  detectableRate,
  detectionPower,
} from '../../../src/campaign/statistics/detectable-rate.ts';

const QUESTION = {
  limit: 0.02,
  design: { expected: 0.02, alpha: 0.025 },
  outcomes: 500,
  power: 0.8,
};

describe('detectableRate()', () => {
  it('finds a rate that is detected as surely as was asked, and none much smaller', () => {
    const rate = detectableRate(QUESTION);
    assert.ok(rate !== undefined && rate > QUESTION.limit);
    assert.ok(detectionPower(rate, QUESTION) >= 0.8);
    assert.ok(detectionPower(rate * 0.98, QUESTION) < 0.8);
  });

  it('finds smaller harm with more vehicles', () => {
    const rates = [50, 200, 1000, 4000].map(
      (outcomes) => detectableRate({ ...QUESTION, outcomes }) ?? 1,
    );
    assert.deepEqual(
      rates,
      rates.toSorted((a, b) => b - a),
    );
  });

  it('says so when there are too few vehicles to find anything', () => {
    assert.equal(detectableRate({ ...QUESTION, outcomes: 1 }), undefined);
  });
});

describe('detectionPower()', () => {
  it('is the stated level at most where nothing is wrong', () => {
    for (const rate of [0.001, 0.01, 0.02]) {
      assert.ok(detectionPower(rate, { ...QUESTION, outcomes: 4000 }) <= 0.025);
    }
  });

  it('is the whole where everything fails', () => {
    assert.ok(Math.abs(detectionPower(1, QUESTION) - 1) < 1e-12);
  });
});
