/**
 * Conditions that hold where a vehicle's maker has said nothing else. Each is strict: a vehicle without
 * one of the signals needs conditions of its own.
 */
import { type Condition, parseConditions } from './condition.ts';
import { PARK_GEAR } from './signal-catalogue.ts';

const noEmergency = {
  id: 'no-emergency-call',
  wanted: 'no emergency call is under way',
  expression: '!Vehicle.Private.EmergencyCall.IsActive',
};

const parked = [
  { id: 'standing-still', wanted: 'the vehicle stands still', expression: 'Vehicle.Speed == 0.0' },
  {
    id: 'gear-park',
    wanted: 'the gear is in park, and no gear is engaged',
    expression:
      `Vehicle.Powertrain.Transmission.SelectedGear == ${PARK_GEAR} && ` +
      `Vehicle.Powertrain.Transmission.CurrentGear in [0, ${PARK_GEAR}]`,
  },
  {
    id: 'parking-brake',
    wanted: 'the parking brake is engaged',
    expression: 'Vehicle.Chassis.ParkingBrake.IsEngaged',
  },
];

const quiet = [
  {
    id: 'not-starting',
    wanted: 'nobody starts the vehicle',
    expression: 'Vehicle.LowVoltageSystemState in ["LOCK", "OFF", "ACC", "ON"]',
  },
  {
    id: 'not-charging',
    wanted: 'the traction battery is not being charged',
    expression: '!Vehicle.Powertrain.TractionBattery.Charging.IsCharging',
  },
];

function voltage(volts: string): { id: string; wanted: string; expression: string } {
  return {
    id: 'voltage',
    wanted: `the 12 V net has ${volts} to 15.0 V`,
    expression:
      `Vehicle.LowVoltageBattery.CurrentVoltage >= ${volts} && ` +
      'Vehicle.LowVoltageBattery.CurrentVoltage <= 15.0',
  };
}

function temperature(from: string, to: string): { id: string; wanted: string; expression: string } {
  return {
    id: 'temperature',
    wanted: `it is between ${from} and ${to} degrees`,
    expression: `Vehicle.Exterior.AirTemperature >= ${from} && Vehicle.Exterior.AirTemperature <= ${to}`,
  };
}

/** The vehicle is parked; the firewall asks this too. */
export const PARKED: readonly Condition[] = parseConditions(parked);

/** Before bytes are fetched: they cost energy, and nothing else. */
export const DOWNLOAD_CONDITIONS: readonly Condition[] = parseConditions([
  noEmergency,
  voltage('11.8'),
]);

/** While a slot is written that nobody runs: the vehicle may drive. */
export const INSTALL_CONDITIONS: readonly Condition[] = parseConditions([
  noEmergency,
  voltage('12.0'),
  temperature('-30.0', '60.0'),
]);

/** While ECUs change over to new software. */
export const ACTIVATE_CONDITIONS: readonly Condition[] = parseConditions([
  noEmergency,
  ...parked,
  ...quiet,
  voltage('12.2'),
  temperature('-20.0', '50.0'),
]);

/** While an ECU has no software that runs: it is written over in its only bank. */
export const ONE_BANK_CONDITIONS: readonly Condition[] = parseConditions([
  noEmergency,
  ...parked,
  ...quiet,
  voltage('12.4'),
  temperature('0.0', '45.0'),
  {
    id: 'hood-closed',
    wanted: 'the hood is closed',
    expression: '!Vehicle.Body.Hood.IsOpen',
  },
]);
