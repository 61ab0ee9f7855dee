/**
 * JSON whose member names are spelled with escapes, read without the engine's memory for names.
 *
 * ADR 20: V8 14.6 (Node 26) remembers which name followed which. Once it has read a name that holds a
 * backslash, such as `"\\"`, it takes a later `"\u0061"` in the same place for that name: the first
 * units as they are spelled are the same. So whoever may send one document decides how the next one
 * is read. Here such documents are taken apart by hand; the engine decodes one text at a time.
 */
import { assert } from './assert.ts';
import type { JsonObject, JsonValue } from './json-value.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Tells whether a member's name is spelled with an escape.
 *
 * @param text - a well-formed document.
 */
export function hasEscapedName(text: string): boolean {
  let escape = text.indexOf('\\');
  let index = text.indexOf('"');
  while (index >= 0 && escape >= 0) {
    const end = endOfString(text, index);
    if (escape < end && text[skipBlanks(text, end)] === ':') return true;
    if (escape < end) escape = text.indexOf('\\', end);
    index = text.indexOf('"', end);
  }
  return false;
}

/**
 * Reads a document.
 *
 * @param text - well-formed, and of bounded depth.
 * @returns its value; of two members of one name the last.
 */
export function readEscaped(text: string): JsonValue {
  return readValue(text, skipBlanks(text, 0)).value;
}

interface Read {
  readonly value: JsonValue;
  /** The place behind it. */
  readonly end: number;
}

function readValue(text: string, start: number): Read {
  if (text[start] === '{') return readObject(text, start);
  if (text[start] === '[') return readArray(text, start);
  const end = text[start] === '"' ? endOfString(text, start) : endOfWord(text, start);
  return { value: decode(text.slice(start, end)), end };
}

function readObject(text: string, start: number): Read {
  const members: (readonly [name: string, value: JsonValue])[] = [];
  let index = skipBlanks(text, start + 1);
  while (text[index] === '"') {
    const nameEnd = endOfString(text, index);
    const colon = skipBlanks(text, nameEnd);
    const { value, end } = readValue(text, skipBlanks(text, colon + 1));
    const name = decode(text.slice(index, nameEnd));
    assert(typeof name === 'string', 'the name of a member is a text');
    members.push([name, value]);
    index = skipBlanks(text, end);
    if (text[index] === ',') index = skipBlanks(text, index + 1);
  }
  const object: JsonObject = Object.fromEntries(members);
  return { value: object, end: index + 1 };
}

function readArray(text: string, start: number): Read {
  const items: JsonValue[] = [];
  let index = skipBlanks(text, start + 1);
  while (index < text.length && text[index] !== ']') {
    const { value, end } = readValue(text, index);
    items.push(value);
    index = skipBlanks(text, end);
    if (text[index] === ',') index = skipBlanks(text, index + 1);
  }
  return { value: items, end: index + 1 };
}

function decode(scalar: string): JsonValue {
  // oxlint-disable-next-line house/no-json-parse -- one scalar, without any name, out of a bounded document
  return JSON.parse(scalar);
}

/** The place behind the mark that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && text.charCodeAt(index) !== QUOTE) {
    index += text.charCodeAt(index) === BACKSLASH ? 2 : 1;
  }
  return index + 1;
}

function endOfWord(text: string, start: number): number {
  let index = start + 1;
  while (/[\w.+-]/.test(text.charAt(index))) index += 1;
  return index;
}

function skipBlanks(text: string, start: number): number {
  let index = start;
  while (/[ \t\n\r]/.test(text.charAt(index))) index += 1;
  return index;
}
