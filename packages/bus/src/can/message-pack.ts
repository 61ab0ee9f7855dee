/**
 * Reads the little of MessagePack that python-can sends: one map of names to numbers, truth values, bytes
 * and nothing. All else is refused: no nesting, no extension, no repeated name, no byte behind the end.
 */
import { CanFault } from './can-fault.ts';
import {
  PYTHON_CAN_ENTRIES_MAX,
  PYTHON_CAN_MAX_BYTES,
  PYTHON_CAN_NAME_MAX_BYTES,
} from './limits.ts';

/** A value of such a map; texts are read past. */
export type PackedValue = number | boolean | Uint8Array | undefined;

const NIL = 0xc0;
const FALSE = 0xc2;
const TRUE = 0xc3;
const FIX_MAP = 0x80;
const FIX_STRING = 0xa0;
const MAP_16 = 0xde;
/** Formats of bytes and texts, by how many bytes tell their length. */
const LENGTH_BYTES: ReadonlyMap<number, number> = new Map([
  [0xc4, 1],
  [0xc5, 2],
  [0xc6, 4],
  [0xd9, 1],
  [0xda, 2],
  [0xdb, 4],
]);
const BINARY_LAST = 0xc6;
const STRING_FIRST = 0xd9;
const STRING_LAST = 0xdb;

/** Numbers of a fixed size: how many bytes, and how to read them. */
const NUMBERS: ReadonlyMap<number, readonly [number, (view: DataView, offset: number) => number]> =
  new Map([
    [0xca, [4, (view, offset) => view.getFloat32(offset)]],
    [0xcb, [8, (view, offset) => view.getFloat64(offset)]],
    [0xcc, [1, (view, offset) => view.getUint8(offset)]],
    [0xcd, [2, (view, offset) => view.getUint16(offset)]],
    [0xce, [4, (view, offset) => view.getUint32(offset)]],
    [0xcf, [8, (view, offset) => Number(view.getBigUint64(offset))]],
    [0xd0, [1, (view, offset) => view.getInt8(offset)]],
    [0xd1, [2, (view, offset) => view.getInt16(offset)]],
    [0xd2, [4, (view, offset) => view.getInt32(offset)]],
    [0xd3, [8, (view, offset) => Number(view.getBigInt64(offset))]],
  ]);

/**
 * Reads a map.
 *
 * @throws CanFault FRAME_MALFORMED.
 */
export function decodePackedMap(bytes: Uint8Array): ReadonlyMap<string, PackedValue> {
  if (bytes.length > PYTHON_CAN_MAX_BYTES) throw malformed(`${bytes.length} bytes`);
  const reader = new Reader(bytes);
  const count = reader.mapCount();
  if (count > PYTHON_CAN_ENTRIES_MAX) throw malformed(`${count} entries`);
  const map = new Map<string, PackedValue>();
  for (let index = 0; index < count; index += 1) {
    const name = reader.name();
    if (map.has(name)) throw malformed('a repeated name');
    map.set(name, reader.value());
  }
  reader.checkEnd();
  return map;
}

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  mapCount(): number {
    const format = this.#byte();
    if (format === MAP_16) return this.#byte() * 0x100 + this.#byte();
    if (format >> 4 !== FIX_MAP >> 4) throw malformed('no map');
    return format & 0xf;
  }

  name(): string {
    const format = this.#byte();
    const isShort = format >> 5 === FIX_STRING >> 5;
    if (!isShort && format !== STRING_FIRST) throw malformed('an entry without a name');
    const lengthBytes = isShort ? format & 0x1f : this.#byte();
    if (lengthBytes > PYTHON_CAN_NAME_MAX_BYTES) throw malformed(`a name of ${lengthBytes} bytes`);
    return String.fromCharCode(...this.#take(lengthBytes));
  }

  value(): PackedValue {
    const format = this.#byte();
    if (format < FIX_MAP) return format;
    if (format >= 0xe0) return format - 0x100;
    if (format === NIL) return undefined;
    if (format === FALSE || format === TRUE) return format === TRUE;
    const number = NUMBERS.get(format);
    if (number !== undefined) {
      const [lengthBytes, read] = number;
      const offset = this.#offset;
      this.#take(lengthBytes);
      return read(this.#view, offset);
    }
    if (format >> 5 === FIX_STRING >> 5) {
      this.#take(format & 0x1f);
      return undefined;
    }
    return this.#long(format);
  }

  checkEnd(): void {
    if (this.#offset !== this.#bytes.length) throw malformed('bytes behind the end');
  }

  #long(format: number): Uint8Array | undefined {
    const lengthBytes = LENGTH_BYTES.get(format);
    if (lengthBytes === undefined) throw malformed(`a value of format ${format}`);
    let length = 0;
    for (const byte of this.#take(lengthBytes)) length = length * 0x100 + byte;
    const content = this.#take(length);
    return format <= BINARY_LAST || format > STRING_LAST ? content : undefined;
  }

  #byte(): number {
    return this.#take(1)[0] ?? 0;
  }

  /** A view: a length that is only claimed costs nothing. */
  #take(lengthBytes: number): Uint8Array {
    const end = this.#offset + lengthBytes;
    if (end > this.#bytes.length) throw malformed('it ends too early');
    const taken = this.#bytes.subarray(this.#offset, end);
    this.#offset = end;
    return taken;
  }
}

function malformed(what: string): CanFault {
  return new CanFault('FRAME_MALFORMED', `Cannot read frame of python-can: ${what}`);
}
