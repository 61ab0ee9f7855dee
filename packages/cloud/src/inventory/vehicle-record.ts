/** Vehicles as the inventory holds them {uptane F1} {uptane F2} {uptane F3} {uptane F4}. */
import { isJsonObject, type JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import {
  type EcuIdentifier,
  type InstallableName,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseInstallableName,
  parseVehicleIdentifier,
  type PublicKey,
  type VehicleKeys,
} from '@immota/uptane';
import type { Selectable } from 'kysely';
import type { EcuInventory, Offer, VehicleInventory } from '../director/ports.ts';
import { parseRxswins, type ReportedRxswin } from '../director/reported-rxswins.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { EcuRow, VehicleDirectorRow, VehicleRow } from '../schema/vehicle-tables.ts';
import type { EcuKeyCache } from './ecu-key.ts';

/** An image of an offer. */
export interface OfferedImage {
  readonly name: InstallableName;
  readonly sha256: string;
}

/** The Director's metadata in force for a vehicle, without its bytes. */
export interface DirectorRecord {
  readonly version: number;
  readonly expiresAt: Temporal.Instant;
  readonly signedAt: Temporal.Instant;
  readonly images: ReadonlyMap<EcuIdentifier, OfferedImage>;
  /** What else was signed with the images. */
  readonly custom: JsonObject;
}

/** A vehicle, its registered keys, and what its next manifest is held against. */
export interface VehicleRecord {
  readonly inventory: VehicleInventory;
  /** Of the row: a write that expects another one does nothing. */
  readonly revision: number;
  readonly lastManifestSha256: Uint8Array | undefined;
  /** Undefined until the vehicle has registered. */
  readonly keys: VehicleKeys | undefined;
  /** The last counter of each ECU that counts. */
  readonly counters: ReadonlyMap<EcuIdentifier, number>;
  readonly health: ReadonlyMap<EcuIdentifier, JsonObject>;
  /** What its last accepted report names, in one order. */
  readonly rxswins: ReadonlyMap<EcuIdentifier, readonly ReportedRxswin[]>;
  /** When its health is asked for next; `change`: only when it changes; undefined when nobody watches it. */
  readonly healthDueAt: Temporal.Instant | 'change' | undefined;
  readonly director: DirectorRecord | undefined;
}

type VehicleColumns = Pick<
  Selectable<VehicleRow>,
  | 'vehicle_id'
  | 'vin'
  | 'model'
  | 'market'
  | 'tags'
  | 'quarantined'
  | 'revision'
  | 'primary_ecu_id'
  | 'last_seen_at'
  | 'last_manifest_at'
  | 'last_manifest_sha256'
> & {
  readonly [Column in keyof DirectorColumns]: DirectorColumns[Column] | null;
} & { readonly is_watched: boolean; readonly watch_at: Temporal.Instant | null };
type DirectorColumns = Pick<
  Selectable<VehicleDirectorRow>,
  | 'version'
  | 'expires_at'
  | 'signed_at'
  | 'correlation_id'
  | 'plan'
  | 'fetched_at'
  | 'silent_refusals'
>;
type EcuColumns = Pick<
  Selectable<EcuRow>,
  | 'vehicle_id'
  | 'ecu_id'
  | 'is_primary'
  | 'hardware_id'
  | 'key_algorithm'
  | 'public_key'
  | 'report_counter'
  | 'installed_name'
  | 'installed_sha256'
  | 'installed_length_bytes'
  | 'installed_at'
  | 'attacks_detected'
  | 'health'
  | 'rxswins'
  | 'missing_since'
> & { readonly has_encryption_key: boolean; readonly replacement_pending: boolean };

/**
 * Loads vehicles in two statements, however many they are.
 *
 * @param vehicleIds - each once.
 * @returns those that are in the inventory.
 */
export async function loadVehicles(
  database: CloudDatabase['kysely'] | CloudTransaction,
  vehicleIds: readonly string[],
  cache: EcuKeyCache,
): Promise<Map<string, VehicleRecord>> {
  const [{ rows: vehicles }, { rows: ecus }] = await Promise.all([
    sql<VehicleColumns>`
      select v.vehicle_id, vin, model, market, tags, quarantined, revision, primary_ecu_id,
        last_seen_at, last_manifest_at, last_manifest_sha256, version, expires_at, signed_at,
        correlation_id, plan, fetched_at, silent_refusals, health_due_at is not null as is_watched,
        case when isfinite(health_due_at) then health_due_at end as watch_at
      from vehicle v left join vehicle_director d on d.vehicle_id = v.vehicle_id
      where v.vehicle_id = any(${vehicleIds})`.execute(database),
    sql<EcuColumns>`
      select vehicle_id, ecu_id, is_primary, hardware_id, key_algorithm, public_key, report_counter,
        installed_name, installed_sha256, installed_length_bytes, installed_at, attacks_detected,
        health, rxswins, missing_since, encryption_key is not null as has_encryption_key, exists (select from ecu_replacement r
        where r.vehicle_id = e.vehicle_id and r.ecu_id = e.ecu_id) as replacement_pending
      from ecu e where vehicle_id = any(${vehicleIds}) order by ecu_id`.execute(database),
  ]);
  const ecusOf = Map.groupBy(ecus, (ecu) => ecu.vehicle_id);
  return new Map(
    vehicles.map((row) => [row.vehicle_id, toRecord(row, ecusOf.get(row.vehicle_id) ?? [], cache)]),
  );
}

function toRecord(
  row: VehicleColumns,
  ecus: readonly EcuColumns[],
  cache: EcuKeyCache,
): VehicleRecord {
  const counters = new Map<EcuIdentifier, number>();
  const health = new Map<EcuIdentifier, JsonObject>();
  const rxswins = new Map<EcuIdentifier, readonly ReportedRxswin[]>();
  for (const ecu of ecus) {
    const identifier = parseEcuIdentifier(ecu.ecu_id);
    if (ecu.report_counter !== null) counters.set(identifier, ecu.report_counter);
    health.set(identifier, ecu.health);
    rxswins.set(identifier, parseRxswins({ rxswins: ecu.rxswins }));
  }
  let keys: VehicleRecord['keys'];
  const director = toDirector(row);
  const primaryEcuIdentifier =
    row.primary_ecu_id === null ? undefined : parseEcuIdentifier(row.primary_ecu_id);
  return {
    revision: row.revision,
    lastManifestSha256: row.last_manifest_sha256 ?? undefined,
    // Only who verifies a manifest needs them; whoever plans for a fleet does without.
    get keys() {
      if (primaryEcuIdentifier === undefined) return undefined;
      keys ??= { primaryEcuIdentifier, ecus: keysOf(ecus, cache) };
      return keys;
    },
    counters,
    health,
    rxswins,
    healthDueAt: row.watch_at ?? (row.is_watched ? 'change' : undefined),
    director,
    inventory: {
      vehicleId: parseVehicleIdentifier(row.vehicle_id),
      vin: row.vin ?? undefined,
      model: row.model,
      market: row.market,
      tags: row.tags,
      isQuarantined: row.quarantined,
      primaryEcuIdentifier,
      lastSeenAt: row.last_seen_at ?? undefined,
      lastManifestAt: row.last_manifest_at ?? undefined,
      ecus: ecus.map((ecu) => toEcu(ecu)),
      offer: toOffer(row, director),
    },
  };
}

function keysOf(
  ecus: readonly EcuColumns[],
  cache: EcuKeyCache,
): ReadonlyMap<EcuIdentifier, PublicKey> {
  return new Map(
    ecus.map(({ ecu_id: id, key_algorithm: algorithm, public_key: publicKeyDer }) => [
      parseEcuIdentifier(id),
      cache.get({ algorithm, publicKeyDer }),
    ]),
  );
}

function toEcu(row: EcuColumns): EcuInventory {
  return {
    ecuIdentifier: parseEcuIdentifier(row.ecu_id),
    isPrimary: row.is_primary,
    hardwareIdentifier: parseHardwareIdentifier(row.hardware_id),
    installed:
      row.installed_name === null
        ? undefined
        : {
            name: row.installed_name,
            sha256: row.installed_sha256 ?? '',
            lengthBytes: row.installed_length_bytes ?? 0,
            at: row.installed_at ?? undefined,
          },
    hasEncryptionKey: row.has_encryption_key,
    missingSince: row.missing_since ?? undefined,
    isReplacementPending: row.replacement_pending,
    attacksDetected: row.attacks_detected,
    rxswins: parseRxswins({ rxswins: row.rxswins }).map(({ rxswin }) => rxswin),
  };
}

function toDirector(row: VehicleColumns): DirectorRecord | undefined {
  const { version, expires_at: expiresAt, signed_at: signedAt, plan } = row;
  if (version === null || expiresAt === null || signedAt === null || plan === null) {
    return undefined;
  }
  const { images, custom } = plan;
  const listed = isJsonObject(images) ? Object.entries(images) : [];
  return {
    version,
    expiresAt,
    signedAt,
    images: new Map(
      listed.flatMap(([ecu, image]) => (isJsonObject(image) ? [toImage(ecu, image)] : [])),
    ),
    custom: isJsonObject(custom) ? custom : {},
  };
}

function toImage(ecu: string, image: JsonObject): readonly [EcuIdentifier, OfferedImage] {
  const { name, sha256 } = image;
  return [
    parseEcuIdentifier(ecu),
    { name: parseInstallableName(name), sha256: typeof sha256 === 'string' ? sha256 : '' },
  ];
}

function toOffer(row: VehicleColumns, director: DirectorRecord | undefined): Offer | undefined {
  if (row.correlation_id === null || director === undefined) return undefined;
  return {
    correlationId: row.correlation_id,
    images: new Map([...director.images].map(([ecu, { name }]) => [ecu, name])),
    fetchedAt: row.fetched_at ?? undefined,
    silentRefusals: row.silent_refusals ?? 0,
  };
}

/** The plan of a vehicle as its row keeps it. */
export function planColumn(
  images: ReadonlyMap<string, OfferedImage>,
  custom: JsonObject,
): JsonObject {
  return {
    images: Object.fromEntries([...images].map(([ecu, image]) => [ecu, { ...image }])),
    custom,
  };
}
