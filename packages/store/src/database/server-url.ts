import type { PoolConfig } from 'pg';
import { StoreFault } from '../fault.ts';

const PROTOCOLS: ReadonlySet<string> = new Set(['postgres:', 'postgresql:']);
/** Stands in for a host that is not there; RFC 2606 keeps it from ever being one. */
const NO_HOST = 'socket.invalid';
const LOOPBACK: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

/**
 * Reads the URL of a PostgreSQL server.
 *
 * Over a network the connection is TLS with the server's name checked, unless the URL says
 * `sslmode=disable`; on loopback and unix sockets it is plain unless the URL asks for more. The weaker
 * modes (`prefer`, `require`, `verify-ca`) are raised to `verify-full`.
 *
 * @param url - `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…`, or with
 *   an empty host and `?host=/folder` for a unix socket.
 * @returns what the driver needs.
 * @throws StoreFault URL_MALFORMED when it is something else. The message never repeats the URL.
 */
export function parseServerUrl(url: string): PoolConfig {
  const parsed = parse(url);
  const host = parsed.searchParams.get('host') ?? parsed.hostname;
  const isLocal = host.startsWith('/') || LOOPBACK.has(host);
  const mode = parsed.searchParams.get('sslmode') ?? (isLocal ? 'disable' : 'verify-full');
  switch (mode) {
    case 'disable':
      break;
    case 'prefer':
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      parsed.searchParams.set('sslmode', 'verify-full');
      break;
    default:
      throw new StoreFault('URL_MALFORMED', 'Cannot read database URL: unknown sslmode');
  }
  if (mode === 'disable') parsed.searchParams.set('sslmode', 'disable');
  return { connectionString: print(parsed) };
}

/**
 * Names another database of the same server.
 *
 * @param url - one that `parseServerUrl` accepts.
 * @param database - a plain identifier.
 */
export function renameDatabase(url: string, database: string): string {
  const parsed = parse(url);
  parsed.pathname = `/${database}`;
  return print(parsed);
}

/** Finds the name of a URL's database. */
export function findDatabase(url: string): string {
  return decodeURIComponent(parse(url).pathname.slice(1));
}

function print(url: URL): string {
  return url.href.replace(`@${NO_HOST}/`, '@/');
}

function parse(url: string): URL {
  // A URL with user and no host is right for unix sockets and wrong for the URL standard.
  const parsed = URL.parse(url.replace('@/', `@${NO_HOST}/`));
  if (parsed === null || !PROTOCOLS.has(parsed.protocol)) {
    // The platform's own error carries the whole URL, password included: it is no cause of ours.
    throw new StoreFault(
      'URL_MALFORMED',
      'Cannot read database URL: expected postgres://user:password@host:port/database',
    );
  }
  const isHostless = parsed.hostname === '' || parsed.hostname === NO_HOST;
  if (isHostless && (parsed.searchParams.get('host') ?? '') === '') {
    throw new StoreFault('URL_MALFORMED', 'Cannot read database URL: it names no host');
  }
  return parsed;
}
