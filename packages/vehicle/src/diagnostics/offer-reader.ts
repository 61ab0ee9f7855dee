/** Reads an offered image block by block; going on where it is costs no new opening. */
import { UdsFault } from '@immota/bus';
import type { ImageOffer } from '../link/secondary-link.ts';

/** See the head of the file. */
export class OfferReader {
  readonly #offer: ImageOffer;
  #source: AsyncIterator<Uint8Array> | undefined;
  #positionBytes = 0;
  #left: Uint8Array = new Uint8Array();

  constructor(offer: ImageOffer) {
    this.#offer = offer;
  }

  /** Reads exactly so many bytes. @throws UdsFault VALUE_RANGE when the image ends before. */
  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    if (this.#source === undefined || offsetBytes !== this.#positionBytes) {
      await this.close();
      this.#source = this.#offer.open(offsetBytes)[Symbol.asyncIterator]();
      this.#positionBytes = offsetBytes;
    }
    const source = this.#source;
    const block = new Uint8Array(lengthBytes);
    for (let filled = 0; filled < lengthBytes;) {
      if (this.#left.length === 0) {
        const { done, value } = await source.next();
        if (done === true) throw new UdsFault('VALUE_RANGE', 'Cannot send image: it ends too soon');
        this.#left = value;
      }
      const part = this.#left.subarray(0, lengthBytes - filled);
      block.set(part, filled);
      filled += part.length;
      this.#left = this.#left.subarray(part.length);
    }
    this.#positionBytes += lengthBytes;
    return block;
  }

  /** Lets the source go. */
  async close(): Promise<void> {
    const source = this.#source;
    this.#source = undefined;
    this.#left = new Uint8Array();
    await source?.return?.();
  }
}
