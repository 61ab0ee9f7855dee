/** Small exchanges: metadata, manifests, events. Bounded in bytes, time and attempts. */
import { concatBytes } from '@immota/base';
import { drawFraction, type Surroundings, wait } from '../ports.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import type { Fetcher, FetchRequest, FetchResponse } from './fetcher.ts';
import {
  BACKOFF_FIRST_MS,
  BACKOFF_MAX_MS,
  REQUEST_ATTEMPTS,
  REQUEST_TIMEOUT_MS,
} from './limits.ts';

/** The network, and what limits it. */
export interface Network {
  readonly fetcher: Fetcher;
  readonly surroundings: Surroundings;
  /** Ends everything when the Primary closes. */
  readonly signal: AbortSignal;
}

/** A small request. */
export interface SmallRequest extends Omit<FetchRequest, 'signal'> {
  /** How many bytes of the answer are read; one more is endless data. */
  readonly lengthMaxBytes: number;
}

/** A small answer, whole. */
export interface SmallResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly bytes: Uint8Array;
}

/**
 * Asks and reads the whole answer. What may pass, such as a broken connection or a server's own
 * error, is tried again.
 *
 * @returns whatever the status, but a redirect.
 * @throws VehicleFault NETWORK, SERVER_UNTRUSTED, REDIRECT, ENDLESS_DATA; SLOW_RETRIEVAL when the answer
 * is not whole in a minute; HTTP_STATUS when the server still fails at the last attempt.
 */
export async function requestSmall(
  network: Network,
  request: SmallRequest,
): Promise<SmallResponse> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await requestOnce(network, request);
      if (response.status < 500) return response;
      throw new VehicleFault('HTTP_STATUS', `Cannot ask ${request.url}: ${response.status}`);
    } catch (error) {
      const passes = hasCode(error, 'NETWORK') || hasCode(error, 'HTTP_STATUS');
      if (!passes || attempt === REQUEST_ATTEMPTS || network.signal.aborted) throw error;
    }
    await backOff(network, attempt);
  }
}

/** Waits before the next attempt: twice as long each time, and never as long as others do. */
export async function backOff(
  { surroundings, signal }: Pick<Network, 'surroundings' | 'signal'>,
  attempt: number,
): Promise<void> {
  const { timer, entropy } = surroundings;
  const longest = Math.min(BACKOFF_FIRST_MS * 2 ** (attempt - 1), BACKOFF_MAX_MS);
  await wait(timer, longest * (0.5 + drawFraction(entropy) / 2), signal);
}

/**
 * Checks that an answer sends us nowhere else {uptane I9}: whom we trust answers himself.
 *
 * @throws VehicleFault REDIRECT.
 */
export function checkNoRedirect(url: string, status: number): void {
  if (status >= 300 && status < 400 && status !== 304) {
    throw new VehicleFault('REDIRECT', `Cannot ask ${url}: it redirects with ${status}`);
  }
}

async function requestOnce(network: Network, request: SmallRequest): Promise<SmallResponse> {
  const { timer } = network.surroundings;
  const late = new AbortController();
  const cancel = timer.schedule(REQUEST_TIMEOUT_MS, () => {
    late.abort(new VehicleFault('SLOW_RETRIEVAL', `Cannot ask ${request.url}: no whole answer`));
  });
  try {
    const signal = AbortSignal.any([late.signal, network.signal]);
    const { lengthMaxBytes, ...asked } = request;
    const response = await network.fetcher.fetch({ ...asked, signal });
    const bytes = await readWhole(request.url, response, lengthMaxBytes);
    checkNoRedirect(request.url, response.status);
    return { status: response.status, headers: response.headers, bytes };
  } finally {
    cancel();
  }
}

async function readWhole(
  url: string,
  { body }: FetchResponse,
  lengthMaxBytes: number,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const bytes of body) {
    lengthBytes += bytes.length;
    if (lengthBytes > lengthMaxBytes) {
      throw new VehicleFault('ENDLESS_DATA', `Cannot read ${url}: over ${lengthMaxBytes} bytes`);
    }
    parts.push(bytes);
  }
  return concatBytes(parts);
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof VehicleFault && error.code === code;
}
