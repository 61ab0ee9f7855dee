/**
 * Canonical JSON: the bytes that are signed.
 *
 * Two forms. `olpc` (TUF 1.0): only `"` and `\` are escaped, all else is raw UTF-8, member names are
 * sorted by code point. `escaped` (the vehicle dialect): JSON's own escapes, and every non-ASCII
 * code unit as lower-case `\uXXXX`. Neither knows fractions. The work list is our own, so that no
 * document can exhaust the stack; and whatever is in order already goes to the engine's serializer.
 */
import { isJsonObject, type JsonValue, utf8 } from '@immota/base';
import { UptaneFault } from '../fault.ts';

/** See the head of the file. */
export type CanonicalForm = 'olpc' | 'escaped';

/**
 * Encodes a JSON value canonically.
 *
 * @param value - as `parseJson` gave it, or built by us; objects in any order.
 * @throws UptaneFault MALFORMED when it holds a fraction or an integer beyond 2^53 - 1.
 * @source OLPC Canonical JSON; TUF specification 1.0 §4.1
 */
export function encodeCanonical(value: JsonValue, form: CanonicalForm): Uint8Array<ArrayBuffer> {
  return utf8(canonicalText(value, form));
}

/** Orders two texts by code point: UTF-16 order differs from it beyond U+FFFF. */
export function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return rank(a) - rank(b);
  }
  return left.length - right.length;
}

/** Surrogates stand for code points above every other unit: they rank last. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

function canonicalText(value: JsonValue, form: CanonicalForm): string {
  checkIfScalar(value);
  const text = build(value, findUnordered(value));
  return form === 'olpc' ? unescape(text) : escapeNonAscii(text);
}

function escapeNonAscii(text: string): string {
  return text.replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const LETTERS: ReadonlyMap<string, string> = new Map([
  ['\\b', '\b'],
  ['\\f', '\f'],
  ['\\n', '\n'],
  ['\\r', '\r'],
  ['\\t', '\t'],
]);

/** Takes JSON's escapes back, but for those of quotation marks and backslashes. */
function unescape(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(/\\(?:u[0-9a-f]{4}|.)/g, (escape) =>
    escape.length === 2
      ? (LETTERS.get(escape) ?? escape)
      : String.fromCharCode(Number.parseInt(escape.slice(2), 16)),
  );
}

/**
 * Checks the numbers, and finds the containers that hold, at any depth, an object whose members are
 * not in canonical order. All others can be serialized as they stand.
 */
function findUnordered(root: JsonValue): ReadonlySet<JsonValue> {
  const unordered = new Set<JsonValue>();
  const containers: JsonValue[] = [root];
  const parents: number[] = [-1];
  const note = (inner: JsonValue, parent: number): void => {
    if (typeof inner === 'number') checkInteger(inner);
    else if (typeof inner === 'object' && inner !== null) {
      containers.push(inner);
      parents.push(parent);
    }
  };
  for (let index = 0; index < containers.length; index += 1) {
    const container = containers[index];
    if (isJsonObject(container)) {
      let previous: string | undefined;
      let ordered = true;
      for (const name of Object.keys(container)) {
        if (previous !== undefined && !precedes(previous, name)) ordered = false;
        previous = name;
        note(container[name] ?? null, index);
      }
      if (!ordered) markUp(index, { containers, parents, unordered });
    } else if (Array.isArray(container)) {
      for (const item of container as readonly JsonValue[]) note(item, index);
    }
  }
  return unordered;
}

/** Marks a container and all around it, as far as they are not marked yet. */
function markUp(
  start: number,
  {
    containers,
    parents,
    unordered,
  }: {
    readonly containers: readonly JsonValue[];
    readonly parents: readonly number[];
    readonly unordered: Set<JsonValue>;
  },
): void {
  for (let index = start; index >= 0; index = parents[index] ?? -1) {
    const container = containers[index] ?? null;
    if (unordered.has(container)) return;
    unordered.add(container);
  }
}

const SURROGATE = /[\ud800-\udfff]/;

/** `<` compares UTF-16 units, which is code point order wherever no surrogate takes part. */
function precedes(left: string, right: string): boolean {
  return SURROGATE.test(left) || SURROGATE.test(right)
    ? compareCodePoints(left, right) < 0
    : left < right;
}

function checkIfScalar(value: JsonValue): void {
  if (typeof value === 'number') checkInteger(value);
}

function checkInteger(value: number): void {
  if (!Number.isSafeInteger(value)) {
    throw new UptaneFault('MALFORMED', `Cannot encode ${value}: signed JSON holds integers only`);
  }
}

interface Frame {
  readonly names: readonly string[] | undefined;
  readonly items: readonly JsonValue[];
  next: number;
}

/** Writes a value with JSON's own escapes. What stands in order the engine writes: it does it best. */
function build(root: JsonValue, unordered: ReadonlySet<JsonValue>): string {
  if (!unordered.has(root)) return JSON.stringify(root);
  const parts: string[] = [];
  const stack: Frame[] = [open(root, parts)];
  for (;;) {
    const frame = stack.at(-1);
    if (frame === undefined) return parts.join('');
    if (frame.next === frame.items.length) {
      parts.push(frame.names === undefined ? ']' : '}');
      stack.pop();
      continue;
    }
    if (frame.next > 0) parts.push(',');
    if (frame.names !== undefined) {
      parts.push(JSON.stringify(frame.names[frame.next] ?? ''), ':');
    }
    const value = frame.items[frame.next] ?? null;
    frame.next += 1;
    if (unordered.has(value)) stack.push(open(value, parts));
    else parts.push(JSON.stringify(value));
  }
}

/** Writes the opening bracket of a container that must be taken apart. */
function open(value: JsonValue, parts: string[]): Frame {
  if (!isJsonObject(value)) {
    parts.push('[');
    return { names: undefined, items: Array.isArray(value) ? value : [], next: 0 };
  }
  parts.push('{');
  const names = Object.keys(value).toSorted(compareCodePoints);
  return { names, items: names.map((name) => value[name] ?? null), next: 0 };
}
