/** Vehicles as operators put them into the inventory. */
import type { JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import { parseVehicleIdentifier } from '@immota/uptane';
import type { CloudContext } from '../context.ts';
import { CloudFault } from '../fault.ts';
import { isBootstrap } from './credentials.ts';

/** What an operator knows of a vehicle. What is left out stays as it is. */
export interface VehicleDescription {
  readonly vehicleId: string;
  readonly vin?: string | undefined;
  readonly model?: string | undefined;
  readonly market?: string | undefined;
  readonly tags?: JsonObject | undefined;
}

/**
 * Puts a vehicle into the inventory, or says more of one that is there.
 *
 * @throws CloudFault REQUEST_MALFORMED for a name that no vehicle can have; UptaneFault MALFORMED.
 */
export async function saveVehicle(
  { database }: Pick<CloudContext, 'database'>,
  description: VehicleDescription,
): Promise<void> {
  const { vin, model, market, tags } = description;
  const vehicleId = parseVehicleIdentifier(description.vehicleId);
  if (isBootstrap(vehicleId)) {
    throw new CloudFault('REQUEST_MALFORMED', `Cannot save ${vehicleId}: no vehicle's name`);
  }
  const tagText = tags === undefined ? null : JSON.stringify(tags);
  await sql`
    insert into vehicle (vehicle_id, vin, model, market, tags)
    values (${vehicleId}, ${vin ?? null}, ${model ?? ''}, ${market ?? ''},
      coalesce(${tagText}::jsonb, '{}'))
    on conflict (vehicle_id) do update set
      vin = coalesce(${vin ?? null}, vehicle.vin),
      model = coalesce(${model ?? null}, vehicle.model),
      market = coalesce(${market ?? null}, vehicle.market),
      tags = coalesce(${tagText}::jsonb, vehicle.tags)`.execute(database.kysely);
}
