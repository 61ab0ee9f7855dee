/** Sends what an ECU pulls, never more than it has asked for. */
import type { TLSSocket } from 'node:tls';
import { assert } from '@immota/base';
import { encodeFrame, encodeFrameHead } from './frame.ts';
import { FRAME_PAYLOAD_MAX_BYTES } from './limits.ts';
import type { PullMessage } from './message.ts';
import type { ImageOffer } from './secondary-link.ts';

const NOTHING: Uint8Array = new Uint8Array();

/** Answers one pull. */
export class ImageSender {
  /** The request that offered the image. */
  readonly request: number;
  readonly #socket: TLSSocket;
  readonly #offer: ImageOffer;
  readonly #pull: PullMessage & { readonly number: number };
  #creditBytes: number;
  #isStopped = false;
  #wake: (() => void) | undefined;

  /** Sends nothing before `run`. */
  constructor(
    socket: TLSSocket,
    offer: ImageOffer,
    pull: PullMessage & { readonly number: number },
  ) {
    this.request = pull.request;
    this.#socket = socket;
    this.#offer = offer;
    this.#pull = pull;
    this.#creditBytes = pull.creditBytes;
  }

  /** Lets more go. */
  addCredit(creditBytes: number): void {
    this.#creditBytes += creditBytes;
    this.#wake?.();
  }

  /** Stops for good: the connection is gone, or the ECU pulls from elsewhere. */
  stop(): void {
    this.#isStopped = true;
    this.#wake?.();
  }

  /** Sends to the end of the image. A source that fails is told to the ECU. */
  async run(): Promise<void> {
    const { number, offsetBytes } = this.#pull;
    try {
      for await (const bytes of this.#offer.open(offsetBytes)) {
        for (let rest = bytes; rest.length > 0 && !this.#isStopped;) {
          const room = await this.#room();
          const payload = rest.subarray(0, Math.min(room, FRAME_PAYLOAD_MAX_BYTES));
          rest = rest.subarray(payload.length);
          this.#creditBytes -= payload.length;
          await this.#send(payload);
        }
        if (this.#isStopped) return;
      }
      this.#write(encodeFrame({ kind: 'data', number, payload: NOTHING, hasMore: false }));
    } catch {
      // Our own source: the ECU learns that no more comes, and our caller by its refusal.
      this.#write(encodeFrame({ kind: 'dataFailed', number, payload: NOTHING, hasMore: false }));
    }
  }

  async #room(): Promise<number> {
    while (this.#creditBytes === 0 && !this.#isStopped) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await promise;
    }
    return this.#creditBytes;
  }

  async #send(payload: Uint8Array): Promise<void> {
    if (this.#isStopped) return;
    assert(payload.length > 0, 'credit is there');
    const { number } = this.#pull;
    const socket = this.#socket;
    socket.cork();
    socket.write(encodeFrameHead({ kind: 'data', number, payload, hasMore: true }));
    const { promise, resolve } = Promise.withResolvers<void>();
    // The source may use its memory again after this: it is waited for until TLS has it.
    socket.write(payload, () => resolve());
    socket.uncork();
    await promise;
  }

  #write(frame: Uint8Array): void {
    if (!this.#isStopped && !this.#socket.destroyed) this.#socket.write(frame);
  }
}
