/** The rows of the cloud's tables, as Kysely sees them; `migrations.ts` makes them. */
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
import type {
  CampaignCountRow,
  CampaignHistoryRow,
  CampaignOrderRow,
  CampaignOutcomeRow,
  CampaignRateRow,
  CampaignRow,
  CampaignTargetRow,
  CampaignVehicleRow,
  CampaignWaveRow,
  RehearsalRow,
} from './campaign-tables.ts';
import type { ClientEventRow, ConsentRow, EventCheckpointRow, EventRow } from './event-tables.ts';
import type {
  ConfigurationRow,
  DossierItemRow,
  ReleaseRow,
  RxswinCountRow,
  RxswinEntryRow,
  SigningKeyRow,
} from './release-tables.ts';
import type {
  DeviceCertificateRow,
  EcuHistoryRow,
  EcuReplacementRow,
  EcuRow,
  FleetCountRow,
  VehicleDirectorRow,
  VehicleRow,
} from './vehicle-tables.ts';

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
