/** PostgreSQL over its own protocol: a server somebody runs, or the embedded one. */
import { setTimeout as pause } from 'node:timers/promises';
import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import pg from 'pg';
import type { Client, PoolClient, PoolConfig } from 'pg';
import { StoreFault } from '../fault.ts';
import {
  CONNECT_PATIENCE_MS,
  CONNECT_RETRY_MS,
  IDLE_IN_TRANSACTION_TIMEOUT_MS,
  POOL_CONNECTIONS_MAX,
  STATEMENT_TIMEOUT_MS,
} from '../limits.ts';
import type { Subscription } from './database.ts';
import type { Engine, NoticeListener } from './engine.ts';
import { openListener } from './listen.ts';
import { isCutOff, isUnreachable } from './sql-state.ts';
import { encodeParameter, VALUE_PARSERS } from './values.ts';

/** What `openServerEngine` needs. */
export interface ServerEngineOptions {
  readonly kind: 'server' | 'embedded';
  /** Where the server is and how to enter. */
  readonly connection: PoolConfig;
  /** Shown in the server's list of sessions. */
  readonly applicationName: string;
  /** Connections of this process, at most. */
  readonly connectionsMax?: number | undefined;
  /** How long a statement may run. */
  readonly statementTimeoutMs?: number | undefined;
  /** How long to try to connect while the server is down or full. */
  readonly connectPatienceMs?: number | undefined;
  readonly notice: NoticeListener;
  /** Called when the server cannot be reached, before the next try: it may bring the server back. */
  readonly revive?: () => Promise<void>;
  /** Called after the last connection is closed. */
  readonly release?: () => Promise<void>;
}

/**
 * Makes a bounded pool of connections. It connects when it is first used.
 *
 * @param options - where, how many, how long.
 */
export function openServerEngine(options: ServerEngineOptions): Engine {
  const patienceMs = options.connectPatienceMs ?? CONNECT_PATIENCE_MS;
  const config: PoolConfig = {
    ...options.connection,
    max: options.connectionsMax ?? POOL_CONNECTIONS_MAX,
    application_name: options.applicationName,
    statement_timeout: options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_TIMEOUT_MS,
    connectionTimeoutMillis: patienceMs,
    keepAlive: true,
    options: '-c TimeZone=UTC -c DateStyle=ISO -c IntervalStyle=iso_8601',
    types: { getTypeParser: findParser },
  };
  const pool = new pg.Pool(config);
  let isEnding = false;
  const lost = (error: Error): void => {
    // A server that stops when we leave may be faster than our own goodbye.
    if (isEnding) return;
    options.notice({
      code: 'CONNECTION_LOST',
      message: `A database connection was lost: ${error.message}`,
    });
  };
  const broken = new WeakSet<PoolClient>();
  pool.on('connect', (client) => {
    client.on('error', (error) => {
      broken.add(client);
      lost(error);
    });
  });
  // The pool repeats what an idle connection says; unheard, it would end the process.
  pool.on('error', () => undefined);
  const subscriptions = new Set<Subscription>();
  return {
    kind: options.kind,
    pool: {
      options: {},
      connect: async () =>
        adaptClient(await connectPatiently(pool, patienceMs, options.revive), broken),
      end: () => {
        isEnding = true;
        return pool.end();
      },
    } satisfies PostgresPool,
    async listen(channel, listener) {
      const subscription = await openListener({
        connect: () => connectAlone(config),
        channel,
        listener,
        lost,
      });
      subscriptions.add(subscription);
      return subscription;
    },
    async close() {
      await Promise.all([...subscriptions].map((subscription) => subscription.close()));
      await options.release?.();
    },
  };
}

/** A connection outside the pool, for one that waits for hours. */
async function connectAlone(config: PoolConfig): Promise<Client> {
  const client = new pg.Client({ ...config, statement_timeout: 0 });
  await client.connect();
  return client;
}

/** Tries again while the server restarts: nothing has been sent yet, so trying costs nothing. */
async function connectPatiently(
  pool: pg.Pool,
  patienceMs: number,
  revive?: () => Promise<void>,
): Promise<PoolClient> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- one try after another is the point
      return await pool.connect();
    } catch (error) {
      if (!isUnreachable(error) || performance.now() >= deadlineMs) {
        throw new StoreFault('UNREACHABLE', `Cannot connect to the database: ${reason(error)}`, {
          cause: error,
        });
      }
      // oxlint-disable-next-line no-await-in-loop -- as above
      await revive?.();
      // oxlint-disable-next-line no-await-in-loop -- as above
      await pause(CONNECT_RETRY_MS);
    }
  }
}

/** The driver's messages name hosts and users, and no password. */
function reason(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reason).join(', ');
  return error instanceof Error ? error.message : 'unknown';
}

function findParser(oid: number, format?: 'text' | 'binary'): (text: string) => unknown {
  const ours = format === 'binary' ? undefined : VALUE_PARSERS.get(oid);
  return ours ?? pg.types.getTypeParser(oid, format === 'binary' ? 'text' : format);
}

function adaptClient(client: PoolClient, broken: WeakSet<PoolClient>): PostgresPoolClient {
  const query = async (text: string, values: readonly unknown[]): Promise<unknown> => {
    try {
      return await client.query(text, values.map(encodeParameter));
    } catch (error) {
      if (!broken.has(client) && !isCutOff(error)) throw error;
      throw new StoreFault('CONNECTION_LOST', 'Cannot query: the connection was lost', {
        cause: error,
      });
    }
  };
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Kysely calls it with text and values; cursors are not offered
    query: query as PostgresPoolClient['query'],
    release: () => {
      client.release();
    },
  };
}

/** What a driver's answer looks like to Kysely. */
export type QueryResult = PostgresQueryResult<unknown>;
