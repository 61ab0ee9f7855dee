/** The curves of a campaign: a point for each stretch of time, drawn on from sums. */
import { sql } from '@immota/store';
import type { CloudDatabase } from '../schema/database.ts';
import type { StoredCampaign } from './stored-campaign.ts';
import { type Count, loadCounts } from './counts.ts';
import { parseGuard } from './outcomes.ts';

/** From so many minutes after the start on, points are so many minutes apart: some thousand in a quarter. */
const STRETCHES = [
  { from: 2880, minutes: 60 },
  { from: 120, minutes: 10 },
  { from: 0, minutes: 1 },
] as const;

/** A point of the curves. */
export interface HistoryPoint {
  readonly at: Temporal.Instant;
  readonly wave: number;
  readonly updated: number;
  readonly healthy: number;
  readonly outcomes: number;
  readonly bad: number;
}

/** Writes the present point of each campaign; a stretch's last word stays. */
export async function drawOn(
  database: CloudDatabase,
  campaigns: readonly StoredCampaign[],
  now: Temporal.Instant,
): Promise<void> {
  const ids = campaigns.map((campaign) => campaign.campaign_id);
  if (ids.length === 0) return;
  const counts = await loadCounts(database.kysely, ids);
  const waves = await database.kysely
    .selectFrom('campaign_wave')
    .select(['campaign_id', 'number', 'guard'])
    .where('campaign_id', 'in', ids)
    .where('state', '=', 'open')
    .execute();
  const open = new Map(waves.map((wave) => [wave.campaign_id, wave]));
  const points = campaigns.map((campaign) => {
    const wave = open.get(campaign.campaign_id);
    const { updates } = parseGuard(wave?.guard ?? {});
    return {
      ...totalsOf(counts.get(campaign.campaign_id) ?? []),
      campaignId: campaign.campaign_id,
      at: stretchOf(campaign.started_at ?? now, now),
      wave: wave?.number ?? 0,
      outcomes: updates.outcomes,
      bad: updates.bad,
    };
  });
  await sql`
    insert into campaign_history (campaign_id, at, wave, updated, healthy, outcomes, bad)
    select * from unnest(
      ${points.map(({ campaignId }) => campaignId)}::text[],
      ${points.map(({ at }) => at)}::timestamptz[],
      ${points.map(({ wave }) => wave)}::integer[],
      ${points.map(({ updated }) => updated)}::bigint[],
      ${points.map(({ healthy }) => healthy)}::bigint[],
      ${points.map(({ outcomes }) => outcomes)}::bigint[],
      ${points.map(({ bad }) => bad)}::bigint[]
    ) as fresh (campaign_id, at, wave, updated, healthy, outcomes, bad)
    on conflict (campaign_id, at) do update set wave = excluded.wave, updated = excluded.updated,
      healthy = excluded.healthy, outcomes = excluded.outcomes, bad = excluded.bad`.execute(
    database.kysely,
  );
}

/** Loads the points of a campaign, the oldest first. */
export async function loadHistory(
  { kysely }: CloudDatabase,
  campaignId: string,
  pointsMax: number,
): Promise<readonly HistoryPoint[]> {
  const rows = await kysely
    .selectFrom('campaign_history')
    .select(['at', 'wave', 'updated', 'healthy', 'outcomes', 'bad'])
    .where('campaign_id', '=', campaignId)
    .orderBy('at', 'desc')
    .limit(pointsMax)
    .execute();
  return rows.toReversed();
}

/** Sums how many vehicles are updated, and how many of them stayed healthy. */
export function totalsOf(counts: readonly Count[]): {
  readonly updated: number;
  readonly healthy: number;
} {
  let updated = 0;
  let healthy = 0;
  for (const { state, stage, vehicles } of counts) {
    if (state !== 'updated') continue;
    updated += vehicles;
    if (stage === 'healthy') healthy += vehicles;
  }
  return { updated, healthy };
}

function stretchOf(startedAt: Temporal.Instant, now: Temporal.Instant): Temporal.Instant {
  const age = now.since(startedAt).total('minutes');
  const minutes = STRETCHES.find(({ from }) => age >= from)?.minutes ?? 1;
  return now.round({
    smallestUnit: 'minute',
    roundingIncrement: minutes,
    roundingMode: 'floor',
  });
}
