/**
 * Carries what vehicles report into their campaigns: one read and one write for a batch, however many
 * vehicles it tells of, and those of one vehicle in their order.
 */
import type { JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import type { ReasonCode, VehicleState } from '@immota/api';
import type { ReportObserver } from '../director/ports.ts';
import type { EventSink } from '../event-log/event-sink.ts';
import type { CloudTransaction } from '../schema/database.ts';
import { findCampaign } from './correlation.ts';
import { finishCampaigns } from './finish-campaigns.ts';
import { advancePlace, type CampaignObservation, isActive, type Place } from './vehicle-place.ts';

/** A vehicle in a campaign. */
export interface CampaignMember {
  readonly vehicleId: string;
  readonly campaignId: string;
}

/**
 * Finds, inside a transaction, which of these vehicles run the whole release of their campaign.
 *
 * @returns for each, in order.
 */
export type CompletionCheck = (
  tx: CloudTransaction,
  members: readonly CampaignMember[],
) => Promise<readonly boolean[]>;

interface Heard extends CampaignMember {
  readonly observation: CampaignObservation;
}

/**
 * Makes the observer of all campaigns.
 *
 * @param runsRelease - asked when every ECU of an offer reports its image: more bundles may follow.
 * @param events - where campaigns that are over are put on record.
 */
export function createCampaignObserver(
  runsRelease: CompletionCheck,
  events: EventSink,
): ReportObserver {
  return {
    async observe(tx, observations) {
      const heard = observations.flatMap((observation): readonly Heard[] => {
        if (observation.kind === 'installed') return [];
        const campaignId = findCampaign(observation.correlationId);
        const { vehicleId } = observation;
        return campaignId === undefined ? [] : [{ vehicleId, campaignId, observation }];
      });
      if (heard.length === 0) return;
      const members = new Map(heard.map((one) => [keyOf(one), one]));
      const places = await loadPlaces(tx, [...members.values()]);
      const known = heard.filter((one) => places.has(keyOf(one)));
      const complete = await findComplete(tx, known, runsRelease);
      const changed = new Map<string, CampaignMember & { readonly place: Place }>();
      for (const one of known) {
        const key = keyOf(one);
        const place = places.get(key);
        if (place === undefined) continue;
        const next = advancePlace(place, one.observation, complete.has(key));
        if (next === place) continue;
        places.set(key, next);
        changed.set(key, { ...one, place: next });
      }
      const moved = [...changed.values()];
      await savePlaces(tx, moved);
      const ended = moved.filter(({ place }) => !isActive(place));
      const [first] = ended;
      if (first === undefined) return;
      const campaignIds = ended.map(({ campaignId }) => campaignId);
      await finishCampaigns(tx, events, { campaignIds, at: first.place.since });
    },
  };
}

/** No vehicle's name has a line break. */
function keyOf({ vehicleId, campaignId }: CampaignMember): string {
  return `${campaignId}\n${vehicleId}`;
}

async function findComplete(
  tx: CloudTransaction,
  heard: readonly Heard[],
  runsRelease: CompletionCheck,
): Promise<ReadonlySet<string>> {
  const ended = heard.filter(({ observation }) => observation.kind === 'completed');
  const asked = [...new Map(ended.map((one) => [keyOf(one), one])).values()];
  if (asked.length === 0) return new Set();
  const answers = await runsRelease(tx, asked);
  return new Set(asked.filter((_, index) => answers[index] === true).map(keyOf));
}

/** Locked in the order of their keys, so that two batches that meet wait for each other in one order. */
async function loadPlaces(
  tx: CloudTransaction,
  members: readonly CampaignMember[],
): Promise<Map<string, Place>> {
  const { rows } = await sql<{
    readonly vehicle_id: string;
    readonly campaign_id: string;
    readonly state: VehicleState;
    readonly reason: ReasonCode | null;
    readonly measured: JsonObject;
    readonly attempts: number;
    readonly since: Temporal.Instant;
  }>`
    select cv.vehicle_id, cv.campaign_id, cv.state, cv.reason, cv.measured, cv.attempts, cv.since
    from unnest(
      ${members.map(({ vehicleId }) => vehicleId)}::text[],
      ${members.map(({ campaignId }) => campaignId)}::text[]
    ) as asked (vehicle_id, campaign_id)
      join campaign_vehicle cv using (vehicle_id, campaign_id)
    order by cv.vehicle_id, cv.campaign_id for no key update of cv`.execute(tx);
  return new Map(
    rows.map((row) => {
      const { vehicle_id: vehicleId, campaign_id: campaignId, reason, ...rest } = row;
      const { state, measured, attempts, since } = rest;
      const place = { state, reason: reason ?? undefined, measured, attempts, since };
      return [keyOf({ vehicleId, campaignId }), place];
    }),
  );
}

async function savePlaces(
  tx: CloudTransaction,
  changed: readonly (CampaignMember & { readonly place: Place })[],
): Promise<void> {
  if (changed.length === 0) return;
  const places = changed.map(({ place }) => place);
  await sql`
    update campaign_vehicle set state = fresh.state, reason = fresh.reason,
      measured = fresh.measured::jsonb, attempts = fresh.attempts, since = fresh.since
    from unnest(
      ${changed.map(({ vehicleId }) => vehicleId)}::text[],
      ${changed.map(({ campaignId }) => campaignId)}::text[],
      ${places.map(({ state }) => state)}::text[],
      ${places.map(({ reason }) => reason ?? null)}::text[],
      ${places.map(({ measured }) => JSON.stringify(measured))}::text[],
      ${places.map(({ attempts }) => attempts)}::integer[],
      ${places.map(({ since }) => since)}::timestamptz[]
    ) as fresh (vehicle_id, campaign_id, state, reason, measured, attempts, since)
    where campaign_vehicle.vehicle_id = fresh.vehicle_id
      and campaign_vehicle.campaign_id = fresh.campaign_id`.execute(tx);
}
