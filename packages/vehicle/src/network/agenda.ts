/** What is to be done at which time, soonest first; at the same time in the order it was added. */

interface Entry {
  readonly atMs: number;
  readonly action: () => void;
}

/** See the head of the file. */
export class Agenda {
  /** Latest first, so that the next is taken from the end. Few wait at one time: a list is enough. */
  readonly #entries: Entry[] = [];

  /** When the next is due; Infinity when there is none. */
  get nextMs(): number {
    return this.#entries.at(-1)?.atMs ?? Number.POSITIVE_INFINITY;
  }

  /** Adds an action. @returns what takes it out again. */
  add(atMs: number, action: () => void): () => void {
    const entry = { atMs, action };
    let index = this.#entries.length;
    while (index > 0 && (this.#entries[index - 1]?.atMs ?? atMs) <= atMs) index -= 1;
    this.#entries.splice(index, 0, entry);
    return () => {
      const found = this.#entries.lastIndexOf(entry);
      if (found >= 0) this.#entries.splice(found, 1);
    };
  }

  /** Takes one action whose time has come. */
  takeDue(atMs: number): (() => void) | undefined {
    return this.nextMs <= atMs ? this.#entries.pop()?.action : undefined;
  }
}
