/** Reads what is last known of some vehicles, already gathered: fleets are much alike. */
import { sql } from '@immota/store';
import {
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseVehicleIdentifier,
} from '@immota/uptane';
import { ACTIVE_STATES } from '../campaign/vehicle-place.ts';
import type { VehicleInventory } from '../director/ports.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';

/** Vehicles named for each group. */
export const SAMPLE_VEHICLES = 5;

type Reader = CloudDatabase['kysely'] | CloudTransaction;

/** One ECU of a configuration. */
export interface ConfigurationEcu {
  readonly hardware: string;
  /** Undefined until it reported. */
  readonly image: string | undefined;
  readonly sha256: string;
  readonly isMissing: boolean;
  readonly isReplaced: boolean;
  readonly hasKey: boolean;
}

/** Vehicles that are alike as far as the release is concerned. */
export interface VehicleGroup {
  /** Of its configuration; equal for vehicles that are alike. */
  readonly key: string;
  readonly model: string;
  readonly market: string;
  readonly isBarred: boolean;
  readonly isRegistered: boolean;
  readonly ecus: readonly ConfigurationEcu[];
  readonly vehicles: number;
  readonly sample: readonly string[];
}

interface GroupRow {
  readonly model: string;
  readonly market: string;
  readonly barred: boolean;
  readonly registered: boolean;
  readonly configuration: string;
  readonly vehicles: number;
  readonly sample: readonly string[];
}

/** Groups vehicles by what matters to a release. @param hardware - that the release speaks of. */
export async function loadGroups(
  reader: Reader,
  vehicleIds: readonly string[],
  hardware: readonly string[],
): Promise<readonly VehicleGroup[]> {
  const { rows } = await sql<GroupRow>`
    with ecus as materialized (
      select e.vehicle_id, '[' || string_agg(json_build_array(e.hardware_id, e.installed_name,
          coalesce(e.installed_sha256, ''), e.missing_since is not null, r.ecu_id is not null,
          e.encryption_key is not null)::text, ','
          order by e.hardware_id, e.installed_name, e.installed_sha256, e.missing_since is null,
            r.ecu_id is null, e.encryption_key is null) || ']' as configuration
      from unnest(${vehicleIds}::text[]) id join ecu e on e.vehicle_id = id
      left join ecu_replacement r on r.vehicle_id = e.vehicle_id and r.ecu_id = e.ecu_id
      where e.hardware_id = any(${hardware}::text[]) group by e.vehicle_id)
    select v.model, v.market, v.quarantined as barred, v.primary_ecu_id is not null as registered,
      coalesce(configuration, '[]') as configuration, count(*) as vehicles,
      (array_agg(v.vehicle_id order by v.vehicle_id))[1:${SAMPLE_VEHICLES}] as sample
    from unnest(${vehicleIds}::text[]) id join vehicle v on v.vehicle_id = id
    left join ecus on ecus.vehicle_id = v.vehicle_id group by 1, 2, 3, 4, 5`.execute(reader);
  return rows.map((row) => ({
    key: JSON.stringify([row.model, row.market, row.barred, row.registered, row.configuration]),
    model: row.model,
    market: row.market,
    isBarred: row.barred,
    isRegistered: row.registered,
    ecus: parseConfiguration(row.configuration),
    vehicles: row.vehicles,
    sample: row.sample,
  }));
}

/** It is our own statement's text, and longer than a document from outside may be. */
function parseConfiguration(text: string): readonly ConfigurationEcu[] {
  // oxlint-disable-next-line house/no-json-parse, typescript/no-unsafe-type-assertion -- written by the statement above
  const ecus = JSON.parse(text) as readonly (readonly [
    string,
    string | null,
    string,
    boolean,
    boolean,
    boolean,
  ])[];
  return ecus.map(([hardware, image, sha256, isMissing, isReplaced, hasKey]) => ({
    hardware,
    image: image ?? undefined,
    sha256,
    isMissing,
    isReplaced,
    hasKey,
  }));
}

/** A vehicle that stands for its group when it is planned for. */
export function representative(group: VehicleGroup): VehicleInventory {
  const primary = parseEcuIdentifier('0');
  return {
    vehicleId: parseVehicleIdentifier(group.sample[0] ?? 'none'),
    vin: undefined,
    model: group.model,
    market: group.market,
    tags: {},
    isQuarantined: group.isBarred,
    primaryEcuIdentifier: group.isRegistered ? primary : undefined,
    lastSeenAt: undefined,
    lastManifestAt: undefined,
    offer: undefined,
    ecus: group.ecus.map((ecu, index) => ({
      ecuIdentifier: parseEcuIdentifier(String(index)),
      isPrimary: index === 0,
      hardwareIdentifier: parseHardwareIdentifier(ecu.hardware),
      installed:
        ecu.image === undefined
          ? undefined
          : { name: ecu.image, sha256: ecu.sha256, lengthBytes: 0, at: undefined },
      hasEncryptionKey: ecu.hasKey,
      missingSince: ecu.isMissing ? Temporal.Instant.fromEpochMilliseconds(0) : undefined,
      isReplacementPending: ecu.isReplaced,
      attacksDetected: '',
    })),
  };
}

/** How a vehicle comes. */
export interface ContactRow {
  readonly vehicle_id: string;
  readonly gap: number | null;
  readonly hours: Uint8Array | null;
  readonly seen: Temporal.Instant | null;
}

/** Reads how vehicles come. */
export async function loadContacts(
  reader: Reader,
  vehicleIds: readonly string[],
): Promise<readonly ContactRow[]> {
  const { rows } = await sql<ContactRow>`
    select vehicle_id, contact_gap::float8 as gap, contact_hours as hours, last_seen_at as seen
    from vehicle where vehicle_id = any(${vehicleIds}::text[])`.execute(reader);
  return rows;
}

/** Vehicles that other live campaigns still want, by campaign. */
export async function loadConflicts(
  reader: Reader,
  vehicleIds: readonly string[],
  campaignId: string,
): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ readonly campaign_id: string; readonly vehicles: number }>`
    select p.campaign_id, count(*) as vehicles
    from unnest(${vehicleIds}::text[]) id join campaign_vehicle p on p.vehicle_id = id
    join campaign c on c.campaign_id = p.campaign_id and c.state in ('running', 'paused', 'held')
    where p.campaign_id <> ${campaignId} and p.state = any(${[...ACTIVE_STATES]}::text[])
    group by 1`.execute(reader);
  return new Map(rows.map((row) => [row.campaign_id, row.vehicles]));
}

/** Of vehicles with certificates on record: those whose last one ends before two instants. */
export async function countEndingCertificates(
  reader: Reader,
  vehicleIds: readonly string[],
  { now, until }: { readonly now: Temporal.Instant; readonly until: Temporal.Instant },
): Promise<{ readonly ended: number; readonly ending: number }> {
  const { rows } = await sql<{ readonly ended: number; readonly ending: number }>`
    select count(*) filter (where latest <= ${now}) as ended,
      count(*) filter (where latest > ${now} and latest <= ${until}) as ending
    from unnest(${vehicleIds}::text[]) id cross join lateral (
      select max(not_after) filter (where revoked_at is null) as latest
      from device_certificate c where c.vehicle_id = id) own`.execute(reader);
  return rows[0] ?? { ended: 0, ending: 0 };
}

/** Hours from the fetch of an offer to its completion, as vehicles took them lately. */
export async function loadLags(
  reader: Reader,
  since: Temporal.Instant,
): Promise<readonly number[]> {
  const { rows } = await sql<{ readonly hours: number }>`
    select extract(epoch from done.at - begun.at)::float8 / 3600 as hours
    from (select stream, at, body ->> 'correlationId' as correlation from event
      where kind = 'update.completed' and at >= ${since} order by at desc limit 1000) done
    cross join lateral (select at from event where stream = done.stream and kind = 'update.fetched'
      and body ->> 'correlationId' = done.correlation and at <= done.at order by sequence desc limit 1) begun`.execute(
    reader,
  );
  return rows.map(({ hours }) => hours);
}
