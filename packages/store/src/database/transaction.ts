import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { IsolationLevel, Transaction } from 'kysely';
import { StoreFault } from '../fault.ts';
import {
  TRANSACTION_ATTEMPTS_MAX,
  TRANSACTION_PAUSE_FIRST_MS,
  TRANSACTION_PAUSE_LAST_MS,
} from '../limits.ts';
import type { Database } from './database.ts';
import { isConflict } from './sql-state.ts';

/** How a transaction runs. */
export interface TransactionOptions {
  /**
   * `repeatable read` by default: what was read cannot have changed when it is written back.
   * `serializable` where a rule spans rows that the transaction only reads; `read committed` for
   * statements that need no earlier read, such as batches of inserts.
   */
  readonly isolation?: IsolationLevel;
  /** How often it is tried; 10 by default. */
  readonly attemptsMax?: number;
}

/**
 * Runs work in one transaction, and again when others came in between or the connection broke before
 * the commit.
 *
 * @param database - where.
 * @param work - reads and writes through `sql` only; it may run several times, so it changes nothing
 *   outside the database. What it throws rolls back and comes out unchanged.
 * @param options - isolation and bound.
 * @returns what `work` returned, once it is committed.
 * @throws StoreFault CONFLICT when every try was undone; UNREACHABLE when it could not begin. Nothing was
 *   written then.
 * @throws StoreFault CONNECTION_LOST when the connection broke while committing: ask the database.
 */
export async function transaction<Schema, Result>(
  database: Database<Schema>,
  work: (sql: Transaction<Schema>) => Promise<Result>,
  options: TransactionOptions = {},
): Promise<Result> {
  const attemptsMax = options.attemptsMax ?? TRANSACTION_ATTEMPTS_MAX;
  for (let attempt = 1; ; attempt += 1) {
    let isCommitting = false;
    try {
      // oxlint-disable-next-line no-await-in-loop -- one try after another is the point
      return await database.kysely
        .transaction()
        .setIsolationLevel(options.isolation ?? 'repeatable read')
        .execute(async (sql) => {
          const result = await work(sql);
          isCommitting = true;
          return result;
        });
    } catch (error) {
      if (!isConflict(error) && (isCommitting || !isLost(error))) throw error;
      if (attempt >= attemptsMax) {
        throw new StoreFault('CONFLICT', `Cannot commit: undone by others in ${attempt} tries`, {
          cause: error,
        });
      }
      // oxlint-disable-next-line no-await-in-loop -- as above
      await pause(choosePause(attempt));
    }
  }
}

/** Before the commit was sent, a lost connection has undone everything for certain. */
function isLost(error: unknown): boolean {
  return error instanceof StoreFault && error.code === 'CONNECTION_LOST';
}

/** Doubling, with chance, so that two that met do not meet again. */
function choosePause(attempt: number): number {
  const longest = Math.min(
    TRANSACTION_PAUSE_FIRST_MS * 2 ** (attempt - 1),
    TRANSACTION_PAUSE_LAST_MS,
  );
  return randomInt(longest + 1);
}
