/**
 * Which wave a vehicle is in, and which vehicles are left untouched to compare with.
 *
 * Vehicles are put in the order of their strata (variant, market, source version) and, within one, of a
 * hash that nobody chooses. Walking along that order, a sequence that fills the unit square evenly says
 * where each goes: any stretch of it, and so every stratum however small, gives each wave its share, and
 * all of them together do too. Rounding stratum by stratum would leave small strata out of every early wave.
 *
 * @source Roberts 2018, "The unreasonable effectiveness of quasirandom sequences": the R2 sequence
 */

/** Powers of the plastic number's inverse: the steps of the sequence. */
const STEP_WAVE = 0.754_877_666_246_692_7;
const STEP_CONTROL = 0.569_840_290_998_053_2;

/** How a campaign is cut. */
export interface Cut {
  /** For each wave the share of it and all before it, in permille; the last is 1000. */
  readonly upToPermille: readonly number[];
  /** Untouched until the last wave, in permille. */
  readonly controlPermille: number;
}

/** Where a vehicle goes. */
export interface SamplePlace {
  /** From 1 on. Controls are in the last wave. */
  readonly wave: number;
  readonly isControl: boolean;
}

/**
 * Places a vehicle by its place in the order of strata.
 *
 * @param index - from 0 on.
 */
export function placeByIndex(index: number, cut: Cut): SamplePlace {
  return placeAt((0.5 + index * STEP_WAVE) % 1, (0.5 + index * STEP_CONTROL) % 1, cut);
}

/**
 * Places a vehicle that comes later: by a hash of it alone, for the order is closed.
 *
 * @param hash - at least eight bytes that nobody chooses.
 */
export function placeByHash(hash: Uint8Array, cut: Cut): SamplePlace {
  const view = new DataView(hash.buffer, hash.byteOffset, hash.byteLength);
  return placeAt(view.getUint32(0) / 2 ** 32, view.getUint32(4) / 2 ** 32, cut);
}

function placeAt(forWave: number, forControl: number, cut: Cut): SamplePlace {
  const last = cut.upToPermille.length;
  // With one wave there is none to wait for: nobody is left untouched.
  if (last > 1 && forControl * 1000 < cut.controlPermille) return { wave: last, isControl: true };
  const found = cut.upToPermille.findIndex((upTo) => forWave * 1000 < upTo);
  return { wave: found === -1 ? last : found + 1, isControl: false };
}
