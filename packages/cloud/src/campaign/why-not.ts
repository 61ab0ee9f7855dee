/** Why a vehicle is not updated: one object a campaign, with what to do and who must do it. */
import { type ReasonCode, REASONS, type ReasonText, UPDATED, type VehicleState } from '@immota/api';
import type { JsonObject } from '@immota/base';
import type { SelectQueryBuilder } from 'kysely';
import type { CloudDatabase } from '../schema/database.ts';
import { CloudFault } from '../fault.ts';
import type { CampaignRow, CloudSchema } from '../schema/tables.ts';
import type { Count } from './counts.ts';
import { isActive } from './vehicle-place.ts';

/** Campaigns told of for one vehicle: ten years of one a month. */
const CAMPAIGNS_MAX = 120;

/** Where one vehicle stands in one campaign. */
export interface WhyNot {
  readonly vehicleId: string;
  readonly campaignId: string;
  readonly campaignName: string;
  readonly release: string;
  readonly state: VehicleState;
  /** Undefined for a vehicle that is updated, and for no other. */
  readonly reason: ReasonCode | undefined;
  readonly text: ReasonText;
  readonly measured: JsonObject;
  readonly attempts: number;
  readonly since: Temporal.Instant;
}

/**
 * Explains a vehicle's place in every campaign that means it, the newest first.
 *
 * @returns one object for each; every one that is not `updated` has a reason.
 */
export async function explainVehicle(
  database: CloudDatabase,
  vehicleId: string,
): Promise<readonly WhyNot[]> {
  const rows = await selectPlaces(database)
    .where('campaign_vehicle.vehicle_id', '=', vehicleId)
    .orderBy('campaign.created_at', 'desc')
    .orderBy('campaign.campaign_id')
    .limit(CAMPAIGNS_MAX)
    .execute();
  return rows.map(explain);
}

/** Which vehicles of a campaign to explain. */
export interface CampaignPage {
  /** The last vehicle of the page before; `''` for the first page. */
  readonly after: string;
  readonly countMax: number;
  /** All states when left out. */
  readonly state?: string | undefined;
}

/**
 * Explains the vehicles of a campaign, by their ids.
 *
 * @throws CloudFault NOT_FOUND when there is no such campaign.
 */
export async function explainCampaign(
  database: CloudDatabase,
  campaignId: string,
  { after, countMax, state }: CampaignPage,
): Promise<readonly WhyNot[]> {
  let select = selectPlaces(database)
    .where('campaign_vehicle.campaign_id', '=', campaignId)
    .where('campaign_vehicle.vehicle_id', '>', after)
    .orderBy('campaign_vehicle.vehicle_id')
    .limit(countMax);
  if (state !== undefined) {
    select = select.where((where) =>
      where(where.cast<string>('campaign_vehicle.state', 'text'), '=', state),
    );
  }
  const rows = await select.execute();
  if (rows.length === 0) await checkCampaign(database, campaignId);
  return rows.map(explain);
}

async function checkCampaign(database: CloudDatabase, campaignId: string): Promise<void> {
  const found = await database.kysely
    .selectFrom('campaign')
    .select('campaign_id')
    .where('campaign_id', '=', campaignId)
    .executeTakeFirst();
  if (found === undefined) {
    throw new CloudFault('NOT_FOUND', `Cannot find campaign "${campaignId}"`);
  }
}

interface PlaceColumns {
  readonly vehicle_id: string;
  readonly campaign_id: string;
  readonly campaign_name: string;
  readonly campaign_state: CampaignRow['state'];
  readonly release_name: string;
  readonly release_version: string;
  readonly state: VehicleState;
  readonly reason: ReasonCode | null;
  readonly measured: JsonObject;
  readonly attempts: number;
  readonly since: Temporal.Instant;
  readonly quarantined: boolean;
  readonly registered_at: Temporal.Instant | null;
}

type PlaceTables = 'campaign_vehicle' | 'campaign' | 'release' | 'vehicle';

function selectPlaces({
  kysely,
}: CloudDatabase): SelectQueryBuilder<CloudSchema, PlaceTables, PlaceColumns> {
  return kysely
    .selectFrom('campaign_vehicle')
    .innerJoin('campaign', 'campaign.campaign_id', 'campaign_vehicle.campaign_id')
    .innerJoin('release', 'release.release_id', 'campaign.release_id')
    .innerJoin('vehicle', 'vehicle.vehicle_id', 'campaign_vehicle.vehicle_id')
    .select([
      'campaign_vehicle.vehicle_id',
      'campaign.campaign_id',
      'campaign.name as campaign_name',
      'campaign.state as campaign_state',
      'release.name as release_name',
      'release.version as release_version',
      'campaign_vehicle.state',
      'campaign_vehicle.reason',
      'campaign_vehicle.measured',
      'campaign_vehicle.attempts',
      'campaign_vehicle.since',
      'vehicle.quarantined',
      'vehicle.registered_at',
    ]);
}

function explain(row: PlaceColumns): WhyNot {
  const { state, reason } = placeNow(row);
  return {
    vehicleId: row.vehicle_id,
    campaignId: row.campaign_id,
    campaignName: row.campaign_name,
    release: `${row.release_name} ${row.release_version}`,
    state,
    reason,
    text: reason === undefined ? UPDATED : REASONS[reason],
    measured: row.measured,
    attempts: row.attempts,
    since: row.since,
  };
}

/**
 * Finds the reason that vehicles which stand alike have now; undefined when they are updated.
 *
 * A wave that opens touches none of its vehicles: what they wait for is known without.
 */
export function reasonNow(
  { state: campaignState, open_wave: openWave, hold }: CampaignNow,
  place: Pick<Count, 'state' | 'reason' | 'wave' | 'is_control'>,
): ReasonCode | undefined {
  const reason = findReason(place.reason);
  if (!isActive(place)) return reason;
  if (campaignState === 'cancelled') return 'CANCELLED';
  if (campaignState === 'held' || hold !== null) return 'CAMPAIGN_HELD';
  if (campaignState !== 'running') return 'CAMPAIGN_NOT_RUNNING';
  const isTurn = place.wave <= openWave;
  return isTurn && (reason === 'LATER_WAVE' || reason === 'CONTROL_GROUP') ? 'NOT_SEEN' : reason;
}

type CampaignNow = Pick<CampaignRow, 'state' | 'hold'> & { readonly open_wave: number };

function findReason(text: string | null): ReasonCode | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked here
  return text !== null && Object.hasOwn(REASONS, text) ? (text as ReasonCode) : undefined;
}

/** What holds now goes before what was written down: a barred vehicle waits for nothing else. */
function placeNow(row: PlaceColumns): Pick<WhyNot, 'state' | 'reason'> {
  const { state, campaign_state: campaignState } = row;
  const reason = row.reason ?? undefined;
  if (!isActive(row)) return { state, reason };
  if (campaignState === 'cancelled') return { state: 'cancelled', reason: 'CANCELLED' };
  if (row.quarantined) return { state, reason: 'QUARANTINED' };
  if (row.registered_at === null) return { state, reason: 'NEVER_REGISTERED' };
  if (campaignState !== 'running') return { state, reason: 'CAMPAIGN_NOT_RUNNING' };
  return { state, reason };
}
