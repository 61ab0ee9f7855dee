/** A bus whose frames travel in UDP datagrams, whatever they look like there. */
import type { RemoteInfo, Socket } from 'node:dgram';
import { type CanBus, CanFault, type CanFrame } from '@immota/bus';
import { FRAMES_IN_FLIGHT_MAX } from './limits.ts';

/** What a tunnel counts, for those who watch it. */
export interface TunnelStatistics {
  readonly sent: number;
  readonly received: number;
  /** Datagrams that were none of the tunnel's. */
  readonly refused: number;
  /** Datagrams that never came, where the tunnel numbers them. */
  readonly lost: number;
}

/** A place on a bus behind a tunnel. */
export interface TunnelBus extends CanBus {
  readonly statistics: TunnelStatistics;
}

/** What is peculiar to a tunnel. */
export interface DatagramFormat {
  encode(frame: CanFrame): Uint8Array;
  /** @throws CanFault for what is none of the tunnel's. */
  decode(datagram: Uint8Array): { readonly frames: readonly CanFrame[]; readonly lost: number };
  /** Tells whether a datagram is meant for us at all. */
  isFromPeer(from: RemoteInfo): boolean;
}

/** The sockets, bound, and where to send. */
export interface DatagramPlace {
  readonly sender: Socket;
  readonly receiver: Socket;
  readonly to: { readonly address: string; readonly port: number };
}

/** Makes a bus of sockets that are open. */
export function createDatagramBus(place: DatagramPlace, format: DatagramFormat): TunnelBus {
  return new DatagramBus(place, format);
}

/**
 * Waits until a socket is bound.
 *
 * @throws CanFault DRIVER_FAILED; the socket is closed then.
 */
export async function bindSocket(
  socket: Socket,
  where: { readonly address?: string | undefined; readonly port: number },
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const { address, port } = where;
  socket.once('error', reject);
  socket.bind(address === undefined ? { port } : { port, address }, resolve);
  try {
    await promise;
  } catch (error) {
    socket.close();
    throw new CanFault('DRIVER_FAILED', `Cannot open tunnel: port ${port}`, { cause: error });
  } finally {
    socket.off('error', reject);
  }
}

class DatagramBus implements TunnelBus {
  readonly #place: DatagramPlace;
  readonly #format: DatagramFormat;
  readonly #listeners = new Set<(frame: CanFrame) => void>();
  readonly #counts = { sent: 0, received: 0, refused: 0, lost: 0 };
  #inFlight = 0;
  #isClosed = false;

  constructor(place: DatagramPlace, format: DatagramFormat) {
    this.#place = place;
    this.#format = format;
    place.receiver.on('message', (datagram, from) => this.#receive(datagram, from));
    for (const socket of sockets(place)) {
      // A peer that is not there yet, or a network that is down: like a bus without other nodes.
      socket.on('error', ignore);
    }
  }

  get statistics(): TunnelStatistics {
    return { ...this.#counts };
  }

  async send(frame: CanFrame): Promise<void> {
    if (this.#isClosed) throw new CanFault('CLOSED', 'Cannot send frame: the tunnel was closed');
    if (this.#inFlight >= FRAMES_IN_FLIGHT_MAX) {
      throw new CanFault('QUEUE_FULL', `Cannot send frame: ${this.#inFlight} are on their way`);
    }
    const { sender, to } = this.#place;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#inFlight += 1;
    sender.send(this.#format.encode(frame), to.port, to.address, (error) => {
      this.#inFlight -= 1;
      if (error === null) resolve();
      else
        reject(
          new CanFault('DRIVER_FAILED', 'Cannot send frame: the network refused it', {
            cause: error,
          }),
        );
    });
    await promise;
    this.#counts.sent += 1;
  }

  listen(listener: (frame: CanFrame) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#listeners.clear();
    await Promise.all(
      sockets(this.#place).map(async (socket) => {
        const { promise, resolve } = Promise.withResolvers<void>();
        socket.close(resolve);
        await promise;
      }),
    );
  }

  #receive(datagram: Uint8Array, from: RemoteInfo): void {
    if (!this.#format.isFromPeer(from)) return;
    try {
      const { frames, lost } = this.#format.decode(datagram);
      this.#counts.lost += lost;
      this.#counts.received += frames.length;
      for (const frame of frames) for (const listener of this.#listeners) listener(frame);
    } catch (error) {
      // Anybody on the network can send nonsense: it is counted and does no harm.
      if (!(error instanceof CanFault)) throw error;
      this.#counts.refused += 1;
    }
  }
}

function sockets({ sender, receiver }: DatagramPlace): readonly Socket[] {
  return sender === receiver ? [sender] : [sender, receiver];
}

function ignore(): void {
  // The sender of a frame hears of it; nobody else waits.
}
