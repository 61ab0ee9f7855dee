/**
 * One pass over the text of a JSON document, before anything is built from it.
 *
 * It bounds the nesting, counts the members as they are spelled, and finds out whether the text is
 * canonical already: then its bytes are the very bytes that were signed, and nobody needs to write
 * them again. The text need not be well-formed; what is found counts only once `JSON.parse` took it.
 */
import { InputFault } from './fault.ts';
import { JSON_DEPTH_MAX } from './limits.ts';

/** Where a value stands in the text: from `start` to before `end`. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
}

/** What the text alone tells. */
export interface JsonScan {
  /** Colons outside strings: one a member, if the document is well-formed. */
  readonly colons: number;
  /** Whether a backslash stands anywhere, and with it maybe a lone surrogate. */
  readonly escaped: boolean;
  /**
   * The values of the outermost object by name, where the text is canonical in every form of canonical
   * JSON: ASCII, no blanks, no escapes, names strictly ascending, whole numbers of up to 15 digits
   * without a sign. So no name repeats either. Undefined where any of this is not so.
   */
  readonly members: ReadonlyMap<string, JsonSpan> | undefined;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
/** Up to here every integer is exact, and so is its shortest spelling. */
const DIGITS_MAX = 15;

/**
 * Scans a text.
 *
 * @param text - of the document.
 * @param ascii - whether it holds nothing beyond ASCII.
 * @throws InputFault JSON_LIMIT when it is nested deeper than 32 levels.
 */
export function scanJson(text: string, ascii: boolean): JsonScan {
  const escaped = text.includes('\\');
  const members = new Map<string, JsonSpan>();
  // Of the last name on each level: where it starts and ends; 0 when the level has none yet.
  const starts = new Int32Array(JSON_DEPTH_MAX + 1);
  const ends = new Int32Array(JSON_DEPTH_MAX + 1);
  let canonical = ascii && !escaped;
  let colons = 0;
  let depth = 0;
  let outer: string | undefined;
  let start = 0;
  let index = 0;
  while (index < text.length) {
    const unit = text.charCodeAt(index);
    index += 1;
    if (unit === QUOTE) {
      const end = escaped ? endOfEscaped(text, index) : endOfPlain(text, index);
      if (canonical && text.charCodeAt(end) === COLON) {
        const before = starts[depth] ?? 0;
        if (before > 0 && !ascends(text, before, ends[depth] ?? 0, index)) canonical = false;
        starts[depth] = index;
        ends[depth] = end;
        if (depth === 1) {
          outer = text.slice(index, end - 1);
          start = end + 1;
        }
      }
      index = end;
    } else if (unit === COLON) colons += 1;
    else if (unit === COMMA) {
      if (depth === 1 && outer !== undefined) members.set(outer, { start, end: index - 1 });
    } else if (isOpening(unit)) {
      depth += 1;
      if (depth > JSON_DEPTH_MAX) throw tooDeep();
      starts[depth] = 0;
    } else if (isClosing(unit)) {
      if (depth === 1 && outer !== undefined) members.set(outer, { start, end: index - 1 });
      depth -= 1;
    } else if (isDigit(unit)) {
      const end = endOfDigits(text, index);
      if (end - index >= DIGITS_MAX || text.charCodeAt(end) === 0x65) canonical = false;
      index = end;
    } else if (!isLowerCase(unit)) canonical = false;
  }
  return { colons, escaped, members: canonical ? members : undefined };
}

/**
 * Tells whether a name, up to its quotation mark, comes before the one that starts at `next`.
 * No name of ours holds a mark, so the names differ at the latest where the shorter one ends; a mark
 * must rank below all other units there, as the end of a text does.
 */
function ascends(text: string, first: number, firstEnd: number, next: number): boolean {
  for (let offset = 0; first + offset < firstEnd; offset += 1) {
    const a = text.charCodeAt(first + offset);
    const b = text.charCodeAt(next + offset);
    if (a !== b) return a === QUOTE || (b !== QUOTE && a < b);
  }
  return false;
}

// '[' 0x5b and '{' 0x7b open, ']' 0x5d and '}' 0x7d close: each pair differs in one bit.
function isOpening(unit: number): boolean {
  return unit === 0x5b || unit === 0x7b;
}

function isClosing(unit: number): boolean {
  return unit === 0x5d || unit === 0x7d;
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39;
}

/** Of `true`, `false` and `null`; the `e` of an exponent follows a digit and is caught there. */
function isLowerCase(unit: number): boolean {
  return unit >= 0x61 && unit <= 0x7a;
}

function endOfDigits(text: string, start: number): number {
  let index = start;
  while (isDigit(text.charCodeAt(index))) index += 1;
  return index;
}

/** The place behind the quotation mark that ends a string, or the end of the text. */
function endOfPlain(text: string, start: number): number {
  const quote = text.indexOf('"', start);
  return quote < 0 ? text.length : quote + 1;
}

/** The same where strings may hold escapes: a mark behind an odd number of backslashes is none. */
function endOfEscaped(text: string, start: number): number {
  let from = start;
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0) return text.length;
    let backslashes = 0;
    // Each run of backslashes is walked once: the next search starts behind it.
    while (quote - backslashes > from && text.charCodeAt(quote - backslashes - 1) === BACKSLASH) {
      backslashes += 1;
    }
    if (backslashes % 2 === 0) return quote + 1;
    from = quote + 1;
  }
}

function tooDeep(): InputFault {
  return new InputFault('JSON_LIMIT', `Cannot read JSON: deeper than ${JSON_DEPTH_MAX} levels`);
}
