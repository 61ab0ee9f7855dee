import type { Kysely } from 'kysely';

/**
 * Where the data lives: `server`, a PostgreSQL server somebody else runs; `embedded`, a PostgreSQL
 * server that we run in a data folder; `pglite`, PostgreSQL inside this process, the fall-back.
 */
export type DatabaseKind = 'server' | 'embedded' | 'pglite';

/** What an operator should hear, though nothing failed. */
export type StoreNoticeCode =
  /** No embedded server can run here, so PGlite does: more memory, one process, one connection. */
  | 'EMBEDDED_UNAVAILABLE'
  /** The unprivileged user cannot reach the data folder: the cluster is elsewhere. */
  | 'CLUSTER_ELSEWHERE'
  /** The server's binaries were copied to where the unprivileged user can reach them. */
  | 'SOFTWARE_COPIED'
  /** A server was left behind by a process that died, or crashed itself: it was recovered. */
  | 'RECOVERED'
  /** The server may forget acknowledged writes when the power fails. */
  | 'NOT_DURABLE'
  /** A connection was lost; the pool makes a new one. */
  | 'CONNECTION_LOST';

/** Something an operator should hear. */
export interface StoreNotice {
  readonly code: StoreNoticeCode;
  /** A sentence for people, without secrets. */
  readonly message: string;
}

/** A standing LISTEN. */
export interface Subscription {
  /** Stops it. */
  close(): Promise<void>;
}

/**
 * An open database.
 *
 * Types across the border: `timestamptz` is `Temporal.Instant` both ways (cut to microseconds),
 * `bigint` and `count(*)` are numbers (beyond 2^53 a `VALUE_RANGE` fault), `bytea` is bytes,
 * `date`, `timestamp` and `numeric` are text. A JavaScript array is an SQL array: for a JSON array pass
 * `JSON.stringify(…)`.
 */
export interface Database<Schema> {
  readonly kind: DatabaseKind;
  /** The query builder, over a bounded pool of connections. */
  readonly kysely: Kysely<Schema>;
  /**
   * Hears what is sent by `NOTIFY`, from any process. A hint, not a record: after a lost connection
   * the listener is called with `undefined`, since something may have been missed.
   *
   * @param channel - an identifier, at most 63 bytes.
   * @param listener - gets each payload; it must not throw.
   */
  listen(channel: string, listener: (payload: string | undefined) => void): Promise<Subscription>;
  /** Waits for running queries, disconnects, and stops an embedded server nobody else uses. */
  close(): Promise<void>;
}
