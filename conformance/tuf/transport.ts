/** HTTP GET, one request at a time, under limits of length and time. */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { UptaneFault } from '@immota/uptane';
import { ClientFault } from './fault.ts';
import { IDLE_MAX_MS, RATE_MIN_BYTES_PER_SECOND, REQUEST_BASE_MS } from './limits.ts';

/** How long a repository may take. */
export interface Patience {
  readonly idleMaxMs: number;
  readonly requestBaseMs: number;
}

/** What the client has unless a test is less patient. */
export const PATIENCE: Patience = { idleMaxMs: IDLE_MAX_MS, requestBaseMs: REQUEST_BASE_MS };

/** What to get, and how much of it at most. */
export interface Download {
  readonly base: URL;
  /** Relative to the base, percent-encoded already. It goes out as it stands: nothing resolves its dots. */
  readonly path: string;
  readonly lengthMaxBytes: number;
}

/**
 * Gets a file piece by piece.
 *
 * @param take - is given each piece as it comes; never more than `lengthMaxBytes` in all.
 * @returns false when the repository has no such file (404, or 403 as some object stores say it).
 * @throws UptaneFault LIMIT when the file is longer; ClientFault TRANSPORT or TOO_SLOW.
 */
export async function download(
  { base, path, lengthMaxBytes }: Download,
  patience: Patience,
  take: (piece: Uint8Array) => void,
): Promise<boolean> {
  const deadlineMs = patience.requestBaseMs + (lengthMaxBytes / RATE_MIN_BYTES_PER_SECOND) * 1000;
  const signal = AbortSignal.timeout(Math.ceil(deadlineMs));
  try {
    const response = await open(base, path, { signal, idleMaxMs: patience.idleMaxMs });
    try {
      return await receive(response, lengthMaxBytes, take);
    } finally {
      response.destroy();
    }
  } catch (error) {
    if (error instanceof UptaneFault || error instanceof ClientFault) throw error;
    const slow = signal.aborted;
    throw new ClientFault(
      slow ? 'TOO_SLOW' : 'TRANSPORT',
      `Cannot get ${path}: ${slow ? 'it comes too slowly' : String(error)}`,
      { cause: error },
    );
  }
}

/** Gets a file whole. @returns undefined when the repository has none. */
export async function downloadWhole(
  what: Download,
  patience: Patience,
): Promise<Uint8Array | undefined> {
  const pieces: Uint8Array[] = [];
  const found = await download(what, patience, (piece) => void pieces.push(piece));
  return found ? Buffer.concat(pieces) : undefined;
}

interface Timing {
  readonly signal: AbortSignal;
  readonly idleMaxMs: number;
}

async function open(
  base: URL,
  path: string,
  { signal, idleMaxMs }: Timing,
): Promise<IncomingMessage> {
  const send = base.protocol === 'https:' ? (await import('node:https')).request : requestHttp;
  return await new Promise((resolve, reject) => {
    const request = send({
      hostname: base.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: base.port,
      path: base.pathname + path,
      // A connection for each: one that a server has closed meanwhile would need a second request.
      agent: false,
      signal,
      headers: { accept: '*/*', 'accept-encoding': 'identity' },
    });
    request.setTimeout(idleMaxMs, () => {
      request.destroy(new ClientFault('TOO_SLOW', `Cannot get ${path}: nothing comes`));
    });
    request.once('error', reject);
    request.once('response', resolve);
    request.end();
  });
}

async function receive(
  response: IncomingMessage,
  lengthMaxBytes: number,
  take: (piece: Uint8Array) => void,
): Promise<boolean> {
  const { statusCode = 0 } = response;
  if (statusCode === 404 || statusCode === 403) return false;
  if (statusCode !== 200) {
    throw new ClientFault('TRANSPORT', `Cannot get a file: the repository answers ${statusCode}`);
  }
  let received = Number(response.headers['content-length'] ?? 0);
  if (received > lengthMaxBytes) throw tooLong(lengthMaxBytes);
  received = 0;
  for await (const piece of response as AsyncIterable<Uint8Array>) {
    received += piece.length;
    if (received > lengthMaxBytes) throw tooLong(lengthMaxBytes);
    take(piece);
  }
  return true;
}

function tooLong(lengthMaxBytes: number): UptaneFault {
  return new UptaneFault('LIMIT', `Cannot take a file of more than ${lengthMaxBytes} bytes`);
}
