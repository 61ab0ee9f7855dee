/**
 * What a simulated vehicle's sensors say and what keeps it from being driven: two small files in its
 * folder, so that whoever tries an update can drive off, open the hood or let the battery run down.
 */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputFault, isJsonObject, type JsonObject, member, parseJson } from '@immota/base';
import { type Immobiliser, PARK_GEAR, type Timer, type VehicleSignals } from '@immota/vehicle';

/** By name of the Vehicle Signal Specification; edited by whoever likes. */
export const SIGNALS_FILE = 'signals.json';
/** There while the vehicle must not be driven, with the reason. */
const IMMOBILISER_FILE = 'immobilised.txt';
const SIGNALS_MAX_BYTES = 65_536;
/** What a sensor has measured is this old when it is read, as on a bus that repeats it. */
const SAMPLE_AGE_MS = 50;

/** Parked at home. */
const PARKED_CAR: JsonObject = {
  'Vehicle.Speed': 0,
  'Vehicle.IsMoving': false,
  'Vehicle.LowVoltageSystemState': 'LOCK',
  'Vehicle.LowVoltageBattery.CurrentVoltage': 12.7,
  'Vehicle.LowVoltageBattery.NominalCapacity': 70,
  'Vehicle.Private.LowVoltageBattery.StateOfCharge': 90,
  'Vehicle.Private.LowVoltageBattery.IsSupplied': false,
  'Vehicle.Private.EmergencyCall.IsActive': false,
  'Vehicle.Private.Network': 'wifi',
  'Vehicle.Powertrain.Transmission.CurrentGear': 0,
  'Vehicle.Powertrain.Transmission.SelectedGear': PARK_GEAR,
  'Vehicle.Powertrain.TractionBattery.StateOfCharge.Current': 80,
  'Vehicle.Powertrain.TractionBattery.Charging.IsCharging': false,
  'Vehicle.Chassis.ParkingBrake.IsEngaged': true,
  'Vehicle.Exterior.AirTemperature': 20,
  'Vehicle.Body.Hood.IsOpen': false,
};

/** Writes what the sensors say of a vehicle that is parked. */
export function writeParkedSignals(folder: string): void {
  writeFileSync(join(folder, SIGNALS_FILE), `${JSON.stringify(PARKED_CAR, undefined, 2)}\n`);
}

/** Reads the sensors: what the file says now. A file that is none says nothing, and nothing is met. */
export function openSignals(folder: string, timer: Timer): VehicleSignals {
  const file = join(folder, SIGNALS_FILE);
  let known: { readonly changedMs: number; readonly values: JsonObject } | undefined;
  const load = (): JsonObject => {
    if (!existsSync(file)) return {};
    const changedMs = statSync(file).mtimeMs;
    if (known?.changedMs !== changedMs) known = { changedMs, values: readSignals(file) };
    return known.values;
  };
  return {
    read: (name) => {
      const value = member(load(), name);
      const isReading =
        typeof value === 'boolean' || typeof value === 'number' || typeof value === 'string';
      return isReading ? { value, atMs: timer.elapsedMs() - SAMPLE_AGE_MS } : undefined;
    },
  };
}

/** Keeps the vehicle from being driven as long as a file is there: over restarts too. */
export function openImmobiliser(folder: string): Immobiliser {
  const file = join(folder, IMMOBILISER_FILE);
  return {
    hold: async (reason) => {
      await Promise.resolve();
      writeFileSync(file, `${reason}\n`);
    },
    release: async () => {
      await Promise.resolve();
      rmSync(file, { force: true });
    },
  };
}

function readSignals(file: string): JsonObject {
  try {
    const parsed = parseJson(readFileSync(file), SIGNALS_MAX_BYTES);
    return isJsonObject(parsed) ? parsed : {};
  } catch (error) {
    // In the middle of being edited: the next look finds it whole.
    if (error instanceof InputFault) return {};
    throw error;
  }
}
