/**
 * What a request must be before anybody looks at what it asks. The screens live on the loopback of the
 * vehicle, where any page in any browser of the same machine can send requests too: a name that is not
 * ours is DNS rebinding, an origin that is not ours is cross-site request forgery.
 */
import type { IncomingMessage } from 'node:http';
import { type JsonObject, InputFault, isJsonObject, parseJson } from '@immota/base';
import { HmiFault } from './hmi-fault.ts';
import { BODY_MAX_BYTES } from './limits.ts';

/** Names by which a browser may reach the loopback. */
const HOSTS = ['127.0.0.1', 'localhost', '[::1]'] as const;
/** The session's cookie. */
const COOKIE = 'immota_hmi';

/** Sent with every answer: nothing runs, loads or frames that is not from here. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

/** Makes sure that a request was meant for this server by its own name. @throws HmiFault CROSS_SITE. */
export function checkHost({ headers }: IncomingMessage, port: number): void {
  const isOurs = HOSTS.some((host) => headers.host === `${host}:${port}`);
  if (!isOurs) throw new HmiFault('CROSS_SITE', 'Cannot answer: the host is not this vehicle');
}

/** Makes sure that our own page sent it. @throws HmiFault CROSS_SITE. */
export function checkSamePage({ headers }: IncomingMessage): void {
  const site = headers['sec-fetch-site'];
  const isOurs = headers.origin === `http://${headers.host ?? ''}`;
  if (!isOurs || (site !== undefined && site !== 'same-origin')) {
    throw new HmiFault('CROSS_SITE', 'Cannot answer: another page has asked');
  }
}

/**
 * Reads a body: JSON by its type, which no form can send.
 *
 * @throws HmiFault MALFORMED, TOO_LARGE.
 */
export async function readBody(request: IncomingMessage): Promise<JsonObject> {
  if (request.headers['content-type'] !== 'application/json') {
    throw new HmiFault('MALFORMED', 'Cannot read request: it is no JSON');
  }
  const parts: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const part of request) {
    const bytes: unknown = part;
    if (!(bytes instanceof Uint8Array)) continue;
    lengthBytes += bytes.length;
    if (lengthBytes > BODY_MAX_BYTES) {
      throw new HmiFault('TOO_LARGE', `Cannot read request: more than ${BODY_MAX_BYTES} bytes`);
    }
    parts.push(bytes);
  }
  try {
    const body = parseJson(new Uint8Array(Buffer.concat(parts)), BODY_MAX_BYTES);
    if (isJsonObject(body)) return body;
  } catch (error) {
    if (!(error instanceof InputFault)) throw error;
  }
  throw new HmiFault('MALFORMED', 'Cannot read request: it is no JSON object');
}

/** Finds the session's token in a request. */
export function findToken({ headers }: IncomingMessage): string | undefined {
  for (const pair of (headers.cookie ?? '').split(';')) {
    const [name, value] = pair.trim().split('=', 2);
    if (name === COOKIE) return value;
  }
  return undefined;
}

/**
 * Writes the session's cookie: no script reads it, no other page sends it. It has no `Secure`: on the
 * loopback there is no wire to listen at, and no certificate for it.
 */
export function cookieOf(token: string, maxAgeSeconds: number): string {
  return `${COOKIE}=${token}; HttpOnly; SameSite=Strict; Path=/; Max-Age=${maxAgeSeconds}`;
}
