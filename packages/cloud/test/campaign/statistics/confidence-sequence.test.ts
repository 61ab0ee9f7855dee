import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isOver, rateInterval } from '../../../src/campaign/statistics/confidence-sequence.ts';

const DESIGN = { expected: 0.02, alpha: 0.05 };
const known = fc
  .integer({ min: 0, max: 5000 })
  .chain((outcomes) => fc.integer({ min: 0, max: outcomes }).map((bad) => ({ outcomes, bad })));

describe('rateInterval()', () => {
  it('knows nothing without outcomes', () => {
    assert.deepEqual(rateInterval({ outcomes: 0, bad: 0 }, DESIGN), {
      estimate: 0,
      low: 0,
      high: 1,
    });
  });

  it('holds the estimate between its bounds', () => {
    fc.assert(
      fc.property(known, (outcomes) => {
        const { estimate, low, high } = rateInterval(outcomes, DESIGN);
        assert.ok(0 <= low && low <= estimate && estimate <= high && high <= 1);
      }),
    );
  });

  it('is wider than the bounds of a single look', () => {
    // Clopper and Pearson's 95 % interval of 50 in 1,000 is 0.0374 to 0.0653.
    const { low, high } = rateInterval({ outcomes: 1000, bad: 50 }, DESIGN);
    assert.ok(low < 0.0374 && low > 0.025);
    assert.ok(high > 0.0653 && high < 0.09);
  });

  it('grows narrow with what is known', () => {
    const widths = [100, 1000, 10_000, 100_000].map((outcomes) => {
      const { low, high } = rateInterval({ outcomes, bad: outcomes / 20 }, DESIGN);
      return high - low;
    });
    assert.deepEqual(
      widths,
      widths.toSorted((a, b) => b - a),
    );
    assert.ok((widths.at(-1) ?? 1) < 0.01);
  });

  it('refuses what cannot be', () => {
    assert.throws(() => rateInterval({ outcomes: 1, bad: 2 }, DESIGN), {
      name: 'AssertionFailure',
    });
  });
});

describe('isOver()', () => {
  it('says the same as the lower bound', () => {
    fc.assert(
      fc.property(known, fc.double({ min: 0.001, max: 0.5, noNaN: true }), (outcomes, limit) => {
        const { low } = rateInterval(outcomes, DESIGN);
        // At the bound itself the last digit decides.
        fc.pre(Math.abs(low - limit) > 1e-9);
        assert.equal(isOver(outcomes, limit, DESIGN), low > limit);
      }),
    );
  });

  it('is not over a limit that is kept, and is over one that is broken by far', () => {
    assert.equal(isOver({ outcomes: 1000, bad: 20 }, 0.02, DESIGN), false);
    assert.equal(isOver({ outcomes: 3, bad: 0 }, 0.02, DESIGN), false);
    assert.equal(isOver({ outcomes: 10, bad: 9 }, 0.02, DESIGN), true);
  });
});
