import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { readNotice } from '../../src/consent/notice.ts';
import {
  furthestTime,
  isDue,
  isNight,
  isTimeAllowed,
  postponeTerms,
} from '../../src/consent/postpone.ts';
import { NOW } from '../support/surroundings.ts';

const DAY_MS = 86_400_000;
const at = (ms: number): Temporal.Instant => NOW.add({ milliseconds: ms });
const isLater = (one: Temporal.Instant, other: Temporal.Instant): boolean =>
  Temporal.Instant.compare(one, other) > 0;

const world = fc.record({
  times: fc.integer({ min: 0, max: 100 }),
  untilMs: fc.option(fc.integer({ min: -30 * DAY_MS, max: 30 * DAY_MS }), { nil: undefined }),
  after: fc.constantFrom('ask', 'install'),
  mandatory: fc.boolean(),
  postponements: fc.nat({ max: 200 }),
  askedMs: fc.option(fc.integer({ min: -30 * DAY_MS, max: 0 }), { nil: undefined }),
});

function termsOf(found: typeof world extends fc.Arbitrary<infer Value> ? Value : never): {
  readonly terms: ReturnType<typeof postponeTerms>;
  readonly firstAskedAt: Temporal.Instant | undefined;
} {
  const { times, untilMs, after, mandatory, postponements, askedMs } = found;
  const until = untilMs === undefined ? {} : { until: at(untilMs).toString() };
  const notice = readNotice({ mandatory, postpone: { times, after, ...until } });
  const firstAskedAt = askedMs === undefined ? undefined : at(askedMs);
  return { terms: postponeTerms(notice, { postponements, firstAskedAt }, NOW), firstAskedAt };
}

describe('postponeTerms()', () => {
  it('grants no more than was signed, and nothing behind the last date', () => {
    fc.assert(
      fc.property(world, (found) => {
        const { terms } = termsOf(found);
        assert.ok(terms.left >= 0 && terms.left <= Math.max(0, found.times - found.postponements));
        if (terms.lastAt !== undefined && !isLater(terms.lastAt, NOW)) assert.equal(terms.left, 0);
      }),
    );
  });
  it('lets nothing install itself that is not mandatory, or was shown less than three days ago', () => {
    fc.assert(
      fc.property(world, (found) => {
        const { terms, firstAskedAt } = termsOf(found);
        if (!isDue(terms, NOW)) return;
        assert.ok(found.mandatory && found.after === 'install' && found.untilMs !== undefined);
        assert.ok(firstAskedAt !== undefined);
        assert.ok(!isLater(firstAskedAt, at(-3 * DAY_MS)));
      }),
    );
  });
  it('allows times between now and the furthest, both ends tested', () => {
    fc.assert(
      fc.property(world, (found) => {
        const { terms } = termsOf(found);
        const furthest = furthestTime(terms, NOW);
        assert.equal(isTimeAllowed(NOW, terms, NOW), false);
        assert.equal(isTimeAllowed(furthest, terms, NOW), isLater(furthest, NOW));
        assert.equal(isTimeAllowed(furthest.add({ milliseconds: 1 }), terms, NOW), false);
        assert.ok(!isLater(furthest, at(14 * DAY_MS)));
      }),
    );
  });
});

describe('isNight()', () => {
  it('goes by the clock on the wall of the vehicle', () => {
    const instant = Temporal.Instant.from('2026-06-01T00:30:00Z');
    assert.equal(isNight(instant, 'UTC'), false);
    assert.equal(isNight(instant, 'Europe/Berlin'), true);
    assert.equal(isNight(Temporal.Instant.from('2026-06-01T05:00:00Z'), 'UTC'), false);
  });
});
