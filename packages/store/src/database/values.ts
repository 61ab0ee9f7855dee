/** How values cross the border between JavaScript and PostgreSQL, the same for every engine. */
import pg from 'pg';
import { StoreFault } from '../fault.ts';

/** Type numbers from PostgreSQL's catalogue, `pg_type`. */
const OID = {
  int8: 20,
  date: 1082,
  timestamp: 1114,
  timestamptz: 1184,
  int8Array: 1016,
  timestamptzArray: 1185,
} as const;

/** The driver reads any array into texts by the number of this one. */
const TEXT_ARRAY: number = 1009;

/** Reads a value from its text form. */
export type ValueParser = (text: string) => unknown;

/** The types that we read otherwise than the driver does, by type number. */
export const VALUE_PARSERS: ReadonlyMap<number, ValueParser> = new Map<number, ValueParser>([
  [OID.int8, parseInteger],
  [OID.date, keepText],
  [OID.timestamp, keepText],
  [OID.timestamptz, parseInstant],
  [OID.int8Array, (text) => parseArray(text, parseInteger)],
  [OID.timestamptzArray, (text) => parseArray(text, parseInstant)],
]);

/**
 * Prepares a parameter for a driver.
 *
 * @param value - as the caller gave it.
 * @returns text for an instant, or for each in an array; all else as it came.
 */
export function encodeParameter(value: unknown): unknown {
  if (value instanceof Temporal.Instant) return encodeInstant(value);
  if (Array.isArray(value) && value.some((item) => item instanceof Temporal.Instant)) {
    return value.map((item: unknown) => encodeParameter(item));
  }
  return value;
}

/** Cut, not rounded: PostgreSQL would round up, and a time must not move into the future. */
function encodeInstant(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: 'microsecond', roundingMode: 'trunc' });
}

function parseInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) {
    throw new StoreFault('VALUE_RANGE', `Cannot read bigint: ${text} is not exact as a number`);
  }
  return value;
}

function parseInstant(text: string): Temporal.Instant {
  try {
    return Temporal.Instant.from(text);
  } catch (error) {
    throw new StoreFault('VALUE_RANGE', `Cannot read timestamptz: ${text} is no instant`, {
      cause: error,
    });
  }
}

function keepText(text: string): string {
  return text;
}

function parseArray(text: string, parseItem: ValueParser): readonly unknown[] {
  const items: unknown = pg.types.getTypeParser(TEXT_ARRAY, 'text')(text);
  if (!Array.isArray(items)) return [];
  return items.map((item: unknown) => (typeof item === 'string' ? parseItem(item) : item));
}
