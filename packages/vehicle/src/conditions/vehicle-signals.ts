/** What the vehicle's sensors say, and whether that can be believed. */
import type { SignalCatalogue, SignalDescription } from './signal-catalogue.ts';

/** A value as it was measured. */
export interface SignalReading {
  readonly value: boolean | number | string;
  /** When, on the timer's own scale. */
  readonly atMs: number;
}

/** Where measurements come from. A port: behind it are the buses. */
export interface VehicleSignals {
  /** The last reading; undefined when there never was one. */
  read(name: string): SignalReading | undefined;
  /** Hears that some signal has a new reading. @returns what ends it. */
  listen?(listener: () => void): () => void;
}

/** Where nobody measures anything. */
export const NO_SIGNALS: VehicleSignals = { read: () => undefined };

/** A signal as it was found. */
export interface MeasuredSignal {
  readonly name: string;
  /** `invalid`: of another type, or beyond what can be measured. */
  readonly state: 'fresh' | 'stale' | 'missing' | 'invalid';
  readonly value?: boolean | number | string | undefined;
  readonly unit?: string | undefined;
  readonly ageMs?: number | undefined;
}

/** Looks at a signal. One that is not in the catalogue is missing. */
export function measureSignal(
  name: string,
  signals: VehicleSignals,
  { catalogue, atMs }: { readonly catalogue: SignalCatalogue; readonly atMs: number },
): MeasuredSignal {
  const description = catalogue.get(name);
  const reading = description === undefined ? undefined : signals.read(name);
  if (description === undefined || reading === undefined) return { name, state: 'missing' };
  const { value } = reading;
  const ageMs = atMs - reading.atMs;
  const found = { name, value, unit: description.unit, ageMs };
  if (!isValid(value, description)) return { ...found, state: 'invalid' };
  // A reading from the future tells of a wrong clock, and nothing of the present.
  const isFresh = ageMs >= 0 && ageMs <= description.maxAgeMs;
  return { ...found, state: isFresh ? 'fresh' : 'stale' };
}

function isValid(
  value: boolean | number | string,
  { type, min = -Infinity, max = Infinity, values }: SignalDescription,
): boolean {
  switch (type) {
    case 'bool':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string' && values?.includes(value) !== false;
    case 'int':
    case 'double': {
      if (typeof value !== 'number' || !Number.isFinite(value)) return false;
      return value >= min && value <= max && (type === 'double' || Number.isInteger(value));
    }
    default:
      return false;
  }
}
