/**
 * The signals that conditions may speak of, by their names in the Vehicle Signal Specification. Those
 * under `Vehicle.Private` are ours: VSS leaves that branch to the maker.
 *
 * @source COVESA Vehicle Signal Specification 5
 */

/** What is known of a signal before it is measured. */
export interface SignalDescription {
  readonly type: 'bool' | 'int' | 'double' | 'string';
  readonly unit?: string | undefined;
  /** Values outside are no measurements: a broken sensor or wire. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** All values of a text. */
  readonly values?: readonly string[] | undefined;
  /** After that it says nothing about the present any more. */
  readonly maxAgeMs: number;
}

/** Descriptions by name. */
export type SignalCatalogue = ReadonlyMap<string, SignalDescription>;

/** What moves can change within a blink. */
const FAST_MS = 500;
const SLOW_MS = 5000;
/** What does not change while it is looked at. */
const CONSTANT_MS = 86_400_000;

/** Gears as VSS numbers them. */
export const PARK_GEAR = 126;

const percent = { type: 'double', unit: 'percent', min: 0, max: 100, maxAgeMs: SLOW_MS } as const;
const celsius = { type: 'double', unit: 'celsius', min: -60, max: 150, maxAgeMs: SLOW_MS } as const;
const flag = { type: 'bool', maxAgeMs: SLOW_MS } as const;
const gear = { type: 'int', min: -4, max: 127, maxAgeMs: FAST_MS } as const;

/** See the head of the file. */
export const SIGNAL_CATALOGUE: SignalCatalogue = new Map<string, SignalDescription>([
  ['Vehicle.Speed', { type: 'double', unit: 'km/h', min: -100, max: 500, maxAgeMs: FAST_MS }],
  ['Vehicle.IsMoving', { type: 'bool', maxAgeMs: FAST_MS }],
  [
    'Vehicle.LowVoltageSystemState',
    {
      type: 'string',
      values: ['UNDEFINED', 'LOCK', 'OFF', 'ACC', 'ON', 'START'],
      maxAgeMs: SLOW_MS,
    },
  ],
  [
    'Vehicle.LowVoltageBattery.CurrentVoltage',
    { type: 'double', unit: 'V', min: 0, max: 32, maxAgeMs: SLOW_MS },
  ],
  [
    'Vehicle.LowVoltageBattery.NominalCapacity',
    { type: 'int', unit: 'Ah', min: 1, max: 500, maxAgeMs: CONSTANT_MS },
  ],
  ['Vehicle.Private.LowVoltageBattery.StateOfCharge', percent],
  /** The traction battery feeds the 12 V net. */
  ['Vehicle.Private.LowVoltageBattery.IsSupplied', flag],
  ['Vehicle.Private.EmergencyCall.IsActive', flag],
  /** By which images would come now; a hotspot that counts bytes is metered. */
  [
    'Vehicle.Private.Network',
    { type: 'string', values: ['metered', 'unmetered', 'wifi'], maxAgeMs: SLOW_MS },
  ],
  ['Vehicle.Powertrain.Transmission.CurrentGear', gear],
  ['Vehicle.Powertrain.Transmission.SelectedGear', gear],
  ['Vehicle.Powertrain.Transmission.IsParkLockEngaged', { type: 'bool', maxAgeMs: FAST_MS }],
  ['Vehicle.Powertrain.CombustionEngine.IsRunning', flag],
  ['Vehicle.Powertrain.TractionBattery.StateOfCharge.Current', percent],
  [
    'Vehicle.Powertrain.TractionBattery.NetCapacity',
    { type: 'int', unit: 'kWh', min: 1, max: 1000, maxAgeMs: CONSTANT_MS },
  ],
  ['Vehicle.Powertrain.TractionBattery.Temperature.Average', celsius],
  ['Vehicle.Powertrain.TractionBattery.Charging.IsCharging', flag],
  [
    'Vehicle.Powertrain.TractionBattery.Charging.ChargingPort.AnyPosition.IsChargingCableConnected',
    flag,
  ],
  ['Vehicle.Chassis.ParkingBrake.IsEngaged', { type: 'bool', maxAgeMs: FAST_MS }],
  ['Vehicle.Exterior.AirTemperature', celsius],
  ['Vehicle.Cabin.Door.Row1.DriverSide.IsOpen', flag],
  ['Vehicle.Cabin.Door.Row1.PassengerSide.IsOpen', flag],
  ['Vehicle.Cabin.Door.Row2.DriverSide.IsOpen', flag],
  ['Vehicle.Cabin.Door.Row2.PassengerSide.IsOpen', flag],
  ['Vehicle.Body.Hood.IsOpen', flag],
  ['Vehicle.Body.Trunk.Rear.IsOpen', flag],
  ['Vehicle.Cabin.Seat.Row1.DriverSide.IsOccupied', flag],
  ['Vehicle.Trailer.IsConnected', flag],
]);
