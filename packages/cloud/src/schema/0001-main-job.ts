import type { Migration } from '@immota/store';

/**
 * The main job's tables. Those that grow with the fleet begin their key with the vehicle's id, and no
 * transaction spans vehicles, so that they can be distributed by it (ADR on the store).
 */
export const MAIN_JOB: Migration = {
  number: 1,
  name: 'main job',
  sql: `
create table metadata_file (
  repository text not null check (repository in ('director', 'image')),
  dialect text not null check (dialect in ('aktualizr', 'tuf')),
  role text not null,
  version bigint not null check (version > 0),
  bytes bytea not null,
  expires_at timestamptz not null,
  created_at timestamptz not null default now(),
  primary key (repository, dialect, role, version)
);

create table image (
  name text primary key,
  role text not null,
  length_bytes bigint not null check (length_bytes >= 0),
  sha256 text not null,
  sha512 text not null,
  hardware_ids text[] not null,
  version text not null,
  release_counter bigint not null check (release_counter >= 0),
  custom jsonb not null default '{}',
  cipher_length_bytes bigint,
  cipher_sha256 text,
  cipher_sha512 text,
  sealed_content_key bytea,
  uploaded_by text not null,
  created_at timestamptz not null default now()
);
create index image_by_hash on image (sha256);

create table upload (
  upload_id text primary key,
  name text not null,
  role text not null,
  details jsonb not null,
  length_bytes bigint not null,
  created_by text not null,
  created_at timestamptz not null default now()
);

create table vehicle (
  vehicle_id text primary key,
  vin text unique,
  model text not null default '',
  market text not null default '',
  tags jsonb not null default '{}',
  primary_ecu_id text,
  quarantined boolean not null default false,
  revision bigint not null default 0,
  created_at timestamptz not null default now(),
  registered_at timestamptz,
  last_seen_at timestamptz,
  last_manifest_at timestamptz,
  last_manifest_sha256 bytea,
  information jsonb not null default '{}'
);

create table ecu (
  vehicle_id text not null references vehicle on delete cascade,
  ecu_id text not null,
  is_primary boolean not null,
  hardware_id text not null,
  key_algorithm text not null,
  public_key bytea not null,
  encryption_method text,
  encryption_key bytea,
  report_counter bigint,
  installed_name text,
  installed_sha256 text,
  installed_length_bytes bigint,
  installed_at timestamptz,
  attacks_detected text not null default '',
  health jsonb not null default '{}',
  registered_at timestamptz not null default now(),
  reported_at timestamptz,
  missing_since timestamptz,
  primary key (vehicle_id, ecu_id)
);
create index ecu_by_serial on ecu (ecu_id);

create table ecu_history (
  vehicle_id text not null references vehicle on delete cascade,
  ecu_id text not null,
  at timestamptz not null,
  kind text not null,
  detail jsonb not null
);
create index ecu_history_by_ecu on ecu_history (vehicle_id, ecu_id, at);

create table ecu_replacement (
  vehicle_id text not null references vehicle on delete cascade,
  ecu_id text not null,
  hardware_id text not null,
  key_algorithm text not null,
  public_key bytea not null,
  is_primary boolean not null,
  requested_at timestamptz not null default now(),
  primary key (vehicle_id, ecu_id)
);

create table vehicle_director (
  vehicle_id text primary key references vehicle on delete cascade,
  version bigint not null check (version > 0),
  targets bytea not null,
  snapshot bytea not null,
  timestamp bytea not null,
  expires_at timestamptz not null,
  correlation_id text,
  plan jsonb not null,
  first_fetched_at timestamptz,
  fetched_at timestamptz,
  silent_refusals integer not null default 0,
  signed_at timestamptz not null default now()
);

create table device_certificate (
  serial text primary key,
  authority text not null,
  vehicle_id text not null,
  not_after timestamptz not null,
  issued_at timestamptz not null default now(),
  revoked_at timestamptz,
  revocation_reason text
);
create index device_certificate_by_vehicle on device_certificate (vehicle_id);

create table release (
  release_id text primary key,
  name text not null,
  version text not null,
  document bytea not null,
  body jsonb not null,
  created_by text not null,
  created_at timestamptz not null default now()
);

create table campaign (
  campaign_id text primary key,
  release_id text not null references release,
  name text not null,
  query text not null,
  state text not null check (state in ('planned', 'running', 'paused', 'finished', 'cancelled')),
  policy jsonb not null default '{}',
  created_by text not null,
  created_at timestamptz not null default now(),
  started_at timestamptz
);

create table campaign_vehicle (
  vehicle_id text not null references vehicle on delete cascade,
  campaign_id text not null references campaign,
  state text not null,
  reason text,
  measured jsonb not null default '{}',
  attempts integer not null default 0,
  since timestamptz not null default now(),
  primary key (vehicle_id, campaign_id)
);
create index campaign_vehicle_by_state on campaign_vehicle (campaign_id, state);

create table event (
  stream text not null,
  sequence bigint not null,
  at timestamptz not null,
  kind text not null,
  body jsonb not null,
  hash bytea not null,
  primary key (stream, sequence)
);
create index event_by_kind on event (kind, at);

create table event_checkpoint (
  stream text not null,
  sequence bigint not null,
  document bytea not null,
  primary key (stream, sequence)
);

create table client_event (
  vehicle_id text not null references vehicle on delete cascade,
  event_id text not null,
  at timestamptz not null default now(),
  kind text not null,
  body jsonb not null,
  primary key (vehicle_id, event_id)
);

create table consent (
  vehicle_id text not null references vehicle on delete cascade,
  correlation_id text not null,
  step text not null,
  decision text not null,
  document bytea not null,
  decided_at timestamptz not null,
  received_at timestamptz not null default now(),
  primary key (vehicle_id, correlation_id, step, decided_at)
);

create table api_token (
  token_hash text primary key,
  name text not null unique,
  role text not null,
  uploads_for text[] not null default '{}',
  created_at timestamptz not null default now(),
  expires_at timestamptz,
  revoked_at timestamptz
);
`,
};
