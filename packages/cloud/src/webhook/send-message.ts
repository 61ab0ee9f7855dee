/** Sends one message to one receiver, within bounds: no redirect, some seconds, some kilobytes. */
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { CloudFault } from '../fault.ts';
import { checkReachable, guardedLookup } from './reachable.ts';

const TIMEOUT_MS = 10_000;
/** Of an answer nothing is read but its status; a receiver that talks on is left alone. */
const ANSWER_MAX_BYTES = 65_536;

/** What became of a try. */
export interface SendResult {
  readonly status?: number | undefined;
  /** Why it does not count; undefined when the receiver took it. */
  readonly problem?: string | undefined;
}

/** A message, ready to be sent. */
export interface OutgoingMessage {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends. Whatever goes wrong is a result: nothing is thrown. */
export async function sendMessage(
  message: OutgoingMessage,
  allow: readonly string[],
): Promise<SendResult> {
  try {
    const status = await post(message, allow);
    if (status >= 200 && status < 300) return { status };
    const isRedirect = status >= 300 && status < 400;
    return {
      status,
      problem: isRedirect ? 'the receiver sends elsewhere, which is not followed' : 'refused',
    };
  } catch (error) {
    return { problem: problemOf(error) };
  }
}

async function post(
  { url: text, headers, body }: OutgoingMessage,
  allow: readonly string[],
): Promise<number> {
  // Asked again: the list may have changed since the webhook was made.
  const url = checkReachable(text, allow);
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const request = (url.protocol === 'https:' ? requestTls : requestPlain)(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      'user-agent': 'Immota-Webhooks/1',
      ...headers,
    },
    lookup: guardedLookup(url, allow),
    // A connection of its own each time: what was checked is what is used.
    agent: false,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  request.on('error', reject);
  request.on('response', (response) => {
    let length = 0;
    response.on('data', (part: Buffer) => {
      length += part.length;
      if (length > ANSWER_MAX_BYTES) response.destroy();
    });
    response.on('error', reject);
    response.on('close', () => {
      resolve(response.statusCode ?? 0);
    });
  });
  request.end(body);
  return await promise;
}

function problemOf(error: unknown): string {
  if (error instanceof CloudFault) return error.message;
  if (!(error instanceof Error)) return 'not sent';
  if (error.name === 'AbortError' || error.name === 'TimeoutError') {
    return `no answer within ${TIMEOUT_MS / 1000} seconds`;
  }
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
