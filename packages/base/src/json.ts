/**
 * JSON from outside, read under limits.
 *
 * `JSON.parse` lets the last of two equal member names win and says nothing, so two parsers can see
 * two documents in the same signed bytes. Here a repeated name, too much nesting, a lone surrogate
 * or an invalid byte is a refusal. Names from outside are read with `member`, never with a dot:
 * `__proto__` and `constructor` are legal target names.
 */
import { InputFault } from './fault.ts';
import { hasEscapedName, readEscaped } from './json-escaped.ts';
import { type JsonSpan, scanJson } from './json-scan.ts';
import type { JsonObject, JsonValue } from './json-value.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A document that was read, and what its text told on the way. */
export interface JsonDocument {
  readonly value: JsonValue;
  /**
   * Where the values of the outermost object stand in the bytes, if the bytes are canonical as they
   * are (`scanJson` says when). Undefined otherwise.
   */
  readonly members: ReadonlyMap<string, JsonSpan> | undefined;
}

/**
 * Reads a JSON document.
 *
 * @param bytes - UTF-8, without a byte order mark.
 * @param lengthMaxBytes - how long the document may be.
 * @throws InputFault JSON_LIMIT when it is longer, or nested deeper than 32 levels.
 * @throws InputFault JSON_MALFORMED when it is not well-formed, or a member name repeats.
 */
export function parseJson(bytes: Uint8Array, lengthMaxBytes: number): JsonValue {
  return readJson(bytes, lengthMaxBytes).value;
}

/**
 * Reads a JSON document, and tells where its parts stand if they are canonical.
 *
 * @param bytes - as in {@link parseJson}.
 * @param lengthMaxBytes - how long the document may be.
 * @throws InputFault as {@link parseJson}.
 */
export function readJson(bytes: Uint8Array, lengthMaxBytes: number): JsonDocument {
  if (bytes.length > lengthMaxBytes) {
    throw new InputFault(
      'JSON_LIMIT',
      `Cannot read JSON: ${bytes.length} bytes are more than the ${lengthMaxBytes} allowed`,
    );
  }
  const text = translating(() => decoder.decode(bytes));
  // Whatever is not ASCII takes more bytes than units. So offsets in an ASCII text are those in its bytes.
  const scan = scanJson(text, text.length === bytes.length);
  const parsed = translating((): JsonValue => JSON.parse(text));
  const value = scan.escaped && hasEscapedName(text) ? readEscaped(text) : parsed;
  if (scan.escaped) checkWellFormed(value);
  if (scan.members === undefined && countMembers(value) !== scan.colons) {
    throw new InputFault('JSON_MALFORMED', 'Cannot read JSON: a member name repeats');
  }
  return { value, members: scan.members };
}

function translating<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new InputFault('JSON_MALFORMED', 'Cannot read JSON: it is not well-formed', {
      cause: error,
    });
  }
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

/** Counts object members with a stack of its own, so that no document can exhaust the real one. */
function countMembers(root: JsonValue): number {
  let members = 0;
  for (const value of containersOf(root)) {
    if (!Array.isArray(value)) members += Object.keys(value).length;
  }
  return members;
}

/** Only an escape can hold a lone surrogate: the decoder has refused all others. */
function checkWellFormed(root: JsonValue): void {
  checkText(root);
  for (const value of containersOf(root)) {
    if (isJsonObject(value)) Object.keys(value).forEach(checkText);
    Object.values(value).forEach(checkText);
  }
}

function checkText(text: JsonValue): void {
  if (typeof text === 'string' && !text.isWellFormed()) {
    throw new InputFault('JSON_MALFORMED', 'Cannot read JSON: a string holds a lone surrogate');
  }
}

/** All arrays and objects of a value, itself among them. */
function* containersOf(root: JsonValue): Generator<readonly JsonValue[] | JsonObject> {
  const pending: JsonValue[] = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value !== 'object' || value === null) continue;
    yield value;
    for (const inner of Object.values(value)) {
      if (typeof inner === 'object' && inner !== null) pending.push(inner);
    }
  }
}
