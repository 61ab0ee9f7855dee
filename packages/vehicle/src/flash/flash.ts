/**
 * NOR flash as a driver sees it: erased by the sector, written once by the unit, read anywhere. A
 * port: behind it is a simulated part, or the driver of a real one.
 */
import { FlashFault } from './flash-fault.ts';

/** What a part is like. */
export interface FlashGeometry {
  readonly part: string;
  /** The length of each sector in bytes, in the order of addresses; they may differ. */
  readonly sectors: readonly number[];
  /** Bytes that are programmed together; each write begins and ends at a multiple. */
  readonly writeUnitBytes: number;
  /** What an erased byte reads. */
  readonly erasedByte: 0xff | 0x00;
  /** How often a sector may be erased. */
  readonly enduranceCycles: number;
  readonly timing: FlashTiming;
}

/** How long a part takes, typically, by its data sheet. */
export interface FlashTiming {
  /** For a sector whatever its length. */
  readonly eraseUs: number;
  /** On top for each KiB of a sector. */
  readonly eraseUsPerKib: number;
  readonly writeUsPerUnit: number;
}

/** Sectors that lie behind each other. */
export interface SectorRange {
  readonly first: number;
  readonly count: number;
}

/** Bytes of a flash. */
export interface ByteRange {
  readonly startBytes: number;
  readonly lengthBytes: number;
}

/** See the head of the file. */
export interface Flash {
  readonly geometry: FlashGeometry;
  /** Reads as many bytes as there is room for. @throws FlashFault OUT_OF_RANGE. */
  read(offsetBytes: number, into: Uint8Array): Promise<void>;
  /**
   * Programs erased units.
   *
   * @throws FlashFault OUT_OF_RANGE, MISALIGNED, NOT_ERASED, PROTECTED; WRITE_FAILED.
   */
  write(offsetBytes: number, bytes: Uint8Array): Promise<void>;
  /** Erases a sector. @throws FlashFault OUT_OF_RANGE, PROTECTED; ERASE_FAILED. */
  erase(sector: number): Promise<void>;
}

/** Tells how long a flash is. */
export function flashLength({ sectors }: FlashGeometry): number {
  return sum(sectors);
}

/** Tells which bytes sectors are. @throws FlashFault OUT_OF_RANGE when there are not so many. */
export function bytesOfSectors(
  { sectors }: FlashGeometry,
  { first, count }: SectorRange,
): ByteRange {
  if (!Number.isInteger(first) || first < 0 || count < 1 || first + count > sectors.length) {
    throw new FlashFault(
      'OUT_OF_RANGE',
      `Cannot find sectors ${first} to ${first + count - 1}: there are ${sectors.length}`,
    );
  }
  return {
    startBytes: sum(sectors.slice(0, first)),
    lengthBytes: sum(sectors.slice(first, first + count)),
  };
}

/** Rounds a length up to whole write units. */
export function roundToUnit({ writeUnitBytes }: FlashGeometry, lengthBytes: number): number {
  return Math.ceil(lengthBytes / writeUnitBytes) * writeUnitBytes;
}

/** Fills bytes up to whole write units with what an erased byte reads. */
export function padToUnit(geometry: FlashGeometry, bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(roundToUnit(geometry, bytes.length)).fill(geometry.erasedByte);
  padded.set(bytes);
  return padded;
}

/** Tells how long a part takes to erase a sector, in microseconds. */
export function eraseTimeUs({ timing, sectors }: FlashGeometry, sector: number): number {
  return timing.eraseUs + ((sectors[sector] ?? 0) / 1024) * timing.eraseUsPerKib;
}

/** Tells how long a part takes to write so many bytes, in microseconds. */
export function writeTimeUs(geometry: FlashGeometry, lengthBytes: number): number {
  return Math.ceil(lengthBytes / geometry.writeUnitBytes) * geometry.timing.writeUsPerUnit;
}

function sum(lengths: readonly number[]): number {
  return lengths.reduce((all, one) => all + one, 0);
}
