/** Health and metrics, for the machine's own eyes: on loopback unless told otherwise. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sql } from '@immota/store';
import { Counter, Gauge, Registry } from 'prom-client';
import type { CloudDatabase } from './schema/database.ts';

/** Numbers that the cloud counts. */
export interface CloudMetrics {
  readonly registry: Registry;
  /** Counts an answer of the gateway. */
  answered(route: string, status: number): void;
  /** Counts a failure behind an answer. */
  failed(): void;
}

/** Makes the numbers. */
export function createMetrics(connections: () => number): CloudMetrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'immota_gateway_requests_total',
    help: 'Answers of the device gateway by route and status class',
    labelNames: ['route', 'status'],
    registers,
  });
  const failures = new Counter({
    name: 'immota_failures_total',
    help: 'What failed without being anybody’s bad input',
    registers,
  });
  registry.registerMetric(
    new Gauge({
      name: 'immota_gateway_connections',
      help: 'Open connections of the device gateway',
      registers: [],
      collect() {
        this.set(connections());
      },
    }),
  );
  registry.registerMetric(
    new Gauge({
      name: 'immota_process_memory_bytes',
      help: 'Resident memory of the process',
      registers: [],
      collect() {
        this.set(process.memoryUsage.rss());
      },
    }),
  );
  return {
    registry,
    answered(route, status) {
      requests.inc({ route, status: `${Math.floor(status / 100)}xx` });
    },
    failed() {
      failures.inc();
    },
  };
}

/** An open status server. */
export interface StatusServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens the status server: `/health` asks the database, `/metrics` is for Prometheus. */
export async function openStatusServer(options: {
  readonly host: string;
  readonly port: number;
  readonly database: CloudDatabase;
  readonly metrics: CloudMetrics;
}): Promise<StatusServer> {
  const { host, port, database, metrics } = options;
  const server: Server = createServer((request, response) => {
    answer(request.url ?? '', response).catch(() => {
      response.writeHead(503, { 'content-type': 'application/json' });
      response.end('{"status":"unavailable"}');
    });
  });
  const answer = async (url: string, response: ServerResponse): Promise<void> => {
    if (url === '/health') {
      await sql`select 1`.execute(database.kysely);
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end('{"status":"ok"}');
    } else if (url === '/metrics') {
      const text = await metrics.registry.metrics();
      response.writeHead(200, { 'content-type': metrics.registry.contentType });
      response.end(text);
    } else {
      response.writeHead(404, { 'content-length': 0 });
      response.end();
    }
  };
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
