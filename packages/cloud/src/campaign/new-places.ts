/** Places for vehicles that come into a campaign. */
import { sql } from '@immota/store';
import { unreachable } from '@immota/base';
import type { VehicleInventory } from '../director/ports.ts';
import type { CloudDatabase } from '../schema/database.ts';
import type { CampaignVehicleRow } from '../schema/campaign-tables.ts';
import type { SamplePlace } from './statistics/stratified-sample.ts';
import type { ReleasePlanner } from './vehicle-plan.ts';

/** A place to be written; a wave of 0 is given later. */
export interface NewPlace extends Pick<CampaignVehicleRow, 'state' | 'reason'> {
  readonly vehicleId: string;
  readonly ecus: readonly string[];
  readonly source: string;
  readonly placed: SamplePlace;
}

/** Finds a vehicle's first place, from what its ECUs last reported. */
export function newPlace(
  planner: ReleasePlanner,
  vehicle: VehicleInventory,
  placed: SamplePlace,
): NewPlace {
  const { vehicleId } = vehicle;
  const place = { vehicleId, source: planner.sourceOf(vehicle), placed, ecus: [] };
  const decision = planner.decide(vehicle);
  switch (decision.kind) {
    case 'install':
      return { ...place, state: 'targeted', reason: firstReason(placed) };
    case 'done':
      return { ...place, state: 'not-needed', reason: 'ALREADY_RUNS_IT' };
    case 'none': {
      const { state, reason, ecus } = decision;
      return { ...place, state, reason, ecus };
    }
    default:
      return unreachable(decision);
  }
}

/** Why a vehicle that could have it has it not at the start. */
export function firstReason({
  wave,
  isControl,
}: SamplePlace): 'CONTROL_GROUP' | 'LATER_WAVE' | 'NOT_SEEN' {
  if (isControl) return 'CONTROL_GROUP';
  return wave > 1 ? 'LATER_WAVE' : 'NOT_SEEN';
}

/**
 * Writes places. Vehicles that have one already keep it: a campaign is resumed, not begun again.
 *
 * @returns the vehicles that had none.
 */
export async function insertPlaces(
  { kysely }: CloudDatabase,
  campaignId: string,
  places: readonly NewPlace[],
  since: Temporal.Instant,
): Promise<readonly string[]> {
  if (places.length === 0) return [];
  const { rows } = await sql<{ readonly vehicle_id: string }>`
    insert into campaign_vehicle
      (vehicle_id, campaign_id, state, reason, measured, source, wave, is_control, since)
    select vehicle_id, ${campaignId}, state, reason, measured::jsonb, source, wave, is_control, ${since}
    from unnest(
      ${places.map(({ vehicleId }) => vehicleId)}::text[],
      ${places.map(({ state }) => state)}::text[],
      ${places.map(({ reason }) => reason)}::text[],
      ${places.map(({ ecus }) => JSON.stringify(ecus.length > 0 ? { ecus } : {}))}::text[],
      ${places.map(({ source }) => source)}::text[],
      ${places.map(({ placed }) => placed.wave)}::integer[],
      ${places.map(({ placed }) => placed.isControl)}::boolean[]
    ) as fresh (vehicle_id, state, reason, measured, source, wave, is_control)
    on conflict (vehicle_id, campaign_id) do nothing returning vehicle_id`.execute(kysely);
  return rows.map((row) => row.vehicle_id);
}

/** Has the next report of vehicles that are left untouched tell how healthy they are. */
export async function watchControls(
  { kysely }: CloudDatabase,
  vehicleIds: readonly string[],
  now: Temporal.Instant,
): Promise<void> {
  if (vehicleIds.length === 0) return;
  await sql`update vehicle set health_due_at = least(health_due_at, ${now})
    where vehicle_id = any(${vehicleIds})`.execute(kysely);
}
