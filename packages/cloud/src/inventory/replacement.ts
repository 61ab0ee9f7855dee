/** ECUs that came with another key, and the operator's word on them. */
import { sql } from '@immota/store';
import type { Selectable } from 'kysely';
import { type CloudContext, committed } from '../context.ts';
import { CloudFault } from '../fault.ts';
import type { EcuReplacementRow } from '../schema/vehicle-tables.ts';
import { REMOVED } from './register.ts';
import { removeEcu, saveEcu } from './save-ecu.ts';

/** Which pending replacement, and who decided. */
export interface ReplacementDecision {
  readonly vehicleId: string;
  readonly ecuId: string;
  /** The operator's name, for the record. */
  readonly by: string;
}

/** Lists what waits for an operator, oldest first. */
export async function listReplacements({
  database,
}: Pick<CloudContext, 'database'>): Promise<readonly Selectable<EcuReplacementRow>[]> {
  return await database.kysely
    .selectFrom('ecu_replacement')
    .selectAll()
    .orderBy('requested_at')
    .execute();
}

/**
 * Approves a replacement: from now on the new key is the ECU's.
 *
 * @throws CloudFault NOT_FOUND when none waits.
 */
export async function approveReplacement(
  context: CloudContext,
  { vehicleId, ecuId, by }: ReplacementDecision,
): Promise<void> {
  const at = context.clock.now();
  await committed(context.database, async (tx) => {
    const row = await tx
      .deleteFrom('ecu_replacement')
      .where('vehicle_id', '=', vehicleId)
      .where('ecu_id', '=', ecuId)
      .returningAll()
      .executeTakeFirst();
    if (row === undefined) throw missing(vehicleId, ecuId);
    await sql`select from vehicle where vehicle_id = ${vehicleId} for no key update`.execute(tx);
    if (row.key_algorithm === REMOVED) await removeEcu(tx, { vehicleId, ecuId, at });
    else {
      const { hardware_id: hardwareId, key_algorithm: algorithm, public_key: publicKeyDer } = row;
      const ecu = { ecuId, hardwareId, isPrimary: row.is_primary, algorithm, publicKeyDer };
      await saveEcu(tx, { vehicleId, ecu, at });
    }
    await sql`update vehicle set revision = revision + 1, primary_ecu_id = coalesce(
      (select ecu_id from ecu where vehicle_id = ${vehicleId} and is_primary), primary_ecu_id)
      where vehicle_id = ${vehicleId}`.execute(tx);
    const body = { ecu: ecuId, by, algorithm: row.key_algorithm };
    await context.events.append(tx, [{ stream: vehicleId, kind: 'ecu.replaced', at, body }]);
  });
}

/**
 * Rejects a replacement: the ECU's key stays as it is. The vehicle will ask again.
 *
 * @throws CloudFault NOT_FOUND when none waits.
 */
export async function rejectReplacement(
  context: CloudContext,
  { vehicleId, ecuId }: ReplacementDecision,
): Promise<void> {
  const { rows } = await sql`delete from ecu_replacement
    where vehicle_id = ${vehicleId} and ecu_id = ${ecuId} returning ecu_id`.execute(
    context.database.kysely,
  );
  if (rows.length === 0) throw missing(vehicleId, ecuId);
}

function missing(vehicleId: string, ecuId: string): CloudFault {
  return new CloudFault('NOT_FOUND', `Cannot decide on "${ecuId}" of ${vehicleId}: nothing waits`);
}
