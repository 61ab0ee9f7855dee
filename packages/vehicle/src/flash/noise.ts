/** What physics does to cells that lose their power half-way; it follows from a seed alone. */

/** A source of draws. */
export class Noise {
  #state: number;

  /** @param seeds - the same ones give the same draws. */
  constructor(...seeds: readonly number[]) {
    this.#state = 0x9e_37_79_b9;
    for (const seed of seeds) {
      this.#state = Math.imul(this.#state ^ seed, 0x85_eb_ca_6b) >>> 0;
      this.word();
    }
  }

  /** Draws 32 bits (the generator mulberry32). */
  word(): number {
    this.#state = (this.#state + 0x6d_2b_79_f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** Draws a whole number below a bound. */
  below(bound: number): number {
    return Math.floor((this.word() / 2 ** 32) * bound);
  }

  /** Says yes with a probability. */
  happens(probability: number): boolean {
    return this.word() / 2 ** 32 < probability;
  }
}
