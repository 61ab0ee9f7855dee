/**
 * JSON from outside, read under limits.
 *
 * `JSON.parse` lets the last of two equal member names win and says nothing, so two parsers can see
 * two documents in the same signed bytes. Here a repeated name, too much nesting, a lone surrogate
 * or an invalid byte is a refusal. Names from outside are read with `member`, never with a dot:
 * `__proto__` and `constructor` are legal target names.
 */
import { InputFault } from './fault.ts';
import { JSON_DEPTH_MAX } from './limits.ts';

/** Any JSON value. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** A JSON object. Its members are found with `member` or `Object.entries` only. */
export interface JsonObject {
  readonly [name: string]: JsonValue;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const QUOTE = 0x22;
const COLON = 0x3a;
const BACKSLASH = 0x5c;

/**
 * Reads a JSON document.
 *
 * @param bytes - UTF-8, without a byte order mark.
 * @param lengthMaxBytes - how long the document may be.
 * @throws InputFault JSON_LIMIT when it is longer, or nested deeper than 32 levels.
 * @throws InputFault JSON_MALFORMED when it is not well-formed, or a member name repeats.
 */
export function parseJson(bytes: Uint8Array, lengthMaxBytes: number): JsonValue {
  if (bytes.length > lengthMaxBytes) {
    throw new InputFault(
      'JSON_LIMIT',
      `Cannot read JSON: ${bytes.length} bytes are more than the ${lengthMaxBytes} allowed`,
    );
  }
  const colons = scan(bytes);
  let value: JsonValue;
  try {
    value = JSON.parse(decoder.decode(bytes));
  } catch (error) {
    throw new InputFault('JSON_MALFORMED', 'Cannot read JSON: it is not well-formed', {
      cause: error,
    });
  }
  if (countMembers(value) !== colons) {
    throw new InputFault('JSON_MALFORMED', 'Cannot read JSON: a member name repeats');
  }
  return value;
}

/**
 * Finds a member of an object by a name that may come from outside.
 *
 * @param object - where to look.
 * @param name - any text, `__proto__` included.
 * @returns the member's value, or undefined when the object has none of its own.
 */
export function member(object: JsonObject, name: string): JsonValue | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Tells whether a JSON value is an object. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Counts the colons outside strings (one a member) and bounds the nesting before anything is built. */
function scan(bytes: Uint8Array): number {
  let colons = 0;
  let depth = 0;
  let index = 0;
  while (index < bytes.length) {
    const byte = bytes[index] ?? 0;
    index += 1;
    if (byte === QUOTE) index = skipString(bytes, index);
    else if (byte === COLON) colons += 1;
    // 0x5b '[' and 0x7b '{' open, 0x5d ']' and 0x7d '}' close: they differ in one bit.
    else if ((byte & 0xdf) === 0x5b) {
      depth += 1;
      if (depth > JSON_DEPTH_MAX) {
        throw new InputFault(
          'JSON_LIMIT',
          `Cannot read JSON: deeper than ${JSON_DEPTH_MAX} levels`,
        );
      }
    } else if ((byte & 0xdf) === 0x5d) depth -= 1;
  }
  return colons;
}

function skipString(bytes: Uint8Array, start: number): number {
  let index = start;
  while (index < bytes.length && bytes[index] !== QUOTE) {
    index += bytes[index] === BACKSLASH ? 2 : 1;
  }
  return index + 1;
}

/** Counts object members with a stack of its own, so that no document can exhaust the real one. */
function countMembers(root: JsonValue): number {
  let members = 0;
  const pending: JsonValue[] = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value === 'string') checkWellFormed(value);
    else if (Array.isArray(value)) {
      for (const item of value as readonly JsonValue[]) pending.push(item);
    } else if (isJsonObject(value)) {
      for (const name of Object.keys(value)) {
        members += 1;
        checkWellFormed(name);
        const inner = value[name];
        if (typeof inner === 'string') checkWellFormed(inner);
        else if (typeof inner === 'object' && inner !== null) pending.push(inner);
      }
    }
  }
  return members;
}

function checkWellFormed(text: string): void {
  if (!text.isWellFormed()) {
    throw new InputFault('JSON_MALFORMED', 'Cannot read JSON: a string holds a lone surrogate');
  }
}
