/**
 * Motorola S-records, S0 to S9 (S4 is reserved and refused).
 *
 * @source Motorola, M68000 Family Programmer's Reference Manual, Rev. 1, 1992, appendix C
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

const MARK = 0x53;
const RECORD_LENGTH_MAX_BYTES = 256;

/** How many address bytes a record of each type has, by its digit. S4 has no meaning. */
const ADDRESS_LENGTHS: ReadonlyMap<number, number> = new Map([
  [0, 2],
  [1, 2],
  [2, 3],
  [3, 4],
  [5, 2],
  [6, 3],
  [7, 4],
  [8, 3],
  [9, 2],
]);

interface SRecord {
  readonly type: number;
  readonly address: number;
  readonly data: Uint8Array;
}

/**
 * Begins to read an S-record file.
 *
 * The end record always holds an address; zero means that the file names no entry point.
 *
 * @param limits - what its layout may grow to.
 * @returns a reader whose faults are LINE_LENGTH, RECORD_MALFORMED, RECORD_CHECKSUM, RECORD_ORDER,
 * RECORD_COUNT, ADDRESS_RANGE, LAYOUT_LIMIT, OVERLAP, LAYOUT_EMPTY and TRUNCATED.
 */
export function createSRecordReader(limits: LayoutLimits = LAYOUT_LIMITS): LayoutReader {
  const builder = createLayoutBuilder(limits);
  const buffer = new Uint8Array(RECORD_LENGTH_MAX_BYTES + 4);
  let dataCount = 0;
  let isCounted = false;
  let isFirst = true;
  let isEnded = false;
  let entryPoint: number | undefined;
  let dataType: number | undefined;

  // Off-standard: the text lets a file mix address widths. The digit of the type is the one
  // character that no checksum covers: a bit flipped there would make an address byte of data, and
  // all behind it move by one. So a file has one width, and its end record has the same.
  const checkWidth = (type: number): void => {
    dataType ??= type;
    if (type !== dataType) {
      throw new ImageFault(
        'RECORD_MALFORMED',
        `Cannot read S-record: addresses of S${type} in a file of S${dataType}`,
      );
    }
  };

  const line = (text: Uint8Array): void => {
    if (isEnded)
      throw new ImageFault('RECORD_ORDER', 'Cannot read S-record: a record after the end');
    const { type, address, data } = parseRecord(text, buffer);
    if (type === 0 && !isFirst) {
      throw new ImageFault('RECORD_ORDER', 'Cannot read S-record: a header in the middle');
    }
    isFirst = false;
    if (type >= 7) {
      checkWidth(10 - type);
      isEnded = true;
      entryPoint = address === 0 ? undefined : address;
    } else if (isCounted) {
      throw new ImageFault('RECORD_ORDER', 'Cannot read S-record: a record after the count');
    } else if (type >= 5) {
      isCounted = true;
      checkCount(dataCount, address);
    } else if (type >= 1) {
      checkWidth(type);
      dataCount += 1;
      builder.add(address, data);
    }
  };

  return createRecordReader({
    line,
    isEnded: () => isEnded,
    finish: () => builder.finish(entryPoint),
  });
}

function checkCount(seen: number, said: number): void {
  if (seen !== said) {
    throw new ImageFault(
      'RECORD_COUNT',
      `Cannot read S-record: the file says ${said} data records and has ${seen}`,
    );
  }
}

/**
 * Reads one line as a record.
 *
 * @throws ImageFault RECORD_MALFORMED or RECORD_CHECKSUM.
 */
function parseRecord(line: Uint8Array, buffer: Uint8Array): SRecord {
  const type = (line[1] ?? 0) - 0x30;
  const addressLengthBytes = ADDRESS_LENGTHS.get(type);
  if (line[0] !== MARK || addressLengthBytes === undefined) {
    throw new ImageFault('RECORD_MALFORMED', 'Cannot read S-record: a record of unknown type');
  }
  const bytes = decodeDigits(line, 2, buffer);
  const lengthBytes = bytes[0] ?? 0;
  const dataLengthBytes = lengthBytes - addressLengthBytes - 1;
  // Types 5 to 9 carry an address or a count and no data.
  if (
    bytes.length !== lengthBytes + 1 ||
    dataLengthBytes < 0 ||
    (type >= 5 && dataLengthBytes > 0)
  ) {
    throw new ImageFault(
      'RECORD_MALFORMED',
      `Cannot read S-record: an S${type} of ${bytes.length} bytes says it has ${lengthBytes}`,
    );
  }
  if (sumBytes(bytes) !== 0xff) {
    throw new ImageFault('RECORD_CHECKSUM', 'Cannot read S-record: a checksum is wrong');
  }
  return {
    type,
    address: readUint(bytes, 1, addressLengthBytes),
    data: bytes.subarray(1 + addressLengthBytes, -1),
  };
}

/**
 * Writes a layout as S-records, with the narrowest addresses that fit, a header and a count.
 *
 * An entry point of zero cannot be told from none.
 *
 * @param layout - what to write.
 * @param recordLengthBytes - data bytes in a record, 1 to 250.
 * @returns pieces of ASCII text; lines end in LF.
 */
export function encodeSRecord(
  layout: ImageLayout,
  recordLengthBytes = 32,
): Generator<Uint8Array, void, undefined> {
  assert(recordLengthBytes >= 1 && recordLengthBytes <= 250, 'a record holds 1 to 250 bytes');
  return gatherLines(formatLines(layout, recordLengthBytes));
}

function* formatLines(
  layout: ImageLayout,
  recordLengthBytes: number,
): Generator<string, void, undefined> {
  const last = layout.segments.at(-1);
  assert(last !== undefined, 'a layout has a segment');
  const highest = Math.max(last.address + last.bytes.length - 1, layout.entryPoint ?? 0);
  const dataType = highest > 0xff_ffff ? 3 : highest > 0xffff ? 2 : 1;
  yield formatRecord(0, 0, new Uint8Array(0));
  let count = 0;
  for (const { address, bytes } of layout.segments) {
    for (let offset = 0; offset < bytes.length; offset += recordLengthBytes) {
      yield formatRecord(
        dataType,
        address + offset,
        bytes.subarray(offset, offset + recordLengthBytes),
      );
      count += 1;
    }
  }
  // More records than 24 bits can count go without: the count is optional.
  if (count <= 0xff_ffff) yield formatRecord(count > 0xffff ? 6 : 5, count, new Uint8Array(0));
  yield formatRecord(10 - dataType, layout.entryPoint ?? 0, new Uint8Array(0));
}

function formatRecord(type: number, address: number, data: Uint8Array): string {
  const addressLengthBytes = ADDRESS_LENGTHS.get(type) ?? 0;
  const record = new Uint8Array(addressLengthBytes + data.length + 2);
  record[0] = record.length - 1;
  for (let index = 0; index < addressLengthBytes; index += 1) {
    record[1 + index] = Math.floor(address / 256 ** (addressLengthBytes - 1 - index)) & 0xff;
  }
  record.set(data, 1 + addressLengthBytes);
  record[record.length - 1] = ~sumBytes(record) & 0xff;
  return `S${type}${formatDigits(record)}\n`;
}
