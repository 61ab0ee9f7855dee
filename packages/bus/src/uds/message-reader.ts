/** Reads the parameters of a message in their order. Nothing is taken that is not there. */
import { UdsFault } from './uds-fault.ts';

/** See the head of the file. Each method throws UdsFault MESSAGE_MALFORMED at the end of the message. */
export class MessageReader {
  readonly #bytes: Uint8Array;
  #offset: number;

  constructor(bytes: Uint8Array, offset = 0) {
    this.#bytes = bytes;
    this.#offset = offset;
  }

  /** Bytes that were not read yet. */
  get leftBytes(): number {
    return this.#bytes.length - this.#offset;
  }

  /** Reads an unsigned integer, big-endian, of up to 8 bytes; it has to be a safe one. */
  uint(lengthBytes: number): number {
    let value = 0;
    for (const byte of this.take(lengthBytes)) value = value * 0x100 + byte;
    if (!Number.isSafeInteger(value)) throw malformed('a number beyond reason');
    return value;
  }

  /** Reads bytes; they are part of the message, not a copy. */
  take(lengthBytes: number): Uint8Array {
    if (lengthBytes > this.leftBytes) throw malformed(`${lengthBytes} bytes where fewer are left`);
    this.#offset += lengthBytes;
    return this.#bytes.subarray(this.#offset - lengthBytes, this.#offset);
  }

  /** Reads bytes behind their length in two bytes. */
  takeCounted(lengthMaxBytes: number): Uint8Array {
    const lengthBytes = this.uint(2);
    if (lengthBytes > lengthMaxBytes) throw malformed(`${lengthBytes} bytes in one parameter`);
    return this.take(lengthBytes);
  }

  /** Reads all that is left. */
  rest(): Uint8Array {
    return this.take(this.leftBytes);
  }

  /** Checks that nothing is left. */
  end(): void {
    if (this.leftBytes > 0) throw malformed(`${this.leftBytes} bytes too many`);
  }
}

/** Encodes an unsigned integer, big-endian. @throws UdsFault VALUE_RANGE when it does not fit. */
export function uintBytes(value: number, lengthBytes: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0 || value >= 0x100 ** lengthBytes) {
    throw new UdsFault('VALUE_RANGE', `Cannot encode ${value}: it needs ${lengthBytes} bytes`);
  }
  const bytes = new Uint8Array(lengthBytes);
  for (let index = lengthBytes - 1, rest = value; index >= 0; index -= 1) {
    bytes[index] = rest % 0x100;
    rest = Math.floor(rest / 0x100);
  }
  return bytes;
}

/** Counts the bytes that an unsigned integer needs, at least 1. */
export function uintLength(value: number): number {
  let lengthBytes = 1;
  for (let rest = value; rest >= 0x100; rest = Math.floor(rest / 0x100)) lengthBytes += 1;
  return lengthBytes;
}

/** Encodes bytes behind their length in two bytes. @throws UdsFault VALUE_RANGE when they are too many. */
export function countedBytes(bytes: Uint8Array): readonly [Uint8Array, Uint8Array] {
  return [uintBytes(bytes.length, 2), bytes];
}

function malformed(what: string): UdsFault {
  return new UdsFault('MESSAGE_MALFORMED', `Cannot read diagnostic message: ${what}`);
}
