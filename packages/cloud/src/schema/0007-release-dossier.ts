import type { Migration } from '@immota/store';

/**
 * What an authority asks of releases and campaigns {R156 7.1.2.3} {R156 7.1.2.4} {R156 7.1.2.5}: dossiers,
 * keys of the people who decide, the RXSWIN register, and frozen target lists.
 */
export const RELEASE_DOSSIER: Migration = {
  number: 7,
  name: 'release dossier',
  sql: `
create table signing_key (
  -- SHA-256 of the SubjectPublicKeyInfo, hex.
  key_id text primary key check (key_id ~ '^[0-9a-f]{64}$'),
  tenant text not null default 'main' references tenant,
  -- Who decides with it, as the audit log names them.
  owner text not null,
  user_id text,
  name text not null,
  algorithm text not null check (algorithm in ('ed25519', 'ecdsa-p256')),
  public_key bytea not null,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index signing_key_by_tenant on signing_key (tenant, created_at, key_id);

create table dossier_item (
  release_id text not null references release on delete cascade,
  item text not null check (item in ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i')),
  text text not null,
  answer boolean,
  approval_number text,
  evidence jsonb not null default '[]',
  updated_by text not null,
  updated_at timestamptz not null,
  primary key (release_id, item)
);

-- A projection of the events of kind rxswin.registered; each entry is chained to the one before it.
create table rxswin_entry (
  tenant text not null references tenant,
  sequence bigint not null check (sequence > 0),
  regulation text not null,
  hardware_id text not null,
  rxswin text not null,
  before text,
  release_id text not null references release,
  release_name text not null,
  approval_number text,
  software jsonb not null,
  software_before jsonb not null,
  since timestamptz not null,
  previous_hash bytea not null,
  hash bytea not null,
  primary key (tenant, sequence)
);
create index rxswin_entry_by_rxswin on rxswin_entry (tenant, regulation, rxswin);
create index rxswin_entry_by_release on rxswin_entry (release_id);

-- What the signed reports of an ECU say: a list of regulation and RXSWIN.
alter table ecu add column rxswins jsonb not null default '[]';

-- ECUs by what they report, as changes whose sum counts: nobody waits for a shared row, and nobody counts
-- the fleet. Whether software and RXSWIN agree is found by comparing the few hashes with the register.
create table rxswin_count (
  tenant text not null,
  regulation text not null,
  hardware_id text not null,
  rxswin text not null,
  sha256 text not null,
  vehicles bigint not null
);
create index rxswin_count_by_rxswin on rxswin_count (tenant, regulation, rxswin);

create function ecu_rxswins_counted() returns trigger language plpgsql as $$
begin
  if tg_op <> 'INSERT' then
    insert into rxswin_count
      select v.tenant, r ->> 'regulation', old.hardware_id, r ->> 'rxswin', coalesce(old.installed_sha256, ''), -1
      from jsonb_array_elements(old.rxswins) r join vehicle v on v.vehicle_id = old.vehicle_id;
  end if;
  if tg_op <> 'DELETE' then
    insert into rxswin_count
      select v.tenant, r ->> 'regulation', new.hardware_id, r ->> 'rxswin', coalesce(new.installed_sha256, ''), 1
      from jsonb_array_elements(new.rxswins) r join vehicle v on v.vehicle_id = new.vehicle_id;
  end if;
  return null;
end $$;
create trigger ecu_rxswins_inserted after insert on ecu for each row
  when (new.rxswins <> '[]') execute function ecu_rxswins_counted();
create trigger ecu_rxswins_updated after update of rxswins, installed_sha256, hardware_id on ecu for each row
  when ((old.rxswins <> '[]' or new.rxswins <> '[]')
    and (old.rxswins, old.installed_sha256, old.hardware_id)
      is distinct from (new.rxswins, new.installed_sha256, new.hardware_id))
  execute function ecu_rxswins_counted();
create trigger ecu_rxswins_deleted after delete on ecu for each row
  when (old.rxswins <> '[]') execute function ecu_rxswins_counted();

-- Its ECUs go first, so that they are uncounted while their vehicle's tenant is known.
create function vehicle_ecus_deleted() returns trigger language plpgsql as $$
begin
  delete from ecu where vehicle_id = old.vehicle_id;
  return old;
end $$;
create trigger vehicle_before_delete before delete on vehicle for each row
  execute function vehicle_ecus_deleted();

-- Fleets are much alike: what a vehicle runs is kept once, by the SHA-256 of its text.
create table configuration (
  sha256 text primary key,
  -- One line an ECU, sorted: hardware, image, SHA-256 and RXSWINs as a JSON list.
  body text not null
);

-- The list of targets, frozen when a vehicle gets its place: what it ran when it was last known, and
-- whether the release fits that. Nothing updates it.
create table campaign_target (
  vehicle_id text not null,
  campaign_id text not null,
  configuration_sha256 text not null references configuration,
  compatibility text not null check (compatibility in ('confirmed', 'not-needed', 'unknown', 'refused')),
  state text not null,
  reason text,
  reported_at timestamptz,
  confirmed_at timestamptz not null,
  primary key (vehicle_id, campaign_id)
);
create index campaign_target_by_campaign on campaign_target (campaign_id, vehicle_id);
create index campaign_target_by_configuration on campaign_target (campaign_id, configuration_sha256);

create function campaign_vehicle_targeted() returns trigger language plpgsql as $$
begin
  with known as (
    select after.*, v.last_manifest_at, c.body, c.is_whole,
      encode(sha256(convert_to(c.body, 'UTF8')), 'hex') as configuration_sha256
    from after join vehicle v using (vehicle_id) cross join lateral (
      select coalesce(string_agg(line, E'\\n' order by line collate "C"), '') as body,
        coalesce(bool_and(is_known), false) as is_whole
      from (select jsonb_build_array(hardware_id, coalesce(installed_name, ''),
          coalesce(installed_sha256, ''), rxswins)::text as line, installed_name is not null as is_known
        from ecu where ecu.vehicle_id = v.vehicle_id) lines) c
  ), kept as (
    insert into configuration (sha256, body)
      select distinct on (configuration_sha256) configuration_sha256, body from known
      where not exists (select from configuration where sha256 = configuration_sha256)
      order by configuration_sha256
      on conflict do nothing
  )
  insert into campaign_target (vehicle_id, campaign_id, configuration_sha256, compatibility, state, reason,
      reported_at, confirmed_at)
    select vehicle_id, campaign_id, configuration_sha256, case
        when state = 'not-needed' then 'not-needed'
        when reason in ('NO_PATH', 'HARDWARE_UNKNOWN', 'ECU_MISSING', 'ECU_REPLACED', 'NEVER_REGISTERED',
          'QUARANTINED') then 'refused'
        when not is_whole then 'unknown'
        else 'confirmed' end, state, reason, last_manifest_at, since
    from known order by vehicle_id
    on conflict do nothing;
  return null;
end $$;
create trigger campaign_vehicle_target after insert on campaign_vehicle
  referencing new table as after for each statement execute function campaign_vehicle_targeted();
`,
};
