/**
 * A Secondary's end of the in-vehicle link: lets the Primary of this vehicle in and nobody else, and
 * puts its requests to the ECU.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { assert, Fault, unreachable } from '@immota/base';
import type { RateFloor } from '../download/rate-guard.ts';
import type { Timer } from '../ports.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { encodeMessage, type FrameKind, nextNumber } from './frame.ts';
import { HANDSHAKE_TIMEOUT_MS, REQUESTS_MAX, STRANGERS_MAX } from './limits.ts';
import { type LinkCredential, PRIMARY_NAME } from './link-credentials.ts';
import { readFrames, speaksLink, tlsOptionsOf } from './link-tls.ts';
import {
  decodeBundle,
  decodeNonce,
  decodeNothing,
  decodeOffer,
  encodeCredit,
  encodeInfo,
  encodeJson,
  encodeNonce,
  encodePull,
  encodeRefusal,
  encodeStatus,
} from './message.ts';
import { PullStream } from './pull-stream.ts';
import type { SecondaryLink } from './secondary-link.ts';

/** How to serve an ECU. */
export interface ServeSecondaryOptions {
  /** The ECU itself, which answers; it is not closed with the server. */
  readonly ecu: SecondaryLink;
  readonly credential: LinkCredential;
  /** The loopback address when left out. */
  readonly host?: string | undefined;
  /** Any free one when left out. */
  readonly port?: number | undefined;
  readonly timer: Timer;
  /** Below this a transfer is refused {uptane I9}. */
  readonly rateFloor: RateFloor;
  /** Called when a peer breaks the protocol, so that the ECU can report it. */
  readonly onBreach?: ((fault: VehicleFault) => void) | undefined;
}

/** An ECU that can be reached. */
export interface SecondaryServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

const ACCEPTED: ReadonlySet<FrameKind> = new Set([
  'info',
  'report',
  'drawTimeNonce',
  'putTime',
  'putMetadata',
  'offerImage',
  'activate',
  'status',
  'confirm',
  'revert',
  'data',
  'dataFailed',
]);
/** Pulls of one connection: an image needs two, and a connection carries the images of years. */
const PULLS_MAX = 4096;
const NOTHING: Uint8Array = new Uint8Array();

/** Serves an ECU; fulfils when it can be reached. */
export async function serveSecondary(options: ServeSecondaryOptions): Promise<SecondaryServer> {
  const { credential, host = '127.0.0.1', port = 0 } = options;
  let current: TLSSocket | undefined;
  const sockets = new Set<Socket>();
  const strangers = new Map<string, Socket>();
  const server = createServer({
    ...tlsOptionsOf(credential),
    requestCert: true,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
  server.on('connection', (socket: Socket) => {
    const name = peerOf(socket);
    sockets.add(socket);
    strangers.set(name, socket);
    socket.once('close', () => {
      sockets.delete(socket);
      strangers.delete(name);
    });
    // The oldest gives way: whoever opens connections and says nothing must not keep the Primary out.
    if (strangers.size > STRANGERS_MAX) strangers.values().next().value?.destroy();
  });
  server.on('secureConnection', (socket) => {
    strangers.delete(peerOf(socket));
    socket.on('error', (error) => {
      if (error instanceof VehicleFault) options.onBreach?.(error);
    });
    if (!isPrimary(socket)) {
      socket.destroy();
      return;
    }
    // A Primary that was killed comes back before anybody has missed its old connection.
    current?.destroy();
    current = socket;
    serveConnection(socket, options);
  });
  server.listen(port, host);
  await once(server, 'listening');
  // Without descriptors no connection can be accepted for a while; those there are go on.
  server.on('error', nothing);
  return { host, port: portOf(server), close: async () => close(server, sockets) };
}

/** TLS has checked the chain and its purpose; the name tells the Primary from future clients. */
function isPrimary(socket: TLSSocket): boolean {
  return (
    socket.authorized &&
    speaksLink(socket) &&
    socket.getPeerCertificate().subject?.CN === PRIMARY_NAME
  );
}

/** Both the TCP socket and the TLS socket on top of it have the same peer. */
function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? 0}`;
}

function serveConnection(socket: TLSSocket, options: ServeSecondaryOptions): void {
  const { timer } = options;
  const pulls = new Map<number, PullStream>();
  const pending = new Set<number>();
  const send = (kind: FrameKind, number: number, payload: Uint8Array): void => {
    if (socket.destroyed) return;
    for (const frame of encodeMessage(kind, number, payload)) socket.write(frame);
  };
  const open = (request: number, offsetBytes: number): AsyncIterable<Uint8Array> => {
    const number = nextNumber(pulls.size);
    if (socket.destroyed || pulls.size === PULLS_MAX) {
      socket.destroy();
      throw new VehicleFault('NETWORK', 'Cannot pull image: the connection is used up');
    }
    const pull = new PullStream({
      timer,
      rateFloor: options.rateFloor,
      start: (creditBytes) => {
        send('pull', number, encodePull({ request, offsetBytes, creditBytes }));
      },
      addCredit: (creditBytes) => send('credit', number, encodeCredit(creditBytes)),
    });
    pulls.set(number, pull);
    return pull.read();
  };
  const answer = async (kind: FrameKind, number: number, payload: Uint8Array): Promise<void> => {
    try {
      const result = await perform(options.ecu, { kind, payload }, (offsetBytes) =>
        open(number, offsetBytes),
      );
      send('answer', number, result);
    } catch (error) {
      if (error instanceof VehicleFault && error.code === 'LINK_PROTOCOL') throw error;
      if (!(error instanceof Fault)) throw error;
      send('refusal', number, encodeRefusal({ code: error.code, message: error.message }));
    } finally {
      pending.delete(number);
    }
  };
  const onMessage = (kind: FrameKind, number: number, payload: Uint8Array): void => {
    if (kind === 'dataFailed') {
      pulls.get(number)?.fail(new VehicleFault('NETWORK', 'Cannot pull image: no more of it came'));
      return;
    }
    if (pending.size === REQUESTS_MAX || pending.has(number)) {
      throw new VehicleFault('LINK_PROTOCOL', 'Cannot go on with peer: too many requests');
    }
    pending.add(number);
    answer(kind, number, payload).catch((error: unknown) => {
      socket.destroy(error instanceof Error ? error : undefined);
    });
  };
  const onData = (number: number, bytes: Uint8Array, isLast: boolean): void => {
    const pull = pulls.get(number);
    if (pull === undefined) {
      throw new VehicleFault('LINK_PROTOCOL', 'Cannot go on with peer: bytes nobody asked for');
    }
    pull.put(bytes, isLast);
  };
  readFrames(socket, { timer, accepted: ACCEPTED, sink: { onMessage, onData } });
  socket.once('close', () => {
    const fault = new VehicleFault('NETWORK', 'Cannot pull image: the connection broke');
    for (const pull of pulls.values()) pull.fail(fault);
  });
}

async function perform(
  ecu: SecondaryLink,
  { kind, payload }: { readonly kind: FrameKind; readonly payload: Uint8Array },
  open: (offsetBytes: number) => AsyncIterable<Uint8Array>,
): Promise<Uint8Array> {
  switch (kind) {
    case 'info':
      decodeNothing(payload);
      return encodeInfo(await ecu.getInfo());
    case 'report':
      return encodeJson(await ecu.report(decodeNonce(payload)));
    case 'drawTimeNonce':
      decodeNothing(payload);
      return encodeNonce(await ecu.drawTimeNonce());
    case 'putTime':
      await ecu.putTime(payload);
      return NOTHING;
    case 'putMetadata':
      await ecu.putMetadata(decodeBundle(payload));
      return NOTHING;
    case 'offerImage':
      await ecu.sendImage({ ...decodeOffer(payload), open });
      return NOTHING;
    case 'activate':
      decodeNothing(payload);
      await ecu.activate();
      return NOTHING;
    case 'status':
      decodeNothing(payload);
      return encodeStatus(await ecu.status());
    case 'confirm':
      decodeNothing(payload);
      await ecu.confirm();
      return NOTHING;
    case 'revert':
      decodeNothing(payload);
      await ecu.revert();
      return NOTHING;
    case 'data':
    case 'dataFailed':
    case 'pull':
    case 'credit':
    case 'answer':
    case 'refusal':
      throw new VehicleFault('LINK_PROTOCOL', 'Cannot go on with peer: no request');
    default:
      return unreachable(kind);
  }
}

function portOf(server: Server): number {
  const address = server.address();
  assert(typeof address === 'object' && address !== null, 'a listening server has a port');
  return address.port;
}

async function close(server: Server, sockets: ReadonlySet<Socket>): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  for (const socket of sockets) socket.destroy();
  await closed;
}

function nothing(): void {
  // See where it is used.
}
