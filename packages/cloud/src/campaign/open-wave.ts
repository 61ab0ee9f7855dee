/** A wave is opened: its test begins, and those of its vehicles that come are offered the release. */
import { sql } from '@immota/store';
import type { JsonObject } from '@immota/base';
import { PLANS_CHANNEL } from '../director/ports.ts';
import { type EventSink, fleetStream } from '../event-log/event-sink.ts';
import type { CloudTransaction } from '../schema/database.ts';
import { contentOf } from './campaign-content.ts';
import type { StoredCampaign } from './stored-campaign.ts';
import { encodeGuard, parseGuard } from './outcomes.ts';
import { type GuardState, NOTHING_KNOWN } from './statistics/campaign-guard.ts';

/** Which wave is opened, and by whom. */
export interface WaveOpening {
  readonly campaign: StoredCampaign;
  readonly wave: number;
  readonly now: Temporal.Instant;
  /** Left out when it opens by itself. */
  readonly by?: string | undefined;
}

/**
 * Opens a wave. It touches none of its vehicles: what they wait for follows from the campaign's row.
 *
 * @param tx - that holds the campaign's row.
 */
export async function openWave(
  tx: CloudTransaction,
  events: EventSink,
  { campaign, wave, now, by }: WaveOpening,
): Promise<void> {
  const { campaign_id: campaignId } = campaign;
  const { waves } = contentOf(campaign);
  const before = await lockGuard(tx, campaignId, wave - 1);
  await tx
    .updateTable('campaign_wave')
    .set({ state: 'done', done_at: now })
    .where('campaign_id', '=', campaignId)
    .where('state', '=', 'open')
    .execute();
  for (const number of waves.keys().map((index) => index + 1)) {
    // oxlint-disable-next-line no-await-in-loop -- sixteen at most
    await tx
      .insertInto('campaign_wave')
      .values({ campaign_id: campaignId, number, state: 'waiting' })
      .onConflict((conflict) => conflict.columns(['campaign_id', 'number']).doNothing())
      .execute();
  }
  await tx
    .updateTable('campaign_wave')
    .set({ state: 'open', opened_at: now, guard: encodeGuard(nextGuard(before)) })
    .where('campaign_id', '=', campaignId)
    .where('number', '=', wave)
    .execute();
  await tx
    .updateTable('campaign')
    .set({ open_wave: wave })
    .where('campaign_id', '=', campaignId)
    .execute();
  const name = waves[wave - 1]?.name ?? '';
  const body = { campaignId, wave, name, ...(by === undefined ? {} : { by }) };
  const stream = fleetStream(campaign.tenant);
  await events.append(tx, [{ stream, kind: 'campaign.wave-opened', at: now, body }]);
  await sql`select pg_notify(${PLANS_CHANNEL}, '')`.execute(tx);
}

/** Failures are judged wave by wave; the comparison with untouched vehicles goes on, for they are the same. */
function nextGuard({ treated, control }: GuardState): GuardState {
  return { ...NOTHING_KNOWN, treated, control };
}

/**
 * Begins the open wave's test anew, for what comes after somebody looked. What is known of untouched
 * vehicles stays: they were not what it was held for.
 */
export async function resetGuard(tx: CloudTransaction, campaign: StoredCampaign): Promise<void> {
  const { campaign_id: campaignId, open_wave: wave } = campaign;
  const { control } = await lockGuard(tx, campaignId, wave);
  await tx
    .updateTable('campaign_wave')
    .set({ guard: encodeGuard({ ...NOTHING_KNOWN, control }) })
    .where('campaign_id', '=', campaignId)
    .where('number', '=', wave)
    .execute();
}

async function lockGuard(
  tx: CloudTransaction,
  campaignId: string,
  wave: number,
): Promise<GuardState> {
  const row = await tx
    .selectFrom('campaign_wave')
    .select('guard')
    .where('campaign_id', '=', campaignId)
    .where('number', '=', wave)
    .forUpdate()
    .executeTakeFirst();
  const guard: JsonObject = row?.guard ?? {};
  return parseGuard(guard);
}
