/**
 * Differences between bytes of the base and the bytes they became: few, so only their places and values are kept.
 *
 * A unit is a byte, or those of a command's bytes whose places in the image lie in one word of four: moved code
 * differs in the addresses in its instructions, and a word's bytes change together. A difference is what has to be
 * added, modulo the unit; `gaps` holds how many equal units stand before each.
 */
import { ImageFault } from '../image-fault.ts';
import type { Width } from './section.ts';
import { type ByteSink, ByteSource } from './varint.ts';

const WORD_BYTES = 4;

/** Bytes of the image, and what they are compared with. */
export interface Compared {
  /** Where they begin in the image; a stretch that is cut must be cut between words. */
  readonly at: number;
  readonly base: Uint8Array;
  readonly image: Uint8Array;
}

/** Writes differences of one width. */
export class DifferenceWriter {
  readonly #width: Width;
  readonly #gaps: ByteSink;
  readonly #values: ByteSink;
  #gap = 0;

  /** Writes into two streams. */
  constructor(width: Width, gaps: ByteSink, values: ByteSink) {
    this.#width = width;
    this.#gaps = gaps;
    this.#values = values;
  }

  /** Compares the next stretch. */
  write(compared: Compared): void {
    if (this.#width === 1) this.#writeBytes(compared);
    else this.#writeWords(compared);
  }

  /** Ends a section: equal units at its end are not told. */
  restart(): void {
    this.#gap = 0;
  }

  #writeBytes({ base, image }: Compared): void {
    for (let index = 0; index < image.length; index += 1) {
      const difference = ((image[index] ?? 0) - (base[index] ?? 0)) & 0xff;
      if (difference === 0) {
        this.#gap += 1;
      } else {
        this.#gaps.putNumber(this.#gap);
        this.#values.putByte(difference);
        this.#gap = 0;
      }
    }
  }

  #writeWords({ at, base, image }: Compared): void {
    for (let from = 0; from < image.length;) {
      const to = Math.min(image.length, endOfWord(at + from) - at);
      const difference = (wordOf(image, from, to) - wordOf(base, from, to)) >>> 0;
      if (difference === 0) {
        this.#gap += 1;
      } else {
        this.#gaps.putNumber(this.#gap);
        for (let shift = 0; shift < 32; shift += 8) this.#values.putByte(difference >>> shift);
        this.#gap = 0;
      }
      from = to;
    }
  }
}

/** Adds differences to bytes of the base. */
export class DifferenceReader {
  readonly #width: Width;
  readonly #gaps: ByteSource;
  readonly #values: ByteSource;
  /** Equal units before the next difference; none is left when it is infinite. */
  #gap: number;

  /** Reads two streams of a section. */
  constructor(width: Width, gaps: Uint8Array, values: Uint8Array) {
    this.#width = width;
    this.#gaps = new ByteSource(gaps);
    this.#values = new ByteSource(values);
    this.#gap = this.#nextGap();
  }

  /** Tells whether every difference was added. */
  get isAtEnd(): boolean {
    return this.#gaps.isAtEnd && this.#values.isAtEnd && this.#gap === Infinity;
  }

  /**
   * Turns bytes of the base into bytes of the image.
   *
   * @param bytes - changed in place.
   * @param at - where they begin in the image.
   * @throws ImageFault DELTA_COMMAND when a stream is cut.
   */
  add(bytes: Uint8Array, at: number): void {
    const { length } = bytes;
    if (this.#width === 1) {
      let index = this.#gap;
      for (; index < length; index += 1 + this.#gap) {
        bytes[index] = (bytes[index] ?? 0) + this.#values.takeByte();
        this.#gap = this.#nextGap();
      }
      this.#gap = index - length;
      return;
    }
    const first = Math.floor(at / WORD_BYTES);
    const words = length === 0 ? 0 : Math.floor((at + length - 1) / WORD_BYTES) - first + 1;
    let index = this.#gap;
    for (; index < words; index += 1 + this.#gap) {
      const from = Math.max(0, (first + index) * WORD_BYTES - at);
      this.#addWord(bytes, from, Math.min(length, (first + index + 1) * WORD_BYTES - at));
      this.#gap = this.#nextGap();
    }
    this.#gap = index - words;
  }

  #addWord(bytes: Uint8Array, from: number, to: number): void {
    let carry = 0;
    for (let index = from; index < from + WORD_BYTES; index += 1) {
      // Of a word that the command has in part, the high bytes are behind its end.
      const value = this.#values.takeByte();
      if (index >= to) continue;
      const sum = (bytes[index] ?? 0) + value + carry;
      bytes[index] = sum;
      carry = sum >> 8;
    }
  }

  #nextGap(): number {
    return this.#gaps.isAtEnd ? Infinity : this.#gaps.takeNumber();
  }
}

/** Refuses a section whose differences belong to no byte. */
export function checkAllAdded(reader: DifferenceReader): void {
  if (reader.isAtEnd) return;
  throw new ImageFault('DELTA_COMMAND', 'Cannot apply delta: differences behind the last byte');
}

function endOfWord(at: number): number {
  return (Math.floor(at / WORD_BYTES) + 1) * WORD_BYTES;
}

/** Up to four bytes, the first the lowest. */
function wordOf(bytes: Uint8Array, from: number, to: number): number {
  let word = 0;
  for (let index = to - 1; index >= from; index -= 1) word = word * 256 + (bytes[index] ?? 0);
  return word;
}
