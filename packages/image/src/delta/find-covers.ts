/**
 * Finds what two images share though bytes within it have changed: the search of bsdiff (Percival 2003), which
 * follows the longest exact match of each place until another alignment explains the bytes clearly better.
 */
import { buildSuffixArray } from './suffix-array.ts';

/** Bytes of the new image that resemble bytes of the base: byte by byte, most are equal. */
export interface Cover {
  readonly at: number;
  readonly baseAt: number;
  readonly lengthBytes: number;
}

/** How many more bytes another alignment must explain: a cover costs about as many to be told of. */
const GAIN_MIN_BYTES = 8;
const PREFIX_COUNT = 65_536;

/** Finds the longest match of a place; what was found last is in the fields. */
interface Searcher {
  baseAt: number;
  lengthBytes: number;
  search(at: number): void;
}

/**
 * Finds covers.
 *
 * @param base - the window that may be copied from.
 * @param image - what is to be covered.
 * @returns covers in the order of the image; they do not overlap in it.
 */
export function findCovers(base: Uint8Array, image: Uint8Array): readonly Cover[] {
  return scanForCovers(createWindow(base), image, 0);
}

/** A stretch of the base that can be searched, more than once. */
export interface SearchWindow {
  readonly bytes: Uint8Array;
  readonly sorted: Int32Array;
  /** Where in `sorted` the suffixes begin that start with two given bytes. */
  readonly starts: Int32Array;
}

/** Makes a stretch searchable: ten times its memory while it is made, five times afterwards. */
export function createWindow(bytes: Uint8Array): SearchWindow {
  return { bytes, sorted: buildSuffixArray(bytes), starts: countPrefixes(bytes) };
}

/**
 * Finds covers in a window.
 *
 * @param beginAt - where in the window bytes are tried first.
 */
export function scanForCovers(
  window: SearchWindow,
  image: Uint8Array,
  beginAt: number,
): readonly Cover[] {
  const base = window.bytes;
  const searcher = createSearcher(window, image);
  const covers: Cover[] = [];
  let scan = 0;
  let exact = 0;
  // The alignment in force: from where in the image, and from where in the base, it has been followed.
  let at = 0;
  let baseAt = beginAt;
  while (scan < image.length) {
    let score = 0;
    const shift = baseAt - at;
    scan += exact;
    exact = 0;
    let scored = scan;
    for (; scan < image.length; scan += 1) {
      searcher.search(scan);
      exact = searcher.lengthBytes;
      for (; scored < scan + exact; scored += 1) {
        if (scored + shift < base.length && base[scored + shift] === image[scored]) score += 1;
      }
      if ((exact === score && exact !== 0) || exact > score + GAIN_MIN_BYTES) break;
      if (scan + shift < base.length && base[scan + shift] === image[scan]) score -= 1;
    }
    if (exact === score && scan < image.length) continue;
    const next = { at: scan, baseAt: searcher.baseAt };
    let forwards = extendForwards(base, image, { at, baseAt }, scan);
    let backwards = scan < image.length ? extendBackwards(base, image, next, scan - at) : 0;
    const overlap = at + forwards - (scan - backwards);
    if (overlap > 0) {
      const cut = divide(base, image, { at, baseAt, forwards }, { ...next, backwards, overlap });
      forwards += cut - overlap;
      backwards -= cut;
    }
    if (forwards > 0) covers.push({ at, baseAt, lengthBytes: forwards });
    at = scan - backwards;
    baseAt = searcher.baseAt - backwards;
  }
  return covers;
}

interface Place {
  readonly at: number;
  readonly baseAt: number;
}

/** How far an alignment explains more than half of the bytes. */
function extendForwards(base: Uint8Array, image: Uint8Array, place: Place, end: number): number {
  const { at, baseAt } = place;
  let equal = 0;
  let best = 0;
  let length = 0;
  for (let step = 0; at + step < end && baseAt + step < base.length;) {
    if (base[baseAt + step] === image[at + step]) equal += 1;
    step += 1;
    if (equal * 2 - step > best * 2 - length) {
      best = equal;
      length = step;
    }
  }
  return length;
}

function extendBackwards(base: Uint8Array, image: Uint8Array, place: Place, limit: number): number {
  const { at, baseAt } = place;
  let equal = 0;
  let best = 0;
  let length = 0;
  for (let step = 1; step <= limit && baseAt >= step; step += 1) {
    if (base[baseAt - step] === image[at - step]) equal += 1;
    if (equal * 2 - step > best * 2 - length) {
      best = equal;
      length = step;
    }
  }
  return length;
}

/** Where two alignments claim the same bytes: how many of them the first explains better. */
function divide(
  base: Uint8Array,
  image: Uint8Array,
  first: Place & { readonly forwards: number },
  second: Place & { readonly backwards: number; readonly overlap: number },
): number {
  const { overlap } = second;
  const from = first.at + first.forwards - overlap;
  const firstBase = first.baseAt + first.forwards - overlap;
  const secondBase = second.baseAt - second.backwards;
  let score = 0;
  let best = 0;
  let length = 0;
  for (let step = 0; step < overlap; step += 1) {
    if (image[from + step] === base[firstBase + step]) score += 1;
    if (image[from + step] === base[secondBase + step]) score -= 1;
    if (score > best) {
      best = score;
      length = step + 1;
    }
  }
  return length;
}

function createSearcher(
  { bytes: base, sorted, starts }: SearchWindow,
  image: Uint8Array,
): Searcher {
  const searcher: Searcher = {
    baseAt: 0,
    lengthBytes: 0,
    search(at): void {
      searcher.lengthBytes = 0;
      if (base.length === 0 || at + 1 >= image.length) return;
      const prefix = ((image[at] ?? 0) << 8) | (image[at + 1] ?? 0);
      let low = starts[prefix] ?? 0;
      let high = (starts[prefix + 1] ?? 0) - 1;
      if (low > high) return;
      // Both ends share so much with the place that what is between them shares it too.
      let lowShared = 0;
      let highShared = 0;
      lowShared = countEqual(base, sorted[low] ?? 0, image, at);
      highShared = low === high ? lowShared : countEqual(base, sorted[high] ?? 0, image, at);
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        const from = sorted[middle] ?? 0;
        let shared = lowShared < highShared ? lowShared : highShared;
        while (
          from + shared < base.length &&
          at + shared < image.length &&
          base[from + shared] === image[at + shared]
        ) {
          shared += 1;
        }
        const isBelow =
          from + shared >= base.length ||
          (at + shared < image.length && (base[from + shared] ?? 0) < (image[at + shared] ?? 0));
        if (isBelow) {
          low = middle;
          lowShared = shared;
        } else {
          high = middle;
          highShared = shared;
        }
      }
      const isLow = lowShared >= highShared;
      searcher.baseAt = sorted[isLow ? low : high] ?? 0;
      searcher.lengthBytes = isLow ? lowShared : highShared;
    },
  };
  return searcher;
}

/** Where in the suffix array the suffixes begin that start with two given bytes; the one of one byte is left out. */
function countPrefixes(base: Uint8Array): Int32Array {
  const starts = new Int32Array(PREFIX_COUNT + 1);
  for (let at = 0; at + 1 < base.length; at += 1) {
    const prefix = ((base[at] ?? 0) << 8) | (base[at + 1] ?? 0);
    starts[prefix + 1] = (starts[prefix + 1] ?? 0) + 1;
  }
  const lone = base.length === 0 ? PREFIX_COUNT : (base.at(-1) ?? 0) << 8;
  for (let prefix = 0; prefix < PREFIX_COUNT; prefix += 1) {
    // The suffix of one byte sorts before all longer ones that begin with it.
    const one = prefix === lone ? 1 : 0;
    if (one === 1) starts[prefix] = (starts[prefix] ?? 0) + 1;
    starts[prefix + 1] = (starts[prefix + 1] ?? 0) + (starts[prefix] ?? 0);
  }
  return starts;
}

function countEqual(base: Uint8Array, from: number, image: Uint8Array, at: number): number {
  const most = Math.min(base.length - from, image.length - at);
  let count = 0;
  while (count < most && base[from + count] === image[at + count]) count += 1;
  return count;
}
