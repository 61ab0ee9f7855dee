/** How a bank is rewritten page by page: the page of its deltas, and the places where one waits meanwhile. */
import {
  type ByteRange,
  bytesOfSectors,
  type FlashGeometry,
  type SectorRange,
} from '../flash/flash.ts';
import type { FlashLayout } from '../flash/layout.ts';
import { PAGE_MAX_BYTES, PAGE_MIN_BYTES } from './limits.ts';

/** See the head of the file. */
export interface PagePlan {
  /** A power of two. A page lies within one sector, or is made of whole ones. */
  readonly pageBytes: number;
  /** Of the bank. */
  readonly sizeBytes: number;
  /** Places that hold every sector a page touches; used in turn, so that they wear alike. */
  readonly spares: readonly SectorRange[];
}

/** Plans the pages of one bank; undefined where there is no room for one beside it. */
export function planPages(geometry: FlashGeometry, layout: FlashLayout): PagePlan | undefined {
  const [bank, ...others] = layout.banks;
  const { spare } = layout;
  if (bank === undefined || others.length > 0 || spare === undefined) return undefined;
  const { lengthBytes: sizeBytes } = bytesOfSectors(geometry, bank.image);
  const starts = startsOf(geometry, bank.image);
  const largestBytes = Math.max(...lengthsOf(geometry, bank.image));
  const plans: PagePlan[] = [];
  for (let pageBytes = PAGE_MIN_BYTES; pageBytes <= PAGE_MAX_BYTES; pageBytes *= 2) {
    if (!fitsSectors(starts, sizeBytes, pageBytes)) continue;
    const spares = cutSpares(geometry, spare, Math.max(pageBytes, largestBytes));
    if (spares.length > 0) plans.push({ pageBytes, sizeBytes, spares });
  }
  // Whole sectors where that is possible: each is then erased once.
  return plans.find(({ pageBytes }) => pageBytes >= largestBytes) ?? plans.at(-1);
}

/** Tells which sectors of a bank a page touches, counted in its bytes. */
export function touchedBy(
  bank: {
    readonly sectorStart: (at: number) => number;
    readonly sectorEnd: (at: number) => number;
  },
  { pageBytes, sizeBytes }: PagePlan,
  atBytes: number,
): ByteRange {
  const startBytes = bank.sectorStart(atBytes);
  const end = bank.sectorEnd(Math.min(atBytes + pageBytes, sizeBytes) - 1);
  return { startBytes, lengthBytes: end - startBytes };
}

function lengthsOf({ sectors }: FlashGeometry, { first, count }: SectorRange): readonly number[] {
  return sectors.slice(first, first + count);
}

/** Where sectors begin, from the beginning of the bank on. */
function startsOf(geometry: FlashGeometry, range: SectorRange): ReadonlySet<number> {
  const starts = new Set([0]);
  let at = 0;
  for (const lengthBytes of lengthsOf(geometry, range)) starts.add((at += lengthBytes));
  return starts;
}

/** Each page within a sector, or from the beginning of one to the end of one. */
function fitsSectors(starts: ReadonlySet<number>, sizeBytes: number, pageBytes: number): boolean {
  for (const start of starts) {
    const at = start - (start % pageBytes);
    // A sector that begins inside a page: the page has to be whole ones.
    if (at === start || start === sizeBytes) continue;
    if (!starts.has(at) || !starts.has(Math.min(at + pageBytes, sizeBytes))) return false;
  }
  return true;
}

function cutSpares(
  geometry: FlashGeometry,
  spare: SectorRange,
  neededBytes: number,
): readonly SectorRange[] {
  const spares: SectorRange[] = [];
  let first = spare.first;
  let bytes = 0;
  for (let sector = spare.first; sector < spare.first + spare.count; sector += 1) {
    bytes += geometry.sectors[sector] ?? 0;
    if (bytes < neededBytes) continue;
    spares.push({ first, count: sector + 1 - first });
    first = sector + 1;
    bytes = 0;
  }
  return spares;
}
