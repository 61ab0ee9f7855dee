/**
 * Writes one image into a slot's file: gathered into large pieces, one of which is on its way to the
 * disk while the next one fills, and made durable from time to time.
 */
import { assert } from '@immota/base';
import { UptaneFault } from '@immota/uptane';
import type { ResumableWriter } from './resumable-slots.ts';
import type { SlotFile } from './slot-files.ts';

/** What a writer is given. */
export interface FolderWriterOptions {
  readonly file: SlotFile;
  readonly lengthBytes: number;
  readonly fromBytes: number;
  /** Bytes that are gathered before they are written. */
  readonly writeLengthBytes: number;
  /** Bytes after which what was written is made durable. */
  readonly checkpointBytes: number;
  /** Records how many bytes are durable, and whether that is all. */
  readonly onDurable: (durableBytes: number, isWhole: boolean) => Promise<void>;
  readonly onDiscard: () => Promise<void>;
}

/** See the head of the file. */
export class FolderWriter implements ResumableWriter {
  readonly #options: FolderWriterOptions;
  #filling: Uint8Array;
  #spare: Uint8Array;
  #filledBytes = 0;
  /** Where the buffer that is filling will be written. */
  #position: number;
  #durableBytes: number;
  #underWay: Promise<void> | undefined;
  #isOpen = true;

  /** Part of the slots that open it. */
  constructor(options: FolderWriterOptions) {
    this.#options = options;
    this.#filling = new Uint8Array(options.writeLengthBytes);
    this.#spare = new Uint8Array(options.writeLengthBytes);
    this.#position = options.fromBytes;
    this.#durableBytes = options.fromBytes;
  }

  /** Writes the next bytes. @throws UptaneFault IMAGE_LENGTH when they are more than the image has. */
  async write(bytes: Uint8Array): Promise<void> {
    assert(this.#isOpen, 'a slot is written while it is open');
    const { lengthBytes } = this.#options;
    if (this.#position + this.#filledBytes + bytes.length > lengthBytes) {
      throw new UptaneFault('IMAGE_LENGTH', `Cannot write slot: more than ${lengthBytes} bytes`);
    }
    for (let rest = bytes; rest.length > 0;) {
      const part = rest.subarray(0, this.#filling.length - this.#filledBytes);
      this.#filling.set(part, this.#filledBytes);
      this.#filledBytes += part.length;
      rest = rest.subarray(part.length);
      if (this.#filledBytes === this.#filling.length) await this.#send();
    }
    const { checkpointBytes } = this.#options;
    if (this.#position - this.#durableBytes >= checkpointBytes) await this.#checkpoint();
  }

  /** Makes the whole image durable. */
  async finish(): Promise<void> {
    const { file, lengthBytes, onDurable } = this.#options;
    await this.#flush();
    assert(this.#position === lengthBytes, 'an image is finished when it is whole');
    // What an older and longer image has left behind it.
    await file.truncate(lengthBytes);
    await file.sync();
    await this.#close();
    await onDurable(lengthBytes, true);
  }

  /** Keeps what there is. */
  async pause(): Promise<void> {
    try {
      await this.#flush();
      await this.#checkpoint();
    } finally {
      await this.#close();
    }
  }

  /** Gives the slot up. */
  async discard(): Promise<void> {
    await this.#settle();
    await this.#close();
    await this.#options.onDiscard();
  }

  async #checkpoint(): Promise<void> {
    const { file, onDurable } = this.#options;
    await this.#underWay;
    this.#underWay = undefined;
    await file.sync();
    this.#durableBytes = this.#position;
    await onDurable(this.#durableBytes, false);
  }

  async #send(): Promise<void> {
    await this.#underWay;
    const bytes = this.#filling.subarray(0, this.#filledBytes);
    const written = this.#options.file.write(bytes, this.#position);
    // Whoever awaits it next hears of a failure; until then it must not count as unhandled.
    written.catch(() => undefined);
    this.#underWay = written;
    this.#position += bytes.length;
    this.#filledBytes = 0;
    [this.#filling, this.#spare] = [this.#spare, this.#filling];
  }

  async #flush(): Promise<void> {
    if (this.#filledBytes > 0) await this.#send();
    await this.#underWay;
    this.#underWay = undefined;
  }

  /** Waits for a write that may have failed, when nobody cares any more. */
  async #settle(): Promise<void> {
    try {
      await this.#underWay;
    } catch {
      // The slot is given up: whether its last bytes were written says nothing.
    }
    this.#underWay = undefined;
  }

  async #close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#options.file.close();
  }
}
