/** Serves the operator API over HTTP. */
import { serve } from '@hono/node-server';
import { createAccessRoom } from '../access/access-room.ts';
import { openCheckpoints } from '../access/checkpoints.ts';
import { EventFeed } from '../event-log/event-feed.ts';
import { settleCopiedEvents } from '../event-log/event-order.ts';
import { openWebhookWorker } from '../webhook/webhook-worker.ts';
import { createOperatorApp } from './app.ts';
import { RefusalLog } from './refusals.ts';
import type { OperatorServices } from './services.ts';

/** Where to serve. */
export interface ServeOperatorOptions {
  /** Loopback when left out: in production a reverse proxy with TLS stands before it. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** The operator API while it is served. */
export interface OperatorServer {
  readonly url: string;
  /** How browsers reach it. */
  readonly publicUrl: string;
  close(): Promise<void>;
}

/** How long requests that are under way may take to end. */
const CLOSE_PATIENCE_MS = 5000;

/** Starts to serve. */
export async function serveOperator(
  services: OperatorServices,
  { host = '127.0.0.1', port = 0 }: ServeOperatorOptions = {},
): Promise<OperatorServer> {
  const refusals = new RefusalLog(services.context, services.failed);
  const { context, secret, oidc } = services;
  let listensAt = `http://${host}`;
  const publicUrl = (): URL => new URL(services.publicUrl ?? listensAt);
  const room = createAccessRoom({ context, secret, oidc, publicUrl });
  await settleCopiedEvents(context.database);
  const feed = new EventFeed(context.database, services.failed);
  await feed.open();
  const checkpoints = openCheckpoints(services, services.failed);
  const webhooks = openWebhookWorker(services);
  const app = createOperatorApp(services, refusals, room, feed);
  const { promise: listening, resolve, reject } = Promise.withResolvers<number>();
  const server = serve({ fetch: app.fetch, hostname: host, port }, (info) => resolve(info.port));
  server.once('error', reject);
  const bound = await listening;
  listensAt = `http://${host}:${bound}`;
  return {
    url: listensAt,
    publicUrl: publicUrl().origin,
    close: async () => {
      // Who reads live is let go first: nothing else would ever end.
      await feed.close();
      await webhooks.close();
      await checkpoints.close();
      const { promise: closed, resolve: done } = Promise.withResolvers<void>();
      server.close(() => done());
      if ('closeIdleConnections' in server) server.closeIdleConnections();
      const timer = setTimeout(() => {
        if ('closeAllConnections' in server) server.closeAllConnections();
      }, CLOSE_PATIENCE_MS);
      await closed;
      clearTimeout(timer);
      await refusals.close();
    },
  };
}
