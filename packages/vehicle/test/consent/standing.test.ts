import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isStanding, PARK_GEAR } from '@immota/vehicle';

const PARKED = {
  'Vehicle.Speed': 0,
  'Vehicle.Powertrain.Transmission.SelectedGear': PARK_GEAR,
};

function standing(values: Readonly<Record<string, number>>, ageMs = 0): boolean {
  const known = new Map(Object.entries(values));
  const timer = { elapsedMs: () => 10_000, schedule: () => () => undefined };
  const read = (name: string): { readonly value: number; readonly atMs: number } | undefined => {
    const value = known.get(name);
    return value === undefined ? undefined : { value, atMs: timer.elapsedMs() - ageMs };
  };
  return isStanding({ read }, timer);
}

describe('isStanding()', () => {
  it('is true of a vehicle that is known to stand in park, and of no other', () => {
    assert.ok(standing(PARKED));
    assert.ok(!standing({ ...PARKED, 'Vehicle.Speed': 0.5 }));
    assert.ok(!standing({ ...PARKED, 'Vehicle.Powertrain.Transmission.SelectedGear': 1 }));
    assert.ok(!standing({ 'Vehicle.Speed': 0 }));
    assert.ok(!standing({}));
    assert.ok(!standing(PARKED, 60_000));
  });
});
