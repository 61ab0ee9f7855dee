/** Carries out the commands of sections: bytes of the image come out page by page. */
import { ImageFault } from '../image-fault.ts';
import { DELTA_PAGES_MAX } from '../limits.ts';
import { BaseReader, type DeltaBase } from './base-reader.ts';
import type { DeltaHeader } from './delta-header.ts';
import { checkAllAdded, DifferenceReader } from './differences.ts';
import type { Section } from './section.ts';
import { ByteSource } from './varint.ts';

/** A page of the image: its bytes are valid until the next one is asked for. */
export interface GivenPage {
  readonly atBytes: number;
  readonly bytes: Uint8Array;
}

/** How much comes at a time where the bank prescribes no page. */
const PIECE_BYTES = 65_536;

/** The sections of one delta, one after the other. */
export class SectionRun {
  readonly #header: DeltaHeader;
  readonly #reader: BaseReader;
  readonly #page: Uint8Array;
  readonly #isInPlace: boolean;
  /** Pages that were given: in place, the base is no more where they lie. */
  readonly #given: Uint8Array;
  #skip: number;
  #pageIndex = 0;
  #pageFilled = 0;
  #isPageOpen = false;
  #givenBytes = 0;

  /** Begins; the first `skipPages` pages are in the bank already and are not given again. */
  constructor(header: DeltaHeader, base: DeltaBase, skipPages: number) {
    this.#header = header;
    this.#reader = new BaseReader(base);
    this.#isInPlace = header.pageBytes !== undefined;
    this.#page = new Uint8Array(header.pageBytes ?? PIECE_BYTES);
    this.#given = new Uint8Array(this.#isInPlace ? DELTA_PAGES_MAX : 0);
    this.#skip = skipPages;
  }

  /** Tells whether the whole image was given. */
  get isComplete(): boolean {
    return this.#givenBytes === this.#header.image.lengthBytes;
  }

  /**
   * Carries out a section.
   *
   * @throws ImageFault DELTA_COMMAND when it leaves the base or the image, reads what was overwritten, or does
   * not give what it announced.
   */
  async *run(section: Section): AsyncGenerator<GivenPage, void, undefined> {
    const { streams, givesBytes } = section;
    const pages = new ByteSource(streams.pages);
    const lengths = new ByteSource(streams.lengths);
    const sources = new ByteSource(streams.sources);
    const literals = new ByteSource(streams.literals);
    const differences = new DifferenceReader(section.width, streams.gaps, streams.values);
    const end = this.#givenBytes + givesBytes;
    if (end > this.#header.image.lengthBytes) throw refused('it gives more than its image');
    let nextPage = 0;
    let baseEnd = 0;
    const openPage = (): void => {
      if (this.#isPageOpen) return;
      if (this.#isInPlace) nextPage = this.#openPaged(nextPage + pages.takeSigned()) + 1;
      this.#isPageOpen = true;
    };
    while (!lengths.isAtEnd) {
      let literalBytes = lengths.takeNumber();
      let copyBytes = lengths.takeNumber();
      if (literalBytes + copyBytes === 0) throw refused('a command does nothing');
      if (literalBytes + copyBytes > end - this.#givenBytes) {
        throw refused('it gives more than it announced');
      }
      let from = copyBytes === 0 ? 0 : baseEnd + sources.takeSigned();
      baseEnd = copyBytes === 0 ? baseEnd : from + copyBytes;
      while (literalBytes > 0) {
        openPage();
        const room = this.#room(literalBytes);
        room.set(literals.take(room.length));
        literalBytes -= room.length;
        const page = this.#advance(room.length);
        if (page !== undefined) yield page;
      }
      while (copyBytes > 0) {
        openPage();
        const room = this.#room(copyBytes);
        const at = this.#pageAt() + this.#pageFilled;
        if (this.#skip === 0) {
          if (this.#isInPlace) this.#checkUnwritten(from, room.length);
          const pending = this.#reader.read(from, room);
          if (pending !== undefined) await pending;
        }
        differences.add(room, at);
        from += room.length;
        copyBytes -= room.length;
        const page = this.#advance(room.length);
        if (page !== undefined) yield page;
      }
    }
    const isWhole =
      this.#givenBytes === end && pages.isAtEnd && sources.isAtEnd && literals.isAtEnd;
    if (!isWhole) throw refused('a section does not give what it announced');
    checkAllAdded(differences);
  }

  /** Where the page that is being filled lies in the image. */
  #pageAt(): number {
    return this.#pageIndex * this.#page.length;
  }

  /** The part of the page that the next bytes go to. */
  #room(wantedBytes: number): Uint8Array {
    const end = Math.min(this.#page.length, this.#header.image.lengthBytes - this.#pageAt());
    return this.#page.subarray(this.#pageFilled, Math.min(end, this.#pageFilled + wantedBytes));
  }

  /** Counts bytes that were put into the page. @returns the page when it is full and was not given before. */
  #advance(lengthBytes: number): GivenPage | undefined {
    this.#pageFilled += lengthBytes;
    this.#givenBytes += lengthBytes;
    const atBytes = this.#pageAt();
    const isFull =
      this.#pageFilled === this.#page.length ||
      atBytes + this.#pageFilled === this.#header.image.lengthBytes;
    if (!isFull) return undefined;
    const bytes = this.#page.subarray(0, this.#pageFilled);
    if (this.#isInPlace) this.#given[this.#pageIndex] = 1;
    this.#isPageOpen = false;
    this.#pageFilled = 0;
    this.#pageIndex += 1;
    if (this.#skip === 0) return { atBytes, bytes };
    this.#skip -= 1;
    return undefined;
  }

  #openPaged(index: number): number {
    const count = Math.ceil(this.#header.image.lengthBytes / this.#page.length);
    if (index < 0 || index >= count) throw refused('it writes outside its image');
    if (this.#given[index] === 1) throw refused('it writes a page twice');
    this.#pageIndex = index;
    return index;
  }

  /** What lies where a page was written is no more the base. */
  #checkUnwritten(from: number, lengthBytes: number): void {
    const size = this.#page.length;
    const last = Math.floor((from + lengthBytes - 1) / size);
    for (let index = Math.max(0, Math.floor(from / size)); index <= last; index += 1) {
      if (this.#given[index] === 1) throw refused('it reads what it has overwritten');
    }
  }
}

function refused(what: string): ImageFault {
  return new ImageFault('DELTA_COMMAND', `Cannot apply delta: ${what}`);
}
