/** Searches what is left of a long image in windows: the parts of the base that the content points to. */
import { type DeltaPair, readFrom } from './delta-source.ts';
import { type Cover, createWindow, scanForCovers } from './find-covers.ts';
import { type FingerprintIndex, samplePlaces } from './fingerprints.ts';

/** A stretch of the image that no long match covers. */
export interface Gap {
  readonly from: number;
  readonly to: number;
  /** What has to be added to a place of the image to go on from the match before. */
  readonly shift: number | undefined;
}

/** How much is searched at once. */
export interface WindowSizes {
  /** Of the image. */
  readonly imageBytes: number;
  /** Of the base. */
  readonly baseBytes: number;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** A stretch of the base, and where it lies in the window. */
interface Placed extends Range {
  readonly at: number;
}

const BLOCK_BYTES = 32_768;
/** Around what two matches point to. */
const MARGIN_BYTES = 1024;
/** Blocks beyond the length of a gap: what it holds came from more than one place. */
const BLOCKS_SPARE = 2;

/**
 * Searches gaps.
 *
 * @yields covers in the order of the image.
 */
export function* searchGaps(
  pair: DeltaPair,
  gaps: Iterable<Gap>,
  index: FingerprintIndex,
  sizes: WindowSizes,
): Generator<Cover, void, undefined> {
  let together: Gap[] = [];
  let ranges: readonly Range[] = [];
  let imageBytes = 0;
  for (const gap of cutGaps(gaps, Math.max(1024, sizes.imageBytes / 16))) {
    const chosen = chooseRanges(pair, gap, index);
    let wanted = mergeRanges([...ranges, ...chosen]);
    const isTooMuch =
      imageBytes + gap.to - gap.from > sizes.imageBytes || lengthOf(wanted) > sizes.baseBytes;
    if (isTooMuch && together.length > 0) {
      yield* searchTogether(pair, together, ranges);
      together = [];
      wanted = mergeRanges(chosen);
      imageBytes = 0;
    }
    together.push(gap);
    ranges = wanted;
    imageBytes += gap.to - gap.from;
  }
  yield* searchTogether(pair, together, ranges);
}

function* cutGaps(gaps: Iterable<Gap>, mostBytes: number): Generator<Gap, void, undefined> {
  for (const gap of gaps) {
    for (let from = gap.from; from < gap.to; from += mostBytes) {
      const to = Math.min(gap.to, from + mostBytes);
      yield { from, to, shift: from === gap.from ? gap.shift : undefined };
    }
  }
}

/** The parts of the base that have most in common with a gap, and what lies beside its neighbours. */
function chooseRanges(
  { base, image }: DeltaPair,
  gap: Gap,
  index: FingerprintIndex,
): readonly Range[] {
  const votes = new Map<number, number>();
  samplePlaces(image, gap, index.rateLog2, (at, fingerprint) => {
    const places = index.find(fingerprint);
    for (const place of places) {
      const block = Math.floor(place / BLOCK_BYTES);
      votes.set(block, (votes.get(block) ?? 0) + 1 / places.length);
    }
    return at;
  });
  const best = [...votes].toSorted(([, left], [, right]) => right - left);
  const count = BLOCKS_SPARE + Math.ceil((1.5 * (gap.to - gap.from)) / BLOCK_BYTES);
  const ranges = best.slice(0, count).map(([block]): Range => ({
    from: block * BLOCK_BYTES - MARGIN_BYTES,
    to: (block + 1) * BLOCK_BYTES + MARGIN_BYTES,
  }));
  if (gap.shift !== undefined) {
    const from = gap.from + gap.shift - MARGIN_BYTES;
    ranges.push({ from, to: Math.min(gap.to, gap.from + BLOCK_BYTES) + gap.shift + MARGIN_BYTES });
  }
  return ranges
    .map(({ from, to }) => ({ from: Math.max(0, from), to: Math.min(base.lengthBytes, to) }))
    .filter(({ from, to }) => from < to);
}

function mergeRanges(ranges: readonly Range[]): readonly Range[] {
  const merged: Range[] = [];
  for (const range of ranges.toSorted((left, right) => left.from - right.from)) {
    const last = merged.at(-1);
    if (last === undefined || range.from > last.to) merged.push(range);
    else merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, range.to) };
  }
  return merged;
}

function lengthOf(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { from, to }) => sum + to - from, 0);
}

function* searchTogether(
  { base, image }: DeltaPair,
  gaps: readonly Gap[],
  ranges: readonly Range[],
): Generator<Cover, void, undefined> {
  if (gaps.length === 0) return;
  const bytes = new Uint8Array(lengthOf(ranges));
  const placed: Placed[] = [];
  let at = 0;
  for (const { from, to } of ranges) {
    base.read(from, bytes.subarray(at, at + to - from));
    placed.push({ from, to, at });
    at += to - from;
  }
  const window = createWindow(bytes);
  for (const gap of gaps) {
    const part = readFrom(image, gap.from, gap.to - gap.from);
    const begin = gap.shift === undefined ? 0 : placeOf(placed, gap.from + gap.shift);
    for (const cover of scanForCovers(window, part, begin)) {
      yield* placeInBase(placed, { ...cover, at: gap.from + cover.at });
    }
  }
}

function placeOf(placed: readonly Placed[], baseAt: number): number {
  const range = placed.find(({ from, to }) => baseAt >= from && baseAt < to);
  return range === undefined ? 0 : range.at + baseAt - range.from;
}

/** Bytes that are neighbours in the window need not be in the base: there a cover is cut. */
function* placeInBase(
  placed: readonly Placed[],
  { at, baseAt, lengthBytes }: Cover,
): Generator<Cover, void, undefined> {
  const end = baseAt + lengthBytes;
  for (const range of placed) {
    const from = Math.max(baseAt, range.at);
    const to = Math.min(end, range.at + range.to - range.from);
    if (from >= to) continue;
    yield {
      at: at + from - baseAt,
      baseAt: range.from + from - range.at,
      lengthBytes: to - from,
    };
  }
}
