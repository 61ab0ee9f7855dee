/** The rows of the cloud's tables, as Kysely sees them; `migrations.ts` makes them. */
import type { CampaignStage, ReasonCode, VehicleState } from '@immota/api';
import type { JsonObject } from '@immota/base';
import type { Generated } from '@immota/store';
import type {
  ApiTokenRow,
  InvitationRow,
  PersonRow,
  SessionRow,
  TenantRow,
  WebhookCursorRow,
  WebhookDeliveryRow,
  WebhookRow,
} from './access-tables.ts';
import type { ColumnType } from 'kysely';

type Time = Temporal.Instant;

/** A published metadata file of a repository; every version is kept. */
export interface MetadataFileRow {
  readonly repository: 'director' | 'image';
  readonly dialect: 'aktualizr' | 'tuf';
  /** `root`, `timestamp`, `snapshot`, `targets` or a delegated role. */
  readonly role: string;
  readonly version: number;
  readonly bytes: Uint8Array;
  readonly expires_at: Time;
  readonly created_at: Generated<Time>;
}

/** An image; its bytes are blobs, in the clear under `sha256`, encrypted under `cipher_sha256`. */
export interface ImageRow {
  readonly name: string;
  readonly role: string;
  readonly length_bytes: number;
  readonly sha256: string;
  readonly sha512: string;
  readonly hardware_ids: readonly string[];
  readonly version: string;
  readonly release_counter: number;
  readonly custom: Generated<JsonObject>;
  readonly cipher_length_bytes: number | null;
  readonly cipher_sha256: string | null;
  readonly cipher_sha512: string | null;
  /** The content key, sealed with the cloud's own key. */
  readonly sealed_content_key: Uint8Array | null;
  readonly uploaded_by: string;
  readonly created_at: Generated<Time>;
  readonly tenant: Generated<string>;
}

/** A delta that was made, or that was found not to be worth it. */
export interface DeltaRow {
  readonly base_sha256: string;
  readonly image_name: string;
  /** Of the bank that it rewrites in place; 0 for one into another slot. */
  readonly page_bytes: Generated<number>;
  readonly blob_sha256: string | null;
  readonly length_bytes: number;
  readonly used_at: Time;
}

/** An upload under way. */
export interface UploadRow {
  readonly upload_id: string;
  readonly name: string;
  readonly role: string;
  readonly details: JsonObject;
  readonly length_bytes: number;
  readonly created_by: string;
  readonly created_at: Generated<Time>;
  readonly tenant: Generated<string>;
}

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

/** A signed release. */
export interface ReleaseRow {
  readonly release_id: string;
  readonly name: string;
  readonly version: string;
  /** The signed document, byte for byte. */
  readonly document: Uint8Array;
  readonly body: JsonObject;
  readonly created_by: string;
  readonly created_at: Generated<Time>;
  readonly tenant: Generated<string>;
  /** Why nothing of it is offered any more. */
  readonly blocked_because: string | null;
}

/** A release to a query of vehicles. */
export interface CampaignRow {
  readonly campaign_id: string;
  readonly release_id: string;
  readonly name: string;
  /** CEL over a vehicle; see the guide on campaigns. */
  readonly query: string;
  readonly state: 'planned' | 'running' | 'paused' | 'held' | 'finished' | 'cancelled';
  readonly policy: Generated<JsonObject>;
  readonly waves: Generated<readonly JsonObject[]>;
  readonly guard: Generated<JsonObject>;
  readonly priority: Generated<number>;
  readonly joins: Generated<boolean>;
  /** The last wave that is open; 0 before the start. */
  readonly open_wave: Generated<number>;
  readonly filing_number: string | null;
  /** Of everything that is decided; what was approved is bound to it. */
  readonly content_sha256: Generated<string>;
  readonly approval: Generated<'draft' | 'submitted' | 'approved' | 'rejected'>;
  readonly submission: JsonObject | null;
  readonly decision: JsonObject | null;
  readonly hold: JsonObject | null;
  readonly created_by: string;
  readonly created_at: Generated<Time>;
  readonly started_at: Time | null;
  readonly tenant: Generated<string>;
}

/** Where a vehicle stands in a campaign; the database takes no other state. */
export interface CampaignVehicleRow {
  readonly vehicle_id: string;
  readonly campaign_id: string;
  readonly state: VehicleState;
  /** Null for a vehicle that is updated, and for no other. */
  readonly reason: ReasonCode | null;
  readonly measured: Generated<JsonObject>;
  readonly attempts: Generated<number>;
  readonly since: Generated<Time>;
  readonly wave: Generated<number>;
  readonly is_control: Generated<boolean>;
  readonly stage: Generated<CampaignStage>;
  readonly health: Generated<'unknown' | 'healthy' | 'unhealthy'>;
  /** What its goal's ECUs ran when it came in, as hardware=image joined by spaces. */
  readonly source: Generated<string>;
  readonly booted_at: Time | null;
  /** Not offered before. */
  readonly penalty_until: Time | null;
  /** The word that it gave in the guard's test. */
  readonly outcome: Generated<'' | 'good' | 'bad'>;
  /** Its health when it was offered the release, or first heard of as a control. */
  readonly baseline: JsonObject | null;
}

/** A vehicle's place in the order of strata, while its campaign starts. */
export interface CampaignOrderRow {
  readonly campaign_id: string;
  readonly position: number;
  readonly vehicle_id: string;
}

/** New offers of an hour, for campaigns that have a cap. */
export interface CampaignRateRow {
  readonly campaign_id: string;
  readonly hour: Time;
  readonly vehicles: Generated<number>;
  readonly bytes: Generated<number>;
}

/** A change of how many outcomes there are of some hardware that ran some image before. */
export interface CampaignOutcomeRow {
  readonly campaign_id: string;
  readonly hardware_id: string;
  readonly source: string;
  /** Empty for a good one. */
  readonly code: string;
  readonly vehicles: number;
}

/** How far a campaign was at some time. */
export interface CampaignHistoryRow {
  readonly campaign_id: string;
  readonly at: Time;
  readonly wave: number;
  readonly updated: number;
  readonly healthy: number;
  readonly outcomes: number;
  readonly bad: number;
}

/** A wave of a campaign, and its sequential test as far as it is. */
export interface CampaignWaveRow {
  readonly campaign_id: string;
  readonly number: number;
  readonly state: 'waiting' | 'open' | 'done';
  readonly vehicles: Generated<number>;
  readonly opened_at: Time | null;
  readonly done_at: Time | null;
  readonly guard: Generated<JsonObject>;
}

/** A change of counts: their sum is how many vehicles are where. The database writes it itself. */
export interface CampaignCountRow {
  readonly campaign_id: string;
  readonly wave: number;
  readonly is_control: boolean;
  readonly state: VehicleState;
  /** Empty for none. */
  readonly reason: string;
  readonly stage: CampaignStage;
  readonly health: string;
  readonly vehicles: number;
}

/** One event. `stream` is a vehicle's id, or `fleet`. */
export interface EventRow {
  readonly stream: string;
  readonly sequence: number;
  readonly at: Time;
  readonly kind: string;
  readonly body: JsonObject;
  /** SHA-256 over the hash before it and the canonical form of this one. */
  readonly hash: Uint8Array;
  /** Of the transaction that appended it: first in the order of all events. */
  readonly tx: Generated<string>;
  readonly position: Generated<number>;
}

/** A signature over the head of a stream's chain. */
export interface EventCheckpointRow {
  readonly stream: string;
  readonly sequence: number;
  readonly document: Uint8Array;
}

/** An unsigned progress event of a vehicle's client. */
export interface ClientEventRow {
  readonly vehicle_id: string;
  readonly event_id: string;
  readonly at: Generated<Time>;
  readonly kind: string;
  readonly body: JsonObject;
}

/** A signed consent receipt. */
export interface ConsentRow {
  readonly vehicle_id: string;
  readonly correlation_id: string;
  readonly step: string;
  readonly decision: string;
  readonly document: Uint8Array;
  readonly decided_at: Time;
  readonly received_at: Generated<Time>;
}

/** A key with which a person signs decisions; the private half never leaves them. */
export interface SigningKeyRow {
  /** SHA-256 of the SubjectPublicKeyInfo, hex. */
  readonly key_id: string;
  readonly tenant: Generated<string>;
  readonly owner: string;
  readonly user_id: string | null;
  readonly name: string;
  readonly algorithm: 'ed25519' | 'ecdsa-p256';
  /** SubjectPublicKeyInfo, DER. */
  readonly public_key: Uint8Array;
  readonly created_at: Generated<Time>;
  readonly revoked_at: Time | null;
}

/** One item of a release's dossier, as it was last written. */
export interface DossierItemRow {
  readonly release_id: string;
  readonly item: string;
  readonly text: string;
  readonly answer: boolean | null;
  readonly approval_number: string | null;
  readonly evidence: Generated<readonly JsonObject[]>;
  readonly updated_by: string;
  readonly updated_at: Time;
}

/** One entry of the RXSWIN register. */
export interface RxswinEntryRow {
  readonly tenant: string;
  readonly sequence: number;
  readonly regulation: string;
  readonly hardware_id: string;
  readonly rxswin: string;
  readonly before: string | null;
  readonly release_id: string;
  readonly release_name: string;
  readonly approval_number: string | null;
  readonly software: readonly JsonObject[];
  readonly software_before: readonly JsonObject[];
  readonly since: Time;
  readonly previous_hash: Uint8Array;
  readonly hash: Uint8Array;
}

/** A change of counts of ECUs by the RXSWIN they report. The database writes it itself. */
export interface RxswinCountRow {
  readonly tenant: string;
  readonly regulation: string;
  readonly hardware_id: string;
  readonly rxswin: string;
  readonly sha256: string;
  readonly vehicles: number;
}

/** What some vehicles run, by the SHA-256 of its text. */
export interface ConfigurationRow {
  readonly sha256: string;
  readonly body: string;
}

/** A vehicle on the frozen list of a campaign. The database writes it itself, once. */
export interface CampaignTargetRow {
  readonly vehicle_id: string;
  readonly campaign_id: string;
  readonly configuration_sha256: string;
  readonly compatibility: 'confirmed' | 'not-needed' | 'unknown' | 'refused';
  readonly state: VehicleState;
  readonly reason: ReasonCode | null;
  /** Of the manifest that the configuration is known from. */
  readonly reported_at: Time | null;
  readonly confirmed_at: Time;
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

/** What a campaign would do. */
export interface RehearsalRow {
  readonly rehearsal_id: string;
  readonly campaign_id: string;
  readonly tenant: Generated<string>;
  readonly content_sha256: string;
  readonly state: 'running' | 'done' | 'failed';
  readonly seen: Generated<number>;
  readonly total: Generated<number>;
  readonly seed: string;
  readonly created_by: string;
  readonly started_at: Time;
  readonly beat_at: Time;
  readonly is_cancelled: Generated<boolean>;
  readonly ended_at: Time | null;
  readonly problem: string | null;
  readonly result: JsonObject | null;
}

/** All tables. */
export interface CloudSchema {
  readonly fleet_count: FleetCountRow;
  readonly rehearsal: RehearsalRow;
  readonly metadata_file: MetadataFileRow;
  readonly image: ImageRow;
  readonly delta: DeltaRow;
  readonly upload: UploadRow;
  readonly vehicle: VehicleRow;
  readonly ecu: EcuRow;
  readonly ecu_history: EcuHistoryRow;
  readonly ecu_replacement: EcuReplacementRow;
  readonly vehicle_director: VehicleDirectorRow;
  readonly device_certificate: DeviceCertificateRow;
  readonly release: ReleaseRow;
  readonly campaign: CampaignRow;
  readonly campaign_vehicle: CampaignVehicleRow;
  readonly campaign_wave: CampaignWaveRow;
  readonly campaign_count: CampaignCountRow;
  readonly campaign_order: CampaignOrderRow;
  readonly campaign_rate: CampaignRateRow;
  readonly campaign_outcome: CampaignOutcomeRow;
  readonly campaign_history: CampaignHistoryRow;
  readonly event: EventRow;
  readonly event_checkpoint: EventCheckpointRow;
  readonly client_event: ClientEventRow;
  readonly consent: ConsentRow;
  readonly api_token: ApiTokenRow;
  readonly tenant: TenantRow;
  readonly signing_key: SigningKeyRow;
  readonly dossier_item: DossierItemRow;
  readonly rxswin_entry: RxswinEntryRow;
  readonly rxswin_count: RxswinCountRow;
  readonly configuration: ConfigurationRow;
  readonly campaign_target: CampaignTargetRow;
  readonly person: PersonRow;
  readonly invitation: InvitationRow;
  readonly session: SessionRow;
  readonly webhook: WebhookRow;
  readonly webhook_cursor: WebhookCursorRow;
  readonly webhook_delivery: WebhookDeliveryRow;
}
