/** Every target of a campaign: what it ran, what its people agreed to, what happened, what it runs now. */
import { findFaultCode, type JsonObject, SIGNATURE_ALGORITHMS } from '@immota/base';
import { sql } from '@immota/store';
import { AKTUALIZR, checkSignedBy, decodeEnvelope, publicKeyFromDer } from '@immota/uptane';
import type { CampaignRecord } from '../approval/check-approved.ts';
import { correlationOf } from '../campaign/correlation.ts';
import { ECU_KEY_MAX_BYTES } from '../limits.ts';
import type { CloudDatabase } from '../schema/database.ts';
import { type ChainedRow, eventLine } from './event-line.ts';
import type { LineKind } from './line.ts';

/** Vehicles read at once, with all that is said of them. */
const PAGE_VEHICLES = 100;
/** Events of one vehicle; who has more is said to. A vehicle that reports twice a day for a year has 730. */
const EVENTS_MAX = 1000;
/** Receipts of one vehicle in one campaign: three steps, each put off now and then. */
const CONSENTS_MAX = 100;
/** Keys that one vehicle's ECUs ever had. */
const KEYS_MAX = 512;

interface TargetRow {
  readonly vehicle_id: string;
  readonly vin: string | null;
  readonly configuration_sha256: string;
  readonly compatibility: string;
  readonly state: string;
  readonly reason: string | null;
  readonly reported_at: Temporal.Instant | null;
  readonly confirmed_at: Temporal.Instant;
  readonly place_state: string | null;
  readonly place_reason: string | null;
  readonly attempts: number | null;
  readonly since: Temporal.Instant | null;
  readonly last_manifest_at: Temporal.Instant | null;
  readonly last_manifest_sha256: Uint8Array | null;
}

interface EcuRow {
  readonly vehicle_id: string;
  readonly ecu_id: string;
  readonly hardware_id: string;
  readonly installed_name: string | null;
  readonly installed_sha256: string | null;
  readonly installed_at: Temporal.Instant | null;
  readonly reported_at: Temporal.Instant | null;
  readonly report_counter: number | null;
  readonly rxswins: readonly JsonObject[];
}

interface ConsentRow {
  readonly vehicle_id: string;
  readonly document: Uint8Array;
  readonly received_at: Temporal.Instant;
  readonly keys: readonly { readonly algorithm: string; readonly key: string }[];
}

/** A line to be written. */
export interface TargetLine {
  readonly kind: LineKind;
  readonly body: JsonObject;
}

/**
 * Reads the targets in the order of their ids.
 *
 * @throws CloudFault EVENT_CHAIN when an event of a vehicle is not what was appended.
 */
export async function* readTargets(
  database: CloudDatabase,
  campaign: CampaignRecord,
): AsyncGenerator<TargetLine> {
  let after = '';
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- page after page, so that memory stays bounded
    const targets = await loadTargets(database, campaign.campaign_id, after);
    const ids = targets.map(({ vehicle_id: id }) => id);
    // oxlint-disable-next-line no-await-in-loop -- see above
    const [ecus, consents, events] = await Promise.all([
      loadEcus(database, ids),
      loadConsents(database, campaign.campaign_id, ids),
      loadEvents(database, targets),
    ]);
    for (const target of targets) {
      const id = target.vehicle_id;
      yield { kind: 'target', body: describeTarget(target) };
      for (const consent of consents.get(id) ?? []) {
        yield { kind: 'consent', body: describeConsent(consent) };
      }
      const own = events.get(id) ?? [];
      for (const row of own.slice(0, EVENTS_MAX)) yield { kind: 'event', body: eventLine(row) };
      const isWhole = own.length <= EVENTS_MAX;
      yield { kind: 'result', body: describeResult(target, ecus.get(id) ?? [], isWhole) };
    }
    after = ids.at(-1) ?? after;
    if (targets.length < PAGE_VEHICLES) return;
  }
}

async function loadTargets(
  database: CloudDatabase,
  campaignId: string,
  after: string,
): Promise<readonly TargetRow[]> {
  const { rows } = await sql<TargetRow>`
    with page as materialized (
      select * from campaign_target
      where campaign_id = ${campaignId} and vehicle_id > ${after}
      order by campaign_id, vehicle_id limit ${PAGE_VEHICLES})
    select t.*, v.vin, v.last_manifest_at, v.last_manifest_sha256, cv.state as place_state,
      cv.reason as place_reason, cv.attempts, cv.since
    from page t left join vehicle v using (vehicle_id)
      left join campaign_vehicle cv using (vehicle_id, campaign_id)
    order by t.vehicle_id`.execute(database.kysely);
  return rows;
}

async function loadEcus(
  database: CloudDatabase,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly EcuRow[]>> {
  const { rows } = await sql<EcuRow>`
    select vehicle_id, ecu_id, hardware_id, installed_name, installed_sha256, installed_at, reported_at,
      report_counter, rxswins
    from ecu where vehicle_id = any(${ids}) order by vehicle_id, ecu_id`.execute(database.kysely);
  return Map.groupBy(rows, (row) => row.vehicle_id);
}

/** With every key that was registered for the vehicle: its Primary may have been replaced since. */
async function loadConsents(
  database: CloudDatabase,
  campaignId: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly ConsentRow[]>> {
  const { rows } = await sql<ConsentRow>`
    select c.vehicle_id, c.document, c.received_at, (
      select coalesce(jsonb_agg(jsonb_build_object('algorithm', algorithm, 'key', key)), '[]') from (
        select key_algorithm as algorithm, encode(public_key, 'hex') as key from ecu
          where ecu.vehicle_id = c.vehicle_id and is_primary
        union
        select detail ->> 'algorithm', detail ->> 'key' from ecu_history h
          where h.vehicle_id = c.vehicle_id and kind = 'registered' and detail ? 'key'
        limit ${KEYS_MAX}) own) as keys
    from unnest(${ids}::text[]) as asked (vehicle_id) cross join lateral (
      select * from consent where consent.vehicle_id = asked.vehicle_id
        and correlation_id = ${correlationOf(campaignId)}
      order by received_at, step limit ${CONSENTS_MAX}) c
    order by c.vehicle_id, c.received_at`.execute(database.kysely);
  return Map.groupBy(rows, (row) => row.vehicle_id);
}

async function loadEvents(
  database: CloudDatabase,
  targets: readonly TargetRow[],
): Promise<ReadonlyMap<string, readonly ChainedRow[]>> {
  const { rows } = await sql<ChainedRow>`
    select e.stream, e.sequence, e.at, e.kind, e.body, e.hash, before.hash as previous_hash
    from unnest(
      ${targets.map(({ vehicle_id: id }) => id)}::text[],
      ${targets.map(({ confirmed_at: at }) => at)}::timestamptz[]
    ) as asked (stream, since) cross join lateral (
      select * from event where event.stream = asked.stream and event.at >= asked.since
      order by event.sequence limit ${EVENTS_MAX + 1}) e
    left join event before on before.stream = e.stream and before.sequence = e.sequence - 1
    order by e.stream, e.sequence`.execute(database.kysely);
  return Map.groupBy(rows, (row) => row.stream);
}

function describeTarget(row: TargetRow): JsonObject {
  return {
    vehicleId: row.vehicle_id,
    ...(row.vin === null ? {} : { vin: row.vin }),
    configurationSha256: row.configuration_sha256,
    compatibility: row.compatibility,
    state: row.state,
    ...(row.reason === null ? {} : { reason: row.reason }),
    ...(row.reported_at === null ? {} : { reportedAt: instant(row.reported_at) }),
    confirmedAt: instant(row.confirmed_at),
  };
}

function describeConsent(row: ConsentRow): JsonObject {
  const signer = row.keys.find((key) => isSignedWith(row.document, key));
  return {
    vehicleId: row.vehicle_id,
    document: Buffer.from(row.document).toString('base64'),
    receivedAt: instant(row.received_at),
    algorithm: signer?.algorithm ?? '',
    publicKey: Buffer.from(signer?.key ?? '', 'hex').toString('base64'),
  };
}

function isSignedWith(
  document: Uint8Array,
  { algorithm, key }: ConsentRow['keys'][number],
): boolean {
  try {
    const envelope = decodeEnvelope(AKTUALIZR, document, ECU_KEY_MAX_BYTES);
    const known = SIGNATURE_ALGORITHMS.find((one) => one === algorithm);
    checkSignedBy(envelope, publicKeyFromDer(known, Buffer.from(key, 'hex')), 'consent');
    return true;
  } catch (error) {
    if (findFaultCode(error) === undefined) throw error;
    return false;
  }
}

function describeResult(row: TargetRow, ecus: readonly EcuRow[], isWhole: boolean): JsonObject {
  return {
    vehicleId: row.vehicle_id,
    state: row.place_state ?? 'gone',
    ...(row.place_reason === null ? {} : { reason: row.place_reason }),
    attempts: row.attempts ?? 0,
    ...(row.since === null ? {} : { since: instant(row.since) }),
    ...(row.last_manifest_at === null ? {} : { manifestAt: instant(row.last_manifest_at) }),
    ...(row.last_manifest_sha256 === null
      ? {}
      : { manifestSha256: Buffer.from(row.last_manifest_sha256).toString('hex') }),
    hasAllEvents: isWhole,
    ecus: ecus.map((ecu) => ({
      ecuId: ecu.ecu_id,
      hardwareId: ecu.hardware_id,
      image: ecu.installed_name ?? '',
      sha256: ecu.installed_sha256 ?? '',
      ...(ecu.installed_at === null ? {} : { installedAt: instant(ecu.installed_at) }),
      ...(ecu.reported_at === null ? {} : { reportedAt: instant(ecu.reported_at) }),
      ...(ecu.report_counter === null ? {} : { counter: ecu.report_counter }),
      rxswins: ecu.rxswins,
    })),
  };
}

function instant(at: Temporal.Instant): string {
  return at.toString({ smallestUnit: 'millisecond', roundingMode: 'trunc' });
}
