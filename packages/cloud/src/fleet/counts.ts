/**
 * Where counts come from. What a tenant's whole fleet comes to is kept as changes whose sums are the counts;
 * whoever sees a part of it only by model and market sums those. For any other part the vehicles themselves
 * are counted.
 */
import { sql } from '@immota/store';
import type { RawBuilder } from 'kysely';
import { inScope } from '../access/scope.ts';
import type { CloudDatabase } from '../schema/database.ts';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import { type FleetQuery, parseFleetQuery } from './query/fleet-query.ts';

/** What each count is kept by. */
const KEPT: ReadonlySet<string> = new Set(['model', 'market']);
/** Changes of more than this are in the past for every chart. */
const DAYS_KEPT = 400;
/** Held by whoever folds: the bytes of `fold`. */
const FOLD_LOCK = 0x66_6f_6c_64;

/** Tells whether a query can be answered from what is kept. */
export function isKept({ fields }: FleetQuery): boolean {
  return [...fields].every((field) => KEPT.has(field));
}

/**
 * Gives the counts that somebody sees, as a table: `model`, `market`, `kind`, `name`, `value`, `day`, `vehicles`.
 *
 * @throws CloudFault QUERY_MALFORMED.
 */
export function countSource(scope: FleetScope): RawBuilder<unknown> {
  const query = scope.query === undefined ? undefined : parseFleetQuery(scope.query);
  if (query === undefined || isKept(query)) {
    const seen = query === undefined ? sql`true` : query.sql('kept');
    return sql`(select * from fleet_count kept where kept.tenant = ${scope.tenant} and ${seen})`;
  }
  return sql`(
    select v.model, v.market, 'vehicle' as kind, coalesce(v.last_seen_day::text, '') as name,
      case when v.quarantined then 'barred' else '' end as value, null::date as day, count(*) as vehicles
    from vehicle v where ${inScope(scope, 'v')} group by 1, 2, 4, 5
    union all
    select v.model, v.market, 'image', e.hardware_id, coalesce(e.installed_name, ''), null, count(*)
    from vehicle v join ecu e on e.vehicle_id = v.vehicle_id
    where ${inScope(scope, 'v')} group by 1, 2, 4, 5
    union all
    select v.model, v.market, 'ran', e.hardware_id, coalesce(e.installed_name, ''),
      (e.installed_at at time zone 'UTC')::date, count(*)
    from vehicle v join ecu e on e.vehicle_id = v.vehicle_id
    where ${inScope(scope, 'v')} group by 1, 2, 4, 5, 6)`;
}

/**
 * Folds changes into sums, so that counting stays short. It may be called at any time and from any process;
 * whoever counts meanwhile sees the changes or their sums, and never both.
 *
 * @returns rows before and after; undefined when another process folds.
 */
export async function foldCounts(
  database: CloudDatabase,
): Promise<{ readonly before: number; readonly after: number } | undefined> {
  return await database.kysely.transaction().execute(async (tx) => {
    const lock = await sql<{ readonly isOurs: boolean }>`
      select pg_try_advisory_xact_lock(${FOLD_LOCK}) as "isOurs"`.execute(tx);
    if (lock.rows[0]?.isOurs !== true) return undefined;
    const { rows } = await sql<{ readonly before: number; readonly after: number }>`
      with gone as (delete from fleet_count returning *), kept as (
        insert into fleet_count
        select tenant, model, market, kind, name, value, greatest(day, current_date - ${DAYS_KEPT}::int),
          sum(vehicles)::bigint
        from gone group by 1, 2, 3, 4, 5, 6, 7 having sum(vehicles) <> 0 returning 1)
      select (select count(*) from gone) as before, (select count(*) from kept) as after`.execute(
      tx,
    );
    return rows[0];
  });
}
