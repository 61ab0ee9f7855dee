/** Writes commands into sections, and begins a new one when one is full. */
import { assert } from '@immota/base';
import { DELTA_SECTION_MAX_BYTES } from '../limits.ts';
import { type Compared, DifferenceWriter } from './differences.ts';
import { encodeSection, estimatePacked, type Streams } from './section.ts';
import { ByteSink } from './varint.ts';

/** A stretch that is longer is cut, so that a section never grows much beyond its size. */
const PIECE_BYTES = 65_536;

/** A difference in every unit: a gap, and as many bytes. */
const WORST_PER_BYTE = 2;
/** Two lengths, a source and a page. */
const WORST_PER_COMMAND = 32;

/** How sections are written. */
export interface SectionWriterOptions {
  /** The encoded head of the delta. */
  readonly header: Uint8Array;
  /** Of Zstandard. */
  readonly level: number;
  /** How much the streams of a section may hold together. */
  readonly sectionBytes: number;
}

/** See the head of the file. */
export class SectionWriter {
  readonly #options: SectionWriterOptions;
  readonly #pages = new ByteSink();
  readonly #lengths = new ByteSink();
  readonly #sources = new ByteSink();
  readonly #literals = new ByteSink();
  readonly #byteGaps = new ByteSink();
  readonly #byteValues = new ByteSink();
  readonly #wordGaps = new ByteSink();
  readonly #wordValues = new ByteSink();
  readonly #bytewise = new DifferenceWriter(1, this.#byteGaps, this.#byteValues);
  readonly #wordwise = new DifferenceWriter(4, this.#wordGaps, this.#wordValues);
  /** The command that may still become longer. */
  #literalBytes = 0;
  #copyBytes = 0;
  #copyAt = 0;
  /** Where the last copy ended in the base. */
  #baseEnd = 0;
  #nextPage = 0;
  #givesBytes = 0;
  #index = 0;

  /** Begins with the first section. */
  constructor(options: SectionWriterOptions) {
    assert(options.sectionBytes <= DELTA_SECTION_MAX_BYTES, 'an applier takes the section');
    this.#options = options;
  }

  /** Tells whether a piece more could be too much: then `flush` comes first. */
  get isFull(): boolean {
    const differences = Math.max(
      this.#byteGaps.lengthBytes + this.#byteValues.lengthBytes,
      this.#wordGaps.lengthBytes + this.#wordValues.lengthBytes,
    );
    const others =
      this.#pages.lengthBytes +
      this.#lengths.lengthBytes +
      this.#sources.lengthBytes +
      this.#literals.lengthBytes;
    const { sectionBytes } = this.#options;
    const reserve = Math.min(PIECE_BYTES, sectionBytes / 4) * WORST_PER_BYTE + WORST_PER_COMMAND;
    return differences + others + reserve > sectionBytes;
  }

  /** How long a piece may be. */
  get pieceBytes(): number {
    return Math.min(PIECE_BYTES, this.#options.sectionBytes / 4);
  }

  /** Says that what follows fills this page. */
  page(index: number): void {
    this.#pages.putSigned(index - this.#nextPage);
    this.#nextPage = index + 1;
  }

  /** Gives bytes that the base has not. */
  literal(bytes: Uint8Array): void {
    if (this.#copyBytes > 0) this.#endCommand();
    this.#literals.put(bytes);
    this.#literalBytes += bytes.length;
    this.#givesBytes += bytes.length;
  }

  /** Copies bytes of the base, with what has to be added to them. */
  copy(baseAt: number, compared: Compared): void {
    const { at, image } = compared;
    const goesOn = this.#copyBytes > 0 && baseAt === this.#copyAt + this.#copyBytes && at % 4 === 0;
    if (!goesOn) {
      if (this.#copyBytes > 0) this.#endCommand();
      this.#copyAt = baseAt;
    }
    this.#copyBytes += image.length;
    this.#givesBytes += image.length;
    this.#bytewise.write(compared);
    this.#wordwise.write(compared);
  }

  /** Ends the section. @returns it, encoded; undefined when there is nothing in it. */
  flush(): Uint8Array | undefined {
    if (this.#literalBytes > 0 || this.#copyBytes > 0) this.#endCommand();
    if (this.#givesBytes === 0) return undefined;
    const bytewise = { gaps: this.#byteGaps.take(), values: this.#byteValues.take() };
    const wordwise = { gaps: this.#wordGaps.take(), values: this.#wordValues.take() };
    const isWordwise =
      estimatePacked([wordwise.gaps, wordwise.values]) <
      estimatePacked([bytewise.gaps, bytewise.values]);
    const streams: Streams = {
      pages: this.#pages.take(),
      lengths: this.#lengths.take(),
      sources: this.#sources.take(),
      ...(isWordwise ? wordwise : bytewise),
      literals: this.#literals.take(),
    };
    const { header, level } = this.#options;
    const section = { givesBytes: this.#givesBytes, width: isWordwise ? 4 : 1, streams } as const;
    const encoded = encodeSection(section, { header, index: this.#index }, level);
    this.#index += 1;
    this.#givesBytes = 0;
    this.#baseEnd = 0;
    this.#nextPage = 0;
    this.#bytewise.restart();
    this.#wordwise.restart();
    return encoded;
  }

  #endCommand(): void {
    this.#lengths.putNumber(this.#literalBytes);
    this.#lengths.putNumber(this.#copyBytes);
    if (this.#copyBytes > 0) {
      this.#sources.putSigned(this.#copyAt - this.#baseEnd);
      this.#baseEnd = this.#copyAt + this.#copyBytes;
    }
    this.#literalBytes = 0;
    this.#copyBytes = 0;
  }
}
