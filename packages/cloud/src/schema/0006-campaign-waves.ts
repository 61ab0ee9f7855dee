import type { Migration } from '@immota/store';

/** Campaigns in waves, approved by four eyes, held by a guard, and counted as they move. */
export const CAMPAIGN_WAVES: Migration = {
  number: 6,
  name: 'campaign waves',
  sql: `
alter table campaign drop constraint campaign_state_check;
alter table campaign
  add constraint campaign_state_check
    check (state in ('planned', 'running', 'paused', 'held', 'finished', 'cancelled')),
  add column waves jsonb not null default '[]',
  add column guard jsonb not null default '{}',
  add column priority integer not null default 500,
  add column joins boolean not null default false,
  add column open_wave integer not null default 0,
  add column filing_number text,
  -- Of everything that is decided; what was approved is bound to it.
  add column content_sha256 text not null default '',
  add column approval text not null default 'draft'
    check (approval in ('draft', 'submitted', 'approved', 'rejected')),
  add column submission jsonb,
  add column decision jsonb,
  add column hold jsonb,
  add constraint campaign_hold check ((state = 'held') <= (hold is not null));

-- What began before there were waves is one wave with everybody, and nobody has set it a limit.
update campaign set guard = '{"failurePermilleMax": 1000, "harmPermilleMax": 1000}',
  open_wave = case when state = 'planned' then 0 else 1 end;

alter table release add column blocked_because text;

create table campaign_wave (
  campaign_id text not null references campaign on delete cascade,
  number integer not null check (number between 1 and 16),
  state text not null check (state in ('waiting', 'open', 'done')),
  vehicles bigint not null default 0,
  opened_at timestamptz,
  done_at timestamptz,
  -- The sequential test as far as it is: one row is locked by whoever brings outcomes.
  guard jsonb not null default '{}',
  primary key (campaign_id, number)
);

insert into campaign_wave (campaign_id, number, state, opened_at)
  select campaign_id, 1, 'open', started_at from campaign where state <> 'planned';

alter table campaign_vehicle
  add column wave integer not null default 1,
  add column is_control boolean not null default false,
  add column stage text not null default 'targeted' check (stage in ('targeted', 'reachable',
    'notified', 'consented', 'downloaded', 'ready', 'installed', 'booted', 'healthy')),
  add column health text not null default 'unknown' check (health in ('unknown', 'healthy', 'unhealthy')),
  -- What its goal's ECUs ran when it came in, as hardware=image joined by spaces.
  add column source text not null default '',
  add column booted_at timestamptz,
  add column penalty_until timestamptz,
  -- The word that it gave in the guard's test; every vehicle has one.
  add column outcome text not null default '' check (outcome in ('', 'good', 'bad')),
  -- Its health when it was offered the release, or first heard of as a control.
  add column baseline jsonb;
update campaign_vehicle set stage = 'booted', booted_at = since where state = 'updated';
-- Every list of a campaign's vehicles is in the order of an index, however it is filtered.
drop index campaign_vehicle_by_state;
create index campaign_vehicle_by_vehicle on campaign_vehicle (campaign_id, vehicle_id);
create index campaign_vehicle_by_state on campaign_vehicle (campaign_id, state, vehicle_id);
create index campaign_vehicle_by_reason on campaign_vehicle (campaign_id, reason, vehicle_id);
create index campaign_vehicle_by_stage on campaign_vehicle (campaign_id, stage, vehicle_id);
create index campaign_vehicle_by_wave on campaign_vehicle (campaign_id, wave, vehicle_id);
create index campaign_vehicle_bad on campaign_vehicle (campaign_id, since) where outcome = 'bad';
create index campaign_live on campaign (state) where state in ('running', 'paused', 'held');

-- When a vehicle's health is asked for next, by campaigns that watch it; infinity: only when it changes.
alter table vehicle add column health_due_at timestamptz;

-- While a campaign starts: its vehicles in the order of their strata. A start that was interrupted goes on from it.
create table campaign_order (
  campaign_id text not null references campaign on delete cascade,
  position bigint not null,
  vehicle_id text not null,
  primary key (campaign_id, position)
);

-- New offers of an hour, for campaigns that have a cap.
create table campaign_rate (
  campaign_id text not null references campaign on delete cascade,
  hour timestamptz not null,
  vehicles bigint not null default 0,
  bytes bigint not null default 0,
  primary key (campaign_id, hour)
);

-- Outcomes by what the vehicles are and ran before: appended and folded as counts are.
create table campaign_outcome (
  campaign_id text not null,
  hardware_id text not null,
  source text not null,
  -- Empty for a good one.
  code text not null,
  vehicles bigint not null
);
create index campaign_outcome_by_campaign on campaign_outcome (campaign_id);

-- The curves of the live screen: a point for each stretch of time.
create table campaign_history (
  campaign_id text not null references campaign on delete cascade,
  at timestamptz not null,
  wave integer not null,
  updated bigint not null,
  healthy bigint not null,
  outcomes bigint not null,
  bad bigint not null,
  primary key (campaign_id, at)
);

-- Counts move with the places: each statement that changes places appends what changed, and a sum of few
-- rows is a count. Nobody waits for a shared row, and nobody counts a million.
create table campaign_count (
  campaign_id text not null,
  wave integer not null,
  is_control boolean not null,
  state text not null,
  reason text not null,
  stage text not null,
  health text not null,
  vehicles bigint not null
);
create index campaign_count_by_campaign on campaign_count (campaign_id);

create function campaign_vehicle_counted() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into campaign_count
      select campaign_id, wave, is_control, state, coalesce(reason, ''), stage, health, count(*)
      from after group by 1, 2, 3, 4, 5, 6, 7;
  elsif tg_op = 'DELETE' then
    insert into campaign_count
      select campaign_id, wave, is_control, state, coalesce(reason, ''), stage, health, -count(*)
      from before group by 1, 2, 3, 4, 5, 6, 7;
  else
    insert into campaign_count
      select campaign_id, wave, is_control, state, reason, stage, health, sum(n) from (
        select campaign_id, wave, is_control, state, coalesce(reason, '') as reason, stage, health, 1 as n from after
        union all
        select campaign_id, wave, is_control, state, coalesce(reason, ''), stage, health, -1 from before) moved
      group by 1, 2, 3, 4, 5, 6, 7 having sum(n) <> 0;
  end if;
  return null;
end $$;
create trigger campaign_vehicle_inserted after insert on campaign_vehicle
  referencing new table as after for each statement execute function campaign_vehicle_counted();
create trigger campaign_vehicle_updated after update on campaign_vehicle
  referencing old table as before new table as after for each statement execute function campaign_vehicle_counted();
create trigger campaign_vehicle_deleted after delete on campaign_vehicle
  referencing old table as before for each statement execute function campaign_vehicle_counted();

insert into campaign_count
  select campaign_id, wave, is_control, state, coalesce(reason, ''), stage, health, count(*)
  from campaign_vehicle group by 1, 2, 3, 4, 5, 6, 7;
`,
};
