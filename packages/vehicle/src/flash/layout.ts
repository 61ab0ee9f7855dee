/** What lies where in an ECU's flash: the boot loader, the boot record, seals, and one or two banks. */
import { bytesOfSectors, type FlashGeometry, type SectorRange } from './flash.ts';
import { FlashFault } from './flash-fault.ts';

/** A place for an image. */
export interface BankLayout {
  /** Where the seal is that makes it bootable; erased before the first byte of the image changes. */
  readonly seal: SectorRange;
  /** From its first byte on: code runs where it lies. */
  readonly image: SectorRange;
}

/** See the head of the file. */
export interface FlashLayout {
  /** Never written and never erased by anything. */
  readonly loader: SectorRange;
  /** At least two places for the boot record, each of whole sectors; a third outlives a worn one. */
  readonly records: readonly SectorRange[];
  readonly banks: readonly BankLayout[];
  /** Beside one bank: where the next page lies while the bank is rewritten in place; without it none is. */
  readonly spare?: SectorRange | undefined;
}

/** What a plan has to hold. */
export interface LayoutRequest {
  readonly banks: 1 | 2;
  readonly loaderBytes: number;
  /** Of each place for the boot record. */
  readonly recordBytes: number;
  /** Three where the part has sectors enough for it. */
  readonly recordPlaces: number;
  /** Of each bank's seal. */
  readonly sealBytes: number;
  /** Of the spare at the end, for one bank alone; none when left out. */
  readonly spareBytes?: number | undefined;
}

/**
 * Plans a flash: what is small from the first sector on, and the rest shared between the banks.
 *
 * Banks get equally many bytes, as the same image may go to either.
 *
 * @throws FlashFault LAYOUT when the part has not enough sectors.
 */
export function planLayout(geometry: FlashGeometry, request: LayoutRequest): FlashLayout {
  let next = 0;
  const take = (lengthBytes: number): SectorRange => {
    const range = { first: next, count: countSectors(geometry, next, lengthBytes) };
    next += range.count;
    return range;
  };
  const loader = take(request.loaderBytes);
  const records = Array.from({ length: request.recordPlaces }, () => take(request.recordBytes));
  const seals = Array.from({ length: request.banks }, () => take(request.sealBytes));
  const spare = planSpare(geometry, request);
  const end = spare?.first ?? geometry.sectors.length;
  const left = geometry.sectors.slice(next, end).reduce((sum, one) => sum + one, 0);
  const bankBytes = shareOut(geometry, next, { banks: request.banks, left });
  const banks = seals.map((seal) => ({ seal, image: take(bankBytes) }));
  const layout = { loader, records, banks, ...(spare === undefined ? {} : { spare }) };
  checkLayout(geometry, layout);
  return layout;
}

/**
 * Checks a plan.
 *
 * @throws FlashFault LAYOUT when places overlap or are missing, or banks differ in length;
 * OUT_OF_RANGE when one lies behind the end.
 */
export function checkLayout(geometry: FlashGeometry, layout: FlashLayout): void {
  const { loader, records, banks, spare } = layout;
  if (records.length < 2) throw unfit('a boot record needs two places');
  if (banks.length < 1 || banks.length > 2) throw unfit(`${banks.length} banks`);
  if (spare !== undefined && banks.length > 1) throw unfit('a spare beside two banks');
  const places = banks.flatMap(({ seal, image }) => [seal, image]);
  const all = [loader, ...records, ...places, ...(spare === undefined ? [] : [spare])];
  const taken = new Set<number>();
  for (const range of all) {
    bytesOfSectors(geometry, range);
    for (let sector = range.first; sector < range.first + range.count; sector += 1) {
      if (taken.has(sector)) throw unfit(`sector ${sector} is used twice`);
      taken.add(sector);
    }
  }
  const lengths = new Set(banks.map(({ image }) => bytesOfSectors(geometry, image).lengthBytes));
  if (lengths.size > 1) throw unfit('its banks differ in length');
}

/** The last sectors: an image that was written before there was a spare begins where it began. */
function planSpare(
  { sectors }: FlashGeometry,
  { banks, spareBytes = 0 }: LayoutRequest,
): SectorRange | undefined {
  if (banks === 2 || spareBytes === 0) return undefined;
  let first = sectors.length;
  for (let bytes = 0; bytes < spareBytes; bytes += sectors[first] ?? 0) {
    if (first === 0) throw unfit('the flash is too small');
    first -= 1;
  }
  return { first, count: sectors.length - first };
}

function countSectors({ sectors }: FlashGeometry, first: number, lengthBytes: number): number {
  let sum = 0;
  let count = 0;
  for (const sector of sectors.slice(first)) {
    if (sum >= lengthBytes && count > 0) return count;
    sum += sector;
    count += 1;
  }
  if (sum < lengthBytes || count === 0) throw unfit('the flash is too small');
  return count;
}

/** The most bytes that each bank can have, so that all of them end at the end of a sector. */
function shareOut(
  { sectors }: FlashGeometry,
  first: number,
  { banks, left }: { readonly banks: number; readonly left: number },
): number {
  if (banks === 1) return left;
  const ends = new Set<number>();
  let sum = 0;
  for (const sector of sectors.slice(first)) ends.add((sum += sector));
  const fitting = [...ends].filter((end) => ends.has(2 * end));
  const most = fitting.at(-1);
  if (most === undefined) throw unfit('no two banks of one length');
  return most;
}

function unfit(reason: string): FlashFault {
  return new FlashFault('LAYOUT', `Cannot use plan of flash: ${reason}`);
}
