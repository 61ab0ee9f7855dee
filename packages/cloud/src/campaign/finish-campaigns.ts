/** A campaign is finished when each vehicle that has a place in it has reached an end. */
import { sql } from '@immota/store';
import { type EventSink, fleetStream } from '../event-log/event-sink.ts';
import type { CloudTransaction } from '../schema/database.ts';
import { ACTIVE_STATES } from './vehicle-place.ts';

/**
 * Finishes those of some campaigns that run and have nothing left to do, and says so.
 *
 * No clock and no operator ends a campaign so: places come to their end by signed reports alone. One
 * that means no vehicle at all runs on, for nothing has been reported. One that others may join has not
 * all its vehicles before it makes no more offers.
 *
 * @param tx - `read committed`, that has just written places of these campaigns. Of two that end the last
 * two vehicles at once, the second waits here for the first, and then sees both.
 */
export async function finishCampaigns(
  tx: CloudTransaction,
  events: EventSink,
  { campaignIds, at }: { readonly campaignIds: Iterable<string>; readonly at: Temporal.Instant },
): Promise<void> {
  const ids = [...new Set(campaignIds)];
  if (ids.length === 0) return;
  await sql`select from campaign where campaign_id = any(${ids}) and state = 'running'
    order by campaign_id for no key update`.execute(tx);
  const { rows } = await sql<{ readonly campaign_id: string; readonly tenant: string }>`
    update campaign c set state = 'finished'
    where campaign_id = any(${ids}) and state = 'running'
      and (not joins or (policy ->> 'endsAt')::timestamptz <= ${at})
      and exists (select from campaign_vehicle cv where cv.campaign_id = c.campaign_id)
      and not exists (select from campaign_vehicle cv
        where cv.campaign_id = c.campaign_id and cv.state = any(${[...ACTIVE_STATES]}))
    returning campaign_id, tenant`.execute(tx);
  await events.append(
    tx,
    rows.map(({ campaign_id: campaignId, tenant }) => ({
      stream: fleetStream(tenant),
      kind: 'campaign.finished',
      at,
      body: { campaignId },
    })),
  );
}
