/** Writes ECUs of a vehicle whose row is locked. */
import { sql } from '@immota/store';
import type { CloudTransaction } from '../schema/database.ts';
import type { RegisteredEcu } from './register.ts';

/**
 * Adds an ECU, or puts another one in its place. With another key its counter begins anew, and its old
 * encryption key is of no use.
 */
export async function saveEcu(
  tx: CloudTransaction,
  { vehicleId, ecu, at }: { vehicleId: string; ecu: RegisteredEcu; at: Temporal.Instant },
): Promise<void> {
  const { ecuId, hardwareId, isPrimary, algorithm, publicKeyDer } = ecu;
  if (isPrimary) {
    await sql`update ecu set is_primary = false
      where vehicle_id = ${vehicleId} and ecu_id <> ${ecuId}`.execute(tx);
  }
  await sql`
    insert into ecu (vehicle_id, ecu_id, is_primary, hardware_id, key_algorithm, public_key,
      registered_at)
    values (${vehicleId}, ${ecuId}, ${isPrimary}, ${hardwareId}, ${algorithm}, ${publicKeyDer}, ${at})
    on conflict (vehicle_id, ecu_id) do update set is_primary = excluded.is_primary,
      hardware_id = excluded.hardware_id, key_algorithm = excluded.key_algorithm,
      public_key = excluded.public_key, registered_at = excluded.registered_at,
      report_counter = null, encryption_method = null, encryption_key = null`.execute(tx);
  const detail = {
    hardware: hardwareId,
    algorithm,
    key: Buffer.from(publicKeyDer).toString('hex'),
  };
  await addHistory(tx, { vehicleId, ecuId, at, kind: 'registered', detail });
}

/** Takes an ECU out of its vehicle. What it ran stays in its history. */
export async function removeEcu(
  tx: CloudTransaction,
  { vehicleId, ecuId, at }: { vehicleId: string; ecuId: string; at: Temporal.Instant },
): Promise<void> {
  await sql`delete from ecu where vehicle_id = ${vehicleId} and ecu_id = ${ecuId}`.execute(tx);
  await addHistory(tx, { vehicleId, ecuId, at, kind: 'removed', detail: {} });
}

/** Notes what happened to an ECU. */
async function addHistory(
  tx: CloudTransaction,
  entry: {
    readonly vehicleId: string;
    readonly ecuId: string;
    readonly at: Temporal.Instant;
    readonly kind: string;
    readonly detail: Readonly<Record<string, string>>;
  },
): Promise<void> {
  const { vehicleId, ecuId, at, kind, detail } = entry;
  await tx
    .insertInto('ecu_history')
    .values({ vehicle_id: vehicleId, ecu_id: ecuId, at, kind, detail })
    .execute();
}
