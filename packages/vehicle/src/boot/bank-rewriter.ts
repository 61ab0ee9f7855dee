/**
 * Rewrites the one bank of a microcontroller in place: pages of the new image take the places of pages of
 * the old one, which a delta is still reading from.
 *
 * A page goes into a spare first, then the record says so, then it goes into the bank, then the record
 * says that. Wherever the power goes, either the bank still holds what the page is made from, or the spare
 * holds the page. Before the first page changes, the record gives the image up and its seal is broken; from
 * then on the boot loader alone runs, and takes the rest of this delta or any full image that it may.
 */
import { assert, equalBytes } from '@immota/base';
import { encodeDeltaHeader, type RewritePosition } from '@immota/image';
import { type ByteRange, bytesOfSectors, type Flash, padToUnit } from '../flash/flash.ts';
import { FlashFault } from '../flash/flash-fault.ts';
import type { SlotImage } from '../slots/image-slots.ts';
import type { InPlaceWriter } from '../slots/resumable-slots.ts';
import type { Bank } from './bank.ts';
import type { RewriteProgress, StagedPage } from './bank-record.ts';
import { READ_ATTEMPTS } from './limits.ts';
import { type PagePlan, touchedBy } from './page-plan.ts';

/** What a rewriting is given. */
export interface BankRewriterOptions {
  readonly flash: Flash;
  readonly bank: Bank;
  readonly pages: PagePlan;
  /** What is final, or was when the rewriting began. */
  readonly base: SlotImage;
  readonly image: SlotImage;
  /** Of one that was interrupted. */
  readonly progress: RewriteProgress | undefined;
  readonly blockBytes: number;
  /** Called before the first page changes, in each session: the image is given up, durably. */
  readonly onBegin: () => Promise<void>;
  /** Records how far it is; durable when it fulfils. */
  readonly onProgress: (progress: RewriteProgress) => Promise<void>;
  /** Called when the image is whole and sealed. */
  readonly onSealed: () => Promise<void>;
  readonly onDiscard: () => Promise<void>;
}

/** See the head of the file. */
export class BankRewriter implements InPlaceWriter {
  readonly lengthBytes: number;
  readonly sizeBytes: number;
  readonly pageBytes: number;
  readonly #options: BankRewriterOptions;
  #pagesDone: number;
  #resume: RewritePosition | undefined;
  /** Whether the page that was written last has changed the bank. */
  #isChanged = false;
  #isBegun = false;

  /** Part of the slots that open it; `recover` comes next. */
  constructor(options: BankRewriterOptions) {
    const { base, pages, progress } = options;
    this.#options = options;
    this.lengthBytes = base.lengthBytes;
    this.sizeBytes = pages.sizeBytes;
    this.pageBytes = pages.pageBytes;
    this.#pagesDone = progress?.pagesDone ?? 0;
  }

  get resume(): RewritePosition | undefined {
    return this.#resume;
  }

  /** Ends what an interrupted rewriting was about: the page that waits in a spare goes into the bank. */
  async recover(): Promise<void> {
    const { progress } = this.#options;
    if (progress === undefined) return;
    // What was believed at this start must still be believed at the next one.
    await this.#begin();
    if (progress.staged !== undefined) {
      const content = await this.#readSpare(progress.staged);
      await this.#copy(this.#touchedBy(progress.staged.page), content);
      this.#pagesDone += 1;
      await this.#options.onProgress({ pagesDone: this.#pagesDone, staged: undefined });
    }
    this.#resume = { header: this.#header(), pagesWritten: this.#pagesDone };
  }

  /** Reads the bank as it is now. */
  async read(offsetBytes: number, into: Uint8Array): Promise<void> {
    await this.#options.bank.readAt(offsetBytes, into);
  }

  /** Replaces a page, whole or not at all. @throws FlashFault when the flash does not keep it. */
  async write(atBytes: number, bytes: Uint8Array): Promise<void> {
    const { pages } = this.#options;
    assert(atBytes % pages.pageBytes === 0, 'a page lies where pages lie');
    // What did not change costs no erasure, and is made again as well as passed over.
    if (await this.#holds(atBytes, bytes)) return;
    if (!this.#isBegun) await this.#begin();
    const touched = this.#touchedBy(atBytes / pages.pageBytes);
    const content = await this.#contentOf(touched, atBytes, bytes);
    const staged = { page: atBytes / pages.pageBytes, spare: this.#nextSpare() };
    await this.#fillSpare(staged, content);
    await this.#options.onProgress({ pagesDone: this.#pagesDone, staged });
    await this.#copy(touched, content);
    this.#isChanged = true;
  }

  /** Hears that a page is done with; records it where it has changed anything. */
  async written({ pagesWritten }: RewritePosition): Promise<void> {
    this.#pagesDone = pagesWritten;
    if (!this.#isChanged) return;
    await this.#options.onProgress({ pagesDone: pagesWritten, staged: undefined });
    this.#isChanged = false;
  }

  /** Makes the image bootable, when all of it reads as it should. @throws UptaneFault IMAGE_HASH. */
  async finish(): Promise<void> {
    const { bank, image, onSealed } = this.#options;
    if (!this.#isBegun) await this.#begin();
    // {uptane I5}: every listed hash, and of what is in the cells.
    if (!(await bank.isWhole(image))) await bank.checkBytes(image);
    await bank.seal(image);
    await onSealed();
  }

  /** Gives the bank up, if anything in it was changed; what runs otherwise runs on. */
  async discard(): Promise<void> {
    if (this.#isBegun) await this.#options.onDiscard();
  }

  async #begin(): Promise<void> {
    const { onBegin, bank } = this.#options;
    await onBegin();
    this.#isBegun = true;
    await bank.breakSeal();
  }

  /** A function of what is known anyway, so that no record has to hold it. */
  #header(): Uint8Array {
    const { base, image, pages } = this.#options;
    return encodeDeltaHeader({
      base: identityOf(base),
      image: identityOf(image),
      pageBytes: pages.pageBytes,
    });
  }

  #touchedBy(page: number): ByteRange {
    const { bank, pages } = this.#options;
    return touchedBy(bank, pages, page * pages.pageBytes);
  }

  /** In turn, and not from the first one on in every update. */
  #nextSpare(): number {
    const { image, pages } = this.#options;
    const start = Number.parseInt((image.hashes.get('sha256') ?? '0').slice(0, 8), 16);
    return (start + this.#pagesDone) % pages.spares.length;
  }

  async #holds(atBytes: number, bytes: Uint8Array): Promise<boolean> {
    const is = new Uint8Array(bytes.length);
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
      await this.#options.bank.readAt(atBytes, is);
      if (!equalBytes(is, bytes)) return false;
    }
    return true;
  }

  /** The sectors that a page touches, with the page in them. Behind the image they are erased. */
  async #contentOf(touched: ByteRange, atBytes: number, bytes: Uint8Array): Promise<Uint8Array> {
    const { bank, flash, pages } = this.#options;
    const content = new Uint8Array(touched.lengthBytes);
    const pageEnd = Math.min(atBytes + pages.pageBytes, pages.sizeBytes);
    const isWhole = pageEnd - atBytes === touched.lengthBytes;
    if (!isWhole) await readTwice((into) => bank.readAt(touched.startBytes, into), content);
    content.fill(
      flash.geometry.erasedByte,
      atBytes - touched.startBytes,
      pageEnd - touched.startBytes,
    );
    content.set(bytes, atBytes - touched.startBytes);
    return content;
  }

  async #fillSpare({ spare }: StagedPage, content: Uint8Array): Promise<void> {
    const { flash } = this.#options;
    const { first, count } = this.#spareAt(spare);
    for (let sector = first; sector < first + count; sector += 1) await flash.erase(sector);
    const { startBytes } = bytesOfSectors(flash.geometry, { first, count });
    const padded = padToUnit(flash.geometry, content);
    for (const [at, block] of this.#blocksOf(padded)) await flash.write(startBytes + at, block);
    const is = new Uint8Array(padded.length);
    for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
      await flash.read(startBytes, is);
      if (equalBytes(is, padded)) return;
    }
    throw new FlashFault('READ_BACK', 'Cannot keep page: it reads otherwise from the spare');
  }

  async #readSpare({ page, spare }: StagedPage): Promise<Uint8Array> {
    const { flash } = this.#options;
    const { startBytes } = bytesOfSectors(flash.geometry, this.#spareAt(spare));
    const content = new Uint8Array(this.#touchedBy(page).lengthBytes);
    await readTwice((into) => flash.read(startBytes, into), content);
    return content;
  }

  /** May be repeated as often as the power goes. */
  async #copy({ startBytes }: ByteRange, content: Uint8Array): Promise<void> {
    const { bank } = this.#options;
    const end = startBytes + content.length;
    for (let at = startBytes; at < end;) {
      const sectorEnd = bank.sectorEnd(at);
      await bank.eraseAt(at);
      const sector = content.subarray(at - startBytes, sectorEnd - startBytes);
      for (const [offset, block] of this.#blocksOf(sector)) await bank.write(at + offset, block);
      at = sectorEnd;
    }
  }

  *#blocksOf(bytes: Uint8Array): Generator<readonly [number, Uint8Array], void, undefined> {
    const { blockBytes } = this.#options;
    for (let at = 0; at < bytes.length; at += blockBytes) {
      yield [at, bytes.subarray(at, at + blockBytes)];
    }
  }

  #spareAt(index: number): PagePlan['spares'][number] {
    const spare = this.#options.pages.spares[index];
    if (spare !== undefined) return spare;
    throw new FlashFault('LAYOUT', `Cannot find spare ${index}: the plan has none`);
  }
}

/** Until it reads the same twice: a single read may be wrong in a bit. */
async function readTwice(
  read: (into: Uint8Array) => Promise<void>,
  content: Uint8Array,
): Promise<void> {
  const before = new Uint8Array(content.length);
  for (let attempt = 0; attempt < READ_ATTEMPTS; attempt += 1) {
    await read(before);
    await read(content);
    if (equalBytes(before, content)) return;
  }
  throw new FlashFault('READ_BACK', 'Cannot read flash: it reads otherwise each time');
}

function identityOf({ lengthBytes, hashes }: SlotImage): {
  readonly lengthBytes: number;
  readonly sha256: string;
} {
  return { lengthBytes, sha256: hashes.get('sha256') ?? '' };
}
