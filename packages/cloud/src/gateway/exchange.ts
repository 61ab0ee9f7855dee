/** One request and its answer: bodies in under limits, answers out as their readers need them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { problem, PROBLEM_MEDIA_TYPE } from '@immota/api';
import { concatBytes } from '@immota/base';
import { CloudFault } from '../fault.ts';
import type { Peer } from './peer.ts';

/** A request on its way through a route. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Undefined on routes that anybody may use. */
  readonly peer: Peer | undefined;
  /** What follows the route's own part of the path, still percent-encoded. */
  readonly rest: string;
}

/**
 * Reads a body.
 *
 * @throws CloudFault REQUEST_TOO_LONG as soon as it is known to be longer; UNAVAILABLE when the sender
 * goes away.
 */
export async function readBody(
  request: IncomingMessage,
  lengthMaxBytes: number,
): Promise<Uint8Array> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > lengthMaxBytes) throw tooLong(lengthMaxBytes);
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const chunks: Buffer[] = [];
  let lengthBytes = 0;
  request.on('data', (chunk: Buffer) => {
    lengthBytes += chunk.length;
    if (lengthBytes > lengthMaxBytes) {
      request.removeAllListeners('data');
      reject(tooLong(lengthMaxBytes));
    } else chunks.push(chunk);
  });
  request.on('end', () => {
    const [first] = chunks;
    resolve(chunks.length === 1 && first !== undefined ? first : concatBytes(chunks));
  });
  request.on('error', (error) => {
    reject(new CloudFault('UNAVAILABLE', 'Cannot read request: it broke off', { cause: error }));
  });
  return await promise;
}

function tooLong(lengthMaxBytes: number): CloudFault {
  return new CloudFault('REQUEST_TOO_LONG', `Cannot read request: over ${lengthMaxBytes} bytes`);
}

/** Answers with bytes. */
export function sendBytes(
  response: ServerResponse,
  { mediaType, bytes }: { readonly mediaType: string; readonly bytes: Uint8Array },
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(200, {
    'content-type': mediaType,
    'content-length': bytes.length,
    ...headers,
  });
  response.end(bytes);
}

/** Answers with JSON that was signed, or that we made. */
export function sendJson(
  response: ServerResponse,
  bytes: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendBytes(response, { mediaType: 'application/json', bytes }, headers);
}

/** Answers without a body. */
export function sendEmpty(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-length': 0 });
  response.end();
}

/** Answers that nothing is new: the shortest answer there is, since a fleet asks all day. */
export function sendNotModified(response: ServerResponse): void {
  response.sendDate = false;
  response.removeHeader('connection');
  response.writeHead(304);
  response.end();
}

/** A refusal as it is sent. */
export interface RefusalAnswer {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
}

/** Answers with a refusal. */
export function sendProblem(response: ServerResponse, answer: RefusalAnswer): void {
  const { status, code, detail } = answer;
  const bytes = Buffer.from(JSON.stringify(problem(status, code, detail)));
  response.writeHead(status, {
    'content-type': PROBLEM_MEDIA_TYPE,
    'content-length': bytes.length,
    ...(status === 429 || status === 503 ? { 'retry-after': '10' } : {}),
    // What was not read of a request stays in the connection.
    ...(status === 413 || status === 408 ? { connection: 'close' } : {}),
  });
  response.end(bytes);
}
