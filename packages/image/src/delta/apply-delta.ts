/** Applies a delta: the installed image and the delta give the next image. */
import { assert, equalBytes } from '@immota/base';
import { createHash } from 'node:crypto';
import { ImageFault } from '../image-fault.ts';
import { checkBase, type DeltaBase, hashOf } from './base-reader.ts';
import {
  decodeDeltaHeader,
  DELTA_HEADER_LENGTH_BYTES,
  type DeltaHeader,
  encodeDeltaHeader,
  type ImageIdentity,
} from './delta-header.ts';
import { PieceReader } from './piece-reader.ts';
import { decodeSection, decodeSectionHead, SECTION_HEAD_LENGTH_BYTES } from './section.ts';
import { type GivenPage, SectionRun } from './section-run.ts';

/** What applying takes. */
export interface ApplyDeltaOptions {
  /** The delta, in any pieces, from its beginning. */
  readonly delta: AsyncIterable<Uint8Array>;
  /** The installed image. */
  readonly base: DeltaBase;
  /** The image that signed metadata describe: nothing else is ever given as whole. */
  readonly expected: ImageIdentity;
}

/** A bank that is rewritten in place. */
export interface DeltaBank extends DeltaBase {
  /** How much fits into it. */
  readonly sizeBytes: number;
  /** What it replaces at a time; a delta of other pages is refused. Any when left out. */
  readonly pageBytes?: number | undefined;
  /**
   * Replaces a page, whole or not at all, though the power fail: what it held is needed to make it, so a cut in
   * between would lose it. A bank keeps a spare page for that.
   */
  write(atBytes: number, bytes: Uint8Array): Promise<void>;
}

/** How to rewrite. */
export interface RewriteOptions extends Omit<ApplyDeltaOptions, 'base'> {
  readonly bank: DeltaBank;
  /** After an interruption: which delta it was, and how many pages were written. */
  readonly resume?: RewritePosition;
  /** Hears of each page after it was written: for a journal. */
  readonly written?: (position: RewritePosition) => Promise<void>;
}

/** How far a bank was rewritten. */
export interface RewritePosition {
  /** The head of the delta: another delta has other pages in another order. */
  readonly header: Uint8Array;
  readonly pagesWritten: number;
}

/**
 * Applies a delta from one slot into another.
 *
 * Bytes come before the end is known to be there: a consumer writes them where they can be discarded, and uses
 * them after the iteration has ended without a fault. There are never more than `expected` says.
 *
 * @yields the image from its beginning; a piece is valid until the next one is asked for.
 * @throws ImageFault DELTA_HEADER, DELTA_MISMATCH, DELTA_SECTION, DELTA_LIMIT, DELTA_COMMAND, TRUNCATED,
 * TRAILING_DATA, or DELTA_RESULT when all was well but the image is not the one that was signed.
 */
export async function* applyDelta(
  options: ApplyDeltaOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = new PieceReader(options.delta);
  try {
    const { header, bytes } = await readHeader(reader, options.expected);
    if (header.pageBytes !== undefined) {
      throw new ImageFault('DELTA_HEADER', 'Cannot apply delta: it is for a bank in place');
    }
    await checkBase(options.base, header.base);
    const hash = createHash('sha256');
    const run = new SectionRun(header, options.base, 0);
    for await (const page of readPages(reader, run, bytes)) {
      hash.update(page.bytes);
      yield page.bytes;
    }
    checkResult(hash.digest('hex'), options.expected);
  } finally {
    await reader.close();
  }
}

/**
 * Applies a delta within one bank: each page is written once, in the order of the delta, and only after
 * everything that was to be read from it has been read.
 *
 * A forged delta would spoil the bank before its hash is known. So a vehicle rehearses a delta for such an ECU
 * elsewhere first, or has its hash from signed metadata.
 *
 * @throws ImageFault as `applyDelta`; ADDRESS_RANGE when the image is longer than the bank. The bank then holds
 * neither image: a good delta goes on from the last page, or a recovery loader writes the full image.
 */
export async function rewriteInPlace(options: RewriteOptions): Promise<void> {
  const { bank, expected, resume, written } = options;
  const reader = new PieceReader(options.delta);
  try {
    const { header, bytes } = await readHeader(reader, expected);
    if (header.pageBytes === undefined) {
      throw new ImageFault('DELTA_HEADER', 'Cannot apply delta: it is not for a bank in place');
    }
    if ((bank.pageBytes ?? header.pageBytes) !== header.pageBytes) {
      throw new ImageFault('DELTA_MISMATCH', 'Cannot apply delta: it is for other pages');
    }
    if (Math.max(expected.lengthBytes, header.base.lengthBytes) > bank.sizeBytes) {
      throw new ImageFault('ADDRESS_RANGE', 'Cannot apply delta: the bank is too small');
    }
    let pagesWritten = resume?.pagesWritten ?? 0;
    if (resume !== undefined && !equalBytes(resume.header, bytes)) {
      throw new ImageFault('DELTA_MISMATCH', 'Cannot go on with delta: another was begun');
    }
    const base = { lengthBytes: header.base.lengthBytes, read: bank.read.bind(bank) };
    // Once a page was written the base is no more; the journal says that it was the right one.
    if (pagesWritten === 0) await checkBase(bank, header.base);
    const run = new SectionRun(header, base, pagesWritten);
    for await (const page of readPages(reader, run, bytes)) {
      await bank.write(page.atBytes, page.bytes);
      pagesWritten += 1;
      await written?.({ header: bytes, pagesWritten });
    }
    const image = { lengthBytes: expected.lengthBytes, read: bank.read.bind(bank) };
    checkResult(await hashOf(image), expected);
  } finally {
    await reader.close();
  }
}

async function readHeader(
  reader: PieceReader,
  expected: ImageIdentity,
): Promise<{ readonly header: DeltaHeader; readonly bytes: Uint8Array }> {
  const bytes = new Uint8Array(DELTA_HEADER_LENGTH_BYTES);
  if ((await reader.take(bytes)) < bytes.length) throw truncated();
  const header = decodeDeltaHeader(bytes);
  const { image } = header;
  if (image.lengthBytes !== expected.lengthBytes || image.sha256 !== expected.sha256) {
    throw new ImageFault('DELTA_MISMATCH', 'Cannot apply delta: it gives another image');
  }
  assert(equalBytes(encodeDeltaHeader(header), bytes), 'a head has one encoding');
  return { header, bytes };
}

async function* readPages(
  reader: PieceReader,
  run: SectionRun,
  header: Uint8Array,
): AsyncGenerator<GivenPage, void, undefined> {
  const head = new Uint8Array(SECTION_HEAD_LENGTH_BYTES);
  // The same memory for all sections: given back and taken again it would leave holes.
  let room = new Uint8Array();
  for (let index = 0; !run.isComplete; index += 1) {
    if ((await reader.take(head)) < head.length) throw truncated();
    const { packedBytes, givesBytes } = decodeSectionHead(head);
    if (givesBytes === 0) {
      throw new ImageFault('DELTA_SECTION', 'Cannot read delta: a section that gives nothing');
    }
    if (room.length < packedBytes) room = new Uint8Array(packedBytes);
    const body = room.subarray(0, packedBytes);
    if ((await reader.take(body)) < body.length) throw truncated();
    const decoded = decodeSection(head, body, { header, index });
    yield* run.run(decoded.section);
    decoded.release();
  }
  if ((await reader.take(new Uint8Array(1))) > 0) {
    throw new ImageFault('TRAILING_DATA', 'Cannot read delta: bytes follow its last section');
  }
}

function checkResult(sha256: string, expected: ImageIdentity): void {
  if (sha256 === expected.sha256) return;
  throw new ImageFault('DELTA_RESULT', 'Cannot apply delta: it gave another image than was signed');
}

function truncated(): ImageFault {
  return new ImageFault('TRUNCATED', 'Cannot read delta: it ends before its image does');
}
