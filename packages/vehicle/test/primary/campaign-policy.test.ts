/** What a campaign's policy says, and when its hours are. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsonValue } from '@immota/base';
import { HeldBack, opensAt, readPolicy } from '../../src/primary/campaign-policy.ts';

const SPEED = { id: 'campaign', wanted: 'slow', expression: 'Vehicle.Speed < 5.0' };

function refusalOf(policy: JsonValue): unknown {
  try {
    readPolicy({ policy });
  } catch (error) {
    return error instanceof HeldBack ? [error.code, error.measured['code']] : error;
  }
  return undefined;
}

function told(code: string): readonly string[] {
  return ['POLICY_UNREADABLE', code];
}

function asking(expression: string): JsonValue {
  return { conditions: [{ ...SPEED, expression }] };
}

function opens(window: Parameters<typeof opensAt>[0], now: string, timeZone = 'UTC'): string {
  return opensAt(window, Temporal.Instant.from(now), timeZone)?.toString() ?? 'open';
}

describe('readPolicy()', () => {
  it('reads what the cloud signs, and leaves free who is free', () => {
    const policy = readPolicy({
      policy: {
        conditions: [SPEED],
        window: { from: '22:00', to: '05:00', days: [1, 7] },
        network: 'wifi',
        endsAt: '2027-03-31T00:00:00Z',
      },
    });
    assert.deepEqual(
      policy.conditions.map(({ id }) => id),
      ['campaign'],
    );
    assert.equal(policy.network, 'wifi');
    assert.equal(policy.endsAt?.toString(), '2027-03-31T00:00:00Z');
    const free = { conditions: [], window: undefined, network: 'any', endsAt: undefined };
    assert.deepEqual(readPolicy({}), free);
  });
  it('holds back by whatever it cannot read, and says what that is', () => {
    for (const policy of [
      null,
      'soon',
      { weather: 'dry' },
      { network: 'satellite' },
      { endsAt: 'tomorrow' },
      { window: { from: '24:00', to: '05:00' } },
      { window: { from: '22:00' } },
      { window: { from: '22:00', to: '05:00', days: [0] } },
      { window: { from: '22:00', to: '05:00', days: [8] } },
      { window: { from: '22:00', to: '05:00', days: [] } },
    ]) {
      assert.deepEqual(refusalOf(policy), told('POLICY_MALFORMED'), JSON.stringify(policy));
    }
    assert.deepEqual(refusalOf(asking('Vehicle.Speed <')), told('CONDITION_MALFORMED'));
    assert.deepEqual(refusalOf(asking('Vehicle.Mood == 1')), told('CONDITION_SIGNAL'));
    assert.deepEqual(refusalOf(asking('Vehicle.Speed')), told('CONDITION_TYPE'));
    assert.deepEqual(refusalOf({ conditions: {} }), told('CONDITION_MALFORMED'));
    assert.equal(refusalOf(asking('Vehicle.Speed < 5.0')), undefined);
  });
});

describe('opensAt()', () => {
  const night = { from: '22:00', to: '05:00' };
  it('opens with its first minute and closes with its last', () => {
    const noon = { from: '12:00', to: '13:00' };
    assert.equal(opens(noon, '2026-06-01T11:59:59Z'), '2026-06-01T12:00:00Z');
    assert.equal(opens(noon, '2026-06-01T12:00:00Z'), 'open');
    assert.equal(opens(noon, '2026-06-01T12:59:59Z'), 'open');
    assert.equal(opens(noon, '2026-06-01T13:00:00Z'), '2026-06-02T12:00:00Z');
  });
  it('ends on the next day when its end is before its beginning', () => {
    assert.equal(opens(night, '2026-06-01T23:00:00Z'), 'open');
    assert.equal(opens(night, '2026-06-02T04:59:00Z'), 'open');
    assert.equal(opens(night, '2026-06-02T05:00:00Z'), '2026-06-02T22:00:00Z');
  });
  it('goes by the hours of the place, also when clocks are set forward', () => {
    assert.equal(opens(night, '2026-06-01T20:30:00Z', 'Europe/Berlin'), 'open');
    assert.equal(opens(night, '2026-06-01T20:30:00Z'), '2026-06-01T22:00:00Z');
    // 2026-03-29, 02:00 is 03:00.
    const early = { from: '02:30', to: '04:00' };
    assert.equal(opens(early, '2026-03-29T00:30:00Z', 'Europe/Berlin'), '2026-03-29T01:30:00Z');
  });
  it('counts the days on which it begins', () => {
    const mondays = { ...night, days: [1] };
    // A Monday.
    assert.equal(opens(mondays, '2026-06-01T22:00:00Z'), 'open');
    assert.equal(opens(mondays, '2026-06-02T04:00:00Z'), 'open');
    assert.equal(opens(mondays, '2026-06-01T04:00:00Z'), '2026-06-01T22:00:00Z');
    assert.equal(opens(mondays, '2026-06-02T23:00:00Z'), '2026-06-08T22:00:00Z');
    assert.equal(opens({ ...night, days: [7] }, '2026-06-01T04:00:00Z'), 'open');
  });
});
