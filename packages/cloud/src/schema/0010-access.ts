import type { Migration } from '@immota/store';

/**
 * People, their sessions and their command lines; webhooks; and an order of all events, in which live
 * readers and webhooks go on where they were. `tx` comes first in it: a transaction that is still open
 * has a number that is not below the snapshot's, so nothing appears behind a reader's place.
 */
export const ACCESS: Migration = {
  number: 10,
  name: 'access',
  sql: `
create table person (
  person_id text primary key,
  tenant text not null references tenant,
  email text not null unique check (email = lower(email)),
  name text not null,
  role text not null,
  -- A fleet query that bounds what they see; all of the tenant when null.
  scope text,
  -- Empty until they signed in for the first time.
  issuer text not null default '',
  subject text,
  -- Of a local account: scrypt, with its own salt and cost.
  password text,
  failures integer not null default 0,
  locked_until timestamptz,
  disabled_at timestamptz,
  created_by text not null,
  created_at timestamptz not null,
  last_seen_at timestamptz,
  constraint person_administrator check (role <> 'admin' or scope is null),
  constraint person_subject unique (issuer, subject)
);
create index person_by_tenant on person (tenant, email);

-- What is told once lets in once: a local account sets its password with it.
create table invitation (
  code_hash text primary key,
  -- Null for the first administrator of an installation that has none.
  person_id text references person on delete cascade,
  expires_at timestamptz not null
);

create table session (
  session_id text primary key,
  token_hash text not null unique,
  -- The token before the last rotation: requests that were under way still bear it for a moment.
  previous_hash text unique,
  rotated_at timestamptz not null,
  person_id text not null references person on delete cascade,
  -- Of the sign-in that made it: none makes two.
  state_hash text not null unique,
  -- For signing out at the provider too.
  sealed_id_token bytea,
  created_at timestamptz not null,
  seen_at timestamptz not null,
  expires_at timestamptz not null
);
create index session_by_person on session (person_id);
create index session_by_end on session (expires_at);

alter table api_token drop constraint api_token_name_key;
alter table api_token
  add constraint api_token_name_key unique (tenant, name),
  add column created_by text not null default 'this machine',
  -- Whose command line it is: it ends with them.
  add column person_id text references person on delete cascade,
  add constraint api_token_administrator check (role <> 'admin' or scope is null);

-- Two tenants do not learn of each other by a number that is taken.
alter table vehicle drop constraint vehicle_vin_key;
alter table vehicle add constraint vehicle_vin_key unique (tenant, vin);

alter table event
  add column tx xid8 not null default '0',
  add column position bigint generated always as identity;
alter table event alter column tx set default pg_current_xact_id();
create index event_in_order on event (tx, position);
-- What people and their tokens did, and what was refused them.
create index event_by_change on event (tx, position)
  where body ? 'actor' or body ? 'by' or kind in ('authentication.refused', 'authorisation.denied');

create table webhook (
  webhook_id text primary key,
  tenant text not null references tenant,
  url text not null,
  events text[] not null,
  sealed_secret bytea not null,
  is_enabled boolean not null default true,
  created_by text not null,
  created_at timestamptz not null,
  last_delivery_at timestamptz,
  last_status text
);
create index webhook_by_tenant on webhook (tenant, webhook_id);

-- How far events were handed to webhooks: one row.
create table webhook_cursor (
  is_only boolean primary key default true check (is_only),
  tx xid8 not null,
  position bigint not null
);

create table webhook_delivery (
  delivery_id text primary key,
  webhook_id text not null references webhook on delete cascade,
  event_kind text not null,
  message text not null,
  state text not null check (state in ('waiting', 'delivered', 'given-up')),
  attempts integer not null default 0,
  status integer,
  problem text,
  created_at timestamptz not null,
  at timestamptz not null,
  next_at timestamptz,
  constraint webhook_delivery_next check ((state = 'waiting') = (next_at is not null))
);
create index webhook_delivery_due on webhook_delivery (next_at) where state = 'waiting';
create index webhook_delivery_by_webhook on webhook_delivery (webhook_id, created_at, delivery_id);
`,
};
