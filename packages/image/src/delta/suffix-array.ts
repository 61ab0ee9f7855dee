/** The suffix array of a window of bytes, by induced sorting (Nong, Zhang and Chan 2009, SA-IS). */

type Text = Uint8Array | Int32Array;

/** Where the suffixes of each type that begin with a letter stand in the array. */
interface Buckets {
  readonly ofL: Int32Array;
  readonly ofS: Int32Array;
}

/**
 * Sorts the suffixes of bytes.
 *
 * @param bytes - the window; the array takes four times its length, and the work as much again.
 * @returns the places where suffixes begin, smallest suffix first.
 */
export function buildSuffixArray(bytes: Uint8Array): Int32Array {
  return sortSuffixes(bytes, 255);
}

function sortSuffixes(text: Text, upper: number): Int32Array {
  const { length } = text;
  if (length === 0) return new Int32Array(0);
  if (length === 1) return new Int32Array(1);
  const isS = typesOf(text);
  const buckets = countBuckets(text, isS, upper);
  const sorted = new Int32Array(length);
  // Left-most S suffixes, in the order of the text.
  let count = 0;
  for (let at = 1; at < length; at += 1) if (isS[at - 1] === 0 && isS[at] === 1) count += 1;
  const leftmost = new Int32Array(count);
  count = 0;
  for (let at = 1; at < length; at += 1) {
    if (isS[at - 1] === 0 && isS[at] === 1) {
      leftmost[count] = at;
      count += 1;
    }
  }
  induce({ text, isS, buckets, sorted }, leftmost);
  if (count > 1) induce({ text, isS, buckets, sorted }, sortLeftmost(text, isS, leftmost, sorted));
  return sorted;
}

/** 1 where a suffix is smaller than the one behind it. */
function typesOf(text: Text): Uint8Array {
  const isS = new Uint8Array(text.length);
  for (let at = text.length - 2; at >= 0; at -= 1) {
    const here = text[at] ?? 0;
    const next = text[at + 1] ?? 0;
    isS[at] = here === next ? (isS[at + 1] ?? 0) : here < next ? 1 : 0;
  }
  return isS;
}

function countBuckets(text: Text, isS: Uint8Array, upper: number): Buckets {
  const ofL = new Int32Array(upper + 2);
  const ofS = new Int32Array(upper + 2);
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at] ?? 0;
    if (isS[at] === 0) ofS[letter] = (ofS[letter] ?? 0) + 1;
    else ofL[letter + 1] = (ofL[letter + 1] ?? 0) + 1;
  }
  for (let letter = 0; letter <= upper; letter += 1) {
    ofS[letter] = (ofS[letter] ?? 0) + (ofL[letter] ?? 0);
    if (letter <= upper) ofL[letter + 1] = (ofL[letter + 1] ?? 0) + (ofS[letter] ?? 0);
  }
  return { ofL, ofS };
}

/** From the order of some left-most S suffixes follows that of all others: L forwards, S backwards. */
function induce(
  {
    text,
    isS,
    buckets,
    sorted,
  }: {
    readonly text: Text;
    readonly isS: Uint8Array;
    readonly buckets: Buckets;
    readonly sorted: Int32Array;
  },
  leftmost: Int32Array,
): void {
  const { length } = text;
  sorted.fill(-1);
  const next = buckets.ofS.slice();
  for (let index = 0; index < leftmost.length; index += 1) {
    const at = leftmost[index] ?? 0;
    const letter = text[at] ?? 0;
    const place = next[letter] ?? 0;
    sorted[place] = at;
    next[letter] = place + 1;
  }
  next.set(buckets.ofL);
  const last = text[length - 1] ?? 0;
  sorted[next[last] ?? 0] = length - 1;
  next[last] = (next[last] ?? 0) + 1;
  for (let index = 0; index < length; index += 1) {
    const at = (sorted[index] ?? 0) - 1;
    if (at >= 0 && isS[at] === 0) {
      const letter = text[at] ?? 0;
      const place = next[letter] ?? 0;
      sorted[place] = at;
      next[letter] = place + 1;
    }
  }
  next.set(buckets.ofL);
  for (let index = length - 1; index >= 0; index -= 1) {
    const at = (sorted[index] ?? 0) - 1;
    if (at >= 0 && isS[at] === 1) {
      const letter = (text[at] ?? 0) + 1;
      const place = (next[letter] ?? 0) - 1;
      sorted[place] = at;
      next[letter] = place;
    }
  }
}

/** Names the pieces between left-most S suffixes, sorts the shorter text of their names, and reads the order off. */
function sortLeftmost(
  text: Text,
  isS: Uint8Array,
  leftmost: Int32Array,
  sorted: Int32Array,
): Int32Array {
  const { length } = text;
  const count = leftmost.length;
  // Two left-most S suffixes are never neighbours, so half the text's places tell them apart.
  const indexOf = new Int32Array((length >> 1) + 1).fill(-1);
  for (let index = 0; index < count; index += 1) indexOf[(leftmost[index] ?? 0) >> 1] = index;
  const names = new Int32Array(count);
  let upper = 0;
  let before = -1;
  for (let index = 0; index < length; index += 1) {
    const at = sorted[index] ?? 0;
    const here = at > 0 && isS[at] === 1 && isS[at - 1] === 0 ? (indexOf[at >> 1] ?? -1) : -1;
    if (here >= 0) {
      if (before >= 0 && !isSamePiece(text, leftmost, before, here)) upper += 1;
      names[here] = upper;
      before = here;
    }
  }
  const order = sortSuffixes(names, upper);
  for (let index = 0; index < count; index += 1) order[index] = leftmost[order[index] ?? 0] ?? 0;
  return order;
}

function isSamePiece(text: Text, leftmost: Int32Array, left: number, right: number): boolean {
  let one = leftmost[left] ?? 0;
  let other = leftmost[right] ?? 0;
  const { length } = text;
  const oneEnd = left + 1 < leftmost.length ? (leftmost[left + 1] ?? 0) : length;
  const otherEnd = right + 1 < leftmost.length ? (leftmost[right + 1] ?? 0) : length;
  if (oneEnd - one !== otherEnd - other) return false;
  while (one < oneEnd && text[one] === text[other]) {
    one += 1;
    other += 1;
  }
  return one >= oneEnd && one < length && other < length && text[one] === text[other];
}
