/** HTTPS as a vehicle speaks it: with a client certificate, a new connection a request unless told otherwise. */
import { once } from 'node:events';
import { Agent, request as sendRequest } from 'node:https';
import { connect } from 'node:tls';
import type { IncomingHttpHeaders } from 'node:http';
import type { DeviceCredentials } from '@immota/pki';
import { encodeCredentialFiles } from '@immota/pki';

/** An answer, whole. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** The body as JSON, with its code where it is a refusal. */
  json(): Readonly<Record<string, unknown>>;
}

/** A request. */
export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

/** A client with or without a certificate. */
export class TestClient {
  readonly #origin: string;
  readonly #agent: Agent;

  constructor(
    origin: string,
    tls: { readonly ca: string; readonly cert?: string; readonly key?: string },
    keepAlive = false,
  ) {
    this.#origin = origin;
    this.#agent = new Agent({ ...tls, keepAlive, maxSockets: 8 });
  }

  /** Sends a request and reads its answer to the end. */
  async ask(method: string, path: string, ask: Ask = {}): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const { headers = {}, body } = ask;
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
    const outgoing = sendRequest(
      this.#origin + path,
      { agent: this.#agent, method, headers: { ...headers, ...length } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const whole = Buffer.concat(chunks);
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: whole,
            json: () => JSON.parse(whole.toString('utf8')) as Record<string, unknown>,
          });
        });
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
    return await promise;
  }

  /** Closes what is kept open. */
  close(): void {
    this.#agent.destroy();
  }
}

/** The serial number of the certificate that a server shows a new connection. */
export async function shownBy(url: string): Promise<string> {
  // By the machine's clock a certificate of next year is not good yet.
  const port = Number(new URL(url).port);
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const serial = socket.getPeerX509Certificate()?.serialNumber ?? '';
  socket.destroy();
  return serial;
}

/** The client of a device. */
export function deviceClient(
  origin: string,
  credentials: DeviceCredentials,
  keepAlive = false,
): TestClient {
  const { rootPem, clientPem, privateKeyPem } = encodeCredentialFiles(credentials);
  return new TestClient(origin, { ca: rootPem, cert: clientPem, key: privateKeyPem }, keepAlive);
}
