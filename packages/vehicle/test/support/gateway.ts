/** A gateway over real HTTPS with client certificates, as small as a test needs it, that can attack. */
import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '@immota/base';
import { encodeCertificatesPem } from '@immota/pki';
import { attestTime } from '@immota/uptane';
import { type Authorities, makeServer, type ServerCredential } from './authorities.ts';
import type { TestRepository } from './repository.ts';
import { NOW } from './surroundings.ts';

/** One request as it came. */
export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Uint8Array;
  readonly isResumed: boolean;
  readonly client: string | undefined;
}

/** Does something else with a request than answering it; true when it did. */
export type Intercept = (request: Recorded, response: ServerResponse) => boolean | Promise<boolean>;

export interface GatewayOptions {
  readonly authorities: Authorities;
  readonly director: TestRepository;
  readonly image: TestRepository;
  readonly credential?: ServerCredential;
  /** A CDN: it asks nobody for a certificate, and takes one from whoever offers it. */
  readonly isPublic?: boolean;
}

/** The gateway. It owns its socket until `close`. */
export class Gateway {
  readonly requests: Recorded[] = [];
  /** Images by their path below `/repo/targets/`. */
  readonly images = new Map<string, Uint8Array>();
  readonly #options: GatewayOptions;
  readonly #server: Server;
  intercept: Intercept = () => false;
  time: Temporal.Instant = NOW;
  connections = 0;

  constructor(options: GatewayOptions, credential: ServerCredential) {
    this.#options = options;
    this.#server = createServer(
      {
        ...credential,
        ca: encodeCertificatesPem([options.authorities.root.certificate]),
        requestCert: true,
        rejectUnauthorized: options.isPublic !== true,
      },
      (request, response) => {
        this.#serve(request, response).catch((error: unknown) => response.destroy(error as Error));
      },
    );
    this.#server.on('secureConnection', () => {
      this.connections += 1;
    });
  }

  get origin(): string {
    return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  async listen(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.listen(0, '127.0.0.1', resolve);
    await promise;
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  /** Cuts what is open, as a tunnel does. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  /** The JSON bodies sent to a path, oldest first. */
  bodies(path: string): readonly JsonObject[] {
    return this.requests
      .filter((request) => request.path === path && request.body.length > 0)
      .map(({ body }) => parseJson(body, 10_000_000))
      .map((body): JsonObject => (isJsonObject(body) ? body : { list: body }));
  }

  paths(): readonly string[] {
    return this.requests.map(({ method, path }) => `${method} ${path}`);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part as Uint8Array);
    const socket = request.socket as TLSSocket;
    const subject = socket.getPeerCertificate()?.subject as { readonly CN?: string } | undefined;
    const recorded: Recorded = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(parts),
      isResumed: socket.isSessionReused(),
      client: subject?.CN,
    };
    this.requests.push(recorded);
    if (await this.intercept(recorded, response)) return;
    await this.#answer(recorded, response);
  }

  async #answer(request: Recorded, response: ServerResponse): Promise<void> {
    const { method, path } = request;
    if (method === 'POST' && path === '/director/time') {
      const document = parseJson(request.body, 100_000);
      const nonces = isJsonObject(document) ? (document['nonces'] as readonly JsonValue[]) : [];
      const signers = [this.#options.director.signers.time];
      response.end(await attestTime(this.time, nonces as readonly string[], signers));
      return;
    }
    if (method !== 'GET') {
      response.end('{}');
      return;
    }
    const bytes = this.#find(decodeURIComponent(path));
    if (bytes === undefined) {
      response.writeHead(404).end();
      return;
    }
    serveFile(request, response, bytes);
  }

  #find(path: string): Uint8Array | undefined {
    const { director, image } = this.#options;
    if (path.startsWith('/repo/targets/')) return this.images.get(path.slice(14));
    if (path.startsWith('/director/')) return director.files.get(path.slice(10));
    return path.startsWith('/repo/') ? image.files.get(path.slice(6)) : undefined;
  }
}

/** Serves bytes with ranges and tags, as any web server does. */
function serveFile(request: Recorded, response: ServerResponse, bytes: Uint8Array): void {
  const etag = `"${createHash('sha256').update(bytes).digest('hex').slice(0, 16)}"`;
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { etag }).end();
    return;
  }
  const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '');
  if (range === null) {
    response.writeHead(200, { etag, 'content-length': bytes.length }).end(bytes);
    return;
  }
  const start = Number(range[1]);
  response.writeHead(206, {
    'content-length': bytes.length - start,
    'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}`,
  });
  response.end(bytes.subarray(start));
}

/** Starts a gateway. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const credential = options.credential ?? (await makeServer(options.authorities));
  const gateway = new Gateway(options, credential);
  await gateway.listen();
  return gateway;
}
