/** A sign-in under way: what was asked of the provider or the form, sealed in a cookie of the browser that asked. */
import { parseJson, utf8 } from '@immota/base';
import type { Context } from 'hono';
import { z } from 'zod';
import { CloudFault } from '../fault.ts';
import type { AccessRoom } from './access-room.ts';
import { readCookie, writeCookie } from './cookies.ts';
import type { OidcFlow } from './oidc.ts';

/** Time to find a password, or a telephone. */
const FLOW_LIFE_MS = 600_000;
const FLOW_MAX_BYTES = 4096;
const STATE_LENGTH_BYTES = 32;
const SEALED_FOR = 'sign-in';

const flowSchema = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  returnTo: z.string(),
  atMs: z.number(),
});

/** Where a sign-in ends when nothing else was asked. */
export const HOME = '/';

/** Where a command line is signed in: the one of these pages to which a sign-in may lead. */
export const COMMAND_LINE_PATH = '/auth/command-line';

/** See the head of the file. */
export interface Flow extends OidcFlow {
  /** A path of our own. */
  readonly returnTo: string;
}

/** Makes what a form is known by. */
export function newState({ context }: AccessRoom): string {
  return Buffer.from(context.entropy.bytes(STATE_LENGTH_BYTES)).toString('base64url');
}

/** Leaves a sign-in with the browser. */
export function setFlow(room: AccessRoom, c: Context, flow: Flow): void {
  const atMs = room.context.clock.now().epochMilliseconds;
  const sealed = room.flows.seal(SEALED_FOR, utf8(JSON.stringify({ ...flow, atMs })));
  const value = Buffer.from(sealed).toString('base64url');
  c.header('Set-Cookie', writeCookie('flow', value, room.isSecure()), { append: true });
}

/**
 * Takes the sign-in that the browser brings back.
 *
 * @throws CloudFault SIGN_IN_REFUSED when it brings none of ours, or one that is over: somebody may have sent
 * this browser here.
 */
export function takeFlow(room: AccessRoom, c: Context): Flow {
  const cookie = readCookie(c.req.header('cookie'), 'flow', room.isSecure());
  if (cookie === undefined || cookie.length > FLOW_MAX_BYTES) throw lost();
  try {
    const opened = room.flows.open(SEALED_FOR, Buffer.from(cookie, 'base64url'));
    const { atMs, ...flow } = flowSchema.parse(parseJson(opened, FLOW_MAX_BYTES));
    if (room.context.clock.now().epochMilliseconds - atMs > FLOW_LIFE_MS) throw lost();
    return flow;
  } catch (error) {
    if (error instanceof CloudFault && error.code !== 'SEAL_BROKEN') throw error;
    throw lost(error);
  }
}

/** Reads where to go after the sign-in: a path of our own, wherever the link came from. */
export function returnTo({ publicUrl }: AccessRoom, text: string | undefined): string {
  const own = publicUrl();
  const url = text?.startsWith('/') === true ? URL.parse(text, own) : null;
  if (url?.origin !== own.origin) return HOME;
  if (url.pathname.startsWith('/auth/') && url.pathname !== COMMAND_LINE_PATH) return HOME;
  return `${url.pathname}${url.search}${url.hash}`;
}

function lost(cause?: unknown): CloudFault {
  return new CloudFault(
    'SIGN_IN_REFUSED',
    'Cannot sign in: this browser did not begin it here, or too long ago; begin again',
    { cause },
  );
}
