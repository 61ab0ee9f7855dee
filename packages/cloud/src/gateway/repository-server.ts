/** The Image repository by itself {uptane D1}: for TUF clients, and as the origin of a CDN. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '@immota/base';
import { CloudFault } from '../fault.ts';
import { sendEmpty } from './exchange.ts';
import {
  CONNECTIONS_MAX,
  HEADERS_MAX_BYTES,
  HEADERS_TIMEOUT_MS,
  KEEP_ALIVE_MS,
  PATH_MAX_CHARACTERS,
  RATE_BURST,
  REPOSITORY_PER_SECOND,
  SOCKET_IDLE_MS,
} from './limits.ts';
import { RateLimiter } from './rate-limit.ts';
import { refusalOf } from './refusal-table.ts';
import { type RepositoryParts, repositoryRoutes } from './repository-routes.ts';
import { Router } from './router.ts';

/** How it is opened. */
export interface RepositoryServerOptions {
  readonly parts: RepositoryParts;
  readonly clock: Clock;
  readonly host: string;
  readonly port: number;
  readonly failed: (error: unknown) => void;
}

/** An open server. */
export interface RepositoryServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens the server. Errors have no bodies, whatever was asked for. */
export async function openRepositoryServer(
  options: RepositoryServerOptions,
): Promise<RepositoryServer> {
  const { parts, clock, host, port, failed } = options;
  const router = new Router([repositoryRoutes(parts, 'anyone')]);
  const rate = { burst: RATE_BURST, perSecond: REPOSITORY_PER_SECOND };
  const limiter = new RateLimiter(clock, rate);
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', socket } = request;
    if (!limiter.take(socket.remoteAddress ?? '')) {
      throw new CloudFault('RATE_LIMIT', 'Cannot serve request: too many in this time');
    }
    const found = router.find(method, url.slice(0, PATH_MAX_CHARACTERS));
    if (found === undefined) sendEmpty(response, 404);
    else await found.route.handle({ request, response, peer: undefined, rest: found.rest });
  };
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: HEADERS_MAX_BYTES,
    },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        const { status } = refusalOf(error);
        if (status >= 500) failed(error);
        if (response.headersSent) response.destroy();
        else sendEmpty(response, status);
      });
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  server.setTimeout(SOCKET_IDLE_MS);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = Promise.withResolvers<void>();
      server.close(() => {
        closed.resolve();
      });
      server.closeAllConnections();
      await closed.promise;
    },
  };
}
