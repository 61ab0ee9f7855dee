/**
 * The image on its way from a tester, who sends, to an ECU, which pulls. Blocks come one after the
 * other; the ECU says where it begins, and what lies before is passed over.
 */
import { VehicleFault } from '../vehicle-fault.ts';
import type { ImageOffer } from '../link/secondary-link.ts';

/** What a tester has said of an image before it sends it. */
export interface ImageAnnouncement extends Pick<ImageOffer, 'name' | 'lengthBytes' | 'isDelta'> {
  /** Its first bytes, so that the ECU can say where in the middle it goes on; may be none. */
  readonly head: Uint8Array;
}

interface Chunk {
  readonly offsetBytes: number;
  readonly data: Uint8Array;
  readonly release: () => void;
}

/** See the head of the file. One image at a time. */
export class ImageIntake {
  #run: IntakeRun | undefined;

  /**
   * Offers an image to the ECU.
   *
   * @returns from where on the ECU wants it; its length when it has it whole already.
   * @throws what the ECU refuses it with.
   */
  async begin(
    announcement: ImageAnnouncement,
    send: (offer: ImageOffer) => Promise<void>,
  ): Promise<number> {
    await this.abort();
    const run = new IntakeRun(announcement);
    this.#run = run;
    return await run.start(send);
  }

  /** Hands bytes over; fulfils when the ECU wants more. @throws what the ECU refuses them with. */
  async write(offsetBytes: number, data: Uint8Array): Promise<void> {
    await this.#begun().write(offsetBytes, data);
  }

  /** Fulfils when the ECU has the image whole and verified. @throws what it refuses it with. */
  async finish(): Promise<void> {
    await this.#begun().finish();
  }

  /** Breaks off; what has come so far the ECU may keep. */
  async abort(): Promise<void> {
    const run = this.#run;
    this.#run = undefined;
    await run?.abort();
  }

  #begun(): IntakeRun {
    if (this.#run !== undefined) return this.#run;
    throw new VehicleFault('ECU_REFUSED', 'Cannot take image: none was announced');
  }
}

class IntakeRun {
  readonly #announcement: ImageAnnouncement;
  readonly #wanted = Promise.withResolvers<number>();
  #result: Promise<void> = Promise.resolve();
  #chunk: Chunk | undefined;
  /** Where the next chunk begins; undefined before the first. */
  #nextBytes: number | undefined;
  #wake: (() => void) | undefined;
  #isBroken = false;

  constructor(announcement: ImageAnnouncement) {
    this.#announcement = announcement;
  }

  async start(send: (offer: ImageOffer) => Promise<void>): Promise<number> {
    const { head: _, ...offer } = this.#announcement;
    const { lengthBytes } = offer;
    this.#result = send({ ...offer, open: (offsetBytes) => this.#read(offsetBytes) });
    return await Promise.race([this.#wanted.promise, this.#result.then(() => lengthBytes)]);
  }

  async write(offsetBytes: number, data: Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#chunk = { offsetBytes, data, release: resolve };
    this.#nextBytes = offsetBytes + data.length;
    this.#wake?.();
    await Promise.race([promise, this.#result]);
  }

  /** No more comes: an ECU that still waits for bytes waits in vain. */
  async finish(): Promise<void> {
    if ((this.#nextBytes ?? 0) < this.#announcement.lengthBytes) this.#break();
    await this.#result;
  }

  async abort(): Promise<void> {
    this.#break();
    await this.#result.catch(nothing);
  }

  #break(): void {
    this.#isBroken = true;
    this.#wake?.();
  }

  async *#read(offsetBytes: number): AsyncGenerator<Uint8Array> {
    const { head, lengthBytes } = this.#announcement;
    let position = offsetBytes;
    if (this.#nextBytes === undefined && position < head.length) {
      const bytes = head.subarray(position, lengthBytes);
      position += bytes.length;
      yield bytes;
    }
    while (position < lengthBytes) {
      const chunk = await this.#pull(position);
      const bytes = chunk.data.subarray(position - chunk.offsetBytes);
      position += bytes.length;
      yield bytes;
    }
    this.#release();
  }

  /** A chunk is kept until what lies behind it is asked for: the ECU may look at one twice. */
  async #pull(position: number): Promise<Chunk> {
    for (;;) {
      if (this.#isBroken || position < (this.#chunk?.offsetBytes ?? this.#nextBytes ?? 0)) {
        throw new VehicleFault('NETWORK', 'Cannot pull image: the transfer broke off');
      }
      const chunk = this.#chunk;
      if (chunk !== undefined && position < chunk.offsetBytes + chunk.data.length) return chunk;
      this.#release();
      this.#wanted.resolve(position);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
  }

  #release(): void {
    this.#chunk?.release();
    this.#chunk = undefined;
  }
}

function nothing(): void {
  // Whoever asked for it has heard of it.
}
