/** Opens a DoIP entity: TCP and UDP on port 13400, TLS on port 3496. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { assert } from '@immota/base';
import { DoipIdentification } from '@immota/bus';
import { drawFraction } from '../ports.ts';
import { entityTlsOptions, type EntityTls } from './doip-tls.ts';
import type { DoipPeer, OpenDoipEntityOptions } from './entity-options.ts';
import { EntitySockets } from './entity-sockets.ts';
import { openEntityUdp } from './entity-udp.ts';
import { DOIP_PORT, DOIP_TLS_PORT, HANDSHAKE_TIMEOUT_MS, HANDSHAKES_MAX } from './limits.ts';

/** An entity that can be reached. */
export interface DoipEntityServer {
  readonly tcpPort: number;
  readonly udpPort: number;
  readonly tlsPort: number | undefined;
  /** Testers that have routing now. */
  readonly socketsOpen: number;
  close(): Promise<void>;
}

const POWER_MODE_NOT_SUPPORTED = 2;
const ALL_ADDRESSES = '0.0.0.0';
/** The field has one byte. */
const SOCKETS_TOLD_MAX = 255;

/** Opens an entity; fulfils when it can be reached and has begun to announce itself. */
export async function openDoipEntity(options: OpenDoipEntityOptions): Promise<DoipEntityServer> {
  const { identity, isGateway, host = ALL_ADDRESSES, timer, entropy, tls } = options;
  const sockets = new EntitySockets(options);
  const { machine } = sockets;
  const plain = createServer((socket) => sockets.accept(socket, plainPeer(socket)));
  const secure = tls === undefined ? undefined : serveTls(tls, sockets);
  const tcpPort = await listen(plain, host, options.tcpPort ?? DOIP_PORT);
  const tlsPort = secure && (await listen(secure.server, host, tls?.port ?? DOIP_TLS_PORT));
  const udp = await openEntityUdp({
    host,
    port: options.udpPort ?? DOIP_PORT,
    announceTo: options.announceTo,
    timer,
    identification: new DoipIdentification({
      identity,
      isGateway,
      socketsMax: Math.min(machine.socketsMax, SOCKETS_TOLD_MAX),
      dataMaxBytes: machine.dataMaxBytes,
      socketsOpen: () => Math.min(machine.socketsOpen, SOCKETS_TOLD_MAX),
      powerMode: options.powerMode ?? (() => POWER_MODE_NOT_SUPPORTED),
      draw: () => drawFraction(entropy),
    }),
  });
  const shut = async (): Promise<void> => {
    const servers = secure === undefined ? [plain] : [plain, secure.server];
    const closed = Promise.all(servers.map((server) => once(server, 'close')));
    for (const server of servers) server.close();
    sockets.close();
    secure?.cut();
    await Promise.all([closed, udp.close()]);
  };
  let closing: Promise<void> | undefined;
  return {
    tcpPort,
    tlsPort,
    udpPort: udp.port,
    get socketsOpen() {
      return machine.socketsOpen;
    },
    close: async () => {
      closing ??= shut();
      await closing;
    },
  };
}

interface SecureServer {
  readonly server: Server;
  /** Ends the handshakes under way. */
  cut(): void;
}

function serveTls(tls: EntityTls, sockets: EntitySockets): SecureServer {
  const handshakes = new Map<string, Socket>();
  const server = createTlsServer({
    ...entityTlsOptions(tls),
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
  });
  server.on('connection', (socket: Socket) => {
    const name = peerName(socket);
    handshakes.set(name, socket);
    socket.once('close', () => handshakes.delete(name));
    // Who opens connections and says nothing must not keep others out.
    if (handshakes.size > HANDSHAKES_MAX) handshakes.values().next().value?.destroy();
  });
  server.on('secureConnection', (socket) => {
    handshakes.delete(peerName(socket));
    sockets.accept(socket, securePeer(socket));
  });
  return {
    server,
    cut: () => {
      for (const socket of handshakes.values()) socket.destroy();
    },
  };
}

function plainPeer({ remoteAddress }: Socket): DoipPeer {
  return { address: remoteAddress ?? '', isSecure: false, certificate: undefined };
}

function securePeer(socket: TLSSocket): DoipPeer {
  const shown = socket.authorized ? socket.getPeerX509Certificate()?.raw : undefined;
  const certificate = shown === undefined ? undefined : new Uint8Array(shown);
  return { address: socket.remoteAddress ?? '', isSecure: true, certificate };
}

/** Both the TCP socket and the TLS socket on top of it have the same peer. */
function peerName({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress ?? ''} ${remotePort ?? 0}`;
}

async function listen(server: Server, host: string, port: number): Promise<number> {
  server.listen(port, host);
  await once(server, 'listening');
  // Without descriptors no connection can be accepted for a while; those there are go on.
  server.on('error', nothing);
  const address = server.address();
  assert(typeof address === 'object' && address !== null, 'a listening server has a port');
  return address.port;
}

function nothing(): void {
  // See where it is used.
}
