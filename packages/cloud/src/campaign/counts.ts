/**
 * How many vehicles of a campaign are where. The database appends a row for each change of places; their
 * sum is the count, and folding them together keeps the sum short. Nobody ever counts a fleet.
 */
import { sql } from '@immota/store';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { CampaignCountRow } from '../schema/campaign-tables.ts';

/** Rows of a campaign from which on folding is worth it: more than there are combinations in use. */
const FOLD_FROM_ROWS = 500;

/** Vehicles that stand alike. */
export type Count = CampaignCountRow;

/**
 * Counts the vehicles of campaigns.
 *
 * @returns by campaign; those without any vehicle are absent.
 */
export async function loadCounts(
  database: CloudDatabase['kysely'] | CloudTransaction,
  campaignIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Count[]>> {
  if (campaignIds.length === 0) return new Map();
  const { rows } = await sql<Count>`
    select campaign_id, wave, is_control, state, reason, stage, health,
      sum(vehicles)::bigint as vehicles
    from campaign_count where campaign_id = any(${campaignIds})
    group by 1, 2, 3, 4, 5, 6, 7 having sum(vehicles) <> 0`.execute(database);
  return Map.groupBy(rows, (row) => row.campaign_id);
}

/**
 * Folds the counts of campaigns that have many rows. In one statement each: whoever counts meanwhile sees
 * all of the old rows or all of the new ones, and of two who fold at once each row goes with one of them.
 */
export async function foldCounts(
  database: CloudDatabase,
  campaignIds: readonly string[],
): Promise<void> {
  if (campaignIds.length === 0) return;
  const { rows } = await sql<{ readonly campaign_id: string }>`
    select campaign_id from unnest(${campaignIds}::text[]) as asked (campaign_id)
    where (select count(*) from (select from campaign_count c where c.campaign_id = asked.campaign_id
      limit ${FOLD_FROM_ROWS}) as few) >= ${FOLD_FROM_ROWS}`.execute(database.kysely);
  for (const { campaign_id: campaignId } of rows) {
    // oxlint-disable-next-line no-await-in-loop -- one campaign after the other, in the background
    await sql`
      with gone as (delete from campaign_count where campaign_id = ${campaignId} returning *)
      insert into campaign_count
      select campaign_id, wave, is_control, state, reason, stage, health, sum(vehicles)
      from gone group by 1, 2, 3, 4, 5, 6, 7 having sum(vehicles) <> 0`.execute(database.kysely);
  }
}

/** Sums counts by what each is asked for; those that it is undefined for are left out. */
export function sumCounts(
  counts: readonly Count[],
  keyOf: (count: Count) => string | undefined,
): Record<string, number> {
  const sums = new Map<string, number>();
  for (const count of counts) {
    const key = keyOf(count);
    if (key !== undefined) sums.set(key, (sums.get(key) ?? 0) + count.vehicles);
  }
  return Object.fromEntries([...sums].filter(([, sum]) => sum !== 0));
}
