import type { PostgresPool } from 'kysely';
import type { DatabaseKind, StoreNotice, Subscription } from './database.ts';

/** What every kind of database does for `openDatabase`. */
export interface Engine {
  readonly kind: DatabaseKind;
  readonly pool: PostgresPool;
  listen(channel: string, listener: (payload: string | undefined) => void): Promise<Subscription>;
  /** Releases what the pool's own `end` does not. */
  close(): Promise<void>;
}

/** Hears what an operator should hear. */
export type NoticeListener = (notice: StoreNotice) => void;
