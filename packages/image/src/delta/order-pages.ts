/**
 * Orders the pages of a bank so that each is written only after everything was read that lies there. Where pages
 * wait for each other in a circle, the one that costs least is written first, and what others wanted to copy from
 * there is given to them in full.
 */
import type { Cover } from './find-covers.ts';
import type { DeltaPair } from './delta-source.ts';

/** A stretch of the image: copied from the base, or given in full where `baseAt` is undefined. */
export interface PagePart {
  readonly at: number;
  readonly lengthBytes: number;
  readonly baseAt: number | undefined;
}

/** A page and what it is made of, in order and without a hole. */
export interface OrderedPage {
  readonly index: number;
  readonly parts: readonly PagePart[];
}

/**
 * Orders the pages.
 *
 * @param covers - of the whole image, in order.
 * @param pageBytes - a power of two.
 */
export function orderPages(
  covers: readonly Cover[],
  { image }: Pick<DeltaPair, 'image'>,
  pageBytes: number,
): readonly OrderedPage[] {
  const pages = cutIntoPages(covers, image.lengthBytes, pageBytes);
  const graph = new PageGraph(pages, pageBytes);
  const ordered: OrderedPage[] = [];
  for (let index = graph.next(); index !== undefined; index = graph.next()) {
    ordered.push({ index, parts: graph.write(index) });
  }
  return ordered;
}

/** Which pages read from which. A page that was not written yet and reads from another has to come before it. */
class PageGraph {
  readonly #pages: (readonly PagePart[])[];
  readonly #pageBytes: number;
  /** By page: who reads from it, and how much. */
  readonly #readers: Map<number, number>[];
  readonly #left: Set<number>;
  /** Pages that nobody waits for. */
  readonly #free: Set<number>;
  #last = -1;

  constructor(pages: readonly (readonly PagePart[])[], pageBytes: number) {
    this.#pages = [...pages];
    this.#pageBytes = pageBytes;
    this.#readers = pages.map(() => new Map<number, number>());
    this.#left = new Set(pages.keys());
    for (const [reader, parts] of pages.entries()) {
      for (const part of parts) {
        for (const { page, lengthBytes } of this.#readBy(part)) {
          if (page === reader) continue;
          const readers = this.#readers[page];
          readers?.set(reader, (readers.get(reader) ?? 0) + lengthBytes);
        }
      }
    }
    this.#free = new Set([...this.#left].filter((page) => this.#readers[page]?.size === 0));
  }

  /** The page to write next: beside the last one where that is possible, for then commands go on. */
  next(): number | undefined {
    for (const beside of [this.#last + 1, this.#last - 1])
      if (this.#free.has(beside)) return beside;
    const [free] = this.#free;
    if (free !== undefined) return free;
    let best: number | undefined;
    let leastBytes = Infinity;
    for (const page of this.#left) {
      let bytes = 0;
      for (const lengthBytes of this.#readers[page]?.values() ?? []) bytes += lengthBytes;
      if (bytes < leastBytes) {
        leastBytes = bytes;
        best = page;
      }
    }
    return best;
  }

  /** Writes a page: it waits for nobody any more, and nobody may read from it. @returns its parts. */
  write(page: number): readonly PagePart[] {
    const parts = this.#pages[page] ?? [];
    for (const reader of this.#readers[page]?.keys() ?? []) this.#forbid(reader, page);
    this.#readers[page]?.clear();
    this.#left.delete(page);
    this.#free.delete(page);
    for (const part of parts) {
      for (const { page: source } of this.#readBy(part)) this.#forget(page, source);
    }
    this.#last = page;
    return parts;
  }

  /** What a page copies from another becomes what is given in full; the rest stays. */
  #forbid(reader: number, forbidden: number): void {
    const from = forbidden * this.#pageBytes;
    const to = from + this.#pageBytes;
    const parts = this.#pages[reader] ?? [];
    this.#pages[reader] = parts.flatMap((part) => withoutSource(part, from, to));
  }

  #forget(reader: number, source: number): void {
    const readers = this.#readers[source];
    if (readers?.delete(reader) === true && readers.size === 0 && this.#left.has(source)) {
      this.#free.add(source);
    }
  }

  /** The pages that a part is copied from. Behind the last page of the image nothing is overwritten. */
  *#readBy({ baseAt, lengthBytes }: PagePart): Generator<{ page: number; lengthBytes: number }> {
    if (baseAt === undefined) return;
    const end = baseAt + lengthBytes;
    for (let at = baseAt; at < end;) {
      const page = Math.floor(at / this.#pageBytes);
      const to = Math.min(end, (page + 1) * this.#pageBytes);
      if (page < this.#pages.length) yield { page, lengthBytes: to - at };
      at = to;
    }
  }
}

function withoutSource(part: PagePart, from: number, to: number): readonly PagePart[] {
  const { at, baseAt, lengthBytes } = part;
  if (baseAt === undefined || baseAt >= to || baseAt + lengthBytes <= from) return [part];
  const before = Math.max(0, from - baseAt);
  const end = Math.min(lengthBytes, to - baseAt);
  const parts = [
    { at, baseAt, lengthBytes: before },
    { at: at + before, baseAt: undefined, lengthBytes: end - before },
    { at: at + end, baseAt: baseAt + end, lengthBytes: lengthBytes - end },
  ];
  return parts.filter((one) => one.lengthBytes > 0);
}

function cutIntoPages(
  covers: readonly Cover[],
  imageBytes: number,
  pageBytes: number,
): readonly (readonly PagePart[])[] {
  const pages = Array.from({ length: Math.ceil(imageBytes / pageBytes) }, (): PagePart[] => []);
  const add = (from: number, end: number, baseAt: number | undefined): void => {
    for (let at = from; at < end;) {
      const page = Math.floor(at / pageBytes);
      const to = Math.min(end, (page + 1) * pageBytes);
      const source = baseAt === undefined ? undefined : baseAt + at - from;
      pages[page]?.push({ at, lengthBytes: to - at, baseAt: source });
      at = to;
    }
  };
  let at = 0;
  for (const cover of covers) {
    add(at, cover.at, undefined);
    add(cover.at, cover.at + cover.lengthBytes, cover.baseAt);
    at = cover.at + cover.lengthBytes;
  }
  add(at, imageBytes, undefined);
  return pages;
}
