/** The rows of the tables of access, as Kysely sees them; `0010-access.ts` makes them. */
import type { Generated } from '@immota/store';

type Time = Temporal.Instant;

/** Somebody who may sign in. */
export interface PersonRow {
  readonly person_id: string;
  readonly tenant: string;
  readonly email: string;
  readonly name: string;
  readonly role: string;
  readonly scope: string | null;
  /** Empty until the first sign-in. */
  readonly issuer: Generated<string>;
  readonly subject: string | null;
  readonly password: string | null;
  readonly failures: Generated<number>;
  readonly locked_until: Time | null;
  readonly disabled_at: Time | null;
  readonly created_by: string;
  readonly created_at: Time;
  readonly last_seen_at: Time | null;
}

/** What lets a local account set its password, once. */
export interface InvitationRow {
  readonly code_hash: string;
  readonly person_id: string | null;
  readonly expires_at: Time;
}

/** A browser that is signed in. */
export interface SessionRow {
  readonly session_id: string;
  readonly token_hash: string;
  readonly previous_hash: string | null;
  readonly rotated_at: Time;
  readonly person_id: string;
  readonly state_hash: string;
  readonly sealed_id_token: Uint8Array | null;
  readonly created_at: Time;
  readonly seen_at: Time;
  readonly expires_at: Time;
}

/** A webhook. */
export interface WebhookRow {
  readonly webhook_id: string;
  readonly tenant: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly sealed_secret: Uint8Array;
  readonly is_enabled: Generated<boolean>;
  readonly created_by: string;
  readonly created_at: Time;
  readonly last_delivery_at: Time | null;
  readonly last_status: string | null;
}

/** How far events were handed to webhooks. */
export interface WebhookCursorRow {
  readonly is_only: Generated<boolean>;
  readonly tx: string;
  readonly position: number;
}

/** A message to a webhook. */
export interface WebhookDeliveryRow {
  readonly delivery_id: string;
  readonly webhook_id: string;
  readonly event_kind: string;
  readonly message: string;
  readonly state: 'waiting' | 'delivered' | 'given-up';
  readonly attempts: Generated<number>;
  readonly status: number | null;
  readonly problem: string | null;
  readonly created_at: Time;
  readonly at: Time;
  readonly next_at: Time | null;
}

/** An API token; the token itself is never stored. */
export interface ApiTokenRow {
  readonly token_hash: string;
  readonly name: string;
  readonly role: string;
  /** Delegated roles that a supplier may upload for. */
  readonly uploads_for: Generated<readonly string[]>;
  readonly created_at: Generated<Time>;
  readonly expires_at: Time | null;
  readonly revoked_at: Time | null;
  readonly tenant: Generated<string>;
  /** A fleet query that bounds what its holder sees; all of the tenant when null. */
  readonly scope: string | null;
  readonly created_by: Generated<string>;
  /** Whose command line it is. */
  readonly person_id: string | null;
}

/** A brand or subsidiary that shares the installation and sees nothing of the others. */
export interface TenantRow {
  readonly tenant_id: string;
  readonly name: string;
  readonly created_at: Generated<Time>;
}
