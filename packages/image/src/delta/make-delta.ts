/** Makes a delta: what has to be said to turn one image into another. */
import { assert } from '@immota/base';
import { createHash } from 'node:crypto';
import { ImageFault } from '../image-fault.ts';
import {
  DELTA_IMAGE_MAX_BYTES,
  DELTA_PAGE_LOG2_MAX,
  DELTA_PAGE_LOG2_MIN,
  DELTA_PAGES_MAX,
  DELTA_SECTION_MAX_BYTES,
} from '../limits.ts';
import { type DeltaHeader, encodeDeltaHeader, type ImageIdentity } from './delta-header.ts';
import { alignImages } from './align.ts';
import { type DeltaPair, type DeltaSource, readFrom } from './delta-source.ts';
import type { Cover } from './find-covers.ts';
import { type PagePart, orderPages } from './order-pages.ts';
import { SectionWriter } from './section-writer.ts';

/** How a delta is made. */
export interface MakeDeltaOptions {
  /** The page of the bank that is rewritten in place, a power of two; left out, the delta is for another slot. */
  readonly pageBytes?: number;
  /** Of Zstandard, 1 to 19; 19 when left out. */
  readonly level?: number;
  /** Images up to this long are searched whole, others in windows; 64 MiB when left out, at least 4 KiB. */
  readonly searchWindowBytes?: number;
  /** How much memory a section may take where it is applied; 1 MiB when left out. */
  readonly sectionBytes?: number;
}

const LEVEL = 19;
const PIECE_BYTES = 262_144;

/**
 * Makes a delta.
 *
 * Memory: twelve times the base while it is searched, up to a base of 64 MiB; images that are longer are
 * searched in windows. An in-place delta has both images in memory.
 *
 * @returns the delta in pieces: its head, then a piece for each section.
 * @throws ImageFault LENGTH_LIMIT, from the iteration, when an image is too long.
 */
export function* makeDelta(
  pair: DeltaPair,
  options: MakeDeltaOptions = {},
): Generator<Uint8Array, void, undefined> {
  const { pageBytes, level = LEVEL, sectionBytes = DELTA_SECTION_MAX_BYTES } = options;
  checkSizes(pair, pageBytes);
  const header: DeltaHeader = {
    base: identityOf(pair.base),
    image: identityOf(pair.image),
    pageBytes,
  };
  const encoded = encodeDeltaHeader(header);
  yield encoded;
  const writer = new SectionWriter({ header: encoded, level, sectionBytes });
  const covers = alignImages(pair, options.searchWindowBytes);
  if (pageBytes === undefined) {
    yield* writeForwards(pair, covers, writer);
  } else {
    for (const { index, parts } of orderPages([...covers], pair, pageBytes)) {
      // A page is named in the section that gives its first bytes.
      yield* flushFull(writer);
      writer.page(index);
      for (const part of parts) yield* writePart(pair, part, writer);
    }
  }
  const last = writer.flush();
  if (last !== undefined) yield last;
}

function* writeForwards(
  pair: DeltaPair,
  covers: Iterable<Cover>,
  writer: SectionWriter,
): Generator<Uint8Array, void, undefined> {
  let at = 0;
  for (const cover of covers) {
    yield* writePart(pair, { at, lengthBytes: cover.at - at, baseAt: undefined }, writer);
    yield* writePart(pair, cover, writer);
    at = cover.at + cover.lengthBytes;
  }
  const lengthBytes = pair.image.lengthBytes - at;
  yield* writePart(pair, { at, lengthBytes, baseAt: undefined }, writer);
}

/** In pieces, so that a section ends in time; cut between words, as differences must be. */
function* writePart(
  { base, image }: DeltaPair,
  { at, lengthBytes, baseAt }: PagePart,
  writer: SectionWriter,
): Generator<Uint8Array, void, undefined> {
  const end = at + lengthBytes;
  for (let from = at; from < end;) {
    yield* flushFull(writer);
    const to = Math.min(end, from + writer.pieceBytes - ((from + writer.pieceBytes) % 4));
    const piece = readFrom(image, from, to - from);
    if (baseAt === undefined) {
      writer.literal(piece);
    } else {
      const from0 = baseAt + from - at;
      writer.copy(from0, { at: from, base: readFrom(base, from0, to - from), image: piece });
    }
    from = to;
  }
}

function* flushFull(writer: SectionWriter): Generator<Uint8Array, void, undefined> {
  if (!writer.isFull) return;
  const section = writer.flush();
  if (section !== undefined) yield section;
}

function checkSizes({ base, image }: DeltaPair, pageBytes: number | undefined): void {
  const longest = Math.max(base.lengthBytes, image.lengthBytes);
  if (longest > DELTA_IMAGE_MAX_BYTES) {
    throw new ImageFault('LENGTH_LIMIT', `Cannot make delta: an image of ${longest} bytes`);
  }
  if (pageBytes === undefined) return;
  const log2 = Math.log2(pageBytes);
  assert(
    Number.isInteger(log2) && log2 >= DELTA_PAGE_LOG2_MIN && log2 <= DELTA_PAGE_LOG2_MAX,
    'pages have 2^8 to 2^18 bytes',
  );
  if (image.lengthBytes > pageBytes * DELTA_PAGES_MAX) {
    throw new ImageFault('LENGTH_LIMIT', `Cannot make delta: more than ${DELTA_PAGES_MAX} pages`);
  }
}

function identityOf(source: DeltaSource): ImageIdentity {
  const hash = createHash('sha256');
  for (let at = 0; at < source.lengthBytes; at += PIECE_BYTES) {
    hash.update(readFrom(source, at, Math.min(PIECE_BYTES, source.lengthBytes - at)));
  }
  return { lengthBytes: source.lengthBytes, sha256: hash.digest('hex') };
}
