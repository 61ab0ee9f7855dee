/** Reads members of outside JSON into values of a known kind, or refuses with MALFORMED. */
import { isJsonObject, type JsonObject, type JsonValue, member } from '@immota/base';
import { UptaneFault } from '../fault.ts';
import {
  HASH_FUNCTIONS,
  type HashFunction,
  type Hashes,
  type Measurement,
  parseDigest,
} from '../metadata/hashes.ts';

/** The object under `name`. @throws UptaneFault MALFORMED when there is none. */
export function readObject(parent: JsonObject, name: string): JsonObject {
  return asObject(member(parent, name), name);
}

/** The object under `name`, or undefined when the member is absent. */
export function findObject(parent: JsonObject, name: string): JsonObject | undefined {
  const value = member(parent, name);
  return value === undefined ? undefined : asObject(value, name);
}

/** Takes a value as an object. @throws UptaneFault MALFORMED when it is none. */
export function asObject(value: JsonValue | undefined, what: string): JsonObject {
  if (!isJsonObject(value)) throw malformed(what, 'an object');
  return value;
}

/** The array under `name`. @throws UptaneFault MALFORMED when there is none, LIMIT beyond `countMax`. */
export function readArray(
  parent: JsonObject,
  name: string,
  countMax: number,
): readonly JsonValue[] {
  const value = member(parent, name);
  if (!Array.isArray(value)) throw malformed(name, 'a list');
  const items = value as readonly JsonValue[];
  if (items.length > countMax) {
    throw new UptaneFault('LIMIT', `Cannot read "${name}": more than ${countMax} items`);
  }
  return items;
}

/** The text under `name`. @throws UptaneFault MALFORMED when there is none. */
export function readText(parent: JsonObject, name: string): string {
  const value = member(parent, name);
  if (typeof value !== 'string') throw malformed(name, 'a text');
  return value;
}

/** The text under `name`, or undefined when the member is absent. */
export function findText(parent: JsonObject, name: string): string | undefined {
  return member(parent, name) === undefined ? undefined : readText(parent, name);
}

/** The integer from 0 to 2^53 - 1 under `name`. @throws UptaneFault MALFORMED otherwise. */
export function readCount(parent: JsonObject, name: string): number {
  const value = member(parent, name);
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw malformed(name, 'a whole number');
  }
  return value;
}

/** The integer under `name`, or undefined when the member is absent. */
export function findCount(parent: JsonObject, name: string): number | undefined {
  return member(parent, name) === undefined ? undefined : readCount(parent, name);
}

/** The truth value under `name`; `fallback` when the member is absent. */
export function readFlag(parent: JsonObject, name: string, fallback: boolean): boolean {
  const value = member(parent, name) ?? fallback;
  if (typeof value !== 'boolean') throw malformed(name, 'true or false');
  return value;
}

/** Reads an instant in the only form both dialects know: `YYYY-MM-DDTHH:MM:SSZ`. */
export function readInstant(parent: JsonObject, name: string): Temporal.Instant {
  const text = readText(parent, name);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(text)) {
    throw malformed(name, 'a time of the form YYYY-MM-DDTHH:MM:SSZ');
  }
  try {
    return Temporal.Instant.from(text);
  } catch (error) {
    throw new UptaneFault('MALFORMED', `Cannot read "${name}": no such day or hour`, {
      cause: error,
    });
  }
}

/** Writes an instant as `YYYY-MM-DDTHH:MM:SSZ`; fractions of a second are cut off. */
export function writeInstant(instant: Temporal.Instant): string {
  return instant.toString({ smallestUnit: 'second', roundingMode: 'floor' });
}

/** Reads an object of digests; functions nobody here knows are left out, none known is refused. */
export function readHashes(object: JsonObject): Hashes {
  const hashes = new Map<HashFunction, string>();
  for (const hashFunction of HASH_FUNCTIONS) {
    const value = member(object, hashFunction);
    if (value !== undefined) hashes.set(hashFunction, parseDigest(hashFunction, value));
  }
  if (hashes.size === 0) throw hashless();
  return hashes;
}

/** Reads `length` and `hashes` {uptane B7}. */
export function readMeasurement(object: JsonObject): Measurement {
  return {
    lengthBytes: readCount(object, 'length'),
    hashes: readHashes(readObject(object, 'hashes')),
  };
}

/** Checks what {@link readMeasurement} checks, and makes nothing. @throws UptaneFault MALFORMED. */
export function checkMeasurementShape(object: JsonObject): void {
  readCount(object, 'length');
  const hashes = readObject(object, 'hashes');
  let count = 0;
  for (const hashFunction of HASH_FUNCTIONS) {
    const value = member(hashes, hashFunction);
    if (value === undefined) continue;
    parseDigest(hashFunction, value);
    count += 1;
  }
  if (count === 0) throw hashless();
}

/** Decodes hexadecimal or base64 of any length. @throws UptaneFault MALFORMED when it is not. */
export function decodeText(text: string, alphabet: 'hex' | 'base64'): Uint8Array {
  try {
    return alphabet === 'hex' ? Uint8Array.fromHex(text) : Uint8Array.fromBase64(text);
  } catch (error) {
    throw new UptaneFault('MALFORMED', `Cannot read ${alphabet} text: a character does not fit`, {
      cause: error,
    });
  }
}

function hashless(): UptaneFault {
  return malformed('hashes', 'at least one of sha256 and sha512');
}

function malformed(what: string, expected: string): UptaneFault {
  return new UptaneFault('MALFORMED', `Cannot read "${what}": expected ${expected}`);
}
