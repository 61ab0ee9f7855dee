/** Tells other processes which vehicles have new metadata. */
import { sql } from '@immota/store';
import type { CloudTransaction } from '../schema/database.ts';

/** The channel; the payload is vehicle ids, joined by spaces. */
export const DIRECTOR_CHANNEL = 'immota_director';
/** Below what NOTIFY carries, whatever the ids. */
const PAYLOAD_MAX_CHARACTERS = 7000;

/** Notifies a channel of vehicles when the transaction commits. Ids hold no space. */
export async function notifyVehicles(
  tx: CloudTransaction,
  channel: string,
  vehicleIds: readonly string[],
): Promise<void> {
  const payloads: string[] = [];
  let payload = '';
  for (const id of vehicleIds) {
    if (payload.length + id.length + 1 > PAYLOAD_MAX_CHARACTERS) {
      payloads.push(payload);
      payload = '';
    }
    payload += payload === '' ? id : ` ${id}`;
  }
  if (payload !== '') payloads.push(payload);
  if (payloads.length === 0) return;
  await sql`select pg_notify(${channel}, payload)
    from unnest(${payloads}::text[]) as payload`.execute(tx);
}
