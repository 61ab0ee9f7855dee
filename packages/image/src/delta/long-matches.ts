/** Finds long stretches of an image that its base has unchanged, anywhere: the files that a release did not touch. */
import { type DeltaPair, readFrom } from './delta-source.ts';
import type { Cover } from './find-covers.ts';
import { type FingerprintIndex, samplePlaces } from './fingerprints.ts';

const STEP_BYTES = 65_536;

/**
 * Finds them.
 *
 * @param index - of the base.
 * @param leastBytes - shorter ones are left to the search for what is similar.
 * @returns stretches in the order of the image, without overlap, byte by byte the same.
 */
export function findLongMatches(
  { base, image }: DeltaPair,
  index: FingerprintIndex,
  leastBytes: number,
): readonly Cover[] {
  const matches: Cover[] = [];
  let covered = 0;
  let lastShift = 0;
  // Samples that followed each other at one shift; only a long run of them is worth looking at the bytes.
  let shift = 0;
  let since = -1;
  const range = { from: 0, to: image.lengthBytes };
  samplePlaces(image, range, index.rateLog2, (at, fingerprint) => {
    const places = index.find(fingerprint);
    if (since >= 0 && places.includes(at + shift)) {
      if (at - since < leastBytes) return at;
      const match = extend({ base, image }, at, at + shift, covered);
      since = -1;
      if (match.lengthBytes < leastBytes) return at;
      matches.push(match);
      covered = match.at + match.lengthBytes;
      lastShift = shift;
      return covered;
    }
    const [newest] = places;
    if (newest === undefined) {
      since = -1;
    } else {
      shift = places.includes(at + lastShift) ? lastShift : newest - at;
      since = at;
    }
    return at;
  });
  return matches;
}

/** As far as all bytes are the same, both ways, but not before `least` in the image. */
function extend({ base, image }: DeltaPair, at: number, baseAt: number, least: number): Cover {
  let after = 0;
  for (let same = STEP_BYTES; same === STEP_BYTES;) {
    const step = Math.min(
      STEP_BYTES,
      image.lengthBytes - at - after,
      base.lengthBytes - baseAt - after,
    );
    same = countSame(readFrom(image, at + after, step), readFrom(base, baseAt + after, step));
    after += same;
  }
  let before = 0;
  for (let same = STEP_BYTES; same === STEP_BYTES;) {
    const step = Math.min(STEP_BYTES, at - before - least, baseAt - before);
    same = countSameBefore(
      readFrom(image, at - before - step, step),
      readFrom(base, baseAt - before - step, step),
    );
    before += same;
  }
  return { at: at - before, baseAt: baseAt - before, lengthBytes: before + after };
}

function countSame(left: Uint8Array, right: Uint8Array): number {
  let count = 0;
  while (count < left.length && left[count] === right[count]) count += 1;
  return count;
}

function countSameBefore(left: Uint8Array, right: Uint8Array): number {
  let count = 0;
  while (count < left.length && left[left.length - 1 - count] === right[right.length - 1 - count]) {
    count += 1;
  }
  return count;
}
