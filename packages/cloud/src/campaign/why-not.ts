/** Why a vehicle is not updated: one object a campaign, with what to do and who must do it. */
import { type Actor, REASONS, type ReasonCode } from '@immota/api';
import type { JsonObject } from '@immota/base';
import type { CloudDatabase } from '../schema/database.ts';

/** Where one vehicle stands in one campaign. */
export interface WhyNot {
  readonly campaignId: string;
  readonly campaignName: string;
  readonly release: string;
  readonly state: string;
  /** Undefined for a vehicle that is updated. */
  readonly reason: ReasonCode | undefined;
  readonly meaning: string;
  readonly nextStep: string;
  readonly actor: Actor;
  readonly measured: JsonObject;
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
  const rows = await database.kysely
    .selectFrom('campaign_vehicle')
    .innerJoin('campaign', 'campaign.campaign_id', 'campaign_vehicle.campaign_id')
    .innerJoin('release', 'release.release_id', 'campaign.release_id')
    .innerJoin('vehicle', 'vehicle.vehicle_id', 'campaign_vehicle.vehicle_id')
    .select([
      'campaign.campaign_id',
      'campaign.name as campaign_name',
      'campaign.state as campaign_state',
      'release.name as release_name',
      'release.version as release_version',
      'campaign_vehicle.state',
      'campaign_vehicle.reason',
      'campaign_vehicle.measured',
      'campaign_vehicle.since',
      'vehicle.quarantined',
      'vehicle.registered_at',
    ])
    .where('campaign_vehicle.vehicle_id', '=', vehicleId)
    .orderBy('campaign.created_at', 'desc')
    .limit(100)
    .execute();
  return rows.map((row) => {
    const reason = reasonNow(row);
    const text = reason === undefined ? undefined : REASONS[reason];
    return {
      campaignId: row.campaign_id,
      campaignName: row.campaign_name,
      release: `${row.release_name} ${row.release_version}`,
      state: row.state,
      reason,
      meaning: text?.meaning ?? 'Every ECU runs the release, by its own signed report.',
      nextStep: text?.nextStep ?? 'None.',
      actor: text?.actor ?? 'nobody',
      measured: row.measured,
      since: row.since,
    };
  });
}

/** What holds now goes before what was written down: a barred vehicle waits for nothing else. */
function reasonNow(row: {
  readonly state: string;
  readonly reason: string | null;
  readonly campaign_state: string;
  readonly quarantined: boolean;
  readonly registered_at: Temporal.Instant | null;
}): ReasonCode | undefined {
  if (row.state === 'updated') return undefined;
  const isOver = ['not-needed', 'cancelled', 'failed'].includes(row.state);
  if (!isOver && row.quarantined) return 'QUARANTINED';
  if (!isOver && row.registered_at === null) return 'NEVER_REGISTERED';
  if (!isOver && row.campaign_state !== 'running') return 'CAMPAIGN_NOT_RUNNING';
  return isReason(row.reason) ? row.reason : 'NOT_SEEN';
}

function isReason(code: string | null): code is ReasonCode {
  return code !== null && Object.hasOwn(REASONS, code);
}
