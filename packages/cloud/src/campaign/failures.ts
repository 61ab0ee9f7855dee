/** Where failures of a campaign gather: hardware by what ran before, from what outcomes appended. */
import { sql } from '@immota/store';
import type { CloudDatabase } from '../schema/database.ts';
import { splitSource } from './outcomes.ts';

/** Cells told of; a line of vehicles has some dozens of ECU kinds and versions in the field. */
const CELLS_MAX = 1000;
/** Vehicles looked at for samples, and told of each cell. */
const SAMPLED_MAX = 1000;
const SAMPLES_MAX = 5;
/** Rows of a campaign from which on folding is worth it. */
const FOLD_FROM_ROWS = 500;

/** Some hardware that ran some image before. */
export interface FailureCell {
  readonly hardwareId: string;
  readonly source: string;
  readonly outcomes: number;
  readonly failures: number;
  readonly codes: Readonly<Record<string, number>>;
  readonly sample: readonly string[];
}

/** Lists the cells of a campaign, those with the most failures first. */
export async function listFailures(
  { kysely }: CloudDatabase,
  campaignId: string,
): Promise<readonly FailureCell[]> {
  const { rows } = await sql<{
    readonly hardware_id: string;
    readonly source: string;
    readonly code: string;
    readonly vehicles: number;
  }>`select hardware_id, source, code, sum(vehicles)::bigint as vehicles from campaign_outcome
    where campaign_id = ${campaignId} group by 1, 2, 3 having sum(vehicles) > 0`.execute(kysely);
  const samples = await loadSamples(kysely, campaignId);
  return [...Map.groupBy(rows, (row) => `${row.hardware_id}=${row.source}`)]
    .map(([key, own]) => {
      const [first] = own;
      const bad = own.filter(({ code }) => code !== '');
      return {
        hardwareId: first?.hardware_id ?? '',
        source: first?.source ?? '',
        outcomes: sumOf(own),
        failures: sumOf(bad),
        codes: Object.fromEntries(bad.map(({ code, vehicles }) => [code, vehicles])),
        sample: bad.length > 0 ? (samples.get(key) ?? []) : [],
      };
    })
    .toSorted((left, right) => right.failures - left.failures || right.outcomes - left.outcomes)
    .slice(0, CELLS_MAX);
}

function sumOf(rows: readonly { readonly vehicles: number }[]): number {
  return rows.reduce((sum, { vehicles }) => sum + vehicles, 0);
}

/** The newest of those that failed. */
async function loadSamples(
  kysely: CloudDatabase['kysely'],
  campaignId: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await kysely
    .selectFrom('campaign_vehicle')
    .select(['vehicle_id', 'source'])
    .where('campaign_id', '=', campaignId)
    .where('outcome', '=', 'bad')
    .orderBy('since', 'desc')
    .limit(SAMPLED_MAX)
    .execute();
  const samples = new Map<string, string[]>();
  for (const { vehicle_id: id, source } of rows) {
    for (const part of splitSource(source)) {
      const key = `${part.hardwareId}=${part.source}`;
      const known = samples.get(key) ?? [];
      if (known.length < SAMPLES_MAX) samples.set(key, [...known, id]);
    }
  }
  return samples;
}

/** Folds what outcomes appended, as counts are folded. */
export async function foldOutcomes(
  { kysely }: CloudDatabase,
  campaignIds: readonly string[],
): Promise<void> {
  if (campaignIds.length === 0) return;
  const { rows } = await sql<{ readonly campaign_id: string }>`
    select campaign_id from unnest(${campaignIds}::text[]) as asked (campaign_id)
    where (select count(*) from (select from campaign_outcome c where c.campaign_id = asked.campaign_id
      limit ${FOLD_FROM_ROWS}) as few) >= ${FOLD_FROM_ROWS}`.execute(kysely);
  for (const { campaign_id: campaignId } of rows) {
    // oxlint-disable-next-line no-await-in-loop -- one campaign after the other, in the background
    await sql`
      with gone as (delete from campaign_outcome where campaign_id = ${campaignId} returning *)
      insert into campaign_outcome
      select campaign_id, hardware_id, source, code, sum(vehicles) from gone
      group by 1, 2, 3, 4 having sum(vehicles) <> 0`.execute(kysely);
  }
}
