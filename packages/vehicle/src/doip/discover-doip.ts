/** Looks for DoIP entities on a network. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import {
  type DiscoveredDoipEntity,
  DoipDiscovery,
  type DoipDiscoveryRequest,
  encodeDoipDiscovery,
} from '@immota/bus';
import { type Timer, wait } from '../ports.ts';
import { DISCOVERY_MS, DOIP_PORT } from './limits.ts';

/** Where to look, and for whom. */
export interface DiscoverDoipOptions extends DoipDiscoveryRequest {
  readonly timer: Timer;
  /** Everybody when left out. */
  readonly address?: string | undefined;
  /** 13400 when left out. */
  readonly port?: number | undefined;
  /** How long to listen. */
  readonly listenMs?: number | undefined;
  /** The search ends as soon as so many were found. */
  readonly count?: number | undefined;
}

const EVERYBODY = '255.255.255.255';

/**
 * Asks once, and listens for a while.
 *
 * @returns each entity that answered, once; `from` is its IP address.
 * @throws DoipFault FIELD_RANGE for an EID or a VIN that is none.
 */
export async function discoverDoip(
  options: DiscoverDoipOptions,
): Promise<readonly DiscoveredDoipEntity[]> {
  const { timer, address = EVERYBODY, port = DOIP_PORT, count = Infinity } = options;
  const request = encodeDoipDiscovery(options);
  const discovery = new DoipDiscovery();
  const ended = new AbortController();
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  socket.bind();
  await once(socket, 'listening');
  socket.setBroadcast(true);
  // A port that nobody listens at is an entity that does not answer.
  socket.on('error', nothing);
  socket.on('message', (bytes, from) => {
    discovery.handle(from.address, bytes);
    if (discovery.found.length >= count) ended.abort();
  });
  socket.send(request, port, address, nothing);
  await wait(timer, options.listenMs ?? DISCOVERY_MS, ended.signal);
  const closed = once(socket, 'close');
  socket.close();
  await closed;
  return discovery.found;
}

function nothing(): void {
  // See where it is used.
}
