/**
 * HTTPS with Node's own client: connections and TLS sessions are kept, the server must lead to the
 * factory's roots and to nothing else, and the vehicle's certificate is shown to its gateway alone.
 * A CDN that an image's URI names has no business with it.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, type AgentOptions, request as sendRequest } from 'node:https';
import { VehicleFault } from '../vehicle-fault.ts';
import type { Fetcher, FetchRequest, FetchResponse } from './fetcher.ts';
import { HEADER_MAX_CHARACTERS } from './limits.ts';

/** A key and its certificate, as TLS shows them. */
export interface TlsCredential {
  /** The certificate and the authorities above it but the root, PEM. */
  readonly certificatePem: string;
  /** PKCS #8, PEM. */
  readonly privateKeyPem: string;
}

/** Whom to trust, and who we are. */
export interface HttpsOptions {
  /** PEM; the machine's own roots do not count. */
  readonly rootsPem: string;
  readonly credential: TlsCredential;
  /** Of the gateway: `https://host:port`. */
  readonly gatewayOrigin: string;
}

/** How OpenSSL and Node spell that a server is not trusted. */
const UNTRUSTED: ReadonlySet<string> = new Set([
  'CERT_CHAIN_TOO_LONG',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

/** Makes the real fetcher. */
export function createHttpsFetcher(options: HttpsOptions): Fetcher {
  const { rootsPem, credential, gatewayOrigin } = options;
  const shared: AgentOptions = {
    ca: rootsPem,
    keepAlive: true,
    minVersion: 'TLSv1.2',
    // Six images in parallel never happen: one gateway, one CDN.
    maxSockets: 4,
    maxCachedSessions: 16,
  };
  const gateway = new Agent({
    ...shared,
    cert: credential.certificatePem,
    key: credential.privateKeyPem,
  });
  const others = new Agent(shared);
  return {
    fetch: async (request) => {
      const url = new URL(request.url);
      if (url.protocol !== 'https:') {
        throw new VehicleFault('NETWORK', `Cannot fetch: ${url.protocol} is no https`);
      }
      return await exchange(url, request, url.origin === gatewayOrigin ? gateway : others);
    },
    close: () => {
      gateway.destroy();
      others.destroy();
    },
  };
}

async function exchange(url: URL, request: FetchRequest, agent: Agent): Promise<FetchResponse> {
  const { method, headers = {}, body, signal } = request;
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  signal.throwIfAborted();
  const length = body === undefined ? {} : { 'content-length': String(body.length) };
  const outgoing = sendRequest(url, { agent, method, headers: { ...headers, ...length } });
  const abort = (): void => {
    outgoing.destroy();
    reject(signal.reason);
  };
  signal.addEventListener('abort', abort, { once: true });
  outgoing.once('response', resolve);
  outgoing.on('error', (error) => reject(signal.aborted ? signal.reason : translate(url, error)));
  outgoing.end(body);
  try {
    const message = await promise;
    return {
      status: message.statusCode ?? 0,
      headers: readHeaders(message.headers),
      body: readBody(url, message, signal, abort),
    };
  } catch (error) {
    signal.removeEventListener('abort', abort);
    throw error;
  }
}

async function* readBody(
  url: URL,
  message: IncomingMessage,
  signal: AbortSignal,
  abort: () => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  try {
    for await (const bytes of message) {
      if (bytes instanceof Uint8Array) yield bytes;
    }
  } catch (error) {
    throw signal.aborted ? signal.reason : translate(url, error);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function readHeaders(raw: IncomingHttpHeaders): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(raw)) {
    if (typeof value === 'string' && value.length <= HEADER_MAX_CHARACTERS) {
      headers.set(name, value);
    }
  }
  return headers;
}

function translate(url: URL, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  // An AbortError of a consumer that stopped is not the network's.
  if (!(error instanceof Error)) return error;
  return UNTRUSTED.has(code)
    ? new VehicleFault('SERVER_UNTRUSTED', `Cannot trust ${url.host}: ${code}`, { cause: error })
    : new VehicleFault('NETWORK', `Cannot reach ${url.host}: ${code || 'the connection broke'}`, {
        cause: error,
      });
}
