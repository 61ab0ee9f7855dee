/**
 * Finds which parts of two images belong together. Short images are searched whole; of long ones first what did not
 * change at all is found, and then what is similar to each gap, in windows of bounded size.
 */
import { DELTA_SEARCH_WINDOW_MAX_BYTES } from '../limits.ts';
import { type DeltaPair, readFrom } from './delta-source.ts';
import { type Cover, findCovers } from './find-covers.ts';
import { indexBase } from './fingerprints.ts';
import { findLongMatches } from './long-matches.ts';
import { type Gap, searchGaps } from './windows.ts';

const LONG_BYTES = 4096;
/** A gap reaches this far into the match behind it, so that the search finds it and follows it back. */
const OVERLAP_BYTES = 64;
/** Between two covers of one shift: told as differences, few bytes cost less than another command. */
const JOIN_BYTES = 4096;

/**
 * Finds what an image has from its base.
 *
 * @param windowBytes - images up to this long are searched whole; less is for tests.
 * @yields covers in the order of the image; they do not overlap in it.
 */
export function* alignImages(
  pair: DeltaPair,
  windowBytes: number = DELTA_SEARCH_WINDOW_MAX_BYTES,
): Generator<Cover, void, undefined> {
  const { base, image } = pair;
  if (Math.max(base.lengthBytes, image.lengthBytes) <= windowBytes) {
    yield* findCovers(readFrom(base, 0, base.lengthBytes), readFrom(image, 0, image.lengthBytes));
    return;
  }
  const index = indexBase(base);
  const matches = findLongMatches(pair, index, Math.min(LONG_BYTES, windowBytes / 16)).map(trim);
  const sizes = { imageBytes: windowBytes / 16, baseBytes: windowBytes / 4 };
  const gaps = gapsBetween(matches, image.lengthBytes);
  yield* join(pair, merge(matches, searchGaps(pair, gaps, index, sizes)));
}

function trim({ at, baseAt, lengthBytes }: Cover): Cover {
  const less = Math.min(OVERLAP_BYTES, lengthBytes >> 1);
  return { at: at + less, baseAt: baseAt + less, lengthBytes: lengthBytes - less };
}

function* gapsBetween(
  matches: readonly Cover[],
  imageBytes: number,
): Generator<Gap, void, undefined> {
  let from = 0;
  let shift: number | undefined;
  for (const { at, baseAt, lengthBytes } of matches) {
    if (at > from) yield { from, to: at, shift };
    from = at + lengthBytes;
    shift = baseAt - at;
  }
  if (imageBytes > from) yield { from, to: imageBytes, shift };
}

function* merge(
  matches: readonly Cover[],
  others: Iterable<Cover>,
): Generator<Cover, void, undefined> {
  let index = 0;
  for (const other of others) {
    for (let match = matches[index]; match !== undefined && match.at < other.at;) {
      yield match;
      index += 1;
      match = matches[index];
    }
    yield other;
  }
  yield* matches.slice(index);
}

/** Makes one cover of two that follow each other at the same shift, where what is between is alike enough. */
function* join(pair: DeltaPair, covers: Iterable<Cover>): Generator<Cover, void, undefined> {
  let last: Cover | undefined;
  for (const cover of covers) {
    if (last !== undefined && isOne(pair, last, cover)) {
      last = { ...last, lengthBytes: cover.at + cover.lengthBytes - last.at };
    } else {
      if (last !== undefined) yield last;
      last = cover;
    }
  }
  if (last !== undefined) yield last;
}

function isOne({ base, image }: DeltaPair, first: Cover, second: Cover): boolean {
  const end = first.at + first.lengthBytes;
  const between = second.at - end;
  if (second.baseAt - second.at !== first.baseAt - first.at || between > JOIN_BYTES) return false;
  const left = readFrom(image, end, between);
  const right = readFrom(base, first.baseAt + first.lengthBytes, between);
  let same = 0;
  for (let at = 0; at < between; at += 1) if (left[at] === right[at]) same += 1;
  return same * 2 >= between;
}
