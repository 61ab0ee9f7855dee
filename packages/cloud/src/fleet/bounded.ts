/** Statements that people wait for: whatever they ask, they end in time. */
import { findSqlState } from '@immota/store';
import { sql } from '@immota/store';
import { CloudFault } from '../fault.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';

/** The server's word for a statement that was stopped. */
const CANCELED = '57014';

/**
 * Runs statements that only read, each within a time.
 *
 * @returns undefined when one of them took longer.
 */
export async function tryWithin<Result>(
  { kysely }: Pick<CloudDatabase, 'kysely'>,
  limitMs: number,
  work: (tx: CloudTransaction) => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await kysely
      .transaction()
      .setAccessMode('read only')
      .execute(async (tx) => {
        // Compiling a statement takes longer than answering it.
        await sql`select set_config('statement_timeout', ${String(limitMs)}, true),
          set_config('jit', 'off', true)`.execute(tx);
        return await work(tx);
      });
  } catch (error) {
    if (findSqlState(error) === CANCELED) return undefined;
    throw error;
  }
}

/** As {@link tryWithin}. @throws CloudFault QUERY_TOO_SLOW when it took longer. */
export async function within<Result>(
  database: Pick<CloudDatabase, 'kysely'>,
  limitMs: number,
  work: (tx: CloudTransaction) => Promise<Result>,
): Promise<Result> {
  const result = await tryWithin(database, limitMs, work);
  if (result !== undefined) return result;
  throw new CloudFault('QUERY_TOO_SLOW', `Cannot answer within ${limitMs} ms: ask for less`);
}
