/** Where a request came from. */
import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;
const ADDRESS_MAX_LENGTH = 64;

/**
 * Finds the address of whoever sent a request. A reverse proxy on this machine says whom it stands for, in the
 * last place of its header; anybody could write the places before it, and from elsewhere all of it.
 */
export function addressOf(c: Context): string {
  const direct = connectionOf(c);
  if (!LOOPBACK.test(direct)) return direct;
  const forwarded = c.req.header('x-forwarded-for')?.split(',').at(-1)?.trim();
  return (forwarded ?? direct).slice(0, ADDRESS_MAX_LENGTH) || 'unknown';
}

function connectionOf(c: Context): string {
  // A request that no socket brought, as in a test of the application alone, has no address.
  if (!('incoming' in Object(c.env))) return 'unknown';
  return getConnInfo(c).remote.address ?? 'unknown';
}
