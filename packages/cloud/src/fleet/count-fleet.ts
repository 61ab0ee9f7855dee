/** How many vehicles a query means: exactly where that is quick, else from a sample, and it says which. */
import { sql } from '@immota/store';
import { inScope } from '../access/scope.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import { tryWithin, within } from './bounded.ts';
import { countSource, isKept } from './counts.ts';
import type { FleetQuery } from './query/fleet-query.ts';

/** A number appears while one types. */
const EXACT_LIMIT_MS = 120;
const SAMPLE_LIMIT_MS = 1000;
/** Vehicles of a sample: a share of a tenth is known to within a hundredth, 19 times in 20. */
const SAMPLE_VEHICLES = 4000;

/** A count. */
export interface FleetCount {
  readonly vehicles: number;
  /** False when it was estimated from a sample. */
  readonly isExact: boolean;
}

/**
 * Counts.
 *
 * @param query - all that somebody sees when left out.
 * @throws CloudFault QUERY_TOO_SLOW when not even a sample could be looked at in time.
 */
export async function countFleet(
  database: CloudDatabase,
  scope: FleetScope,
  query: FleetQuery | undefined,
): Promise<FleetCount> {
  if (query === undefined || isKept(query)) {
    const meant = query === undefined ? sql`true` : query.sql('c');
    const { rows } = await sql<{ readonly vehicles: number }>`
      select coalesce(sum(vehicles), 0)::bigint as vehicles from ${countSource(scope)} c
      where kind = 'vehicle' and ${meant}`.execute(database.kysely);
    return { vehicles: rows[0]?.vehicles ?? 0, isExact: true };
  }
  const meant = sql`${inScope(scope, 'v')} and ${query.sql('v')}`;
  const exact = await tryWithin(database, EXACT_LIMIT_MS, async (tx) => {
    const { rows } = await sql<{ readonly vehicles: number }>`
      select count(*) as vehicles from vehicle v where ${meant}`.execute(tx);
    return rows[0]?.vehicles ?? 0;
  });
  if (exact !== undefined) return { vehicles: exact, isExact: true };
  const vehicles = await within(database, SAMPLE_LIMIT_MS, (tx) => estimate(tx, meant));
  return { vehicles, isExact: false };
}

async function estimate(tx: CloudTransaction, meant: ReturnType<typeof sql>): Promise<number> {
  // Each vehicle of the sample is looked up: reading whole tables to join them would take what an exact count takes.
  await sql`select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
    set_config('max_parallel_workers_per_gather', '0', true)`.execute(tx);
  const { rows: known } = await sql<{ readonly rows: number }>`
    select greatest(reltuples, 1)::float8 as rows from pg_class where oid = 'vehicle'::regclass`.execute(
    tx,
  );
  const percent = Math.min(100, (100 * SAMPLE_VEHICLES) / (known[0]?.rows ?? 1));
  const { rows } = await sql<{ readonly seen: number; readonly meant: number }>`
    select count(*) as seen, count(*) filter (where ${meant}) as meant
    from vehicle v tablesample system (${percent}::real) repeatable (1)`.execute(tx);
  const { rows: all } = await sql<{ readonly vehicles: number }>`
    select coalesce(sum(vehicles), 0)::bigint as vehicles from fleet_count where kind = 'vehicle'`.execute(
    tx,
  );
  const [sample] = rows;
  if (sample === undefined || sample.seen === 0) return 0;
  return Math.round((sample.meant / sample.seen) * (all[0]?.vehicles ?? 0));
}
