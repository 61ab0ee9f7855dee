/** What Intel HEX and S-record have in common: lines of hexadecimal digits, fed in any pieces. */
import { ImageFault } from '../image-fault.ts';
import { LINE_LENGTH_MAX } from '../limits.ts';
import type { ImageLayout } from './layout.ts';

/** Reads an image file that is pushed into it, piece by piece, and ends with its address map. */
export interface LayoutReader {
  /**
   * Takes the next bytes of the file; keeps no reference to them.
   *
   * @throws ImageFault whatever is wrong with the records that are complete by now.
   */
  push(bytes: Uint8Array): void;
  /**
   * Says that the file has ended.
   *
   * @throws ImageFault TRUNCATED when its end record is missing; OVERLAP, LAYOUT_EMPTY.
   */
  finish(): ImageLayout;
}

/** What a record format does with its lines. */
export interface RecordGrammar {
  /** Takes one line, without its end and never empty. The view is valid during the call only. */
  readonly line: (line: Uint8Array) => void;
  /** Tells whether the end record was seen. */
  readonly isEnded: () => boolean;
  /** Makes the layout of what was read. */
  readonly finish: () => ImageLayout;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Digit values by character code; 0xff where the character is no hexadecimal digit. */
const DIGITS: Uint8Array = new Uint8Array(256).fill(0xff);
for (let value = 0; value < 16; value += 1) {
  const digit = value.toString(16);
  DIGITS[digit.charCodeAt(0)] = value;
  DIGITS[digit.toUpperCase().charCodeAt(0)] = value;
}

/** Tells whether a character is a hexadecimal digit of either case. */
export function isHexDigit(character: number): boolean {
  return (DIGITS[character] ?? 0xff) < 16;
}

/**
 * Makes a reader that cuts lines at CR, LF or CR LF and skips empty ones.
 *
 * @param grammar - what the lines mean.
 */
export function createRecordReader(grammar: RecordGrammar): LayoutReader {
  const line = new Uint8Array(LINE_LENGTH_MAX);
  let lengthBytes = 0;
  let lineNumber = 1;
  const addPart = (part: Uint8Array): void => {
    if (lengthBytes + part.length > LINE_LENGTH_MAX) {
      throw new ImageFault(
        'LINE_LENGTH',
        `Cannot read image: line ${lineNumber} is longer than ${LINE_LENGTH_MAX} characters`,
      );
    }
    line.set(part, lengthBytes);
    lengthBytes += part.length;
  };
  const endLine = (): void => {
    if (lengthBytes === 0) return;
    const complete = line.subarray(0, lengthBytes);
    lengthBytes = 0;
    grammar.line(complete);
  };
  return {
    push(bytes): void {
      let start = 0;
      // A counted loop, here and below: an iterator costs two to three times as much.
      for (let index = 0; index < bytes.length; index += 1) {
        const character = bytes[index] ?? 0;
        if (character === LINE_FEED || character === CARRIAGE_RETURN) {
          addPart(bytes.subarray(start, index));
          endLine();
          start = index + 1;
          if (character === LINE_FEED) lineNumber += 1;
        }
      }
      addPart(bytes.subarray(start));
    },
    finish(): ImageLayout {
      // A last line without its end is either the end record or the stump of a cut file.
      try {
        endLine();
      } catch (error) {
        if (!(error instanceof ImageFault) || grammar.isEnded()) throw error;
        throw new ImageFault('TRUNCATED', 'Cannot read image: its last line is cut', {
          cause: error,
        });
      }
      if (!grammar.isEnded()) {
        throw new ImageFault('TRUNCATED', 'Cannot read image: its end record is missing');
      }
      return grammar.finish();
    },
  };
}

/**
 * Decodes pairs of hexadecimal digits.
 *
 * @param line - a line of text.
 * @param start - where the digits begin; they go on to the end of the line.
 * @param bytes - takes what they say; long enough for any line.
 * @returns the part of `bytes` that was written.
 * @throws ImageFault RECORD_MALFORMED when a character is no digit or one is left over.
 */
export function decodeDigits(line: Uint8Array, start: number, bytes: Uint8Array): Uint8Array {
  const count = (line.length - start) / 2;
  if (!Number.isInteger(count)) {
    throw new ImageFault('RECORD_MALFORMED', 'Cannot read record: half a byte is missing');
  }
  for (let index = 0; index < count; index += 1) {
    const high = DIGITS[line[start + 2 * index] ?? 0] ?? 0xff;
    const low = DIGITS[line[start + 2 * index + 1] ?? 0] ?? 0xff;
    if (high > 15 || low > 15) {
      throw new ImageFault('RECORD_MALFORMED', 'Cannot read record: not a hexadecimal digit');
    }
    bytes[index] = high * 16 + low;
  }
  return bytes.subarray(0, count);
}

/** Adds up bytes modulo 256, as both formats do for their checksums. */
export function sumBytes(bytes: Uint8Array): number {
  let sum = 0;
  for (let index = 0; index < bytes.length; index += 1) sum += bytes[index] ?? 0;
  return sum & 0xff;
}

/**
 * Reads an unsigned number, most significant byte first.
 *
 * @param bytes - where it lies.
 * @param offset - of its first byte.
 * @param lengthBytes - 1 to 4.
 */
export function readUint(bytes: Uint8Array, offset: number, lengthBytes: number): number {
  let value = 0;
  for (let index = 0; index < lengthBytes; index += 1) {
    value = value * 256 + (bytes[offset + index] ?? 0);
  }
  return value;
}

/**
 * Joins short lines into pieces worth writing.
 *
 * @param lines - each with its end.
 * @yields pieces of about 64 KiB of ASCII.
 */
export function* gatherLines(lines: Iterable<string>): Generator<Uint8Array, void, undefined> {
  const encoder = new TextEncoder();
  let text = '';
  for (const line of lines) {
    text += line;
    if (text.length >= 65_536) {
      yield encoder.encode(text);
      text = '';
    }
  }
  if (text.length > 0) yield encoder.encode(text);
}

/** Formats bytes as upper-case hexadecimal digits, as both formats write them. */
export function formatDigits(bytes: Uint8Array): string {
  return bytes.toHex().toUpperCase();
}
