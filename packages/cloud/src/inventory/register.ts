/**
 * Registration of a vehicle's ECUs {uptane F1} {uptane F3}. The same again changes nothing: a lost answer must
 * not strand a vehicle that tries for ever. What differs waits for an operator, unless the policy allows it.
 */
import type { Registration } from '@immota/api';
import { equalBytes } from '@immota/base';
import { sql } from '@immota/store';
import { parseEcuIdentifier, parseHardwareIdentifier, UptaneFault } from '@immota/uptane';
import type { Selectable } from 'kysely';
import { committed, type CloudContext } from '../context.ts';
import type { NewEvent } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { CloudTransaction } from '../schema/database.ts';
import type { EcuRow } from '../schema/vehicle-tables.ts';
import { isReserved } from './credentials.ts';
import { isKnownKey, parseEcuKey, type RegisteredEcu } from './ecu-key.ts';
import { removeEcu, saveEcu } from './save-ecu.ts';

/** How an ECU of a vehicle that has registered may change: by an operator, or by itself. */
export type ReplacementPolicy = 'approve' | 'allow';

/** What a registration came to. */
export type RegistrationOutcome = 'created' | 'unchanged' | 'updated';

/** Algorithm of a pending replacement that is a removal: the vehicle lists the ECU no longer. */
export const REMOVED = 'removed';

/**
 * Registers the ECUs of a vehicle.
 *
 * @param vehicleId - as its certificate names it.
 * @throws CloudFault ECU_MALFORMED; ECU_REUSE when a serial is another vehicle's; ECU_REPLACEMENT when an
 * operator must approve; then the request is on record and waits.
 */
export async function registerEcus(
  context: CloudContext,
  vehicleId: string,
  { registration, policy }: { registration: Registration; policy: ReplacementPolicy },
): Promise<RegistrationOutcome> {
  if (isReserved(vehicleId)) throw malformed(`"${vehicleId}" is no vehicle's name`);
  const ecus = parseRegistration(registration);
  const { outcome, waiting } = await committed(context.database, (tx) =>
    register(context, tx, { vehicleId, ecus, policy }),
  );
  if (waiting.length === 0) return outcome;
  const [first] = waiting;
  throw new CloudFault(
    'ECU_REPLACEMENT',
    `Cannot register ${vehicleId}: "${first}" changed, and an operator must approve it`,
  );
}

function parseRegistration(registration: Registration): readonly RegisteredEcu[] {
  const { primary_ecu_serial: primary, ecus } = registration;
  const seen = new Set<string>();
  const parsed = ecus.map(({ ecu_serial: serial, hardware_identifier: hardware, clientKey }) => {
    try {
      const ecuId = parseEcuIdentifier(serial);
      const hardwareId = parseHardwareIdentifier(hardware);
      const isPrimary = ecuId === primary;
      return { ecuId, hardwareId, isPrimary, ...parseEcuKey(ecuId, clientKey) };
    } catch (error) {
      if (!(error instanceof UptaneFault)) throw error;
      throw new CloudFault('ECU_MALFORMED', error.message, { cause: error });
    }
  });
  for (const { ecuId } of parsed) {
    if (seen.has(ecuId)) throw malformed(`"${ecuId}" stands twice`);
    seen.add(ecuId);
  }
  const own = parsed.find(({ isPrimary }) => isPrimary);
  if (own === undefined || !isKnownKey(own)) throw malformed('the Primary or its key is missing');
  return parsed;
}

interface Work {
  readonly vehicleId: string;
  readonly ecus: readonly RegisteredEcu[];
  readonly policy: ReplacementPolicy;
}

async function register(
  context: CloudContext,
  tx: CloudTransaction,
  work: Work,
): Promise<{ readonly outcome: RegistrationOutcome; readonly waiting: readonly string[] }> {
  const { vehicleId, ecus, policy } = work;
  const at = context.clock.now();
  await lockSerials(tx, ecus);
  await sql`insert into vehicle (vehicle_id) values (${vehicleId})
    on conflict do nothing`.execute(tx);
  const { rows } = await sql<{ readonly registered_at: Temporal.Instant | null }>`
    select registered_at from vehicle where vehicle_id = ${vehicleId}
    for no key update`.execute(tx);
  await checkSerials(tx, vehicleId, ecus);
  const known = await tx
    .selectFrom('ecu')
    .selectAll()
    .where('vehicle_id', '=', vehicleId)
    .execute();
  const isFirst = rows[0]?.registered_at === null;
  const changes = findChanges(known, ecus);
  if (changes.length === 0 && !isFirst) return { outcome: 'unchanged', waiting: [] };
  const free = changes.filter((change) => isFirst || policy === 'allow' || change.isFree);
  const waiting = changes.filter((change) => !free.includes(change));
  for (const change of free) {
    if (change.ecu === undefined) await removeEcu(tx, { vehicleId, ecuId: change.ecuId, at });
    else await saveEcu(tx, { vehicleId, ecu: change.ecu, at });
  }
  const fresh = await saveWaiting(tx, { vehicleId, waiting, at });
  await finish(tx, { vehicleId, isFirst, ecus, hasChanged: free.length > 0, at });
  await context.events.append(tx, [
    ...(isFirst ? [registered(vehicleId, ecus, at)] : []),
    ...(isFirst ? [] : free.map(({ ecuId }) => event('ecu.replaced', { vehicleId, ecuId, at }))),
    ...fresh.map((ecuId) => event('ecu.replacement-requested', { vehicleId, ecuId, at })),
  ]);
  const outcome = isFirst ? 'created' : 'updated';
  return { outcome, waiting: waiting.map(({ ecuId }) => ecuId) };
}

interface Change {
  readonly ecuId: string;
  /** Undefined when the vehicle lists it no longer. */
  readonly ecu: RegisteredEcu | undefined;
  /** Whether nobody needs to approve: a key that could not be had before. */
  readonly isFree: boolean;
}

function findChanges(
  known: readonly Selectable<EcuRow>[],
  ecus: readonly RegisteredEcu[],
): readonly Change[] {
  const before = new Map(known.map((row) => [row.ecu_id, row]));
  const listed = new Set(ecus.map(({ ecuId }) => ecuId));
  const changed = ecus.flatMap((ecu): readonly Change[] => {
    const row = before.get(ecu.ecuId);
    const { ecuId } = ecu;
    if (row === undefined) return [{ ecuId, ecu, isFree: false }];
    const isSamePlace = row.hardware_id === ecu.hardwareId && row.is_primary === ecu.isPrimary;
    // A Secondary that cannot be reached now keeps the key it registered with.
    if (isSamePlace && (!isKnownKey(ecu) || isSameKey(row, ecu))) return [];
    return [{ ecuId, ecu, isFree: isSamePlace && row.key_algorithm === 'unknown' }];
  });
  const removed = known
    .filter(({ ecu_id: ecuId }) => !listed.has(ecuId))
    .map(({ ecu_id: ecuId }) => ({ ecuId, ecu: undefined, isFree: false }));
  return [...changed, ...removed];
}

function isSameKey(row: Selectable<EcuRow>, ecu: RegisteredEcu): boolean {
  return row.key_algorithm === ecu.algorithm && equalBytes(row.public_key, ecu.publicKeyDer);
}

/** Serials are unique across the fleet; who registers one holds its lock. */
async function lockSerials(tx: CloudTransaction, ecus: readonly RegisteredEcu[]): Promise<void> {
  const serials = ecus.map(({ ecuId }) => ecuId).toSorted();
  await sql`select pg_advisory_xact_lock(hashtextextended(serial, 0))
    from unnest(${serials}::text[]) as serial`.execute(tx);
}

async function checkSerials(
  tx: CloudTransaction,
  vehicleId: string,
  ecus: readonly RegisteredEcu[],
): Promise<void> {
  const { rows } = await sql<{ readonly ecu_id: string }>`
    select ecu_id from ecu where ecu_id = any(${ecus.map(({ ecuId }) => ecuId)})
    and vehicle_id <> ${vehicleId} limit 1`.execute(tx);
  const [taken] = rows;
  if (taken === undefined) return;
  throw new CloudFault(
    'ECU_REUSE',
    `Cannot register ${vehicleId}: "${taken.ecu_id}" is another vehicle's`,
  );
}

/** Keeps what waits; a request that is there already is no news. */
async function saveWaiting(
  tx: CloudTransaction,
  {
    vehicleId,
    waiting,
    at,
  }: { vehicleId: string; waiting: readonly Change[]; at: Temporal.Instant },
): Promise<readonly string[]> {
  const fresh: string[] = [];
  for (const { ecuId, ecu } of waiting) {
    const hardwareId = ecu?.hardwareId ?? '';
    const algorithm = ecu?.algorithm ?? REMOVED;
    const key = ecu?.publicKeyDer ?? new Uint8Array();
    const { rows } = await sql`
      insert into ecu_replacement
        (vehicle_id, ecu_id, hardware_id, key_algorithm, public_key, is_primary, requested_at)
      values (${vehicleId}, ${ecuId}, ${hardwareId}, ${algorithm}, ${key},
        ${ecu?.isPrimary ?? false}, ${at})
      on conflict (vehicle_id, ecu_id) do update set hardware_id = excluded.hardware_id,
        key_algorithm = excluded.key_algorithm, public_key = excluded.public_key,
        is_primary = excluded.is_primary, requested_at = excluded.requested_at
      where (ecu_replacement.hardware_id, ecu_replacement.key_algorithm, ecu_replacement.public_key,
        ecu_replacement.is_primary) is distinct from
        (excluded.hardware_id, excluded.key_algorithm, excluded.public_key, excluded.is_primary)
      returning ecu_id`.execute(tx);
    if (rows.length > 0) fresh.push(ecuId);
  }
  return fresh;
}

async function finish(
  tx: CloudTransaction,
  done: {
    readonly vehicleId: string;
    readonly isFirst: boolean;
    readonly hasChanged: boolean;
    readonly ecus: readonly RegisteredEcu[];
    readonly at: Temporal.Instant;
  },
): Promise<void> {
  const { vehicleId, isFirst, hasChanged, ecus, at } = done;
  if (!isFirst && !hasChanged) return;
  await sql`update vehicle set revision = revision + 1,
    registered_at = coalesce(registered_at, ${at}),
    primary_ecu_id = coalesce(
      (select ecu_id from ecu where vehicle_id = ${vehicleId} and is_primary
        and ecu_id = any(${ecus.map(({ ecuId }) => ecuId)}) order by registered_at desc limit 1),
      primary_ecu_id)
    where vehicle_id = ${vehicleId}`.execute(tx);
}

function registered(
  vehicleId: string,
  ecus: readonly RegisteredEcu[],
  at: Temporal.Instant,
): NewEvent {
  const described = ecus.map(({ ecuId, hardwareId, algorithm, isPrimary }) => ({
    ecu: ecuId,
    hardware: hardwareId,
    algorithm,
    primary: isPrimary,
  }));
  return { stream: vehicleId, kind: 'vehicle.registered', at, body: { ecus: described } };
}

function event(
  kind: 'ecu.replaced' | 'ecu.replacement-requested',
  { vehicleId, ecuId, at }: { vehicleId: string; ecuId: string; at: Temporal.Instant },
): NewEvent {
  return { stream: vehicleId, kind, at, body: { ecu: ecuId } };
}

function malformed(why: string): CloudFault {
  return new CloudFault('ECU_MALFORMED', `Cannot register ECUs: ${why}`);
}
