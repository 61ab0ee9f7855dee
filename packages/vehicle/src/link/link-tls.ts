/** TLS as both ends of the in-vehicle link speak it: version 1.3, this vehicle's authority, this protocol. */
import type { CommonConnectionOptions, SecureContextOptions, TLSSocket } from 'node:tls';
import { VehicleFault } from '../vehicle-fault.ts';
import { createFrameDecoder, type FrameKind, type FrameSink } from './frame.ts';
import { KEEP_ALIVE_MS, PARTIAL_MESSAGE_MAX_MS } from './limits.ts';
import type { LinkCredential } from './link-credentials.ts';
import type { Timer } from '../ports.ts';

/** The name under which both ends agree on frames of this form. */
const PROTOCOL = 'immota-link/1';

/** What both ends tell TLS. */
export function tlsOptionsOf(
  credential: LinkCredential,
): SecureContextOptions &
  Pick<CommonConnectionOptions, 'ALPNProtocols'> & { rejectUnauthorized: true } {
  return {
    ca: credential.authorityPem,
    cert: credential.certificatePem,
    key: credential.privateKeyPem,
    minVersion: 'TLSv1.3',
    // What is recorded in a vehicle today must not be read by a quantum computer later.
    ecdhCurve: 'X25519MLKEM768:X25519',
    ALPNProtocols: [PROTOCOL],
    rejectUnauthorized: true,
  };
}

/** Tells whether both ends agreed on the protocol. */
export function speaksLink(socket: TLSSocket): boolean {
  return socket.alpnProtocol === PROTOCOL;
}

/** What reading from a peer needs. */
export interface ReadOptions {
  readonly timer: Timer;
  readonly accepted: ReadonlySet<FrameKind>;
  readonly sink: FrameSink;
}

/**
 * Reads frames from a socket. A breach of the protocol ends the connection with its fault, and so
 * does a peer that stops in the middle of a message.
 */
export function readFrames(socket: TLSSocket, { timer, accepted, sink }: ReadOptions): void {
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  socket.setNoDelay(true);
  const decoder = createFrameDecoder(accepted, sink);
  let cancel: (() => void) | undefined;
  const watch = (): void => {
    cancel?.();
    cancel = undefined;
    if (!decoder.isWithin() || socket.destroyed) return;
    cancel = timer.schedule(PARTIAL_MESSAGE_MAX_MS, () => {
      socket.destroy(new VehicleFault('LINK_PROTOCOL', 'Cannot go on with peer: half a message'));
    });
  };
  socket.on('data', (bytes: Uint8Array) => {
    try {
      decoder.push(bytes);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : undefined);
    }
    watch();
  });
  socket.once('close', () => cancel?.());
}
