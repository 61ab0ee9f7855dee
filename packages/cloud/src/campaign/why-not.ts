/** Why a vehicle is not updated: one object a campaign, with what to do and who must do it. */
import {
  type CampaignStage,
  type ReasonCode,
  REASONS,
  type ReasonText,
  UPDATED,
  type VehicleState,
} from '@immota/api';
import type { JsonObject } from '@immota/base';
import type { SelectQueryBuilder } from 'kysely';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { CampaignRow } from '../schema/campaign-tables.ts';
import type { CloudSchema } from '../schema/tables.ts';
import type { Count } from './counts.ts';
import { isActive } from './vehicle-place.ts';

/** Campaigns told of for one vehicle: ten years of one a month. */
const CAMPAIGNS_MAX = 120;

/** Where one vehicle stands in one campaign. */
export interface WhyNot {
  readonly vehicleId: string;
  readonly vin: string | undefined;
  readonly model: string;
  readonly market: string;
  readonly campaignId: string;
  readonly campaignName: string;
  readonly release: string;
  readonly state: VehicleState;
  readonly stage: CampaignStage;
  readonly wave: number;
  readonly isControl: boolean;
  readonly health: 'unknown' | 'healthy' | 'unhealthy';
  /** Undefined for a vehicle that is updated and not harmed by it, and for no other. */
  readonly reason: ReasonCode | undefined;
  readonly text: ReasonText;
  readonly measured: JsonObject;
  readonly attempts: number;
  readonly penaltyUntil: Temporal.Instant | undefined;
  readonly since: Temporal.Instant;
}

/**
 * Explains a vehicle's place in every campaign that means it, the newest first.
 *
 * @returns one object for each; every one that is not `updated` has a reason.
 */
export async function explainVehicle(
  { kysely }: CloudDatabase,
  vehicleId: string,
): Promise<readonly WhyNot[]> {
  const rows = await selectPlaces(kysely)
    .where('campaign_vehicle.vehicle_id', '=', vehicleId)
    .orderBy('campaign.created_at', 'desc')
    .orderBy('campaign.campaign_id')
    .limit(CAMPAIGNS_MAX)
    .execute();
  return rows.map(explain);
}

/** A place as its rows have it. */
export interface PlaceColumns {
  readonly vehicle_id: string;
  readonly vin: string | null;
  readonly model: string;
  readonly market: string;
  readonly campaign_id: string;
  readonly campaign_name: string;
  readonly campaign_state: CampaignRow['state'];
  readonly open_wave: number;
  readonly hold: JsonObject | null;
  readonly release_name: string;
  readonly release_version: string;
  readonly blocked_because: string | null;
  readonly state: VehicleState;
  readonly stage: CampaignStage;
  readonly wave: number;
  readonly is_control: boolean;
  readonly health: WhyNot['health'];
  readonly reason: ReasonCode | null;
  readonly measured: JsonObject;
  readonly attempts: number;
  readonly penalty_until: Temporal.Instant | null;
  readonly since: Temporal.Instant;
  readonly quarantined: boolean;
  readonly registered_at: Temporal.Instant | null;
}

/** The tables that tell of a place. */
export type PlaceTables = 'campaign_vehicle' | 'campaign' | 'release' | 'vehicle';

/** Selects everything that a place is explained with. */
export function selectPlaces(
  kysely: CloudDatabase['kysely'] | CloudTransaction,
): SelectQueryBuilder<CloudSchema, PlaceTables, PlaceColumns> {
  return kysely
    .selectFrom('campaign_vehicle')
    .innerJoin('campaign', 'campaign.campaign_id', 'campaign_vehicle.campaign_id')
    .innerJoin('release', 'release.release_id', 'campaign.release_id')
    .innerJoin('vehicle', 'vehicle.vehicle_id', 'campaign_vehicle.vehicle_id')
    .select([
      'campaign_vehicle.vehicle_id',
      'vehicle.vin',
      'vehicle.model',
      'vehicle.market',
      'campaign.campaign_id',
      'campaign.name as campaign_name',
      'campaign.state as campaign_state',
      'campaign.open_wave',
      'campaign.hold',
      'release.name as release_name',
      'release.version as release_version',
      'release.blocked_because',
      'campaign_vehicle.state',
      'campaign_vehicle.stage',
      'campaign_vehicle.wave',
      'campaign_vehicle.is_control',
      'campaign_vehicle.health',
      'campaign_vehicle.reason',
      'campaign_vehicle.measured',
      'campaign_vehicle.attempts',
      'campaign_vehicle.penalty_until',
      'campaign_vehicle.since',
      'vehicle.quarantined',
      'vehicle.registered_at',
    ]);
}

/** Explains a place: what holds now goes before what was written down. */
export function explain(row: PlaceColumns): WhyNot {
  const { state, reason, measured } = placeNow(row);
  return {
    vehicleId: row.vehicle_id,
    vin: row.vin ?? undefined,
    model: row.model,
    market: row.market,
    campaignId: row.campaign_id,
    campaignName: row.campaign_name,
    release: `${row.release_name} ${row.release_version}`,
    state,
    stage: row.stage,
    wave: row.wave,
    isControl: row.is_control,
    health: row.health,
    reason,
    text: reason === undefined ? UPDATED : REASONS[reason],
    measured,
    attempts: row.attempts,
    penaltyUntil: row.penalty_until ?? undefined,
    since: row.since,
  };
}

/**
 * Finds the reason that vehicles which stand alike have now; undefined when they are updated.
 *
 * A wave that opens touches none of its vehicles: what they wait for is known without.
 */
export function reasonNow(
  { state: campaignState, open_wave: openWave }: CampaignNow,
  place: Pick<Count, 'state' | 'reason' | 'wave' | 'health'>,
): ReasonCode | undefined {
  if (place.state === 'updated') return place.health === 'unhealthy' ? 'UNHEALTHY' : undefined;
  const reason = findReason(place.reason);
  if (!isActive(place)) return reason;
  if (campaignState === 'cancelled') return 'CANCELLED';
  if (campaignState === 'held') return 'CAMPAIGN_HELD';
  if (campaignState !== 'running') return 'CAMPAIGN_NOT_RUNNING';
  const isTurn = place.wave <= openWave;
  return isTurn && (reason === 'LATER_WAVE' || reason === 'CONTROL_GROUP') ? 'NOT_SEEN' : reason;
}

type CampaignNow = Pick<CampaignRow, 'state'> & { readonly open_wave: number };

function findReason(text: string | null): ReasonCode | undefined {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked here
  return text !== null && Object.hasOwn(REASONS, text) ? (text as ReasonCode) : undefined;
}

interface PlaceNow {
  readonly state: VehicleState;
  readonly reason: ReasonCode | undefined;
  readonly measured: JsonObject;
}

/** A barred vehicle waits for nothing else, and nobody waits for a turn in a campaign that stands. */
function placeNow(row: PlaceColumns): PlaceNow {
  const { state, measured } = row;
  const active = isActive(row) && row.campaign_state !== 'cancelled';
  if (active && row.quarantined) return { state, reason: 'QUARANTINED', measured: {} };
  if (active && row.registered_at === null) {
    return { state, reason: 'NEVER_REGISTERED', measured: {} };
  }
  const reason = reasonNow(
    { state: row.campaign_state, open_wave: row.open_wave },
    { state, reason: row.reason ?? '', wave: row.wave, health: row.health },
  );
  if (active && row.campaign_state === 'running' && row.blocked_because !== null) {
    return { state, reason: 'RELEASE_BLOCKED', measured: { because: row.blocked_because } };
  }
  if (reason === 'CANCELLED') return { state: 'cancelled', reason, measured: {} };
  return { state, reason, measured: measuredNow(row, reason) ?? measured };
}

/** What is measured of reasons that were not written down for this vehicle. */
function measuredNow(row: PlaceColumns, reason: ReasonCode | undefined): JsonObject | undefined {
  if (reason === 'CAMPAIGN_HELD') {
    return { since: row.hold?.['since'] ?? '', explanation: row.hold?.['explanation'] ?? '' };
  }
  if (reason === 'CAMPAIGN_NOT_RUNNING') return { campaign: row.campaign_state };
  if (reason === 'LATER_WAVE') return { wave: row.wave, openWave: row.open_wave };
  if (reason === 'CONTROL_GROUP') return { openWave: row.open_wave, waits: row.wave };
  const isWritten = reason === (row.reason ?? undefined) || reason === 'UNHEALTHY';
  return isWritten ? undefined : {};
}
