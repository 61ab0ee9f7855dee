/** A vehicle's signals, and time, as a test sets them. */
import type { SignalReading, Timer, VehicleSignals } from '@immota/vehicle';

/** All signals as they are when everything is well. */
const WELL: Readonly<Record<string, boolean | number | string>> = {
  'Vehicle.Speed': 0,
  'Vehicle.IsMoving': false,
  'Vehicle.LowVoltageSystemState': 'OFF',
  'Vehicle.LowVoltageBattery.CurrentVoltage': 12.8,
  'Vehicle.LowVoltageBattery.NominalCapacity': 60,
  'Vehicle.Private.LowVoltageBattery.StateOfCharge': 90,
  'Vehicle.Private.LowVoltageBattery.IsSupplied': false,
  'Vehicle.Private.EmergencyCall.IsActive': false,
  'Vehicle.Powertrain.Transmission.CurrentGear': 0,
  'Vehicle.Powertrain.Transmission.SelectedGear': 126,
  'Vehicle.Powertrain.TractionBattery.StateOfCharge.Current': 60,
  'Vehicle.Powertrain.TractionBattery.NetCapacity': 60,
  'Vehicle.Powertrain.TractionBattery.Charging.IsCharging': false,
  'Vehicle.Chassis.ParkingBrake.IsEngaged': true,
  'Vehicle.Exterior.AirTemperature': 20,
  'Vehicle.Body.Hood.IsOpen': false,
};

/** See the head of the file. */
export class ConditionWorld implements VehicleSignals {
  atMs = 1_000_000;
  reads = 0;
  readonly #readings = new Map<string, SignalReading>();
  readonly #listeners = new Set<() => void>();
  readonly #pending = new Set<{ readonly dueMs: number; readonly action: () => void }>();
  readonly timer: Timer = {
    elapsedMs: () => this.atMs,
    schedule: (delayMs, action) => {
      const entry = { dueMs: this.atMs + delayMs, action };
      this.#pending.add(entry);
      return () => this.#pending.delete(entry);
    },
  };

  constructor() {
    this.refresh();
  }

  /** How many waits are under way. */
  get waiting(): number {
    return this.#pending.size;
  }

  /** How many listen. */
  get listening(): number {
    return this.#listeners.size;
  }

  read(name: string): SignalReading | undefined {
    this.reads += 1;
    return this.#readings.get(name);
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Measures all signals anew, as they are when everything is well. */
  refresh(): void {
    for (const [name, value] of Object.entries(WELL)) {
      this.#readings.set(name, { value, atMs: this.atMs });
    }
  }

  /** Measures one signal, and tells those who listen. */
  set(name: string, value: boolean | number | string, atMs: number = this.atMs): void {
    this.#readings.set(name, { value, atMs });
    for (const listener of this.#listeners) listener();
  }

  /** Loses a signal. */
  lose(name: string): void {
    this.#readings.delete(name);
  }

  /** Lets time pass; signals stay as old as they are. */
  advance(milliseconds: number): void {
    this.atMs += milliseconds;
    for (const entry of this.#pending) {
      if (entry.dueMs > this.atMs || !this.#pending.delete(entry)) continue;
      entry.action();
    }
  }
}
