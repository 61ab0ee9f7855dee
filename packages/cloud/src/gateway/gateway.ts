/**
 * The door of the cloud for vehicles: HTTPS with client certificates, the endpoints of the vehicles' own
 * client and ours. The way of a request is short: who is it, may it, how often, and then its route.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { DEVICE_PATHS } from '@immota/api';
import { findFaultCode } from '@immota/base';
import { systemTimer, type Timer } from '@immota/store';
import { CloudFault } from '../fault.ts';
import type { AccessView } from '../inventory/access.ts';
import { SUSPICIOUS as RECORDED } from '../director/manifest-intake.ts';
import type { TlsView } from '../tls-view.ts';
import { directorRoutes, extensionRoutes } from './director-routes.ts';
import { sendEmpty, sendNotModified, sendProblem } from './exchange.ts';
import { informationRoutes } from './information-routes.ts';
import {
  CLOSE_PATIENCE_MS,
  CONNECTIONS_MAX,
  HEADERS_MAX_BYTES,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  PATH_MAX_CHARACTERS,
  RATE_BURST,
  RATE_PER_SECOND,
  REQUEST_TIMEOUT_MS,
  SOCKET_IDLE_MS,
  STRANGER_PER_SECOND,
  TIMEOUT_CHECK_MS,
} from './limits.ts';
import type { GatewayParts, Route } from './parts.ts';
import { type Peer, PeerIdentifier } from './peer.ts';
import { provisioningRoutes } from './provisioning-routes.ts';
import { type Rate, RateLimiter } from './rate-limit.ts';
import { GatewayRecorder } from './recorder.ts';
import { refusalOf } from './refusal-table.ts';
import { repositoryRoutes } from './repository-routes.ts';
import { Router } from './router.ts';
import { statusRoutes } from './status-routes.ts';

/** How a gateway is opened. */
export interface GatewayOptions {
  readonly parts: GatewayParts;
  readonly access: AccessView;
  readonly tls: TlsView;
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
  /** How often a vehicle may ask; the house's rate when left out. */
  readonly rate?: Rate | undefined;
  /** How long a request may take to arrive; the house's times when left out. */
  readonly arrival?: ArrivalTimes | undefined;
  readonly timer?: Timer | undefined;
  /** Told of what failed without a fault of its own: bugs, and the database. */
  readonly failed: (error: unknown) => void;
  /** Told of each answer, for metrics. */
  readonly answered?: ((route: string, status: number) => void) | undefined;
}

/** How long a request may take to arrive. */
export interface ArrivalTimes {
  /** Its head. */
  readonly headMs: number;
  /** The whole of it. */
  readonly wholeMs: number;
  /** How often it is looked whether one took longer. */
  readonly checkMs: number;
}

/** An open gateway. */
export interface Gateway {
  readonly port: number;
  /** Connections at this moment. */
  connections(): number;
  /** Answers a request that came by another way than the gateway's own socket: a simulated network. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Takes no more connections, lets requests end, and writes what was gathered. */
  close(): Promise<void>;
}

const TIMESTAMP = DEVICE_PATHS.directorMetadata.replace(':file', 'timestamp.json');
const ARRIVAL: ArrivalTimes = {
  headMs: HEADERS_TIMEOUT_MS,
  wholeMs: REQUEST_TIMEOUT_MS,
  checkMs: TIMEOUT_CHECK_MS,
};
/** Errors of a connection that ended before its request did. */
const BROKEN_OFF: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE']);
const UNKNOWN: Route = {
  name: 'unknown',
  audience: 'anyone',
  handle: () => Promise.reject(new CloudFault('NOT_FOUND', 'Cannot find route: there is none')),
};

/** Opens the gateway and listens. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new OpenGateway(options);
  await gateway.listen();
  return gateway;
}

class OpenGateway implements Gateway {
  readonly #options: GatewayOptions;
  readonly #server: Server;
  readonly #router: Router;
  readonly #peers: PeerIdentifier;
  readonly #rate: RateLimiter;
  readonly #strangers: RateLimiter;
  readonly #recorder: GatewayRecorder;
  readonly #timer: Timer;
  #forgetTls: () => void = () => undefined;
  #connections = 0;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const { parts, access, tls, failed, arrival = ARRIVAL } = options;
    const { context, certificates } = parts;
    const { clock, devices } = context;
    this.#timer = options.timer ?? systemTimer;
    const rate = options.rate ?? { burst: RATE_BURST, perSecond: RATE_PER_SECOND };
    this.#rate = new RateLimiter(clock, rate);
    const strangers = { burst: STRANGER_PER_SECOND, perSecond: STRANGER_PER_SECOND };
    this.#strangers = new RateLimiter(clock, strangers);
    this.#recorder = new GatewayRecorder(context, failed, this.#timer);
    const anchors = certificates.slice(-1);
    const intermediates = [devices.certificate, ...devices.ancestors.slice(0, -1)];
    this.#peers = new PeerIdentifier({ anchors, intermediates, access, clock });
    this.#router = new Router([
      directorRoutes(parts),
      extensionRoutes(parts),
      informationRoutes(parts),
      provisioningRoutes(parts, this.#recorder),
      repositoryRoutes(parts, 'vehicle'),
      statusRoutes(parts, access),
    ]);
    this.#server = createServer({
      ...tls.options(),
      headersTimeout: arrival.headMs,
      requestTimeout: arrival.wholeMs,
      connectionsCheckingInterval: arrival.checkMs,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: HEADERS_MAX_BYTES,
      noDelay: true,
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.setTimeout(SOCKET_IDLE_MS);
    this.#server.on('request', (request, response) => {
      this.handle(request, response);
    });
    this.#server.on('secureConnection', (socket) => {
      this.#connections += 1;
      socket.once('close', () => {
        this.#connections -= 1;
      });
    });
    this.#server.on('clientError', (error, socket) => {
      const code = 'code' in error ? String(error.code) : '';
      // Whoever loses its network in the middle of a request broke no rule; what was refused is over.
      if (BROKEN_OFF.has(code) || !socket.writable) {
        socket.destroy();
        return;
      }
      const isSlow = code === 'ERR_HTTP_REQUEST_TIMEOUT';
      this.#refused(isSlow ? 'REQUEST_TOO_SLOW' : 'REQUEST_MALFORMED', socket);
      const status = isSlow ? '408 Request Timeout' : '400 Bad Request';
      socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n\r\n`);
    });
  }

  get port(): number {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
    return (this.#server.address() as AddressInfo).port;
  }

  connections(): number {
    return this.#connections;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(port, host, resolve);
    await promise;
    this.#server.off('error', reject);
    this.#server.on('error', this.#options.failed);
    // Connections that are open stay as they are; new ones see what is good now.
    this.#forgetTls = this.#options.tls.onChange((tls) => this.#server.setSecureContext(tls));
  }

  async close(): Promise<void> {
    this.#forgetTls();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => {
      resolve();
    });
    this.#server.closeIdleConnections();
    // A client that does not come to an end must not keep the house from closing.
    const patience = this.#timer.schedule(CLOSE_PATIENCE_MS, () => {
      this.#server.closeAllConnections();
    });
    await promise;
    patience.cancel();
    await this.#recorder.close();
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const { url = '', method = '' } = request;
    // The question a whole fleet asks all day is answered from memory, in this turn of the event loop.
    if (url === TIMESTAMP && method === 'GET' && this.#isNothingNew(request, response)) return;
    const { route, rest } = this.#router.find(method, url.slice(0, PATH_MAX_CHARACTERS)) ?? {
      route: UNKNOWN,
      rest: '',
    };
    this.#run(route, { request, response, rest }).catch((error: unknown) => {
      this.#refuse(route, { request, response }, error);
    });
  }

  #isNothingNew(request: IncomingMessage, response: ServerResponse): boolean {
    const version = /^"(\d{1,15})"$/.exec(request.headers['if-none-match'] ?? '')?.[1];
    if (version === undefined) return false;
    let peer: Peer;
    try {
      peer = this.#admit(request, 'vehicle');
    } catch {
      // The ordinary way refuses in words.
      return false;
    }
    if (!this.#options.parts.director.isCurrent(peer.deviceId, Number(version))) return false;
    this.#recorder.touch(peer.deviceId);
    sendNotModified(response);
    this.#options.answered?.('nothing-new', 304);
    return true;
  }

  async #run(
    route: Route,
    exchange: { request: IncomingMessage; response: ServerResponse; rest: string },
  ): Promise<void> {
    const { request, response } = exchange;
    const { audience } = route;
    if (audience === 'anyone') {
      if (!this.#strangers.take('anyone')) throw tooMany();
      await route.handle({ ...exchange, peer: undefined });
    } else {
      const peer = this.#admit(request, audience);
      await route.handle({ ...exchange, peer });
    }
    this.#options.answered?.(route.name, response.statusCode);
  }

  /** Lets a peer in, or says why not. */
  #admit(request: IncomingMessage, audience: 'vehicle' | 'bootstrap' | 'device'): Peer {
    const { socket } = request;
    if (!(socket instanceof TLSSocket)) {
      throw new CloudFault('CERTIFICATE_MISSING', 'Cannot serve request: no TLS');
    }
    const peer = this.#peers.identify(socket);
    if (audience !== 'device' && peer.kind !== audience) {
      throw new CloudFault(
        'WRONG_CREDENTIALS',
        `Cannot serve ${peer.deviceId}: this is for ${audience} credentials`,
      );
    }
    if (!this.#rate.take(peer.deviceId)) throw tooMany();
    return peer;
  }

  #refuse(
    route: Route,
    { request, response }: { request: IncomingMessage; response: ServerResponse },
    error: unknown,
  ): void {
    const answer = refusalOf(error);
    const { status } = answer;
    this.#options.answered?.(route.name, status);
    const code = findFaultCode(error);
    // A vehicle that loses its network in the middle of a request comes back: nobody failed, nobody broke a rule.
    if (code === 'UNAVAILABLE' && request.errored !== null) {
      response.destroy();
      return;
    }
    if (status >= 500) this.#options.failed(error);
    // What the Director refuses of a manifest it has put on record itself.
    else if (code !== undefined && !(route.name === 'manifest' && RECORDED.has(code))) {
      this.#refused(code, request.socket, route.name);
    }
    if (response.headersSent) response.destroy();
    else if (route.isBare === true) sendEmpty(response, status);
    else sendProblem(response, answer);
  }

  #refused(code: string, socket: IncomingMessage['socket'] | NodeJS.Socket, route = ''): void {
    const vehicleId = this.#vehicleOf(socket);
    this.#recorder.refuse({
      kind: CERTIFICATE_CODES.test(code) ? 'certificate.refused' : 'request.refused',
      vehicleId,
      code,
      route,
      address: 'remoteAddress' in socket ? (socket.remoteAddress ?? '') : '',
    });
  }

  /** Whose certificate the connection shows, if it is a good one. */
  #vehicleOf(socket: unknown): string | undefined {
    if (!(socket instanceof TLSSocket)) return undefined;
    try {
      const { kind, deviceId } = this.#peers.identify(socket);
      return kind === 'vehicle' ? deviceId : undefined;
    } catch {
      return undefined;
    }
  }
}

const CERTIFICATE_CODES = /^(?:CERTIFICATE_|CHAIN_|REVOKED|DEVICE_|WRONG_CREDENTIALS|QUARANTINED)/;

function tooMany(): CloudFault {
  return new CloudFault('RATE_LIMIT', 'Cannot serve request: too many in this time');
}
