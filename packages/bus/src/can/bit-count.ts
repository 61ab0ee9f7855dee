/**
 * How many bits a frame takes on the wire, stuff bits included, from its very bits (ISO 11898-1). The
 * three bits between frames are counted with each.
 */
import type { CanFrame } from './frame.ts';
import { FD_LENGTHS } from './frame.ts';

/** Bits of a frame by the rate at which they pass. */
export interface BitCount {
  readonly nominal: number;
  /** At the faster rate; 0 where that is not switched on. */
  readonly data: number;
}

/** A run of equal bits: which, and how many. Five are followed by one of the other kind. */
const RUN_MAX = 5;
/** CRC delimiter, acknowledgement and its delimiter, end of frame, intermission. */
const CLASSIC_TAIL_BITS = 1 + 1 + 1 + 7 + 3;
const FD_TAIL_BITS = CLASSIC_TAIL_BITS - 1;
const CRC_15_BITS = 15;
const CRC_15_POLYNOMIAL = 0x4599;
/** With the count of stuff bits before them, and a fixed stuff bit before each four. */
const FD_SHORT_CRC_BITS = 4 + 17 + 6;
const FD_LONG_CRC_BITS = 4 + 21 + 7;
const FD_SHORT_MAX_BYTES = 16;
const CRC_DELIMITER_BITS = 1;

/**
 * A count of stuff bits and a run, in one number: the count above, and below the run as
 * `length * 2 + bit`, 0 before the first bit.
 */
const COUNT_FACTOR = 16;
const STUFF_BY_BYTE = tabulateStuffing();
const CRC_BY_BYTE = tabulateCrc();

/** Counts the bits of a frame. */
export function countBits(frame: CanFrame): BitCount {
  return frame.isFd ? countFd(frame) : { nominal: countClassic(frame), data: 0 };
}

function countClassic({ id, isExtended, data }: CanFrame): number {
  // Start, identifier, and what says that it is a data frame of CAN 2.0; then the length.
  const [head, headBits] = isExtended
    ? [((id >>> 18) * 2 ** 20 + 0b11 * 2 ** 18 + (id & 0x3ffff)) * 2 ** 3, 1 + 11 + 2 + 18 + 3]
    : [id * 2 ** 3, 1 + 11 + 3];
  const bits = headBits + 4;
  let stuffing = stuffBits(0, head * 16 + data.length, bits);
  let crc = crcOfHead(head * 16 + data.length);
  for (const byte of data) {
    stuffing = stuffByte(stuffing, byte);
    crc = crcByte(crc, byte);
  }
  stuffing = stuffBits(stuffing, crc, CRC_15_BITS);
  return bits + 8 * data.length + CRC_15_BITS + endedStuffing(stuffing) + CLASSIC_TAIL_BITS;
}

function countFd({ id, isExtended, isBitRateSwitched, data }: CanFrame): BitCount {
  const rate = isBitRateSwitched ? 1 : 0;
  // Start, identifier, and what says that it is one of CAN FD, up to the switch of the rate.
  const [head, headBits] = isExtended
    ? [
        ((id >>> 18) * 2 ** 20 + 0b11 * 2 ** 18 + (id & 0x3ffff)) * 2 ** 4 + 0b0100 + rate,
        1 + 11 + 2 + 18 + 4,
      ]
    : [id * 2 ** 5 + 0b00100 + rate, 1 + 11 + 5];
  let stuffing = stuffBits(0, head, headBits);
  const headStuffing = countOf(stuffing);
  stuffing = stuffBits(stuffing, FD_LENGTHS.indexOf(data.length), 1 + 4);
  for (const byte of data) stuffing = stuffByte(stuffing, byte);
  const crcBitCount = data.length <= FD_SHORT_MAX_BYTES ? FD_SHORT_CRC_BITS : FD_LONG_CRC_BITS;
  const dataBits =
    1 + 4 + 8 * data.length + (countOf(stuffing) - headStuffing) + crcBitCount + CRC_DELIMITER_BITS;
  const nominal = headBits + headStuffing + FD_TAIL_BITS;
  return isBitRateSwitched ? { nominal, data: dataBits } : { nominal: nominal + dataBits, data: 0 };
}

function countOf(stuffing: number): number {
  return Math.floor(stuffing / COUNT_FACTOR);
}

/** The count when no bit follows: a run of five at the very end is broken too. */
function endedStuffing(stuffing: number): number {
  return countOf(stuffing) + (stuffing % COUNT_FACTOR >= 2 * RUN_MAX ? 1 : 0);
}

function stuffByte(stuffing: number, byte: number): number {
  const run = stuffing % COUNT_FACTOR;
  return stuffing - run + (STUFF_BY_BYTE[run * 256 + byte] ?? 0);
}

/** Of up to 39 bits: what makes no whole byte is first. */
function stuffBits(stuffing: number, bits: number, count: number): number {
  let result = stuffing;
  let left = count - (count % 8);
  const first = Math.floor(bits / 2 ** left);
  for (let index = (count % 8) - 1; index >= 0; index -= 1) {
    result = stuffBit(result, (first >> index) & 1);
  }
  for (; left > 0; left -= 8) result = stuffByte(result, byteAt(bits, left));
  return result;
}

/** The eight bits whose highest is followed by `below - 1` others. */
function byteAt(bits: number, below: number): number {
  return Math.floor(bits / 2 ** (below - 8)) % 256;
}

function stuffBit(stuffing: number, bit: number): number {
  const run = stuffing % COUNT_FACTOR;
  const base = stuffing - run;
  if (run >= 2 * RUN_MAX) {
    // The stuff bit that was due is of the other kind, and begins a run itself.
    const isSame = run % 2 !== bit;
    return base + COUNT_FACTOR + (isSame ? 2 * 2 : 2) + bit;
  }
  const isSame = run > 0 && run % 2 === bit;
  return base + (isSame ? run + 2 : 2 + bit);
}

function tabulateStuffing(): Uint8Array {
  const table = new Uint8Array(COUNT_FACTOR * 256);
  for (let run = 0; run < 2 * (RUN_MAX + 1); run += 1) {
    for (let byte = 0; byte < 256; byte += 1) {
      let stuffing = run;
      for (let index = 7; index >= 0; index -= 1) {
        stuffing = stuffBit(stuffing, (byte >> index) & 1);
      }
      table[run * 256 + byte] = stuffing;
    }
  }
  return table;
}

function crcByte(crc: number, byte: number): number {
  return ((crc << 8) & 0x7fff) ^ (CRC_BY_BYTE[((crc >> 7) ^ byte) & 0xff] ?? 0);
}

/** Zeros before the first bit change nothing, so that whole bytes can be taken. */
function crcOfHead(bits: number): number {
  let result = 0;
  for (let left = 40; left > 0; left -= 8) result = crcByte(result, byteAt(bits, left));
  return result;
}

function tabulateCrc(): Uint16Array {
  return Uint16Array.from({ length: 256 }, (_, byte) => {
    let crc = byte << 7;
    for (let bit = 0; bit < 8; bit += 1) {
      crc = ((crc << 1) & 0x7fff) ^ ((crc & 0x4000) === 0 ? 0 : CRC_15_POLYNOMIAL);
    }
    return crc;
  });
}
