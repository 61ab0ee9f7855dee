/** Other live campaigns that want some of the same vehicles, and which goes first. */
import { sql } from '@immota/store';
import type { CloudDatabase } from '../schema/database.ts';
import type { StoredCampaign } from './stored-campaign.ts';
import { ACTIVE_STATES } from './vehicle-place.ts';

/** Live campaigns looked at. */
const CAMPAIGNS_MAX = 100;
/** Vehicles counted for each: more are told as so many at least. */
const VEHICLES_MAX = 100_000;

/** Another campaign. */
export interface CampaignConflict {
  readonly campaignId: string;
  readonly name: string;
  readonly state: string;
  readonly priority: number;
  readonly vehicles: number;
  readonly explanation: string;
}

interface OtherCampaign {
  readonly campaign_id: string;
  readonly name: string;
  readonly state: string;
  readonly priority: number;
  readonly started_at: Temporal.Instant | null;
  readonly vehicles: number;
}

/** Lists them, those with the most vehicles in common first. */
export async function listConflicts(
  { kysely }: CloudDatabase,
  campaign: StoredCampaign,
): Promise<readonly CampaignConflict[]> {
  const { campaign_id: campaignId, tenant } = campaign;
  const active = [...ACTIVE_STATES];
  const { rows } = await sql<OtherCampaign>`
    select c.campaign_id, c.name, c.state, c.priority, c.started_at, common.vehicles
    from (select * from campaign where state in ('running', 'paused', 'held')
        and tenant = ${tenant} and campaign_id <> ${campaignId} limit ${CAMPAIGNS_MAX}) c
      cross join lateral (select count(*) as vehicles from (
        select from campaign_vehicle theirs join campaign_vehicle ours
            on ours.vehicle_id = theirs.vehicle_id and ours.campaign_id = ${campaignId}
          where theirs.campaign_id = c.campaign_id and theirs.state = any(${active})
            and ours.state = any(${active}) limit ${VEHICLES_MAX}) as found) as common
    where common.vehicles > 0 order by common.vehicles desc, c.campaign_id`.execute(kysely);
  return rows.map((other) => ({
    campaignId: other.campaign_id,
    name: other.name,
    state: other.state,
    priority: other.priority,
    vehicles: other.vehicles,
    explanation: explain(campaign, other),
  }));
}

/** In words: what is under way is ended first; then the higher priority goes, then the older. */
function explain(own: StoredCampaign, other: OtherCampaign): string {
  const count =
    other.vehicles >= VEHICLES_MAX ? `at least ${VEHICLES_MAX}` : String(other.vehicles);
  const common = `${count} vehicles are in both. What is under way in a vehicle is ended first`;
  if (own.priority !== other.priority) {
    const [first, high, low] =
      own.priority > other.priority
        ? ['this campaign', own.priority, other.priority]
        : [`"${other.name}"`, other.priority, own.priority];
    return `${common}; otherwise ${first} goes first: priority ${high} before ${low}.`;
  }
  if (own.started_at === null || other.started_at === null) {
    return `${common}; otherwise the one that was started first goes first, for their priorities are alike.`;
  }
  const isOlder = Temporal.Instant.compare(own.started_at, other.started_at) < 0;
  const first = isOlder ? 'this campaign' : `"${other.name}"`;
  return `${common}; otherwise ${first} goes first: their priorities are alike, and it was started earlier.`;
}
