/** One TCP connection of DoIP, plain or by TLS: parts of messages out, bytes in, an end in order. */
import type { Socket } from 'node:net';
import type { Timer } from '../ports.ts';
import { LINGER_MS, UNSENT_MAX_BYTES } from './limits.ts';

/** What a connection tells. */
export interface SocketEvents {
  /** The bytes are not written again. */
  readonly onBytes: (bytes: Uint8Array) => void;
  readonly onClosed: () => void;
}

/** See the head of the file. */
export class DoipSocket {
  readonly #socket: Socket;
  readonly #timer: Timer;
  #isCorked = false;

  /** Takes over a connected socket. */
  constructor(socket: Socket, timer: Timer, { onBytes, onClosed }: SocketEvents) {
    this.#socket = socket;
    this.#timer = timer;
    // Each small answer would wait for the peer's delayed acknowledgement: some 40 ms a request.
    socket.setNoDelay(true);
    socket.setKeepAlive(true);
    socket.on('data', onBytes);
    // The close that follows says all there is to know.
    socket.on('error', nothing);
    socket.once('close', onClosed);
  }

  /**
   * Sends parts, one behind the other; what one turn of the loop sends leaves together.
   *
   * @returns fulfils when the system has taken them, or there is nobody to take them.
   */
  async send(parts: readonly Uint8Array[]): Promise<void> {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    this.#cork();
    const { promise, resolve } = Promise.withResolvers<void>();
    const last = parts.length - 1;
    for (const [index, part] of parts.entries()) {
      if (index === last) socket.write(part, () => resolve());
      else socket.write(part);
    }
    // A peer that asks and does not read must not make us keep its answers for ever.
    if (socket.writableLength > UNSENT_MAX_BYTES) socket.destroy();
    await promise;
  }

  /**
   * Ends the connection in order: what was sent arrives, what still comes is dropped. Cuts it when
   * the peer takes too long.
   */
  end(): void {
    const socket = this.#socket;
    socket.end();
    const cancel = this.#timer.schedule(LINGER_MS, () => socket.destroy());
    socket.once('close', cancel);
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#socket.destroy();
  }

  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
    setImmediate(() => {
      this.#isCorked = false;
      this.#socket.uncork();
    });
  }
}

function nothing(): void {
  // See where it is used.
}
