/** Has a vehicle's metadata made anew although its plan is the same. */
import { sql } from '@immota/store';
import type { CloudTransaction } from '../schema/database.ts';
import { notifyVehicles } from './director-channel.ts';
import { PLANS_CHANNEL } from './ports.ts';

/**
 * Has what is signed for a vehicle signed anew at its next contact: the keys of an ECU changed, and
 * content keys in force are wrapped for one of the past. The version goes up here already, so that
 * whoever planned with the old keys meanwhile stores nothing.
 *
 * @param tx - that holds the vehicle's row.
 */
export async function outdatePlan(tx: CloudTransaction, vehicleId: string): Promise<void> {
  await sql`update vehicle_director set version = version + 1, signed_at = to_timestamp(0)
    where vehicle_id = ${vehicleId}`.execute(tx);
  await notifyVehicles(tx, PLANS_CHANNEL, [vehicleId]);
}
