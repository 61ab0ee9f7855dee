/** Puts the room of campaigns together: what the Director asks, and what operators work with. */
import { keysOf } from '@immota/uptane';
import { createApprovalCheck } from '../approval/approval-check.ts';
import type { CloudContext } from '../context.ts';
import type { TrustStore } from '../trust/trust-store.ts';
import { EcuKeyCache } from '../inventory/ecu-key.ts';
import { loadVehicles } from '../inventory/vehicle-record.ts';
import type { Planner, ReportObserver } from '../director/ports.ts';
import { type CompletionCheck, createCampaignObserver } from './campaign-observer.ts';
import { createCampaignPlanner } from './campaign-planner.ts';
import { Campaigns } from './campaigns.ts';
import { ReleaseStore } from './release-store.ts';
import type { ReleasePlanner } from './vehicle-plan.ts';

/** What it is made of. */
export interface CampaignRoomNeeds {
  readonly context: CloudContext;
  readonly store: TrustStore;
  /**
   * Whether a campaign must be approved by a second person before it starts. `self` is for demos,
   * simulations and benches, where there is one person alone; `required` when left out.
   */
  readonly approvals?: 'required' | 'self' | undefined;
}

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
export function createCampaignRoom({
  context,
  store,
  approvals = 'required',
}: CampaignRoomNeeds): CampaignRoomParts {
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
    checkApproved:
      approvals === 'required' ? createApprovalCheck(context) : () => Promise.resolve(),
  });
  return {
    planner: createCampaignPlanner({ database, releases, events, clock }),
    observer: createCampaignObserver(completionCheck(releases), events),
    campaigns,
    releases,
  };
}

/** A vehicle is updated when no bundle is left between what its ECUs report and the release. */
function completionCheck(releases: ReleaseStore): CompletionCheck {
  const cache = new EcuKeyCache();
  return async (tx, members) => {
    const vehicleIds = [...new Set(members.map(({ vehicleId }) => vehicleId))];
    const campaignIds = [...new Set(members.map(({ campaignId }) => campaignId))];
    const vehicles = await loadVehicles(tx, vehicleIds, cache);
    const campaigns = await tx
      .selectFrom('campaign')
      .select(['campaign_id', 'release_id'])
      .where('campaign_id', 'in', campaignIds)
      .execute();
    const planners = new Map<string, ReleasePlanner>();
    for (const { campaign_id: campaignId, release_id: releaseId } of campaigns) {
      // oxlint-disable-next-line no-await-in-loop -- one or two, and nearly always in memory
      planners.set(campaignId, await releases.planner(releaseId));
    }
    return members.map(({ vehicleId, campaignId }) => {
      const vehicle = vehicles.get(vehicleId)?.inventory;
      return vehicle && planners.get(campaignId)?.runs(vehicle);
    });
  };
}
