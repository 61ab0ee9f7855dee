/**
 * What time does to campaigns: waves that have proved themselves are followed by the next, curves are drawn
 * on, counts are folded. It looks at live campaigns and at sums, and never at the fleet.
 */
import type { Clock } from '@immota/base';
import { sql } from '@immota/store';
import { committed } from '../context.ts';
import type { EventSink } from '../event-log/event-sink.ts';
import type { CloudDatabase } from '../schema/database.ts';
import { foldOutcomes } from './failures.ts';
import { contentOf } from './campaign-content.ts';
import type { StoredCampaign } from './stored-campaign.ts';
import { foldCounts, loadCounts } from './counts.ts';
import { finishCampaigns } from './finish-campaigns.ts';
import { drawOn } from './history.ts';
import { openWave } from './open-wave.ts';
import { findMissing, outcomesOf } from './wave-progress.ts';

/** Live campaigns looked at; a maker has a few dozen. */
const LIVE_MAX = 1000;

/** What advancing works with. */
export interface Advancing {
  readonly database: CloudDatabase;
  readonly events: EventSink;
  readonly clock: Clock;
}

/** See the head of the file. Two processes may do it at once: each wave is opened by one of them. */
export async function advanceCampaigns(advancing: Advancing): Promise<void> {
  const { database, events, clock } = advancing;
  const rows = await database.kysely
    .selectFrom('campaign')
    .selectAll()
    .where('state', 'in', ['running', 'paused', 'held'])
    .limit(LIVE_MAX)
    .execute();
  const ids = rows.map((row) => row.campaign_id);
  const now = clock.now();
  for (const campaign of rows) {
    if (campaign.state !== 'running') continue;
    // oxlint-disable-next-line no-await-in-loop -- campaign after campaign, each in its own transaction
    await openDueWaves(advancing, campaign);
  }
  const over = rows.flatMap((row) => (row.joins ? [row.campaign_id] : []));
  if (over.length > 0) {
    await committed(database, (tx) => finishCampaigns(tx, events, { campaignIds: over, at: now }));
  }
  await drawOn(database, rows, now);
  await foldCounts(database, ids);
  await foldOutcomes(database, ids);
}

/** A wave with nobody in it is followed at once by the next. */
async function openDueWaves(advancing: Advancing, campaign: StoredCampaign): Promise<void> {
  const { waves } = contentOf(campaign);
  for (let turn = 0; turn < waves.length; turn += 1) {
    // oxlint-disable-next-line no-await-in-loop -- wave after wave
    const isOpened = await openNextWave(advancing, campaign.campaign_id);
    if (!isOpened) return;
  }
}

async function openNextWave(
  { database, events, clock }: Advancing,
  campaignId: string,
): Promise<boolean> {
  return await committed(database, async (tx) => {
    const { rows } = await sql<{ readonly campaign_id: string }>`
      select campaign_id from campaign where campaign_id = ${campaignId} and state = 'running'
      for no key update skip locked`.execute(tx);
    if (rows.length === 0) return false;
    const campaign = await tx
      .selectFrom('campaign')
      .selectAll()
      .where('campaign_id', '=', campaignId)
      .executeTakeFirstOrThrow();
    const { waves } = contentOf(campaign);
    const open = campaign.open_wave;
    const wave = waves[open - 1];
    if (wave === undefined || wave.isManual || open >= waves.length) return false;
    const counts = (await loadCounts(tx, [campaignId])).get(campaignId) ?? [];
    if (findMissing(wave, outcomesOf(counts, open)) !== undefined) return false;
    await openWave(tx, events, { campaign, wave: open + 1, now: clock.now() });
    return true;
  });
}
