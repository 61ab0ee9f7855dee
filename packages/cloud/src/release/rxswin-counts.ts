/** How many ECUs report an RXSWIN, and whether their software agrees with the register {R156 7.1.1.4}. */
import { sql } from '@immota/store';
import type { CloudDatabase } from '../schema/database.ts';
import type { RxswinEntry } from './rxswin-register.ts';

/** Rows of changes after which they are summed up: reading a thousand rows is nothing. */
const COMPACT_ROWS = 1000;

/** What vehicles report of one entry's RXSWIN on its hardware. */
export interface RxswinCount {
  readonly vehicles: number;
  /** Of them, those that run software that no entry of the register has under this RXSWIN. */
  readonly disagreeing: number;
}

/**
 * Counts for entries of one tenant, in one statement. Nothing of the fleet is looked at: the database keeps
 * the counts by what is reported and what is run, as reports come.
 *
 * @returns for each entry, in order.
 */
export async function countRxswins(
  database: CloudDatabase,
  tenant: string,
  entries: readonly RxswinEntry[],
): Promise<readonly RxswinCount[]> {
  if (entries.length === 0) return [];
  const { rows } = await sql<{
    readonly turn: number;
    readonly rows: number;
    readonly vehicles: number;
    readonly disagreeing: number;
  }>`
    select asked.turn::int, coalesce(sum(n.rows), 0)::int as rows,
      coalesce(sum(n.vehicles), 0)::int as vehicles,
      coalesce(sum(n.vehicles) filter (where not exists (
        select from rxswin_entry e cross join jsonb_array_elements(e.software) s
        where e.tenant = ${tenant} and e.regulation = asked.regulation and e.rxswin = asked.rxswin
          and s ->> 'hardwareId' = asked.hardware_id and s ->> 'sha256' = n.sha256)), 0)::int as disagreeing
    from unnest(
      ${entries.map(({ regulation }) => regulation)}::text[],
      ${entries.map(({ hardware_id: hardware }) => hardware)}::text[],
      ${entries.map(({ rxswin }) => rxswin)}::text[]
    ) with ordinality as asked (regulation, hardware_id, rxswin, turn)
      left join lateral (
        select sha256, sum(vehicles) as vehicles, count(*) as rows from rxswin_count c
        where c.tenant = ${tenant} and c.regulation = asked.regulation and c.rxswin = asked.rxswin
          and c.hardware_id = asked.hardware_id group by sha256) n on true
    group by asked.turn order by asked.turn`.execute(database.kysely);
  if (rows.some((row) => row.rows > COMPACT_ROWS)) await compact(database, tenant);
  return rows.map(({ vehicles, disagreeing }) => ({ vehicles, disagreeing }));
}

/** Sums the changes up. Whoever adds some meanwhile is not in the way: only rows that are seen go. */
async function compact(database: CloudDatabase, tenant: string): Promise<void> {
  await sql`
    with gone as (delete from rxswin_count where tenant = ${tenant} returning *)
    insert into rxswin_count
      select tenant, regulation, hardware_id, rxswin, sha256, sum(vehicles) from gone
      group by 1, 2, 3, 4, 5 having sum(vehicles) <> 0`.execute(database.kysely);
}
