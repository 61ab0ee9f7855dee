/** Reads the fleet in pages by vehicle id; nothing here holds more than a page. */
import { EcuKeyCache } from './ecu-key.ts';
import { loadVehicles } from './vehicle-record.ts';
import type { FleetReader } from '../campaign/campaigns.ts';
import type { CloudDatabase } from '../schema/database.ts';

/** Makes a reader of the fleet. */
export function createFleetReader(database: CloudDatabase): FleetReader {
  const cache = new EcuKeyCache();
  return async (after, countMax) => {
    const rows = await database.kysely
      .selectFrom('vehicle')
      .select('vehicle_id')
      .where('vehicle_id', '>', after)
      .orderBy('vehicle_id')
      .limit(countMax)
      .execute();
    const ids = rows.map(({ vehicle_id: id }) => id);
    const records = await loadVehicles(database.kysely, ids, cache);
    return ids.flatMap((id) => records.get(id)?.inventory ?? []);
  };
}
