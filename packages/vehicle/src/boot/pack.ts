/** Numbers and bytes behind each other, big-endian, as records and seals hold them. */
import { assert, concatBytes } from '@immota/base';

const COUNTER_BYTES = 8;

/** Puts values behind each other. */
export class Packer {
  readonly #parts: Uint8Array[] = [];

  /** Adds whole numbers of one byte each. */
  bytes(...values: readonly number[]): this {
    this.#parts.push(Uint8Array.from(values));
    return this;
  }

  /** Adds a number of two bytes. */
  short(value: number): this {
    assert(value >= 0 && value <= 0xff_ff, 'a short number fits into two bytes');
    return this.bytes(value >> 8, value & 0xff);
  }

  /** Adds a safe integer in eight bytes. */
  counter(value: number): this {
    assert(Number.isSafeInteger(value) && value >= 0, 'a counter is a safe integer');
    const bytes = new Uint8Array(COUNTER_BYTES);
    new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
    return this.raw(bytes);
  }

  /** Adds bytes behind their number. */
  block(bytes: Uint8Array): this {
    return this.short(bytes.length).raw(bytes);
  }

  /** Adds bytes of a length that both sides know. */
  raw(bytes: Uint8Array): this {
    this.#parts.push(bytes);
    return this;
  }

  /** All of it. */
  packed(): Uint8Array {
    return concatBytes(this.#parts);
  }
}

/** Why an unpacker gave up. Its caller takes what it reads for no record. */
export class UnpackError extends RangeError {
  override readonly name = 'UnpackError';
}

/** Takes values out again; never reads behind the end. */
export class Unpacker {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Takes a byte. */
  byte(): number {
    return this.raw(1)[0] ?? 0;
  }

  /** Takes a byte that is less than a bound. */
  choice(bound: number): number {
    const value = this.byte();
    if (value >= bound) throw new UnpackError('a choice that there is not');
    return value;
  }

  /** Takes a number of two bytes. */
  short(): number {
    const [high = 0, low = 0] = this.raw(2);
    return high * 256 + low;
  }

  /** Takes a counter. */
  counter(): number {
    const bytes = this.raw(COUNTER_BYTES);
    const value = Number(new DataView(bytes.buffer).getBigUint64(0));
    if (!Number.isSafeInteger(value)) throw new UnpackError('a counter beyond safe integers');
    return value;
  }

  /** Takes bytes that follow their number. */
  block(): Uint8Array<ArrayBuffer> {
    return this.raw(this.short());
  }

  /** Takes so many bytes, as a copy. */
  raw(lengthBytes: number): Uint8Array<ArrayBuffer> {
    const end = this.#at + lengthBytes;
    if (end > this.#bytes.length) throw new UnpackError('behind the end');
    const bytes = new Uint8Array(this.#bytes.subarray(this.#at, end));
    this.#at = end;
    return bytes;
  }

  /** Checks that nothing follows. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw new UnpackError('more than there should be');
  }
}

/** Unpacks; undefined when the bytes are not what they should be. */
export function tryUnpack<Result>(
  bytes: Uint8Array,
  read: (unpacker: Unpacker) => Result,
): Result | undefined {
  try {
    const unpacker = new Unpacker(bytes);
    const result = read(unpacker);
    unpacker.end();
    return result;
  } catch (error) {
    if (error instanceof UnpackError) return undefined;
    throw error;
  }
}
