/** The operator API from this side: calls go where the data folder says a server runs, or where told. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReadableStream as WebStream } from 'node:stream/web';
import { OPERATOR_ROUTES, problemSchema } from '@immota/api';
import { isJsonObject, type JsonObject, type JsonValue, member, parseJson } from '@immota/base';
import { findCredential } from './credentials.ts';
import { CliFault } from './fault.ts';

/** Answers to lists of 1,000 vehicles with 100 ECUs each. */
const ANSWER_MAX_BYTES = 64 * 1024 * 1024;
const TIMEOUT_MS = 120_000;

/** Where a running server tells its own machine how to reach it. */
export const CONNECTION_FILE = 'operator.json';

/** How to reach the operator API. */
export interface Connection {
  readonly url: string;
  readonly token: string;
}

/** What a call sends. */
export interface CallOptions {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly json?: JsonObject;
  readonly body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
}

/**
 * Finds how to reach the server.
 *
 * @param options - `--server`, `IMMOTA_TOKEN` and what `immota login` left take precedence over the data folder's file.
 * @throws CliFault SERVER when there is neither.
 */
export function findConnection(options: {
  readonly dataFolder: string;
  readonly server: string | undefined;
  readonly token: string | undefined;
}): Connection {
  const { dataFolder, server, token } = options;
  if (server !== undefined) {
    const known = token ?? findCredential(server);
    if (known === undefined) {
      throw new CliFault('USAGE', 'Cannot ask the server: call immota login, or set IMMOTA_TOKEN');
    }
    return { url: server, token: known };
  }
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(join(dataFolder, CONNECTION_FILE));
  } catch (error) {
    throw new CliFault(
      'SERVER',
      `Cannot find a server: none runs on "${dataFolder}"; start it with immota serve, or give --server`,
      { cause: error },
    );
  }
  const stated = parseJson(bytes, 16_384);
  const url = isJsonObject(stated) ? member(stated, 'url') : undefined;
  const own = isJsonObject(stated) ? member(stated, 'token') : undefined;
  if (typeof url !== 'string' || typeof own !== 'string') {
    throw new CliFault('SERVER', `Cannot read ${CONNECTION_FILE}: start immota serve again`);
  }
  return { url, token: token ?? own };
}

/**
 * Calls a route.
 *
 * @param name - of the route, as `@immota/api` lists it.
 * @returns the answer's JSON.
 * @throws CliFault SERVER with the server's own code and words when it refuses or does not answer.
 */
export async function callServer(
  connection: Connection,
  name: keyof typeof OPERATOR_ROUTES,
  options: CallOptions = {},
): Promise<JsonObject> {
  const response = await send(connection, name, options);
  const answer = readJson(new Uint8Array(await response.arrayBuffer()));
  if (response.ok && isJsonObject(answer)) return answer;
  throw refusalOf(response, answer);
}

/**
 * Calls a route that answers with a stream.
 *
 * @throws as `callServer`.
 */
export async function streamServer(
  connection: Connection,
  name: keyof typeof OPERATOR_ROUTES,
  options: CallOptions = {},
): Promise<WebStream<Uint8Array>> {
  const response = await send(connection, name, options);
  if (!response.ok || response.body === null) {
    throw refusalOf(response, readJson(new Uint8Array(await response.arrayBuffer())));
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- one stream, of which two libraries have two types
  return response.body as WebStream<Uint8Array>;
}

async function send(
  { url, token }: Connection,
  name: keyof typeof OPERATOR_ROUTES,
  options: CallOptions,
): Promise<Response> {
  const { method, path } = OPERATOR_ROUTES[name].config;
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, key: string) =>
    encodeURIComponent(options.params?.[key] ?? ''),
  );
  const address = new URL(filled, url);
  for (const [key, value] of Object.entries(options.query ?? {})) {
    if (value !== undefined) address.searchParams.set(key, value);
  }
  try {
    return await fetch(address, {
      method: method.toUpperCase(),
      headers: {
        authorization: `Bearer ${token}`,
        ...(options.json === undefined ? {} : { 'content-type': 'application/json' }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/octet-stream' }),
      },
      ...bodyOf(options),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (error) {
    throw new CliFault('SERVER', `Cannot reach ${url}: is immota serve running`, { cause: error });
  }
}

function refusalOf(response: Response, answer: JsonValue): CliFault {
  const problem = problemSchema.safeParse(answer);
  const said = problem.success
    ? `${problem.data.detail ?? problem.data.title} (${problem.data.code})`
    : `status ${response.status}`;
  return new CliFault('SERVER', `Cannot do this, says the server: ${said}`);
}

function bodyOf(options: CallOptions): RequestInit {
  if (options.json !== undefined) return { body: JSON.stringify(options.json) };
  // A stream may be sent only when the two halves of the exchange do not overlap.
  return options.body === undefined ? {} : { body: options.body, duplex: 'half' };
}

function readJson(bytes: Uint8Array): JsonValue {
  try {
    return parseJson(bytes, ANSWER_MAX_BYTES);
  } catch {
    return null;
  }
}

/** Reads every page of a list. */
export async function* listAll(
  connection: Connection,
  name: keyof typeof OPERATOR_ROUTES,
  options: CallOptions = {},
): AsyncGenerator<JsonObject> {
  let after: string | undefined;
  do {
    const query = { ...options.query, ...(after === undefined ? {} : { after }) };
    // oxlint-disable-next-line no-await-in-loop -- each page begins where the last one ended
    const page = await callServer(connection, name, { ...options, query });
    const items = member(page, 'items');
    if (Array.isArray(items)) {
      for (const item of items as readonly JsonValue[]) if (isJsonObject(item)) yield item;
    }
    const next = member(page, 'next');
    after = typeof next === 'string' ? next : undefined;
  } while (after !== undefined);
}
