/** Chance that a seed repeats: whoever knows the seed knows every draw. */
import { createHash } from 'node:crypto';
import type { Entropy } from '@immota/base';

/** A source of draws; forks by name, so that one part's draws do not move another's. */
export class Chance implements Entropy {
  readonly #seed: string;
  readonly #state: Uint32Array;

  constructor(seed: string) {
    this.#seed = seed;
    const digest = createHash('sha256').update(seed).digest();
    this.#state = new Uint32Array(4);
    for (let index = 0; index < 4; index += 1) this.#state[index] = digest.readUInt32LE(index * 4);
  }

  /** Another source that depends on this one's seed and the name alone. */
  fork(name: string): Chance {
    return new Chance(`${this.#seed}/${name}`);
  }

  /** Draws 0 up to, not including, 1. */
  fraction(): number {
    return this.#next() / 2 ** 32;
  }

  /** Draws a whole number below a bound. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound);
  }

  /** Draws a number from a range. */
  between(least: number, most: number): number {
    return least + this.fraction() * (most - least);
  }

  /** Says yes with a probability. */
  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** Draws one of several. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('there is nothing to pick from');
    return item;
  }

  /** Draws bytes: for what must look unpredictable to the code that is run. */
  bytes(lengthBytes: number): Uint8Array {
    const bytes = new Uint8Array(lengthBytes);
    for (let index = 0; index < lengthBytes; index += 1) bytes[index] = this.#next() & 0xff;
    return bytes;
  }

  /** The generator sfc32. */
  #next(): number {
    const [a = 0, b = 0, c = 0, d = 0] = this.#state;
    const sum = (a + b + d) >>> 0;
    this.#state.set([b ^ (b >>> 9), c + (c << 3), ((c << 21) | (c >>> 11)) + sum, d + 1]);
    return sum;
  }
}
