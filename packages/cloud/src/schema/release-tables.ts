/** The rows of the tables of releases, of their dossiers and of the RXSWIN register, as Kysely sees them; `migrations.ts` makes them. */
import type { JsonObject } from '@immota/base';
import type { Generated } from '@immota/store';

type Time = Temporal.Instant;

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
