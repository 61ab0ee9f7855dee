/** The Director's planner: which campaign a vehicle is in, and what comes next for it. */
import { sql } from '@immota/store';
import type { Planner, VehicleInventory } from '../director/ports.ts';
import type { CloudDatabase } from '../schema/database.ts';
import { correlationOf } from './correlation.ts';
import type { ReleaseStore } from './release-store.ts';

/** States in which a campaign still has something for a vehicle. */
export const ACTIVE_STATES = ['targeted', 'offered', 'in-flight', 'blocked'] as const;

/**
 * Makes the planner of all campaigns.
 *
 * A vehicle takes part in one campaign at a time: the one under way in it, else the oldest that runs.
 */
export function createCampaignPlanner(database: CloudDatabase, releases: ReleaseStore): Planner {
  return {
    async plan(vehicles) {
      const active = await findActive(
        database,
        vehicles.map(({ vehicleId }) => vehicleId),
      );
      return await Promise.all(
        vehicles.map(async (vehicle) => {
          const campaign = active.get(vehicle.vehicleId);
          if (campaign === undefined) return undefined;
          const planner = await releases.planner(campaign.releaseId);
          const decision = planner.decide(vehicle);
          if (decision.kind !== 'install') return undefined;
          return {
            correlationId: correlationOf(campaign.campaignId),
            images: decision.images,
            custom: planner.notice(),
          };
        }),
      );
    },
  };
}

/** The campaign that is a vehicle's turn. */
export interface ActiveCampaign {
  readonly campaignId: string;
  readonly releaseId: string;
}

/** Finds each vehicle's active campaign; vehicles without one are absent. */
export async function findActive(
  database: CloudDatabase,
  vehicleIds: readonly VehicleInventory['vehicleId'][],
): Promise<ReadonlyMap<string, ActiveCampaign>> {
  if (vehicleIds.length === 0) return new Map();
  const { rows } = await sql<{
    readonly vehicle_id: string;
    readonly campaign_id: string;
    readonly release_id: string;
  }>`
    select distinct on (cv.vehicle_id) cv.vehicle_id, c.campaign_id, c.release_id
    from campaign_vehicle cv join campaign c using (campaign_id)
    where cv.vehicle_id = any(${vehicleIds}) and c.state = 'running'
      and cv.state = any(${[...ACTIVE_STATES]})
    order by cv.vehicle_id, cv.state in ('offered', 'in-flight') desc, c.started_at, c.campaign_id
  `.execute(database.kysely);
  return new Map(
    rows.map((row) => [row.vehicle_id, { campaignId: row.campaign_id, releaseId: row.release_id }]),
  );
}
