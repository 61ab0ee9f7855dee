/**
 * A tunnel to the CAN of a Linux kernel: cannelloni at its far end puts our frames onto a real bus. There
 * is one peer; datagrams of anybody else are passed over. It protects nothing: run it within one board, or
 * inside a tunnel that does.
 */
import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { CanFault, decodeCannelloni, encodeCannelloni } from '@immota/bus';
import { bindSocket, createDatagramBus, type TunnelBus } from './datagram-bus.ts';
import { RECEIVE_BUFFER_BYTES } from './limits.ts';

/** The two ends. */
export interface CannelloniOptions {
  /** Where cannelloni listens: its address, not a name. */
  readonly peer: { readonly address: string; readonly port: number };
  /** Where we listen, and where cannelloni sends to; 0 takes any port. */
  readonly local: { readonly address?: string | undefined; readonly port: number };
}

/** See the head of the file. */
export interface CannelloniBus extends TunnelBus {
  /** The port that was taken. */
  readonly port: number;
}

const SEQUENCES = 256;

/**
 * Opens the tunnel. There is no handshake: the peer need not be there yet.
 *
 * @throws CanFault DRIVER_FAILED.
 */
export async function openCannelloni({ peer, local }: CannelloniOptions): Promise<CannelloniBus> {
  const socket = createSocket({
    type: isIPv6(peer.address) ? 'udp6' : 'udp4',
    recvBufferSize: RECEIVE_BUFFER_BYTES,
  });
  await bindSocket(socket, local);
  let sent = 0;
  let received: number | undefined;
  const bus = createDatagramBus(
    { sender: socket, receiver: socket, to: peer },
    {
      encode: (frame) => {
        const sequence = sent % SEQUENCES;
        sent += 1;
        return encodeCannelloni({ sequence, frames: [frame] });
      },
      decode: (datagram) => {
        const { sequence, frames } = decodeCannelloni(datagram);
        const before = received;
        received = sequence;
        if (before === undefined) return { frames, lost: 0 };
        // The network repeated it: a frame that comes twice breaks what counts on order.
        if (sequence === before) throw repeated(sequence);
        return { frames, lost: (sequence - before - 1 + SEQUENCES) % SEQUENCES };
      },
      isFromPeer: ({ address, port }) => address === peer.address && port === peer.port,
    },
  );
  const { port } = socket.address();
  return {
    port,
    get statistics() {
      return bus.statistics;
    },
    send: (frame) => bus.send(frame),
    listen: (listener) => bus.listen(listener),
    close: () => bus.close(),
  };
}

function repeated(sequence: number): CanFault {
  return new CanFault('FRAME_MALFORMED', `Cannot take datagram: ${sequence} came twice`);
}
