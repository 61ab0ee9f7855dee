import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ACTIVATE_CONDITIONS,
  checkConditions,
  describeUnmet,
  DOWNLOAD_CONDITIONS,
  findUnmetConditions,
  INSTALL_CONDITIONS,
  ONE_BANK_CONDITIONS,
  PARKED,
  parseConditions,
  SIGNAL_CATALOGUE,
} from '@immota/vehicle';
import { ConditionWorld } from '../support/condition-world.ts';

const SPEED = 'Vehicle.Speed';
const PHASES = {
  parked: PARKED,
  download: DOWNLOAD_CONDITIONS,
  install: INSTALL_CONDITIONS,
  activate: ACTIVATE_CONDITIONS,
  oneBank: ONE_BANK_CONDITIONS,
} as const;

describe('parseConditions()', () => {
  it('reads questions about signals', () => {
    for (const expression of [
      'Vehicle.Speed == 0.0',
      'Vehicle.Speed < 1 && Vehicle.Speed > -1.0',
      'Vehicle.Powertrain.Transmission.SelectedGear in [126, 0]',
      'Vehicle.LowVoltageSystemState in ["OFF", "LOCK"] || !Vehicle.Body.Hood.IsOpen',
      'Vehicle.Speed * 2.0 + 1.0 <= 3.0 - Vehicle.Speed / 2.0',
      'Vehicle.Powertrain.Transmission.CurrentGear * 2 == 0',
      'Vehicle.Body.Hood.IsOpen == false',
      'Vehicle.Body.Hood.IsOpen != Vehicle.IsMoving',
      '"OFF" == Vehicle.LowVoltageSystemState',
      'true',
    ]) {
      assert.equal(read(expression)[0]?.expression, expression);
    }
  });

  it('tells which signals a condition speaks of', () => {
    const [condition] = read('Vehicle.Speed == 0.0 && Vehicle.Speed < 1.0 && !Vehicle.IsMoving');
    assert.deepEqual(condition?.signals, [SPEED, 'Vehicle.IsMoving']);
  });

  it('refuses what is no CEL, calls something, loops, or is too long', () => {
    const long = `Vehicle.Speed == 0.0${' && Vehicle.Speed == 0.0'.repeat(39)}`;
    const parts = Array.from({ length: 110 }, () => '1==1').join('||');
    for (const expression of [
      '',
      ' ',
      'Vehicle.Speed ==',
      '(('.repeat(400),
      'Vehicle.LowVoltageSystemState.startsWith("O")',
      'size(Vehicle.LowVoltageSystemState) == 3',
      '[1, 2].all(x, x > 0)',
      '[1, 2] == [1, 2]',
      '{"a": 1}.a == 1',
      'has(Vehicle.Speed)',
      'Vehicle.Speed in Vehicle.Speed',
      'Vehicle.Speed == 0.0 ? true : false',
      'b"a" == b"a"',
      'null == null',
      '1u == 1u',
      '[Vehicle][0].Speed == 0.0',
      `${'(1 + '.repeat(50)}1${')'.repeat(50)} == 51`,
      `${long} && true`.padEnd(1001, ' x'),
      parts,
    ]) {
      refuses(expression, 'CONDITION_MALFORMED');
    }
  });

  it('refuses signals that there are not', () => {
    for (const expression of ['Vehicle.Sped == 0.0', 'Vehicle == 1', 'x', 'Vehicle.Speed.x == 1']) {
      refuses(expression, 'CONDITION_SIGNAL');
    }
  });

  it('refuses what does not fit together', () => {
    for (const expression of [
      'Vehicle.Speed',
      '1',
      'Vehicle.Speed == "fast"',
      'Vehicle.Speed == true',
      'Vehicle.Body.Hood.IsOpen < true',
      'Vehicle.LowVoltageSystemState < "ON"',
      'Vehicle.Speed && true',
      '!Vehicle.Speed',
      'Vehicle.Speed + 1 == 1.0',
      '-Vehicle.Body.Hood.IsOpen == true',
      'Vehicle.Body.Hood.IsOpen + Vehicle.Body.Hood.IsOpen == 2',
      'Vehicle.LowVoltageSystemState + "x" == "OFFx"',
      'Vehicle.LowVoltageSystemState == "OF"',
      'Vehicle.LowVoltageSystemState in ["OFF", "LOCKED"]',
      'Vehicle.Speed in [0.0, "x"]',
    ]) {
      refuses(expression, 'CONDITION_TYPE');
    }
  });

  it('refuses lists that are none, and two conditions of one name', () => {
    const good = { id: 'a', wanted: 'x', expression: 'true' };
    for (const value of [
      undefined,
      {},
      [{ ...good, id: 'A b' }],
      [{ ...good, wanted: '' }],
      [{ ...good, more: 1 }],
      [good, good],
      Array.from({ length: 65 }, (_, index) => ({ ...good, id: `a${index}` })),
    ]) {
      assert.throws(() => parseConditions(value), { code: 'CONDITION_MALFORMED' });
    }
  });

  it('takes signals of another catalogue', () => {
    const catalogue = new Map([['Truck.Axle.Load', { type: 'int', maxAgeMs: 10 } as const]]);
    const value = [{ id: 'a', wanted: 'x', expression: 'Truck.Axle.Load < 10' }];
    assert.equal(parseConditions(value, catalogue).length, 1);
    assert.throws(() => parseConditions(value), { code: 'CONDITION_SIGNAL' });
  });
});

describe('checkConditions()', () => {
  it('is content when all is well, in every phase', () => {
    const world = new ConditionWorld();
    for (const conditions of Object.values(PHASES)) {
      checkConditions(conditions, world, world.atMs);
    }
  });

  it('says what is wanted, and what was measured', () => {
    const world = new ConditionWorld();
    world.set(SPEED, 3.5);
    const [unmet, ...others] = findUnmetConditions(PARKED, world, world.atMs + 7);
    assert.ok(unmet !== undefined);
    assert.deepEqual(others, []);
    assert.deepEqual(unmet, {
      id: 'standing-still',
      wanted: 'the vehicle stands still',
      expression: 'Vehicle.Speed == 0.0',
      why: 'value',
      measured: [{ name: SPEED, value: 3.5, unit: 'km/h', ageMs: 7, state: 'fresh' }],
    });
    assert.equal(describeUnmet(unmet), 'the vehicle stands still (Vehicle.Speed is 3.5 km/h)');
    assert.throws(() => checkConditions(PARKED, world, world.atMs), { code: 'CONDITION_UNMET' });
  });

  it('is not content when any signal is missing, stale, absurd or from the future', () => {
    for (const [phase, conditions] of Object.entries(PHASES)) {
      for (const condition of conditions) {
        for (const name of condition.signals) {
          for (const state of ['missing', 'stale', 'invalid', 'ahead'] as const) {
            const world = new ConditionWorld();
            const value = world.read(name)?.value ?? false;
            const { maxAgeMs = 0 } = SIGNAL_CATALOGUE.get(name) ?? {};
            if (state === 'missing') world.lose(name);
            if (state === 'stale') world.set(name, value, world.atMs - maxAgeMs - 1);
            if (state === 'ahead') world.set(name, value, world.atMs + 1);
            if (state === 'invalid') world.set(name, typeof value === 'number' ? 1e9 : 7);
            const unmet = findUnmetConditions(conditions, world, world.atMs);
            const found = unmet.find(({ id }) => id === condition.id);
            assert.equal(found?.why, 'signal', `${phase} ${name} ${state}`);
            assert.ok(describeUnmet(found).includes(name));
          }
        }
      }
    }
  });

  it('is content with a signal that is exactly as old as it may be', () => {
    const world = new ConditionWorld();
    assert.deepEqual(findUnmetConditions(PARKED, world, world.atMs + 500), []);
    assert.equal(findUnmetConditions(PARKED, world, world.atMs + 501).length, 3);
  });

  it('is not content with half of an alternative when nothing is known of the other', () => {
    const world = new ConditionWorld();
    const conditions = read('Vehicle.Speed == 0.0 || !Vehicle.Trailer.IsConnected');
    assert.equal(findUnmetConditions(conditions, world, world.atMs)[0]?.why, 'signal');
    world.set('Vehicle.Trailer.IsConnected', true);
    assert.deepEqual(findUnmetConditions(conditions, world, world.atMs), []);
  });

  it('is not content with a question that has no answer', () => {
    const world = new ConditionWorld();
    const gear = 'Vehicle.Powertrain.Transmission.CurrentGear';
    const conditions = read(`1 / ${gear} == 1 || ${gear} < 0`);
    assert.equal(findUnmetConditions(conditions, world, world.atMs)[0]?.why, 'value');
    world.set(gear, 1);
    assert.deepEqual(findUnmetConditions(conditions, world, world.atMs), []);
  });

  it('refuses what each standing condition is there for', () => {
    for (const [name, value, phases] of [
      [SPEED, 0.1, ['parked', 'activate', 'oneBank']],
      ['Vehicle.Powertrain.Transmission.SelectedGear', 127, ['parked', 'activate', 'oneBank']],
      ['Vehicle.Powertrain.Transmission.CurrentGear', 1, ['parked', 'activate', 'oneBank']],
      ['Vehicle.Chassis.ParkingBrake.IsEngaged', false, ['parked', 'activate', 'oneBank']],
      [
        'Vehicle.Private.EmergencyCall.IsActive',
        true,
        ['download', 'install', 'activate', 'oneBank'],
      ],
      ['Vehicle.LowVoltageBattery.CurrentVoltage', 12.3, ['oneBank']],
      ['Vehicle.LowVoltageBattery.CurrentVoltage', 12.1, ['activate', 'oneBank']],
      ['Vehicle.LowVoltageBattery.CurrentVoltage', 11.9, ['install', 'activate', 'oneBank']],
      [
        'Vehicle.LowVoltageBattery.CurrentVoltage',
        15.1,
        ['download', 'install', 'activate', 'oneBank'],
      ],
      ['Vehicle.Powertrain.TractionBattery.Charging.IsCharging', true, ['activate', 'oneBank']],
      ['Vehicle.LowVoltageSystemState', 'START', ['activate', 'oneBank']],
      ['Vehicle.Exterior.AirTemperature', -1, ['oneBank']],
      ['Vehicle.Exterior.AirTemperature', -31, ['install', 'activate', 'oneBank']],
      ['Vehicle.Body.Hood.IsOpen', true, ['oneBank']],
    ] as const) {
      const world = new ConditionWorld();
      world.set(name, value);
      const refusing = Object.entries(PHASES)
        .filter(([, conditions]) => findUnmetConditions(conditions, world, world.atMs).length > 0)
        .map(([phase]) => phase);
      assert.deepEqual(refusing, phases, `${name} ${String(value)}`);
    }
  });
});

function read(expression: string): ReturnType<typeof parseConditions> {
  return parseConditions([{ id: 'a', wanted: 'x', expression }]);
}

function refuses(expression: string, code: string): void {
  assert.throws(() => read(expression), { code }, expression);
}
