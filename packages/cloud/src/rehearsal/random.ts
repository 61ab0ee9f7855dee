/** Chance that a seed repeats: a forecast of the same fleet is the same forecast. */
import { createHash } from 'node:crypto';

/** Numbers in [0, 1). */
export type Random = () => number;

/** @source Steele, Lea, Flood 2014: SplitMix, in its 32-bit form. */
export function seededRandom(seed: string): Random {
  let state = createHash('sha256').update(seed).digest().readUInt32LE(0);
  return () => {
    state = (state + 0x9e_37_79_b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21_f0_aa_ad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x73_5a_2d_97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

/** A number from the normal distribution with mean 0 and deviation 1, by Box and Muller. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** A span from the exponential distribution. */
export function exponential(random: Random, mean: number): number {
  return -Math.log(1 - random()) * mean;
}
