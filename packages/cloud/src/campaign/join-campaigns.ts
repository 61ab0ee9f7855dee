/**
 * Vehicles that come to match a campaign while it runs take part in it: each is held against live campaigns
 * that let others join when it reports, and nobody ever looks through the fleet for them.
 */
import { createHash } from 'node:crypto';
import type { Clock } from '@immota/base';
import { sql } from '@immota/store';
import type { VehicleInventory } from '../director/ports.ts';
import type { CloudDatabase } from '../schema/database.ts';
import { contentOf, cutOf } from './campaign-content.ts';
import { parseFleetQuery } from './fleet-query.ts';
import { firstReason, insertPlaces, newPlace, watchControls } from './new-places.ts';
import type { ReleaseStore } from './release-store.ts';
import { placeByHash, type SamplePlace } from './statistics/stratified-sample.ts';
import type { StoredCampaign } from './stored-campaign.ts';

/** Campaigns that a vehicle is held against: more at once are a mistake. */
const JOINING_MAX = 32;

/** What joining works with. */
export interface Joining {
  readonly database: CloudDatabase;
  readonly releases: ReleaseStore;
  readonly clock: Clock;
}

/** Gives places to those of some vehicles that live campaigns mean and that have none yet. */
export async function joinCampaigns(
  joining: Joining,
  vehicles: readonly VehicleInventory[],
): Promise<void> {
  if (vehicles.length === 0) return;
  const campaigns = await joining.database.kysely
    .selectFrom('campaign')
    .selectAll()
    .where('state', '=', 'running')
    .where('joins', '=', true)
    .orderBy('priority', 'desc')
    .orderBy('started_at')
    .limit(JOINING_MAX)
    .execute();
  for (const campaign of campaigns) {
    // oxlint-disable-next-line no-await-in-loop -- mostly none, and few at most
    await joinCampaign(joining, campaign, vehicles);
  }
}

async function joinCampaign(
  { database, releases, clock }: Joining,
  campaign: StoredCampaign,
  vehicles: readonly VehicleInventory[],
): Promise<void> {
  const now = clock.now();
  const content = contentOf(campaign);
  const { endsAt } = content.policy;
  if (endsAt !== undefined && Temporal.Instant.compare(now, endsAt) >= 0) return;
  const { campaign_id: campaignId, tenant, query } = campaign;
  const condition = parseFleetQuery(query, now).sql('v');
  const { rows } = await sql<{ readonly vehicle_id: string }>`
    select v.vehicle_id from vehicle v
    where v.vehicle_id = any(${vehicles.map(({ vehicleId }) => vehicleId)}) and v.tenant = ${tenant}
      and not exists (select from campaign_vehicle cv
        where cv.vehicle_id = v.vehicle_id and cv.campaign_id = ${campaignId})
      and ${condition}`.execute(database.kysely);
  if (rows.length === 0) return;
  const meant = new Set(rows.map((row) => row.vehicle_id));
  const planner = await releases.planner(campaign.release_id);
  const cut = cutOf(content);
  const places = vehicles
    .filter(({ vehicleId }) => meant.has(vehicleId))
    .map((vehicle) => {
      const placed = placeLate(campaignId, vehicle.vehicleId, cut);
      const place = newPlace(planner, vehicle, placed);
      // It has reported already when it joins a wave that is open: nothing is waited for.
      const isTurn = placed.wave <= campaign.open_wave && !placed.isControl;
      return isTurn && place.reason === firstReason(placed)
        ? { ...place, reason: 'NOT_SEEN' as const }
        : place;
    });
  const fresh = new Set(await insertPlaces(database, campaignId, places, now));
  const controls = places.filter(
    ({ vehicleId, placed }) => placed.isControl && fresh.has(vehicleId),
  );
  await watchControls(
    database,
    controls.map(({ vehicleId }) => vehicleId),
    now,
  );
}

/** Places a vehicle that comes when the order of strata is closed. */
export function placeLate(
  campaignId: string,
  vehicleId: string,
  cut: Parameters<typeof placeByHash>[1],
): SamplePlace {
  const digest = createHash('sha256').update(`wave ${campaignId} ${vehicleId}`).digest();
  return placeByHash(digest, cut);
}
