import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assessEnergy, checkEnergy } from '@immota/vehicle';
import { ConditionWorld } from '../support/condition-world.ts';

const SUPPLIED = 'Vehicle.Private.LowVoltageBattery.IsSupplied';

describe('checkEnergy()', () => {
  it('reckons with the way back, a margin, and half of the 12 V battery', () => {
    const world = new ConditionWorld();
    const budget = assessEnergy(
      [
        { watts: 120, minutes: 30 },
        { watts: 60, minutes: 10 },
      ],
      world,
      world.atMs,
    );
    assert.deepEqual(budget, {
      isCovered: true,
      neededWattHours: 175,
      lowVoltageWattHours: 288,
      tractionWattHours: 0,
      unknown: [],
    });
  });

  it('refuses what is a minute more than there is', () => {
    const world = new ConditionWorld();
    // 288 Wh are there; 115.2 Wh for one way.
    checkEnergy([{ watts: 60, minutes: 115.2 }], world, world.atMs);
    assert.throws(() => checkEnergy([{ watts: 60, minutes: 116.2 }], world, world.atMs), {
      code: 'ENERGY_SHORT',
    });
  });

  it('reckons with the traction battery while it feeds the 12 V net, above its reserve', () => {
    const world = new ConditionWorld();
    world.set(SUPPLIED, true);
    assert.equal(Math.round(assessEnergy([], world, world.atMs).tractionWattHours), 21_600);
    world.set('Vehicle.Powertrain.TractionBattery.StateOfCharge.Current', 15);
    assert.equal(assessEnergy([], world, world.atMs).tractionWattHours, 0);
  });

  it('takes for empty what it does not know', () => {
    for (const name of [
      'Vehicle.LowVoltageBattery.NominalCapacity',
      'Vehicle.Private.LowVoltageBattery.StateOfCharge',
    ]) {
      const world = new ConditionWorld();
      world.lose(name);
      const budget = assessEnergy([{ watts: 1, minutes: 1 }], world, world.atMs);
      assert.equal(budget.isCovered, false);
      assert.deepEqual(budget.unknown, [name]);
    }
    const world = new ConditionWorld();
    world.lose(SUPPLIED);
    assert.deepEqual(assessEnergy([], world, world.atMs).unknown, [SUPPLIED]);
    world.set(SUPPLIED, true, world.atMs - 6000);
    assert.equal(assessEnergy([], world, world.atMs).tractionWattHours, 0);
  });

  it('covers no load that is none', () => {
    const world = new ConditionWorld();
    for (const watts of [Number.NaN, Infinity, -60]) {
      assert.throws(() => checkEnergy([{ watts, minutes: 60 }], world, world.atMs), {
        code: 'ENERGY_SHORT',
      });
    }
  });
});
