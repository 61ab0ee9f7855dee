/** Writes what many manifests came to in one transaction: a handful of statements, however many. */
import { type CloudContext, committed } from '../context.ts';
import { findFaultCode } from '@immota/base';
import { findSqlState, sql } from '@immota/store';
import type { CloudTransaction } from '../schema/database.ts';
import type { Assessment, EcuChange } from './assess.ts';
import type { ReportObserver } from './ports.ts';

/** How much the newest gap between contacts counts for: about the last ten of them are remembered. */
const NEWEST_GAP_PART = 0.2;
/** Several manifests of one drive are one contact. Before the first manifest there is no gap. */
const IS_SAME_CONTACT = sql`fresh.at - vehicle.last_manifest_at < interval '10 minutes'`;
const GAP = sql`extract(epoch from fresh.at - vehicle.last_manifest_at)::real`;

/** An accepted manifest. */
export interface CheckIn {
  readonly assessment: Assessment;
  readonly sha256: Uint8Array;
}

/**
 * Stores check-ins of different vehicles.
 *
 * A vehicle whose row was written since it was read is left out: its manifest must be held against the
 * new state. Of the others each changed row is written once.
 *
 * @returns for each check-in whether it was stored.
 */
export async function saveCheckIns(
  context: Pick<CloudContext, 'database' | 'events'>,
  observer: ReportObserver,
  checkIns: readonly CheckIn[],
): Promise<readonly boolean[]> {
  // In the order of vehicles, so that two batches that meet wait for each other in one order.
  const ordered = checkIns.toSorted(byVehicle);
  const isQuiet = ordered.every(({ assessment }) => hasNoNews(assessment));
  const quietly = isQuiet ? await trySaveQuietly(context, ordered) : undefined;
  const written = quietly ?? (await saveAll(context, observer, ordered));
  return checkIns.map(({ assessment }) => written.has(assessment.vehicleId));
}

/** Counters went up, and there is nothing to tell: what nearly every manifest comes to. */
function hasNoNews({ ecus, events, observations, refusals }: Assessment): boolean {
  return (
    events.length === 0 &&
    observations.length === 0 &&
    refusals === undefined &&
    ecus.every(({ isCounterAlone }) => isCounterAlone)
  );
}

/**
 * Saves in one statement. When others came in between, or the connection broke, the long way tries again: if
 * the statement was committed after all, its vehicles are found written and their manifests repeated.
 */
async function trySaveQuietly(
  context: Pick<CloudContext, 'database'>,
  checkIns: readonly CheckIn[],
): Promise<ReadonlySet<string> | undefined> {
  try {
    return await saveQuietly(context, checkIns);
  } catch (error) {
    const isConflict = findSqlState(error)?.startsWith('40') === true;
    if (isConflict || findFaultCode(error) === 'CONNECTION_LOST') return undefined;
    throw error;
  }
}

/** One statement, which is its own transaction. */
async function saveQuietly(
  { database }: Pick<CloudContext, 'database'>,
  checkIns: readonly CheckIn[],
): Promise<ReadonlySet<string>> {
  const counters = checkIns.flatMap(({ assessment: { vehicleId, ecus } }) =>
    ecus.map(({ ecu, counter }) => ({ vehicleId, ecuId: ecu.ecuIdentifier, counter })),
  );
  const { rows } = await sql<{ readonly vehicle_id: string }>`
    with claimed as (${claim(checkIns)}), counted as (
      update ecu set report_counter = fresh.counter, reported_at = claimed.last_manifest_at
      from unnest(
        ${counters.map(({ vehicleId }) => vehicleId)}::text[],
        ${counters.map(({ ecuId }) => ecuId)}::text[],
        ${counters.map(({ counter }) => counter ?? null)}::bigint[]
      ) as fresh (vehicle_id, ecu_id, counter), claimed
      where ecu.vehicle_id = fresh.vehicle_id and ecu.ecu_id = fresh.ecu_id
        and claimed.vehicle_id = fresh.vehicle_id
    ) select vehicle_id from claimed`.execute(database.kysely);
  return new Set(rows.map(({ vehicle_id: id }) => id));
}

async function saveAll(
  context: Pick<CloudContext, 'database' | 'events'>,
  observer: ReportObserver,
  ordered: readonly CheckIn[],
): Promise<ReadonlySet<string>> {
  return await committed(context.database, async (tx) => {
    const fresh = await claimVehicles(tx, ordered);
    const kept = ordered
      .map(({ assessment }) => assessment)
      .filter((one) => fresh.has(one.vehicleId));
    await saveEcus(tx, kept);
    await saveHistory(tx, kept);
    await saveRefusals(tx, kept);
    const observations = kept.flatMap((one) => one.observations);
    if (observations.length > 0) await observer.observe(tx, observations);
    await context.events.append(
      tx,
      kept.flatMap((one) => one.events),
    );
    return fresh;
  });
}

/** Takes the vehicles that are as they were read, and notes that they were here. */
async function claimVehicles(
  tx: CloudTransaction,
  checkIns: readonly CheckIn[],
): Promise<ReadonlySet<string>> {
  const { rows } = await sql<{ readonly vehicle_id: string }>`${claim(checkIns)}`.execute(tx);
  return new Set(rows.map(({ vehicle_id: id }) => id));
}

function claim(checkIns: readonly CheckIn[]): ReturnType<typeof sql> {
  return sql`update vehicle set revision = vehicle.revision + 1, last_seen_at = fresh.at,
      last_manifest_at = fresh.at, last_manifest_sha256 = fresh.sha256,
      contact_gap = case
        when ${IS_SAME_CONTACT} then vehicle.contact_gap
        else coalesce(vehicle.contact_gap * ${1 - NEWEST_GAP_PART}::real, ${GAP} * ${1 - NEWEST_GAP_PART}::real)
          + ${GAP} * ${NEWEST_GAP_PART}::real end,
      contact_hours = case when ${IS_SAME_CONTACT} then vehicle.contact_hours
        else contact_hours_noted(vehicle.contact_hours, fresh.at) end
    from unnest(
      ${checkIns.map(({ assessment }) => assessment.vehicleId)}::text[],
      ${checkIns.map(({ assessment }) => assessment.revision)}::bigint[],
      ${checkIns.map(({ assessment }) => assessment.at)}::timestamptz[],
      ${checkIns.map(({ sha256 }) => sha256)}::bytea[]
    ) as fresh (vehicle_id, revision, at, sha256)
    where vehicle.vehicle_id = fresh.vehicle_id and vehicle.revision = fresh.revision
    returning vehicle.vehicle_id, vehicle.last_manifest_at`;
}

interface EcuWrite extends EcuChange {
  readonly vehicleId: string;
}

async function saveEcus(tx: CloudTransaction, kept: readonly Assessment[]): Promise<void> {
  const all = kept.flatMap(({ vehicleId, ecus }): readonly EcuWrite[] =>
    ecus.map((change) => ({ ...change, vehicleId })),
  );
  await saveCounters(
    tx,
    all.filter(({ isCounterAlone }) => isCounterAlone),
  );
  const writes = all.filter(({ isCounterAlone }) => !isCounterAlone);
  if (writes.length === 0) return;
  const installed = writes.map(({ ecu }) => ecu.installed);
  await sql`
    update ecu set report_counter = fresh.counter, installed_name = fresh.name,
      installed_sha256 = fresh.sha256, installed_length_bytes = fresh.length_bytes,
      installed_at = fresh.installed_at, attacks_detected = fresh.attacks,
      health = fresh.health::jsonb, rxswins = fresh.rxswins::jsonb, missing_since = fresh.missing_since,
      reported_at = coalesce(fresh.reported_at, ecu.reported_at)
    from unnest(
      ${writes.map(({ vehicleId }) => vehicleId)}::text[],
      ${writes.map(({ ecu }) => ecu.ecuIdentifier)}::text[],
      ${writes.map(({ counter }) => counter ?? null)}::bigint[],
      ${installed.map((image) => image?.name ?? null)}::text[],
      ${installed.map((image) => image?.sha256 ?? null)}::text[],
      ${installed.map((image) => image?.lengthBytes ?? null)}::bigint[],
      ${installed.map((image) => image?.at ?? null)}::timestamptz[],
      ${writes.map(({ ecu }) => ecu.attacksDetected)}::text[],
      ${writes.map(({ health }) => JSON.stringify(health))}::text[],
      ${writes.map(({ rxswins }) => JSON.stringify(rxswins))}::text[],
      ${writes.map(({ ecu }) => ecu.missingSince ?? null)}::timestamptz[],
      ${writes.map(({ reportedAt }) => reportedAt ?? null)}::timestamptz[]
    ) as fresh (vehicle_id, ecu_id, counter, name, sha256, length_bytes, installed_at, attacks,
      health, rxswins, missing_since, reported_at)
    where ecu.vehicle_id = fresh.vehicle_id and ecu.ecu_id = fresh.ecu_id`.execute(tx);
}

async function saveCounters(tx: CloudTransaction, writes: readonly EcuWrite[]): Promise<void> {
  if (writes.length === 0) return;
  await sql`
    update ecu set report_counter = fresh.counter, reported_at = vehicle.last_manifest_at
    from unnest(
      ${writes.map(({ vehicleId }) => vehicleId)}::text[],
      ${writes.map(({ ecu }) => ecu.ecuIdentifier)}::text[],
      ${writes.map(({ counter }) => counter ?? null)}::bigint[]
    ) as fresh (vehicle_id, ecu_id, counter), vehicle
    where ecu.vehicle_id = fresh.vehicle_id and ecu.ecu_id = fresh.ecu_id
      and vehicle.vehicle_id = fresh.vehicle_id`.execute(tx);
}

async function saveHistory(tx: CloudTransaction, kept: readonly Assessment[]): Promise<void> {
  const entries = kept.flatMap(({ vehicleId, at, ecus }) =>
    ecus
      .filter(({ isNewImage }) => isNewImage)
      .map(({ ecu }) => ({
        vehicleId,
        at,
        ecuId: ecu.ecuIdentifier,
        detail: JSON.stringify({
          image: ecu.installed?.name ?? '',
          sha256: ecu.installed?.sha256 ?? '',
        }),
      })),
  );
  if (entries.length === 0) return;
  await sql`
    insert into ecu_history (vehicle_id, ecu_id, at, kind, detail)
    select vehicle_id, ecu_id, at, 'installed', detail::jsonb from unnest(
      ${entries.map(({ vehicleId }) => vehicleId)}::text[],
      ${entries.map(({ ecuId }) => ecuId)}::text[],
      ${entries.map(({ at }) => at)}::timestamptz[],
      ${entries.map(({ detail }) => detail)}::text[]
    ) as fresh (vehicle_id, ecu_id, at, detail)`.execute(tx);
}

/** What was fetched is answered for; a word resets the count. */
async function saveRefusals(tx: CloudTransaction, kept: readonly Assessment[]): Promise<void> {
  const changed = kept.flatMap(({ vehicleId, refusals }) =>
    refusals === undefined ? [] : [{ vehicleId, count: refusals.count }],
  );
  if (changed.length === 0) return;
  await sql`
    update vehicle_director set silent_refusals = fresh.count, fetched_at = null
    from unnest(
      ${changed.map(({ vehicleId }) => vehicleId)}::text[],
      ${changed.map(({ count }) => count)}::integer[]
    ) as fresh (vehicle_id, count)
    where vehicle_director.vehicle_id = fresh.vehicle_id`.execute(tx);
}

function byVehicle(left: CheckIn, right: CheckIn): number {
  return left.assessment.vehicleId < right.assessment.vehicleId ? -1 : 1;
}
