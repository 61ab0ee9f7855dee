import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HmiFault } from '@immota/vehicle';
import { namedTime, parseWallTime, wallTime } from '../../src/hmi/local-time.ts';

const at = (text: string): Temporal.Instant => Temporal.Instant.from(text);

describe('namedTime()', () => {
  it('goes by the clock at the vehicle', () => {
    for (const [name, zone, now, expected] of [
      ['hour', 'Asia/Shanghai', '2026-06-01T12:00:00Z', '2026-06-01T13:00:00Z'],
      ['tomorrow', 'Europe/Berlin', '2026-06-01T12:00:00Z', '2026-06-02T06:00:00Z'],
      // Just after midnight at the vehicle, tomorrow is not today.
      ['tomorrow', 'Europe/Berlin', '2026-06-01T22:30:00Z', '2026-06-03T06:00:00Z'],
      ['tonight', 'Europe/Berlin', '2026-06-01T12:00:00Z', '2026-06-02T01:00:00Z'],
      ['tonight', 'Europe/Berlin', '2026-06-01T22:30:00Z', '2026-06-02T01:00:00Z'],
      ['tonight', 'Asia/Shanghai', '2026-06-01T12:00:00Z', '2026-06-01T19:00:00Z'],
      // In the night in which clocks go forward it is three for once only.
      ['tonight', 'Europe/Berlin', '2026-03-28T12:00:00Z', '2026-03-29T01:00:00Z'],
    ] as const) {
      assert.equal(String(namedTime(name, zone, at(now))), expected, `${name} ${zone} ${now}`);
    }
  });
});

describe('parseWallTime()', () => {
  it('reads what the clock on the wall shows, and nothing else', () => {
    const zone = 'Europe/Berlin';
    const instant = parseWallTime('2026-06-02T04:15', zone);
    assert.equal(String(instant), '2026-06-02T02:15:00Z');
    assert.equal(wallTime(instant, zone), '2026-06-02T04:15');
    for (const odd of ['2026-06-31T04:15', 'soon', '2026-06-02T24:30']) {
      assert.throws(
        () => parseWallTime(odd, zone),
        (error: unknown) => error instanceof HmiFault && error.code === 'MALFORMED',
        odd,
      );
    }
  });
});
