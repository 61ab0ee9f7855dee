/** Writes ECUs of a vehicle whose row is locked. */
import { sql } from '@immota/store';
import { outdatePlan } from '../director/outdate-plan.ts';
import type { CloudTransaction } from '../schema/database.ts';
import type { RegisteredEcu } from './ecu-key.ts';

/** With the same key a counter must go on: older reports of that key would count again. */
const IS_SAME_KEY = sql`ecu.key_algorithm = excluded.key_algorithm
  and ecu.public_key = excluded.public_key`;
/** What another ECU reported says nothing of this one, which may run anything. */
const IS_SAME_ECU = sql`${IS_SAME_KEY} and ecu.hardware_id = excluded.hardware_id`;

/**
 * Adds an ECU, or puts another one in its place: with another key its counter begins anew, its old
 * encryption key is of no use, and until its first report nothing is known of it.
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
      report_counter = case when ${IS_SAME_KEY} then ecu.report_counter end,
      encryption_method = case when ${IS_SAME_KEY} then ecu.encryption_method end,
      encryption_key = case when ${IS_SAME_KEY} then ecu.encryption_key end,
      installed_name = case when ${IS_SAME_ECU} then ecu.installed_name end,
      installed_sha256 = case when ${IS_SAME_ECU} then ecu.installed_sha256 end,
      installed_length_bytes = case when ${IS_SAME_ECU} then ecu.installed_length_bytes end,
      installed_at = case when ${IS_SAME_ECU} then ecu.installed_at end,
      attacks_detected = case when ${IS_SAME_ECU} then ecu.attacks_detected else '' end,
      health = case when ${IS_SAME_ECU} then ecu.health else '{}' end,
      rxswins = case when ${IS_SAME_ECU} then ecu.rxswins else '[]' end,
      reported_at = case when ${IS_SAME_ECU} then ecu.reported_at end,
      missing_since = case when ${IS_SAME_ECU} then ecu.missing_since end`.execute(tx);
  await outdatePlan(tx, vehicleId);
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
  await outdatePlan(tx, vehicleId);
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
