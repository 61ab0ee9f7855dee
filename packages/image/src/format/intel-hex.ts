/**
 * Intel HEX, record types 00 to 05.
 *
 * @source Intel, Hexadecimal Object File Format Specification, revision A, 1988
 */
import { assert } from '@immota/base';
import { ImageFault } from '../image-fault.ts';
import {
  createLayoutBuilder,
  LAYOUT_LIMITS,
  type ImageLayout,
  type LayoutLimits,
} from './layout.ts';
import {
  createRecordReader,
  decodeDigits,
  formatDigits,
  gatherLines,
  type LayoutReader,
  readUint,
  sumBytes,
} from './record-text.ts';

const MARK = 0x3a;
const OVERHEAD_BYTES = 5;
const RECORD_LENGTH_MAX_BYTES = 255 + OVERHEAD_BYTES;

const DATA = 0x00;
const END_OF_FILE = 0x01;
const EXTENDED_SEGMENT_ADDRESS = 0x02;
const START_SEGMENT_ADDRESS = 0x03;
const EXTENDED_LINEAR_ADDRESS = 0x04;
const START_LINEAR_ADDRESS = 0x05;

/** How many data bytes each type that is not data carries. */
const LENGTHS: ReadonlyMap<number, number> = new Map([
  [END_OF_FILE, 0],
  [EXTENDED_SEGMENT_ADDRESS, 2],
  [START_SEGMENT_ADDRESS, 4],
  [EXTENDED_LINEAR_ADDRESS, 2],
  [START_LINEAR_ADDRESS, 4],
]);

/**
 * Begins to read an Intel HEX file.
 *
 * @param limits - what its layout may grow to.
 * @returns a reader whose faults are LINE_LENGTH, RECORD_MALFORMED, RECORD_CHECKSUM, RECORD_ORDER,
 * ADDRESS_RANGE, LAYOUT_LIMIT, OVERLAP, LAYOUT_EMPTY and TRUNCATED.
 */
export function createIntelHexReader(limits: LayoutLimits = LAYOUT_LIMITS): LayoutReader {
  const builder = createLayoutBuilder(limits);
  const record = new Uint8Array(RECORD_LENGTH_MAX_BYTES + 1);
  let base = 0;
  // Off-standard: the text lets offsets wrap within a 64 KiB segment (types 02 and none); loaders
  // differ about it, and what a reviewer saw is then not what is flashed. So we refuse to wrap.
  let isLinear = false;
  let entryPoint: number | undefined;
  let isEnded = false;

  const enter = (address: number): void => {
    if (entryPoint !== undefined) {
      throw new ImageFault('RECORD_ORDER', 'Cannot read Intel HEX: a second entry point');
    }
    entryPoint = address;
  };

  const line = (text: Uint8Array): void => {
    if (isEnded)
      throw new ImageFault('RECORD_ORDER', 'Cannot read Intel HEX: a record after its end');
    const bytes = parseRecord(text, record);
    const type = bytes[3] ?? 0;
    const offset = readUint(bytes, 1, 2);
    const data = bytes.subarray(4, -1);
    if (type === DATA) {
      if (!isLinear && offset + data.length > 0x1_0000) {
        throw new ImageFault('ADDRESS_RANGE', 'Cannot read Intel HEX: a record leaves its segment');
      }
      builder.add(base + offset, data);
    } else if (type === END_OF_FILE) isEnded = true;
    else if (type === EXTENDED_SEGMENT_ADDRESS || type === EXTENDED_LINEAR_ADDRESS) {
      isLinear = type === EXTENDED_LINEAR_ADDRESS;
      base = readUint(data, 0, 2) * (isLinear ? 0x1_0000 : 0x10);
    } else if (type === START_SEGMENT_ADDRESS) {
      enter(readUint(data, 0, 2) * 0x10 + readUint(data, 2, 2));
    } else enter(readUint(data, 0, 4));
  };

  return createRecordReader({
    line,
    isEnded: () => isEnded,
    finish: () => builder.finish(entryPoint),
  });
}

/**
 * Reads one line as a record.
 *
 * @throws ImageFault RECORD_MALFORMED or RECORD_CHECKSUM.
 */
function parseRecord(line: Uint8Array, buffer: Uint8Array): Uint8Array {
  if (line[0] !== MARK) {
    throw new ImageFault('RECORD_MALFORMED', 'Cannot read Intel HEX: a record must begin with ":"');
  }
  const bytes = decodeDigits(line, 1, buffer);
  const lengthBytes = bytes[0] ?? 0;
  if (bytes.length !== lengthBytes + OVERHEAD_BYTES) {
    throw new ImageFault(
      'RECORD_MALFORMED',
      `Cannot read Intel HEX: a record of ${bytes.length} bytes says it has ${lengthBytes} of data`,
    );
  }
  if (sumBytes(bytes) !== 0) {
    throw new ImageFault('RECORD_CHECKSUM', 'Cannot read Intel HEX: a checksum is wrong');
  }
  const type = bytes[3] ?? 0;
  if (type !== DATA && LENGTHS.get(type) !== lengthBytes) {
    throw new ImageFault(
      'RECORD_MALFORMED',
      `Cannot read Intel HEX: a record of type ${type} with ${lengthBytes} bytes of data`,
    );
  }
  return bytes;
}

/**
 * Writes a layout as Intel HEX with linear addresses.
 *
 * @param layout - what to write.
 * @param recordLengthBytes - data bytes in a record, 1 to 255.
 * @returns pieces of ASCII text; lines end in LF.
 */
export function encodeIntelHex(
  layout: ImageLayout,
  recordLengthBytes = 16,
): Generator<Uint8Array, void, undefined> {
  assert(recordLengthBytes >= 1 && recordLengthBytes <= 255, 'a record holds 1 to 255 bytes');
  return gatherLines(formatLines(layout, recordLengthBytes));
}

function* formatLines(
  layout: ImageLayout,
  recordLengthBytes: number,
): Generator<string, void, undefined> {
  let upper = 0;
  for (const { address, bytes } of layout.segments) {
    let offset = 0;
    while (offset < bytes.length) {
      const at = address + offset;
      const untilBoundary = 0x1_0000 - (at % 0x1_0000);
      const length = Math.min(recordLengthBytes, untilBoundary, bytes.length - offset);
      if (Math.floor(at / 0x1_0000) !== upper) {
        upper = Math.floor(at / 0x1_0000);
        yield formatRecord(EXTENDED_LINEAR_ADDRESS, 0, Uint8Array.of(upper >> 8, upper & 0xff));
      }
      yield formatRecord(DATA, at % 0x1_0000, bytes.subarray(offset, offset + length));
      offset += length;
    }
  }
  if (layout.entryPoint !== undefined) {
    const entry = new Uint8Array(4);
    new DataView(entry.buffer).setUint32(0, layout.entryPoint);
    yield formatRecord(START_LINEAR_ADDRESS, 0, entry);
  }
  yield formatRecord(END_OF_FILE, 0, new Uint8Array(0));
}

function formatRecord(type: number, offset: number, data: Uint8Array): string {
  const record = new Uint8Array(data.length + OVERHEAD_BYTES);
  record.set([data.length, offset >> 8, offset & 0xff, type]);
  record.set(data, 4);
  record[record.length - 1] = -sumBytes(record) & 0xff;
  return `:${formatDigits(record)}\n`;
}
