/**
 * Hands requests to the gateway without a socket: the very handler that its HTTPS server calls gets a
 * request of Node's own classes, with the client certificate that the handshake would have shown.
 */
import { X509Certificate } from 'node:crypto';
import { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import type { RunningCloud } from '@immota/cloud';

/** A request as it reaches the gateway. */
export interface DoorRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
}

/** An answer as it left the gateway, whole. */
export interface DoorAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Uint8Array;
}

/** More than any answer of a simulated cloud. */
const ANSWER_MAX_BYTES = 2 ** 30;

/** A connection whose handshake was done; nothing ever travels on it. */
class DoneHandshake extends TLSSocket {
  readonly #certificate: X509Certificate;

  constructor(certificate: X509Certificate) {
    super(new Duplex({ read: nothing, write: (_chunk, _encoding, done) => done() }));
    this.#certificate = certificate;
  }

  override getPeerX509Certificate(): X509Certificate {
    return this.#certificate;
  }
}

/** Takes what a response sends. */
class Sink extends Duplex {
  readonly parts: Uint8Array[] = [];

  constructor() {
    // It takes all at once: nobody would tell the response that there is room again.
    super({ read: nothing, writableHighWaterMark: ANSWER_MAX_BYTES });
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.parts.push(Uint8Array.from(chunk));
    done();
  }
}

/** A vehicle's way in. */
export class Door {
  readonly #socket: TLSSocket;

  /** @param certificatePem - the vehicle's own first. */
  constructor(certificatePem: string) {
    this.#socket = new DoneHandshake(new X509Certificate(certificatePem));
  }

  /** Asks. */
  async ask({ gateway }: RunningCloud, asked: DoorRequest): Promise<DoorAnswer> {
    const request = new IncomingMessage(this.#socket);
    const { method, path, headers, body = new Uint8Array() } = asked;
    request.method = method;
    request.url = path;
    Object.assign(request.headers, { 'content-length': String(body.length) }, headers);
    if (body.length > 0) request.push(Buffer.from(body));
    request.push(null);
    request.complete = true;
    const response = new ServerResponse(request);
    const sink = new Sink();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a response only writes to it
    response.assignSocket(sink as Duplex as Socket);
    const { promise, resolve } = Promise.withResolvers<void>();
    response.once('close', resolve);
    response.once('finish', resolve);
    gateway.handle(request, response);
    await promise;
    return parseAnswer(response, Buffer.concat(sink.parts));
  }
}

function parseAnswer({ statusCode }: ServerResponse, bytes: Buffer): DoorAnswer {
  const end = bytes.indexOf('\r\n\r\n');
  const [, ...lines] = bytes.subarray(0, Math.max(0, end)).toString('latin1').split('\r\n');
  const headers = new Map(
    lines.map((line): readonly [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { status: statusCode, headers, body: new Uint8Array(bytes.subarray(end + 4)) };
}

function nothing(): void {
  // Nobody reads.
}
