/** What sign-in and every guard of the operator API work with. */
import type { Context } from 'hono';
import type { CloudContext } from '../context.ts';
import { CloudFault } from '../fault.ts';
import { RateLimiter } from '../gateway/rate-limit.ts';
import { authenticate, type Caller } from '../operator/tokens.ts';
import { createSealer, type DeploymentSecret, type Sealer } from '../seal.ts';
import { readCookie, writeCookie } from './cookies.ts';
import { createOidcWay, type OidcSettings, type OidcWay } from './oidc.ts';
import { Sessions } from './sessions.ts';

/** Tries of one address to sign in: a person's slips, and no dictionary. */
const SIGN_IN_RATE = { burst: 20, perSecond: 0.2 };

/** How access is set up. */
export interface AccessOptions {
  readonly context: CloudContext;
  readonly secret: DeploymentSecret;
  /** The provider; local accounts when left out. */
  readonly oidc?: OidcSettings | undefined;
  /** How browsers reach the operator API and the console: known once it listens. */
  readonly publicUrl: () => URL;
}

/** See the head of the file. */
export interface AccessRoom {
  readonly context: CloudContext;
  readonly sessions: Sessions;
  /** Undefined where accounts are local. */
  readonly oidc: OidcWay | undefined;
  readonly publicUrl: () => URL;
  /** Whether browsers come by https, as the cookies then say. */
  readonly isSecure: () => boolean;
  /** Of sign-ins under way. */
  readonly flows: Sealer;
  /** By the address of the browser. */
  readonly limiter: RateLimiter;
}

/** Who asks, and by which session when it is a browser. */
export interface Authenticated {
  readonly caller: Caller;
  readonly sessionId?: string | undefined;
}

/** Makes the room. @throws as `createOidcWay`. */
export function createAccessRoom(options: AccessOptions): AccessRoom {
  const { context, secret, oidc, publicUrl } = options;
  const sealer = createSealer(secret, 'identity tokens', context.entropy);
  return {
    context,
    sessions: new Sessions({ context, secret, sealer }),
    oidc: oidc === undefined ? undefined : createOidcWay(oidc),
    publicUrl,
    isSecure: () => publicUrl().protocol === 'https:',
    flows: createSealer(secret, 'sign-ins', context.entropy),
    limiter: new RateLimiter(context.clock, SIGN_IN_RATE),
  };
}

/**
 * Tells who sends a request: by a token, or by the session of a browser. A change by a session must bear what
 * only the console's own pages can read.
 *
 * @throws CloudFault UNAUTHENTICATED; CSRF.
 */
export async function identify(room: AccessRoom, c: Context): Promise<Authenticated> {
  const authorization = c.req.header('authorization');
  const isSecure = room.isSecure();
  const cookie = readCookie(c.req.header('cookie'), 'session', isSecure);
  if (authorization !== undefined || cookie === undefined) {
    return { caller: await authenticate(room.context, authorization) };
  }
  const found = await room.sessions.find(cookie);
  if (found === undefined) {
    throw new CloudFault('UNAUTHENTICATED', 'Cannot let in: no session; sign in again');
  }
  if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
    checkOrigin(room, c);
    if (!room.sessions.isCsrfToken(found.sessionId, c.req.header('x-csrf-token'))) {
      throw new CloudFault(
        'CSRF',
        'Cannot change this: X-CSRF-Token is missing or not of this session',
      );
    }
  }
  if (found.rotated !== undefined) {
    c.header('Set-Cookie', writeCookie('session', found.rotated, isSecure), { append: true });
  }
  return { caller: found.caller, sessionId: found.sessionId };
}

/** Tells who still is behind a request that goes on for long; undefined once they are let in no more. */
export async function identifyAgain(room: AccessRoom, c: Context): Promise<Caller | undefined> {
  const authorization = c.req.header('authorization');
  const cookie = readCookie(c.req.header('cookie'), 'session', room.isSecure());
  if (authorization === undefined && cookie !== undefined) {
    return (await room.sessions.peek(cookie))?.caller;
  }
  try {
    return await authenticate(room.context, authorization);
  } catch (error) {
    if (error instanceof CloudFault) return undefined;
    throw error;
  }
}

const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/**
 * Checks that a browser posts from our own pages: it says so itself.
 *
 * @throws CloudFault CSRF.
 */
export function checkOrigin({ publicUrl }: AccessRoom, c: Context): void {
  const stated = c.req.header('origin');
  const site = c.req.header('sec-fetch-site');
  // The browser's own word, which no page can change; a form of a page without a referrer has the origin "null".
  if (site === 'same-origin' || (stated === undefined && site === undefined)) return;
  const own = publicUrl();
  const origin = URL.parse(stated ?? '');
  if (origin?.origin === own.origin) return;
  // On loopback one place has several names.
  const isSamePlace = LOOPBACK.has(own.hostname) && LOOPBACK.has(origin?.hostname ?? '');
  if (isSamePlace && origin?.port === own.port) return;
  throw new CloudFault('CSRF', 'Cannot take this from another site');
}
