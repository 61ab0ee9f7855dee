/** Vehicles as operators put them into the inventory. */
import type { JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import { parseVehicleIdentifier } from '@immota/uptane';
import { type CloudContext, committed } from '../context.ts';
import { CloudFault } from '../fault.ts';
import { checkVisible } from '../access/scope.ts';
import { isReserved } from './credentials.ts';
import { FIRST_TENANT, type FleetScope } from './fleet-scope.ts';

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
 * @param fleet - whoever says it touches no vehicle beyond, neither before nor after; the first tenant when left
 * out.
 * @throws CloudFault REQUEST_MALFORMED for a name that no vehicle can have; NOT_FOUND for a vehicle beyond the
 * fleet; UptaneFault MALFORMED.
 */
export async function saveVehicle(
  { database }: Pick<CloudContext, 'database'>,
  description: VehicleDescription,
  fleet: FleetScope = { tenant: FIRST_TENANT },
): Promise<void> {
  const { vin, model, market, tags } = description;
  const vehicleId = parseVehicleIdentifier(description.vehicleId);
  if (isReserved(vehicleId)) {
    throw new CloudFault('REQUEST_MALFORMED', `Cannot save ${vehicleId}: no vehicle's name`);
  }
  const tagText = tags === undefined ? null : JSON.stringify(tags);
  await committed(database, async (tx) => {
    const { rows } = await sql`
      insert into vehicle (vehicle_id, tenant) values (${vehicleId}, ${fleet.tenant})
      on conflict do nothing returning vehicle_id`.execute(tx);
    if (rows.length === 0) await checkVisible(tx, fleet, vehicleId);
    await sql`update vehicle set
      vin = coalesce(${vin ?? null}, vin),
      model = coalesce(${model ?? null}, model),
      market = coalesce(${market ?? null}, market),
      tags = coalesce(${tagText}::jsonb, tags)
      where vehicle_id = ${vehicleId}`.execute(tx);
    await checkVisible(tx, fleet, vehicleId);
  });
}
