/**
 * Bytes of an image as an ECU pulls them: it says from where, and how many may come. What has come
 * and was not used yet never exceeds the window, whatever the peer does.
 */
import { guardRate, type RateFloor, type RateGuard } from '../download/rate-guard.ts';
import type { Timer } from '../ports.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { WINDOW_BYTES } from './limits.ts';

/** What a pull is given. */
export interface PullOptions {
  readonly timer: Timer;
  readonly rateFloor: RateFloor;
  /** Sends the pull itself. */
  readonly start: (creditBytes: number) => void;
  /** Sends that more may come. */
  readonly addCredit: (creditBytes: number) => void;
}

/** One pull. Bytes are put in by the connection and taken out by whoever installs. */
export class PullStream {
  readonly #options: PullOptions;
  #queue: Uint8Array[] = [];
  #creditBytes = WINDOW_BYTES;
  #usedBytes = 0;
  #end: { readonly fault: VehicleFault | undefined } | undefined;
  #wake: (() => void) | undefined;
  #guard: RateGuard | undefined;

  /** Nothing is sent before the first byte is asked for. */
  constructor(options: PullOptions) {
    this.#options = options;
  }

  /** Takes bytes that came. @throws VehicleFault LINK_PROTOCOL when they are more than were asked for. */
  put(bytes: Uint8Array, isLast: boolean): void {
    this.#creditBytes -= bytes.length;
    if (this.#creditBytes < 0) {
      throw new VehicleFault('LINK_PROTOCOL', 'Cannot go on with peer: more bytes than asked for');
    }
    if (this.#end !== undefined) return;
    this.#guard?.add(bytes.length);
    if (bytes.length > 0) this.#queue.push(bytes);
    if (isLast) this.#end = { fault: undefined };
    this.#wake?.();
  }

  /** Ends it early; what is still in the queue is of no use any more. */
  fail(fault: VehicleFault | undefined): void {
    this.#queue = [];
    this.#end ??= { fault };
    this.#wake?.();
  }

  /**
   * Reads to the end; a piece is valid until the next one is asked for.
   *
   * @throws VehicleFault SLOW_RETRIEVAL when bytes come too slowly {uptane I9}.
   */
  async *read(): AsyncGenerator<Uint8Array, void, undefined> {
    const { start, addCredit } = this.#options;
    start(WINDOW_BYTES);
    this.#watch();
    try {
      for (;;) {
        const bytes = this.#queue.shift();
        if (bytes !== undefined) {
          this.#usedBytes += bytes.length;
          yield bytes;
          if (this.#usedBytes >= WINDOW_BYTES / 2 && this.#end === undefined) {
            this.#creditBytes += this.#usedBytes;
            addCredit(this.#usedBytes);
            this.#usedBytes = 0;
          }
        } else if (this.#end === undefined) {
          const { promise, resolve } = Promise.withResolvers<void>();
          this.#wake = resolve;
          await promise;
        } else if (this.#end.fault === undefined) {
          return;
        } else {
          throw this.#end.fault;
        }
      }
    } finally {
      this.#guard?.stop();
      this.fail(undefined);
    }
  }

  /** Bytes that wait for us are not the peer's slowness: then the watch begins again. */
  #watch(): void {
    const { timer, rateFloor } = this.#options;
    this.#guard = guardRate(timer, rateFloor, (fault) => {
      if (this.#queue.length > 0) this.#watch();
      else this.fail(fault);
    });
  }
}
