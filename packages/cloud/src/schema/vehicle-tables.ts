/** The rows of the tables of vehicles, and of what is issued to them, as Kysely sees them; `migrations.ts` makes them. */
import type { JsonObject } from '@immota/base';
import type { Generated } from '@immota/store';
import type { ColumnType } from 'kysely';

type Time = Temporal.Instant;

/** A vehicle. `vehicle_id` is the common name of its certificate. */
export interface VehicleRow {
  readonly vehicle_id: string;
  readonly vin: string | null;
  readonly model: Generated<string>;
  readonly market: Generated<string>;
  readonly tags: Generated<JsonObject>;
  readonly primary_ecu_id: string | null;
  readonly quarantined: Generated<boolean>;
  /** Goes up with every accepted manifest and registration: who read before writes nothing. */
  readonly revision: Generated<number>;
  readonly created_at: Generated<Time>;
  readonly registered_at: Time | null;
  readonly last_seen_at: Time | null;
  readonly last_manifest_at: Time | null;
  /** Of the last accepted manifest's bytes: the same again is a repetition and no replay. */
  readonly last_manifest_sha256: Uint8Array | null;
  /** What the vehicle says of itself unsigned: network, hardware, packages. */
  readonly information: Generated<JsonObject>;
  /** When campaigns ask for its health next; null when none watches it. */
  readonly health_due_at: Time | null;
  readonly tenant: Generated<string>;
  /** In UTC; the database derives it. */
  readonly last_seen_day: ColumnType<string | null, never, never>;
  /** Seconds between contacts, the last ones counting most. */
  readonly contact_gap: Generated<number | null>;
  /** Contacts by hour of the day in UTC, a byte each. */
  readonly contact_hours: Generated<Uint8Array | null>;
}

/** An ECU and what its last accepted report says. */
export interface EcuRow {
  readonly vehicle_id: string;
  readonly ecu_id: string;
  readonly is_primary: boolean;
  readonly hardware_id: string;
  readonly key_algorithm: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly public_key: Uint8Array;
  readonly encryption_method: string | null;
  readonly encryption_key: Uint8Array | null;
  readonly report_counter: number | null;
  readonly installed_name: string | null;
  readonly installed_sha256: string | null;
  readonly installed_length_bytes: number | null;
  readonly installed_at: Time | null;
  readonly attacks_detected: Generated<string>;
  readonly health: Generated<JsonObject>;
  /** What its signed reports say: a list of regulation and RXSWIN. */
  readonly rxswins: Generated<readonly JsonObject[]>;
  readonly registered_at: Generated<Time>;
  readonly reported_at: Time | null;
  /** Since when the manifests lack it; null when the last one had it. */
  readonly missing_since: Time | null;
}

/** What happened to an ECU: registered, installed, replaced. */
export interface EcuHistoryRow {
  readonly vehicle_id: string;
  readonly ecu_id: string;
  readonly at: Time;
  readonly kind: string;
  readonly detail: JsonObject;
}

/** An ECU that came with another key and waits for an operator. */
export interface EcuReplacementRow {
  readonly vehicle_id: string;
  readonly ecu_id: string;
  readonly hardware_id: string;
  readonly key_algorithm: string;
  readonly public_key: Uint8Array;
  readonly is_primary: boolean;
  readonly requested_at: Generated<Time>;
}

/** The Director's metadata in force for a vehicle; a new version replaces the old. */
export interface VehicleDirectorRow {
  readonly vehicle_id: string;
  readonly version: number;
  readonly targets: Uint8Array;
  readonly snapshot: Uint8Array;
  readonly timestamp: Uint8Array;
  /** Of the file that runs out first. */
  readonly expires_at: Time;
  /** Of the campaign offered; null when nothing is. */
  readonly correlation_id: string | null;
  /** ECU id to name and SHA-256 of its image, and what else was signed with them. */
  readonly plan: JsonObject;
  readonly first_fetched_at: Time | null;
  /** Of the last fetch since the last manifest. */
  readonly fetched_at: Time | null;
  readonly silent_refusals: Generated<number>;
  readonly signed_at: Generated<Time>;
}

/** A certificate of a device and whether it is revoked. Of one that was issued elsewhere we know the serial alone. */
export interface DeviceCertificateRow {
  readonly serial: string;
  readonly authority: string;
  readonly vehicle_id: string | null;
  readonly not_after: Time | null;
  readonly issued_at: Generated<Time>;
  readonly revoked_at: Time | null;
  readonly revocation_reason: string | null;
}

/** A change of counts of the fleet; the database writes it itself. */
export interface FleetCountRow {
  readonly tenant: string;
  readonly model: string;
  readonly market: string;
  readonly kind: 'vehicle' | 'image' | 'ran';
  /** The last day seen, or a hardware. */
  readonly name: string;
  /** `barred` or empty, or an image. */
  readonly value: string;
  readonly day: string | null;
  readonly vehicles: number;
}
