/**
 * The last look before offers are stored: their campaign runs, and its cap is not reached. Whoever stores
 * an offer shares the campaign's row until it is committed, so that a hold comes before it or after it.
 */
import { sql } from '@immota/store';
import type { Observation } from '../director/ports.ts';
import { CloudFault } from '../fault.ts';
import type { CloudTransaction } from '../schema/database.ts';
import type { CampaignPolicy } from './campaign-content.ts';
import { findCampaign } from './correlation.ts';
import type { KnownCampaign } from './place-rows.ts';

type Offered = Extract<Observation, { readonly kind: 'offered' }>;

/** What an hour's offers came to. */
export interface OfferRate {
  readonly vehicles: number;
  readonly bytes: number;
}

/**
 * Lets offers be stored.
 *
 * @throws CloudFault PLAN_OUTDATED when one of them must not be made any more.
 */
export async function admitOffers(
  tx: CloudTransaction,
  offered: readonly Offered[],
  campaigns: ReadonlyMap<string, KnownCampaign>,
): Promise<void> {
  const byCampaign = Map.groupBy(offered, ({ correlationId }) => findCampaign(correlationId));
  const ids = [...byCampaign.keys()].filter((id) => id !== undefined).toSorted();
  if (ids.length === 0) return;
  const { rows } = await sql<{ readonly campaign_id: string; readonly is_open: boolean }>`
    select c.campaign_id, c.state = 'running' and r.blocked_because is null as is_open
    from campaign c join release r using (release_id)
    where c.campaign_id = any(${ids}) order by c.campaign_id for share`.execute(tx);
  const open = new Set(rows.filter((row) => row.is_open).map((row) => row.campaign_id));
  for (const id of ids) {
    const own = byCampaign.get(id) ?? [];
    const policy = campaigns.get(id)?.content.policy;
    if (policy === undefined) continue;
    if (!open.has(id)) throw outdated('its campaign no longer makes offers');
    // oxlint-disable-next-line no-await-in-loop -- one or two campaigns, and few have a cap
    if (isCapped(policy)) await spend(tx, { campaignId: id, policy, own });
  }
}

/** Tells whether a campaign makes a bounded number of offers in an hour. */
export function isCapped({ rate }: CampaignPolicy): boolean {
  return rate.vehiclesPerHour !== undefined || rate.bytesPerHour !== undefined;
}

/** Tells whether one more offer may be made in an hour; the one that reaches a cap of bytes may pass it. */
export function isBelowCap({ rate }: CampaignPolicy, { vehicles, bytes }: OfferRate): boolean {
  const { vehiclesPerHour, bytesPerHour } = rate;
  return (
    (vehiclesPerHour === undefined || vehicles < vehiclesPerHour) &&
    (bytesPerHour === undefined || bytes < bytesPerHour)
  );
}

/** The hour whose offers are counted together. */
export function hourOf(at: Temporal.Instant): Temporal.Instant {
  return at.round({ smallestUnit: 'hour', roundingMode: 'floor' });
}

async function spend(
  tx: CloudTransaction,
  {
    campaignId,
    policy,
    own,
  }: {
    readonly campaignId: string;
    readonly policy: CampaignPolicy;
    readonly own: readonly Offered[];
  },
): Promise<void> {
  const last = own.at(-1);
  if (last === undefined) return;
  const bytes = own.reduce((sum, { lengthBytes = 0 }) => sum + lengthBytes, 0);
  const { rows } = await sql<OfferRate>`
    insert into campaign_rate as known (campaign_id, hour, vehicles, bytes)
    values (${campaignId}, ${hourOf(last.at)}, ${own.length}, ${bytes})
    on conflict (campaign_id, hour) do update
      set vehicles = known.vehicles + excluded.vehicles, bytes = known.bytes + excluded.bytes
    returning vehicles, bytes`.execute(tx);
  const [spent] = rows;
  if (spent === undefined) return;
  const beforeLast = {
    vehicles: spent.vehicles - 1,
    bytes: spent.bytes - (last.lengthBytes ?? 0),
  };
  if (!isBelowCap(policy, beforeLast)) throw outdated('its cap of this hour was reached');
}

function outdated(why: string): CloudFault {
  return new CloudFault('PLAN_OUTDATED', `Cannot offer update: ${why}`);
}
