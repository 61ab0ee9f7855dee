import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ConditionsGate, createSafeGate, PARK_GEAR, VehicleFault } from '@immota/vehicle';
import { type JumpingTimer, jumpingTimer } from '../support/jumping-timer.ts';

const PARKED: Readonly<Record<string, boolean | number | string>> = {
  'Vehicle.Speed': 0,
  'Vehicle.LowVoltageSystemState': 'LOCK',
  'Vehicle.LowVoltageBattery.CurrentVoltage': 12.6,
  'Vehicle.Private.EmergencyCall.IsActive': false,
  'Vehicle.Powertrain.Transmission.CurrentGear': 0,
  'Vehicle.Powertrain.Transmission.SelectedGear': PARK_GEAR,
  'Vehicle.Powertrain.TractionBattery.Charging.IsCharging': false,
  'Vehicle.Chassis.ParkingBrake.IsEngaged': true,
  'Vehicle.Exterior.AirTemperature': 20,
  'Vehicle.Body.Hood.IsOpen': false,
};

/** An update that writes nothing over. */
const BANKED = { hasOneBank: false };

interface Car {
  readonly gate: ConditionsGate;
  readonly time: JumpingTimer;
  readonly values: Map<string, boolean | number | string>;
  readonly holds: string[];
}

function makeCar(options: { readonly onHold?: (car: Car) => void } = {}): Car {
  const time = jumpingTimer();
  const values = new Map(Object.entries(PARKED));
  const holds: string[] = [];
  const gate = createSafeGate({
    timer: time,
    signals: {
      read: (name) => {
        const value = values.get(name);
        return value === undefined ? undefined : { value, atMs: time.elapsedMs() };
      },
    },
    immobiliser: {
      hold: async () => {
        await Promise.resolve();
        holds.push('hold');
        options.onHold?.(car);
      },
      release: async () => {
        await Promise.resolve();
        holds.push('release');
      },
    },
  });
  const car = { gate, time, values, holds };
  return car;
}

describe('createSafeGate()', () => {
  it('opens for a parked vehicle, and holds it until the transaction has ended', async () => {
    const { gate, holds } = makeCar();
    assert.deepEqual(await gate.check('activate', BANKED), { isGo: true, reason: '' });
    assert.deepEqual(await gate.check('boot-self', BANKED), { isGo: true, reason: '' });
    assert.deepEqual(holds, ['hold', 'hold']);
    await gate.settle();
    assert.deepEqual(holds, ['hold', 'hold', 'release']);
  });

  it('stays shut while the vehicle moves, or nothing tells whether it does', async () => {
    const { gate, values, holds } = makeCar();
    values.set('Vehicle.Speed', 3);
    const moving = await gate.check('activate', BANKED);
    assert.equal(moving.isGo, false);
    assert.match(moving.reason, /Vehicle\.Speed is 3 km\/h/);
    values.delete('Vehicle.Speed');
    assert.match((await gate.check('roll-back', BANKED)).reason, /Vehicle\.Speed is unknown/);
    assert.deepEqual(holds, []);
  });

  it('stays shut for a vehicle that drove off while the immobiliser was asked', async () => {
    const { gate, holds } = makeCar({
      onHold: ({ values }) => values.set('Vehicle.Speed', 10),
    });
    assert.equal((await gate.check('activate', BANKED)).isGo, false);
    assert.deepEqual(holds, ['hold']);
  });

  it('asks for more where an ECU is written over in its only bank', async () => {
    const { gate, values } = makeCar();
    const scope = { hasOneBank: true };
    assert.equal((await gate.check('activate', scope)).isGo, true);
    values.set('Vehicle.Body.Hood.IsOpen', true);
    assert.match((await gate.check('activate', scope)).reason, /the hood is closed/);
    assert.equal((await gate.check('roll-back', scope)).isGo, true);
    // An update of other ECUs has nothing to fear from an open hood.
    assert.equal((await gate.check('activate', BANKED)).isGo, true);
  });

  it('stays shut while the batteries do not hold the update and its way back', async () => {
    const time = jumpingTimer();
    const values = new Map<string, boolean | number | string>(Object.entries(PARKED));
    const gate = createSafeGate({
      timer: time,
      signals: {
        read: (name) => {
          const value = values.get(name);
          return value === undefined ? undefined : { value, atMs: time.elapsedMs() };
        },
      },
      immobiliser: { hold: () => Promise.resolve(), release: () => Promise.resolve() },
      loads: () => [{ watts: 60, minutes: 10 }],
    });
    assert.match((await gate.check('activate', BANKED)).reason, /batteries hold 25\.0 Wh to spare/);
    assert.equal((await gate.check('roll-back', BANKED)).isGo, true);
    values.set('Vehicle.LowVoltageBattery.NominalCapacity', 70);
    values.set('Vehicle.Private.LowVoltageBattery.StateOfCharge', 90);
    assert.equal((await gate.check('activate', BANKED)).isGo, true);
    values.set('Vehicle.Private.LowVoltageBattery.StateOfCharge', 52);
    assert.match((await gate.check('activate', BANKED)).reason, /16\.8 Wh are usable/);
  });

  it('stays shut when the immobiliser cannot be had', async () => {
    const { gate } = makeCar({
      onHold: () => {
        throw new VehicleFault('ECU_UNREACHABLE', 'the immobiliser is silent');
      },
    });
    assert.deepEqual(await gate.check('activate', BANKED), {
      isGo: false,
      reason: 'the vehicle could be driven meanwhile',
    });
  });

  it('tells once when a condition ceases while a step goes on, and bears a dip', async () => {
    const { gate, time, values } = makeCar();
    const told: string[] = [];
    const end = gate.watch('activate', BANKED, (reason) => told.push(reason));
    await time.pass(2000);
    values.set('Vehicle.LowVoltageBattery.CurrentVoltage', 9);
    await time.pass(400);
    values.set('Vehicle.LowVoltageBattery.CurrentVoltage', 12.6);
    await time.pass(2000);
    assert.deepEqual(told, []);
    values.set('Vehicle.Chassis.ParkingBrake.IsEngaged', false);
    await time.pass(5000);
    assert.equal(told.length, 1);
    assert.match(told[0] ?? '', /parking brake/);
    end();
  });
});
