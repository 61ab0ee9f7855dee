import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { addCondition, conditionFor } from '../../src/web/parts/conditions.ts';
import { formatFor } from '../../src/web/parts/format.ts';

describe('conditionFor()', () => {
  it('writes the query language of fleets', () => {
    assert.equal(conditionFor('model', 'X1'), 'vehicle.model == "X1"');
    assert.equal(conditionFor('hardware', 'brake-hw'), '"brake-hw" in vehicle.hardware');
    assert.equal(conditionFor('tag', 'beta=true'), 'vehicle.tags.beta == true');
    assert.equal(conditionFor('tag', 'de-pot=north'), 'vehicle.tags["de-pot"] == "north"');
    assert.equal(conditionFor('silent', '7'), 'vehicle.lastSeen < now - duration("168h")');
  });

  it('escapes what comes from vehicles', () => {
    assert.equal(
      conditionFor('model', 'a" || true || "'),
      'vehicle.model == "a\\" || true || \\""',
    );
  });
});

describe('addCondition()', () => {
  it('begins with the condition, and joins by "and"', () => {
    assert.equal(addCondition('', 'a'), 'a');
    assert.equal(addCondition('true', 'a'), 'a');
    assert.equal(addCondition('a', 'b'), 'a && b');
  });

  it('keeps an "or" together', () => {
    assert.equal(addCondition('a || b', 'c'), '(a || b) && c');
  });
});

describe('formatFor()', () => {
  it('writes numbers as the language does', () => {
    assert.equal(formatFor('en').number(1_048_576), '1,048,576');
    assert.equal(formatFor('de').number(1_048_576), '1.048.576');
  });

  it('writes small shares with more digits than large ones', () => {
    const { share } = formatFor('en');
    assert.deepEqual([share(0.0042), share(0.042), share(0.42)], ['0.42%', '4.2%', '42%']);
  });

  it('writes bytes in the unit that fits', () => {
    const { bytes } = formatFor('en');
    assert.deepEqual(
      [bytes(0), bytes(999), bytes(1500), bytes(52e9)],
      ['0 byte', '999 byte', '1.5 kB', '52 GB'],
    );
  });

  it('writes an instant in the time of the reader and in UTC', () => {
    const format = formatFor('en', 'Asia/Tokyo');
    assert.match(format.instant('2026-11-20T20:30:00Z'), /Nov 21/);
    assert.match(format.instantUtc('2026-11-20T20:30:00Z'), /Nov 20.*UTC/);
  });

  it('writes how long ago, and how far ahead', () => {
    const now = Date.parse('2026-11-20T12:00:00Z');
    const { ago } = formatFor('en');
    assert.equal(ago('2026-11-20T09:00:00Z', now), '3 hours ago');
    assert.equal(ago('2026-11-22T12:00:00Z', now), 'in 2 days');
  });
});
