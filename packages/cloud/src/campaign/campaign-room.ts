/** Puts the room of campaigns together: what the Director asks, and what operators work with. */
import { keysOf } from '@immota/uptane';
import type { Cloud } from '../cloud.ts';
import { EcuKeyCache } from '../inventory/ecu-key.ts';
import { loadVehicles } from '../inventory/vehicle-record.ts';
import { createFleetReader } from '../inventory/fleet.ts';
import type { Planner, ReportObserver } from '../director/ports.ts';
import { type CompletionCheck, createCampaignObserver } from './campaign-observer.ts';
import { createCampaignPlanner } from './campaign-planner.ts';
import { Campaigns } from './campaigns.ts';
import { ReleaseStore } from './release-store.ts';

/** See the head of the file. */
export interface CampaignRoomParts {
  readonly planner: Planner;
  readonly observer: ReportObserver;
  readonly campaigns: Campaigns;
  readonly releases: ReleaseStore;
}

/**
 * Makes the room of campaigns of an open cloud.
 *
 * A release counts when a threshold of the Image repository's Targets keys signed it: the people who
 * answer for images answer for which of them belong together.
 */
export function createCampaignRoom({ context, store }: Cloud): CampaignRoomParts {
  const { database, events, clock } = context;
  const releases = new ReleaseStore({
    database,
    events,
    clock,
    authority: () => {
      const root = store.image('aktualizr').root.body;
      return { keys: root.keys, role: keysOf(root, 'targets') };
    },
  });
  const campaigns = new Campaigns({
    database,
    releases,
    events,
    clock,
    readFleet: createFleetReader(database),
  });
  return {
    planner: createCampaignPlanner(database, releases),
    observer: createCampaignObserver(completionCheck(releases)),
    campaigns,
    releases,
  };
}

/** A vehicle is updated when no bundle is left between what its ECUs report and the release. */
function completionCheck(releases: ReleaseStore): CompletionCheck {
  const cache = new EcuKeyCache();
  return async (tx, vehicleId, campaignId) => {
    const [found, campaign] = await Promise.all([
      loadVehicles(tx, [vehicleId], cache),
      tx
        .selectFrom('campaign')
        .select('release_id')
        .where('campaign_id', '=', campaignId)
        .executeTakeFirst(),
    ]);
    const vehicle = found.get(vehicleId)?.inventory;
    if (vehicle === undefined || campaign === undefined) return false;
    const planner = await releases.planner(campaign.release_id);
    return planner.decide(vehicle).kind === 'done';
  };
}
