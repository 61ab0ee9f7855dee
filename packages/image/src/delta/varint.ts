/** Numbers of any size in a stream of bytes: seven bits in each, the smallest first. */
import { ImageFault } from '../image-fault.ts';

const BITS = 128;
/** 2^53 takes no more. */
const LENGTH_MAX_BYTES = 8;

/** Takes numbers and bytes, and grows. */
export class ByteSink {
  #bytes: Uint8Array = new Uint8Array(1024);
  #lengthBytes = 0;

  /** How much there is. */
  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  /** Appends a number from 0 to 2^53 - 1. */
  putNumber(value: number): void {
    this.#reserve(LENGTH_MAX_BYTES);
    let rest = value;
    while (rest >= BITS) {
      this.#bytes[this.#lengthBytes] = (rest % BITS) + BITS;
      this.#lengthBytes += 1;
      rest = Math.floor(rest / BITS);
    }
    this.#bytes[this.#lengthBytes] = rest;
    this.#lengthBytes += 1;
  }

  /** Appends a number of either sign: small ones of both signs stay short. */
  putSigned(value: number): void {
    this.putNumber(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** Appends the low byte of a number. */
  putByte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#lengthBytes] = value;
    this.#lengthBytes += 1;
  }

  /** Appends bytes. */
  put(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#lengthBytes);
    this.#lengthBytes += bytes.length;
  }

  /** Gives what there is, valid until the next call, and is empty again. */
  take(): Uint8Array {
    const taken = this.#bytes.subarray(0, this.#lengthBytes);
    this.#lengthBytes = 0;
    return taken;
  }

  #reserve(lengthBytes: number): void {
    const needed = this.#lengthBytes + lengthBytes;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#lengthBytes));
    this.#bytes = grown;
  }
}

/** Reads what a `ByteSink` wrote. Every read is checked: the bytes are from outside. */
export class ByteSource {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** Reads from the beginning. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Tells whether all was read. */
  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Reads a number from 0 to 2^53 - 1. @throws ImageFault DELTA_COMMAND when there is none. */
  takeNumber(): number {
    let value = 0;
    let weight = 1;
    for (let count = 0; count < LENGTH_MAX_BYTES; count += 1) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) break;
      this.#at += 1;
      value += (byte % BITS) * weight;
      if (byte < BITS) {
        if (Number.isSafeInteger(value)) return value;
        break;
      }
      weight *= BITS;
    }
    throw new ImageFault('DELTA_COMMAND', 'Cannot apply delta: a number is cut or too large');
  }

  /** Reads a number of either sign. @throws ImageFault DELTA_COMMAND when there is none. */
  takeSigned(): number {
    const value = this.takeNumber();
    return value % 2 === 1 ? -(value + 1) / 2 : value / 2;
  }

  /** Reads a byte: without a view for each, of which an image takes millions. @throws ImageFault DELTA_COMMAND. */
  takeByte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) {
      throw new ImageFault('DELTA_COMMAND', 'Cannot apply delta: bytes are missing in a section');
    }
    this.#at += 1;
    return byte;
  }

  /** Reads bytes; they are a part of the stream, not a copy. @throws ImageFault DELTA_COMMAND when they are fewer. */
  take(lengthBytes: number): Uint8Array {
    if (lengthBytes > this.#bytes.length - this.#at) {
      throw new ImageFault('DELTA_COMMAND', 'Cannot apply delta: bytes are missing in a section');
    }
    this.#at += lengthBytes;
    return this.#bytes.subarray(this.#at - lengthBytes, this.#at);
  }
}
