/** One vehicle in depth: what happened in which ECU, how it was built, and what its owner answered. */
import { consentSchema, EVENTS, type EventId } from '@immota/api';
import { isJsonObject, type JsonObject, member } from '@immota/base';
import { sql } from '@immota/store';
import { AKTUALIZR, decodeEnvelope } from '@immota/uptane';
import { inScope } from '../access/scope.ts';
import { findCampaign } from '../campaign/correlation.ts';
import { CloudFault } from '../fault.ts';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import { ECU_KEY_MAX_BYTES } from '../limits.ts';
import type { CloudDatabase } from '../schema/database.ts';

/** Events of one picture. */
const EVENTS_MAX = 2000;
/** Answers of ten years, one a fortnight. */
const CONSENTS_MAX = 260;
/** The lane of what is no single ECU's. */
const VEHICLE_LANE = 'vehicle';

type Severity = 'info' | 'notice' | 'warning' | 'alert';

/** Checks that somebody sees a vehicle. @throws CloudFault NOT_FOUND. */
export async function checkVisible(
  { kysely }: CloudDatabase,
  scope: FleetScope,
  vehicleId: string,
): Promise<void> {
  const { rows } = await sql`select from vehicle v
    where v.vehicle_id = ${vehicleId} and ${inScope(scope, 'v')}`.execute(kysely);
  if (rows.length === 0) throw new CloudFault('NOT_FOUND', `Cannot find vehicle "${vehicleId}"`);
}

/** Something that happened. */
export interface LaneEntry {
  readonly at: string;
  /** When the next thing of its kind took its place; undefined for what is so still, or was an instant. */
  readonly until?: string | undefined;
  readonly kind: string;
  readonly title: string;
  readonly severity: Severity;
  readonly body: JsonObject;
}

/** What happened to one ECU, the oldest first. */
export interface Lane {
  readonly laneId: string;
  readonly hardwareId?: string | undefined;
  readonly entries: readonly LaneEntry[];
}

/** Lays a vehicle's events side by side, a lane for each ECU, the vehicle's own lane first. */
export async function listLanes(
  { kysely }: CloudDatabase,
  vehicleId: string,
  since: Temporal.Instant,
): Promise<readonly Lane[]> {
  const rows = await kysely
    .selectFrom('event')
    .select(['at', 'kind', 'body'])
    .where('stream', '=', vehicleId)
    .where('at', '>=', since)
    .orderBy('sequence', 'desc')
    .limit(EVENTS_MAX)
    .execute();
  const ecus = await kysely
    .selectFrom('ecu')
    .select(['ecu_id', 'hardware_id'])
    .where('vehicle_id', '=', vehicleId)
    .orderBy('is_primary', 'desc')
    .orderBy('ecu_id')
    .execute();
  const lanes = new Map<string, LaneEntry[]>([[VEHICLE_LANE, []]]);
  for (const { ecu_id: id } of ecus) lanes.set(id, []);
  for (const { at, kind, body } of rows.toReversed()) {
    const ecu = member(body, 'ecu');
    const laneId = typeof ecu === 'string' ? ecu : VEHICLE_LANE;
    const entries = lanes.get(laneId) ?? [];
    lanes.set(laneId, entries);
    const { meaning: title, severity } = meaningOf(kind);
    entries.push({ at: at.toString(), kind, title: titleOf(kind, body) ?? title, severity, body });
  }
  const hardware = new Map(ecus.map((ecu) => [ecu.ecu_id, ecu.hardware_id]));
  return [...lanes].map(([laneId, entries]) => ({
    laneId,
    hardwareId: hardware.get(laneId),
    entries: withEnds(entries),
  }));
}

function meaningOf(kind: string): { readonly meaning: string; readonly severity: Severity } {
  return Object.hasOwn(EVENTS, kind)
    ? // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a name of the catalogue, checked just before
      EVENTS[kind as EventId]
    : { meaning: kind, severity: 'info' };
}

/** What an ECU runs from then on is more to the point than that it runs something. */
function titleOf(kind: string, body: JsonObject): string | undefined {
  const image = member(body, 'image');
  return kind === 'ecu.installed' && typeof image === 'string' ? image : undefined;
}

/** An image runs until the next one does, and an ECU is missing until it reports. */
function withEnds(entries: readonly LaneEntry[]): readonly LaneEntry[] {
  const ends: Readonly<Record<string, readonly string[]>> = {
    'ecu.installed': ['ecu.installed', 'ecu.replaced'],
    'ecu.missing': ['ecu.installed', 'ecu.replaced'],
    'update.offered': ['update.completed', 'update.withdrawn', 'update.failed', 'update.offered'],
  };
  return entries.map((entry, index) => {
    const ending = ends[entry.kind];
    const next = ending && entries.slice(index + 1).find((later) => ending.includes(later.kind));
    return next === undefined ? entry : { ...entry, until: next.at };
  });
}

/** An image, as an ECU reports it. */
interface RunningImage {
  readonly image: string;
  readonly sha256: string;
}

/** One ECU then and now. */
export interface ConfiguredEcu {
  readonly ecuId: string;
  readonly hardwareId: string;
  readonly isPrimary: boolean;
  readonly asBuilt?: RunningImage | undefined;
  readonly now?: (RunningImage & { readonly since?: string | undefined }) | undefined;
  readonly offered?: string | undefined;
  readonly rxswins: readonly {
    readonly regulation: string;
    readonly rxswin: string;
    readonly isAsRegistered: boolean;
  }[];
  readonly health: JsonObject;
  readonly difference: 'same' | 'updated' | 'replaced' | 'unknown';
}

interface ConfigurationRow {
  readonly ecu_id: string;
  readonly hardware_id: string;
  readonly is_primary: boolean;
  readonly installed_name: string | null;
  readonly installed_sha256: string | null;
  readonly installed_at: Temporal.Instant | null;
  readonly health: JsonObject;
  readonly rxswins: readonly JsonObject[];
  readonly registered: readonly string[];
  readonly built: JsonObject | null;
  readonly built_at: Temporal.Instant | null;
  readonly registrations: number;
  readonly images: JsonObject | null;
}

/** A vehicle then and now. */
export interface Configuration {
  readonly vehicleId: string;
  readonly asBuiltAt?: string | undefined;
  readonly ecus: readonly ConfiguredEcu[];
}

/** Compares what each ECU reported first with what it runs now. */
export async function loadConfiguration(
  { kysely }: CloudDatabase,
  vehicleId: string,
): Promise<Configuration> {
  const { rows } = await sql<ConfigurationRow>`
    select e.ecu_id, e.hardware_id, e.is_primary, e.installed_name, e.installed_sha256, e.installed_at,
      e.health, e.rxswins, built.detail as built, built.at as built_at,
      (select count(*) from ecu_history h where h.vehicle_id = e.vehicle_id and h.ecu_id = e.ecu_id
        and h.kind = 'registered') as registrations,
      case when d.correlation_id is not null then d.plan -> 'images' end as images,
      array(select r.regulation || ' ' || r.rxswin from rxswin_entry r where r.tenant = v.tenant
        and r.hardware_id = e.hardware_id
        and exists (select from jsonb_array_elements(e.rxswins) own where own ->> 'regulation' = r.regulation
          and own ->> 'rxswin' = r.rxswin)) as registered
    from ecu e join vehicle v on v.vehicle_id = e.vehicle_id
    left join vehicle_director d on d.vehicle_id = e.vehicle_id
    left join lateral (select detail, at from ecu_history h where h.vehicle_id = e.vehicle_id
      and h.ecu_id = e.ecu_id and h.kind = 'installed' order by h.at limit 1) built on true
    where e.vehicle_id = ${vehicleId} order by e.is_primary desc, e.ecu_id`.execute(kysely);
  const builtAt = rows
    .flatMap(({ built_at: at }) => (at === null ? [] : [at]))
    .toSorted((a, b) => Temporal.Instant.compare(a, b));
  return { vehicleId, asBuiltAt: builtAt[0]?.toString(), ecus: rows.map(ecuOf) };
}

function ecuOf(row: ConfigurationRow): ConfiguredEcu {
  const asBuilt = row.built === null ? undefined : imageOf(row.built);
  const now =
    row.installed_name === null
      ? undefined
      : {
          image: row.installed_name,
          sha256: row.installed_sha256 ?? '',
          since: row.installed_at?.toString(),
        };
  const offered = row.images === null ? undefined : member(row.images, row.ecu_id);
  return {
    ecuId: row.ecu_id,
    hardwareId: row.hardware_id,
    isPrimary: row.is_primary,
    asBuilt,
    now,
    offered: isJsonObject(offered) ? textOf(offered, 'name') : undefined,
    rxswins: row.rxswins.map((own) => {
      const regulation = textOf(own, 'regulation');
      const rxswin = textOf(own, 'rxswin');
      const isAsRegistered = row.registered.includes(`${regulation} ${rxswin}`);
      return { regulation, rxswin, isAsRegistered };
    }),
    health: row.health,
    difference: differenceOf(row, { asBuilt, now }),
  };
}

function differenceOf(
  { registrations }: ConfigurationRow,
  { asBuilt, now }: Pick<ConfiguredEcu, 'asBuilt' | 'now'>,
): ConfiguredEcu['difference'] {
  if (registrations > 1) return 'replaced';
  if (asBuilt === undefined || now === undefined) return 'unknown';
  return asBuilt.image === now.image && asBuilt.sha256 === now.sha256 ? 'same' : 'updated';
}

function imageOf(detail: JsonObject): RunningImage {
  return { image: textOf(detail, 'image'), sha256: textOf(detail, 'sha256') };
}

function textOf(object: JsonObject, name: string): string {
  const value = member(object, name);
  return typeof value === 'string' ? value : '';
}

/** One answer of an owner. */
export interface ConsentRecord {
  readonly correlationId: string;
  readonly campaignId?: string | undefined;
  readonly step: string;
  readonly decision: string;
  readonly actor: string;
  readonly locale: string;
  readonly textSha256: string;
  readonly decidedAt: string;
  readonly receivedAt: string;
}

/** Lists what was answered for a vehicle, the newest first, from the signed receipts. */
export async function listConsents(
  { kysely }: CloudDatabase,
  vehicleId: string,
): Promise<readonly ConsentRecord[]> {
  const rows = await kysely
    .selectFrom('consent')
    .selectAll()
    .where('vehicle_id', '=', vehicleId)
    .orderBy('decided_at', 'desc')
    .limit(CONSENTS_MAX)
    .execute();
  return rows.map((row) => {
    const receipt = consentSchema.parse(
      decodeEnvelope(AKTUALIZR, row.document, ECU_KEY_MAX_BYTES).signed,
    );
    return {
      correlationId: row.correlation_id,
      campaignId: findCampaign(row.correlation_id),
      step: row.step,
      decision: row.decision,
      actor: receipt.actor,
      locale: receipt.locale,
      textSha256: receipt.textSha256,
      decidedAt: row.decided_at.toString(),
      receivedAt: row.received_at.toString(),
    };
  });
}
