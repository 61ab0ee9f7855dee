/**
 * Fingerprints of an image at places that its content chooses: where bytes occur again, so do the places, wherever
 * they have moved to. A rolling hash (a gear hash, as content-defined chunking uses) sees 32 bytes and picks the place.
 */
import type { DeltaSource } from './delta-source.ts';

/** Finds where bytes of an image lie in the base. */
export interface FingerprintIndex {
  /** One place of so many, to the power of two, is chosen. */
  readonly rateLog2: number;
  /** Places behind the same bytes, newest first; content that is everywhere tells nothing and gives none. */
  find(fingerprint: number): readonly number[];
}

/** How many bytes a fingerprint sees. */
const SEEN_BYTES = 32;

/** Places in the index: 130 MB, however long the base is. */
const SAMPLES_MAX = 8_388_608;
const RATE_LOG2_MIN = 3;
const CHAIN_MAX = 12;
const PIECE_BYTES = 262_144;
const GEAR: Uint32Array = makeGear();

/** Chooses how many places are sampled: so many that the index of the longest base stays bounded. */
function chooseRate(baseBytes: number): number {
  return Math.max(
    RATE_LOG2_MIN,
    Math.ceil(Math.log2(Math.max(1, (1.5 * baseBytes) / SAMPLES_MAX))),
  );
}

/**
 * Samples a stretch of an image.
 *
 * @param rateLog2 - see `FingerprintIndex`.
 * @param visit - is given each place, behind the bytes that were seen; where to go on, when that is further ahead.
 */
export function samplePlaces(
  source: DeltaSource,
  range: { readonly from: number; readonly to: number },
  rateLog2: number,
  visit: (at: number, fingerprint: number) => number,
): void {
  const piece = new Uint8Array(SEEN_BYTES + PIECE_BYTES);
  const shift = 32 - rateLog2;
  let last = 0;
  for (let from = range.from; from < range.to;) {
    const start = Math.max(0, from - SEEN_BYTES);
    const end = Math.min(range.to, from + PIECE_BYTES);
    const bytes = piece.subarray(0, end - start);
    source.read(start, bytes);
    let hash = 0;
    const first = from - start;
    for (let index = Math.max(0, first - SEEN_BYTES); index < first; index += 1) {
      hash = ((hash << 1) + (GEAR[bytes[index] ?? 0] ?? 0)) | 0;
    }
    let next = end;
    for (let index = first; index < bytes.length; index += 1) {
      hash = ((hash << 1) + (GEAR[bytes[index] ?? 0] ?? 0)) | 0;
      if (hash >>> shift !== 0 || index < SEEN_BYTES - 1) continue;
      const fingerprint = fingerprintOf(bytes, index + 1);
      // Long runs of one byte would choose every place of theirs.
      if (fingerprint === last) continue;
      last = fingerprint;
      const goOn = visit(start + index + 1, fingerprint);
      if (goOn > end) {
        next = goOn;
        break;
      }
      if (goOn > start + index + 1) index = goOn - start - 1;
    }
    from = next;
  }
}

/** Samples a whole base. Memory is bounded: the longer it is, the fewer places are kept of each stretch. */
export function indexBase(base: DeltaSource): FingerprintIndex {
  const rateLog2 = chooseRate(base.lengthBytes);
  const room = Math.min(SAMPLES_MAX, Math.ceil((base.lengthBytes / 2 ** rateLog2) * 2) + 1024);
  const places = new Float64Array(room);
  const fingerprints = new Uint32Array(room);
  const next = new Int32Array(room);
  const slots = 2 ** Math.ceil(Math.log2(room));
  const heads = new Int32Array(slots).fill(-1);
  let count = 0;
  samplePlaces(base, { from: 0, to: base.lengthBytes }, rateLog2, (at, fingerprint) => {
    if (count < room) {
      const slot = fingerprint % slots;
      places[count] = at;
      fingerprints[count] = fingerprint;
      next[count] = heads[slot] ?? -1;
      heads[slot] = count;
      count += 1;
    }
    return at;
  });
  return {
    rateLog2,
    find(fingerprint): readonly number[] {
      const found: number[] = [];
      let entry = heads[fingerprint % slots] ?? -1;
      for (let steps = 0; entry >= 0 && steps < 4 * CHAIN_MAX; steps += 1) {
        if (fingerprints[entry] === fingerprint) found.push(places[entry] ?? 0);
        if (found.length > CHAIN_MAX) return [];
        entry = next[entry] ?? -1;
      }
      return found;
    },
  };
}

/** Mixes the bytes before a place. */
function fingerprintOf(bytes: Uint8Array, end: number): number {
  let hash = 0x811c_9dc5;
  for (let index = end - SEEN_BYTES; index < end; index += 1) {
    hash = Math.imul(hash ^ (bytes[index] ?? 0), 0x0100_0193);
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
}

/** A word for each byte, the same in every run: xorshift of a constant. */
function makeGear(): Uint32Array {
  const gear = new Uint32Array(256);
  let state = 0x9e37_79b9;
  for (let byte = 0; byte < gear.length; byte += 1) {
    for (let round = 0; round < 4; round += 1) {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
    }
    gear[byte] = state;
  }
  return gear;
}
