/**
 * Whether the batteries hold enough for an update and the way back from it. What is not known counts as
 * nothing; a battery is never reckoned empty to the bottom, because the vehicle has to start afterwards.
 */
import { ConditionFault } from './condition-fault.ts';
import { SIGNAL_CATALOGUE } from './signal-catalogue.ts';
import { measureSignal, type VehicleSignals } from './vehicle-signals.ts';

/** What an update draws, and for how long. */
export interface EnergyLoad {
  readonly watts: number;
  /** The longest that was predicted, and not the likeliest. */
  readonly minutes: number;
}

/** The reckoning. */
export interface EnergyBudget {
  readonly isCovered: boolean;
  readonly neededWattHours: number;
  readonly lowVoltageWattHours: number;
  readonly tractionWattHours: number;
  /** Signals without which a battery counted as empty. */
  readonly unknown: readonly string[];
}

/** There and back. */
const WAYS = 2;
/** Predictions err, and batteries age. */
const MARGIN = 1.25;
const LOW_VOLTAGE = 12;
/** Below half a lead battery may not start the vehicle any more, and suffers. */
const LOW_VOLTAGE_RESERVE_PERCENT = 50;
/** To the next charging point, in the cold. */
const TRACTION_RESERVE_PERCENT = 20;
/** Of the converter from high to low voltage. */
const CONVERTER_EFFICIENCY = 0.9;

const LOW = 'Vehicle.LowVoltageBattery';
const PRIVATE = 'Vehicle.Private.LowVoltageBattery';
const TRACTION = 'Vehicle.Powertrain.TractionBattery';

/**
 * Reckons up.
 *
 * @param loads - of the update alone; its roll-back is added, and a margin.
 */
export function assessEnergy(
  loads: readonly EnergyLoad[],
  signals: VehicleSignals,
  atMs: number,
): EnergyBudget {
  const unknown: string[] = [];
  const read = (name: string): number | undefined => {
    const context = { catalogue: SIGNAL_CATALOGUE, atMs };
    const { state, value } = measureSignal(name, signals, context);
    const number = typeof value === 'boolean' ? Number(value) : value;
    if (state === 'fresh' && typeof number === 'number') return number;
    unknown.push(name);
    return undefined;
  };
  const lowVoltageWattHours = wattHours(
    (read(`${LOW}.NominalCapacity`) ?? 0) * LOW_VOLTAGE,
    read(`${PRIVATE}.StateOfCharge`) ?? 0,
    LOW_VOLTAGE_RESERVE_PERCENT,
  );
  // The traction battery helps only while it is connected to the 12 V net.
  const isSupplied = read(`${PRIVATE}.IsSupplied`) === 1;
  const tractionWattHours = isSupplied
    ? CONVERTER_EFFICIENCY *
      wattHours(
        (read(`${TRACTION}.NetCapacity`) ?? 0) * 1000,
        read(`${TRACTION}.StateOfCharge.Current`) ?? 0,
        TRACTION_RESERVE_PERCENT,
      )
    : 0;
  const neededWattHours =
    loads.reduce((sum, { watts, minutes }) => sum + (watts * minutes) / 60, 0) * WAYS * MARGIN;
  return {
    // Written so that a load which is no number is not covered.
    isCovered: neededWattHours >= 0 && lowVoltageWattHours + tractionWattHours >= neededWattHours,
    neededWattHours,
    lowVoltageWattHours,
    tractionWattHours,
    unknown,
  };
}

/** Makes sure that there is enough. @throws ConditionFault ENERGY_SHORT. */
export function checkEnergy(
  loads: readonly EnergyLoad[],
  signals: VehicleSignals,
  atMs: number,
): EnergyBudget {
  const budget = assessEnergy(loads, signals, atMs);
  if (budget.isCovered) return budget;
  const { neededWattHours, lowVoltageWattHours, tractionWattHours, unknown } = budget;
  const usable = lowVoltageWattHours + tractionWattHours;
  const why = unknown.length === 0 ? '' : `; unknown: ${unknown.join(', ')}`;
  throw new ConditionFault(
    'ENERGY_SHORT',
    `Cannot begin: ${neededWattHours.toFixed(1)} Wh are needed and ${usable.toFixed(1)} usable${why}`,
  );
}

function wattHours(capacity: number, percent: number, reserve: number): number {
  return (capacity * Math.max(0, percent - reserve)) / 100;
}
