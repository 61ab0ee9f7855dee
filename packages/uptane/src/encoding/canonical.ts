/**
 * Canonical JSON: the bytes that are signed.
 *
 * Two forms. `olpc` (TUF 1.0): only `"` and `\` are escaped, all else is raw UTF-8, member names are
 * sorted by code point. `escaped` (the vehicle dialect): JSON's own escapes, and every non-ASCII
 * code unit as lower-case `\uXXXX`. Neither knows fractions. The work list is our own, so that no
 * document can exhaust the stack; and what is already in order goes to the engine's serializer.
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
  if (isOrdered(value)) {
    const text = JSON.stringify(value);
    if (form === 'escaped') return escapeNonAscii(text);
    if (!text.includes('\\')) return text;
  }
  return build(value, form);
}

function escapeNonAscii(text: string): string {
  return text.replaceAll(
    /[\u0080-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Tells whether every object's members are in canonical order already, and checks the numbers. */
function isOrdered(root: JsonValue): boolean {
  let ordered = true;
  const pending: JsonValue[] = [root];
  while (pending.length > 0) {
    const value = pending.pop();
    if (typeof value === 'number') checkInteger(value);
    if (typeof value !== 'object' || value === null) continue;
    if (!isJsonObject(value)) {
      for (const item of value) pending.push(item);
      continue;
    }
    let previous: string | undefined;
    const object = value;
    for (const name of Object.keys(object)) {
      if (previous !== undefined && !precedes(previous, name)) ordered = false;
      previous = name;
      const inner = object[name];
      if (typeof inner === 'number') checkInteger(inner);
      else if (typeof inner === 'object' && inner !== null) pending.push(inner);
    }
  }
  return ordered;
}

const SURROGATE = /[\ud800-\udfff]/;

/** `<` compares UTF-16 units, which is code point order wherever no surrogate takes part. */
function precedes(left: string, right: string): boolean {
  return SURROGATE.test(left) || SURROGATE.test(right)
    ? compareCodePoints(left, right) < 0
    : left < right;
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

function build(root: JsonValue, form: CanonicalForm): string {
  const parts: string[] = [];
  const stack: Frame[] = [];
  let value: JsonValue | undefined = root;
  for (;;) {
    if (value !== undefined) {
      const opened = open(value, form, parts);
      if (opened !== undefined) stack.push(opened);
    }
    const frame = stack.at(-1);
    if (frame === undefined) return parts.join('');
    if (frame.next === frame.items.length) {
      parts.push(frame.names === undefined ? ']' : '}');
      stack.pop();
      value = undefined;
      continue;
    }
    if (frame.next > 0) parts.push(',');
    if (frame.names !== undefined) parts.push(quote(frame.names[frame.next] ?? '', form), ':');
    value = frame.items[frame.next] ?? null;
    frame.next += 1;
  }
}

/** Writes a scalar, or the opening bracket of a container, whose frame it returns. */
function open(value: JsonValue, form: CanonicalForm, parts: string[]): Frame | undefined {
  if (typeof value === 'string') {
    parts.push(quote(value, form));
    return undefined;
  }
  if (typeof value !== 'object' || value === null) {
    parts.push(JSON.stringify(value));
    return undefined;
  }
  if (!isJsonObject(value)) {
    parts.push('[');
    return { names: undefined, items: value, next: 0 };
  }
  parts.push('{');
  const names = Object.keys(value).toSorted(compareCodePoints);
  return { names, items: names.map((name) => value[name] ?? null), next: 0 };
}

function quote(text: string, form: CanonicalForm): string {
  return form === 'olpc'
    ? `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`
    : escapeNonAscii(JSON.stringify(text));
}
