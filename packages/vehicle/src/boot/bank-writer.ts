/**
 * Writes one image into a bank: each sector is erased before its first byte, each block is read back,
 * and from time to time a record says which sectors are done.
 */
import { assert } from '@immota/base';
import { UptaneFault } from '@immota/uptane';
import type { SlotImage } from '../slots/image-slots.ts';
import type { ResumableWriter } from '../slots/resumable-slots.ts';
import type { Bank } from './bank.ts';

/** What a writer is given. */
export interface BankWriterOptions {
  readonly bank: Bank;
  readonly image: SlotImage;
  /** Where the caller goes on; not behind `durableBytes`. */
  readonly fromBytes: number;
  /** How much is there already: up to the beginning of a sector, or all. */
  readonly durableBytes: number;
  readonly blockBytes: number;
  readonly progressBytes: number;
  /** Records how many bytes are durable. */
  readonly onProgress: (durableBytes: number) => Promise<void>;
  /** Called when the image is whole and sealed. */
  readonly onSealed: () => Promise<void>;
  readonly onDiscard: () => Promise<void>;
}

/** See the head of the file. */
export class BankWriter implements ResumableWriter {
  readonly #options: BankWriterOptions;
  readonly #block: Uint8Array;
  #blockBytes = 0;
  /** Where the block goes. */
  #position: number;
  /** What the caller gives again although it is there: it must be the same. */
  #repeatFrom: number;
  #recordedBytes: number;
  #isOpen = true;

  /** Part of the slots that open it. */
  constructor(options: BankWriterOptions) {
    this.#options = options;
    this.#block = new Uint8Array(options.blockBytes);
    this.#position = options.durableBytes;
    this.#recordedBytes = options.durableBytes;
    this.#repeatFrom = options.fromBytes;
  }

  /**
   * Writes the next bytes.
   *
   * @throws UptaneFault IMAGE_LENGTH when they are more than the image has, IMAGE_HASH when they are
   * others than were received before; FlashFault when the flash does not keep them.
   */
  async write(bytes: Uint8Array): Promise<void> {
    assert(this.#isOpen, 'a bank is written while it is open');
    const { image, durableBytes } = this.#options;
    const isRepeating = this.#repeatFrom < durableBytes;
    const doneBytes = isRepeating ? this.#repeatFrom : this.#position + this.#blockBytes;
    if (doneBytes + bytes.length > image.lengthBytes) {
      throw new UptaneFault(
        'IMAGE_LENGTH',
        `Cannot write "${image.name}": more than ${image.lengthBytes} bytes`,
      );
    }
    let rest = await this.#skipRepeated(bytes);
    while (rest.length > 0) {
      const end = this.#blockEnd();
      const part = rest.subarray(0, end - this.#position - this.#blockBytes);
      this.#block.set(part, this.#blockBytes);
      this.#blockBytes += part.length;
      rest = rest.subarray(part.length);
      if (this.#position + this.#blockBytes === end) await this.#flush();
    }
  }

  /** Makes the image bootable, when all of it reads as it should. @throws UptaneFault IMAGE_HASH. */
  async finish(): Promise<void> {
    const { bank, image, onSealed } = this.#options;
    if (this.#blockBytes > 0) await this.#flush();
    assert(this.#position === image.lengthBytes, 'an image is finished when it is whole');
    // What earlier starts have written was read back by them; what counts is what is there now.
    if (!(await bank.isWhole(image))) await bank.checkBytes(image);
    await bank.seal(image);
    this.#isOpen = false;
    await onSealed();
  }

  /** Keeps whole sectors; what came of the next one is given again. */
  async pause(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#record();
  }

  /** Gives the bank up. */
  async discard(): Promise<void> {
    this.#isOpen = false;
    await this.#options.onDiscard();
  }

  /** Bytes that are there already are compared: others would make an image of two. */
  async #skipRepeated(bytes: Uint8Array): Promise<Uint8Array> {
    const { bank, durableBytes, image } = this.#options;
    const count = Math.min(bytes.length, Math.max(0, durableBytes - this.#repeatFrom));
    if (count === 0) return bytes;
    let compared = 0;
    for await (const part of bank.read(this.#repeatFrom + count, this.#repeatFrom)) {
      const given = bytes.subarray(compared, compared + part.length);
      if (Buffer.compare(given, part) !== 0) {
        throw new UptaneFault('IMAGE_HASH', `Cannot resume "${image.name}": other bytes came`);
      }
      compared += part.length;
    }
    this.#repeatFrom += count;
    return bytes.subarray(count);
  }

  /** Blocks do not reach over the end of a sector. */
  #blockEnd(): number {
    const { bank, blockBytes } = this.#options;
    const start = bank.sectorStart(this.#position);
    const inSector = this.#position - start;
    const end = start + (Math.floor(inSector / blockBytes) + 1) * blockBytes;
    return Math.min(end, bank.sectorEnd(this.#position));
  }

  async #flush(): Promise<void> {
    const { bank, progressBytes } = this.#options;
    if (this.#position === bank.sectorStart(this.#position)) await bank.eraseAt(this.#position);
    await bank.write(this.#position, this.#block.subarray(0, this.#blockBytes));
    this.#position += this.#blockBytes;
    this.#blockBytes = 0;
    if (this.#wholeSectors() - this.#recordedBytes >= progressBytes) await this.#record();
  }

  async #record(): Promise<void> {
    const durableBytes = this.#wholeSectors();
    if (durableBytes <= this.#recordedBytes) return;
    await this.#options.onProgress(durableBytes);
    this.#recordedBytes = durableBytes;
  }

  /** Up to where whole sectors are written. */
  #wholeSectors(): number {
    const { bank, image } = this.#options;
    if (this.#position === 0 || this.#position === image.lengthBytes) return this.#position;
    const end = bank.sectorEnd(this.#position - 1);
    return end === this.#position ? end : bank.sectorStart(this.#position - 1);
  }
}
