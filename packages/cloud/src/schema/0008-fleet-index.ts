import type { Migration } from '@immota/store';

/**
 * The fleet as people look at it: what is counted moves with the rows it counts, how often vehicles come is
 * learned while they come, and every question of the cockpit has its index. Nothing here is written by a
 * check-in that brings no news, so that it stays a heap-only update.
 */
export const FLEET_INDEX: Migration = {
  number: 8,
  name: 'fleet index',
  sql: `
-- Its day alone is indexed: an index on the instant would be written at every contact.
alter table vehicle
  add column last_seen_day date generated always as ((last_seen_at at time zone 'UTC')::date) stored,
  -- Seconds between contacts, the last ones counting most; null before the second one.
  add column contact_gap real check (contact_gap >= 0),
  -- Contacts by hour of the day in UTC, a byte each, halved when one is full; null before the first one.
  add column contact_hours bytea check (length(contact_hours) = 24);

create function contact_hours_noted(hours bytea, at timestamptz) returns bytea language plpgsql immutable as $$
declare
  hour integer := extract(hour from at at time zone 'UTC');
  noted bytea := coalesce(hours, decode(repeat('00', 24), 'hex'));
begin
  if get_byte(noted, hour) = 255 then
    for place in 0..23 loop
      noted := set_byte(noted, place, get_byte(noted, place) / 2);
    end loop;
  end if;
  return set_byte(noted, hour, get_byte(noted, hour) + 1);
end $$;

create index vehicle_by_model on vehicle (tenant, model, vehicle_id);
create index vehicle_by_market on vehicle (tenant, market, vehicle_id);
create index vehicle_by_day on vehicle (tenant, last_seen_day);
create index vehicle_by_tags on vehicle using gin (tags jsonb_path_ops);
create index vehicle_by_id_prefix on vehicle (tenant, vehicle_id text_pattern_ops);
create index vehicle_by_vin_prefix on vehicle (tenant, vin text_pattern_ops);
create index vehicle_quarantined on vehicle (tenant, vehicle_id) where quarantined;
create index ecu_by_image on ecu (hardware_id, installed_name, vehicle_id);
create index ecu_by_rxswin on ecu using gin (rxswins jsonb_path_ops) where rxswins <> '[]';
create index ecu_attacked on ecu (vehicle_id) where attacks_detected <> '';
create index device_certificate_by_end on device_certificate (not_after) where revoked_at is null;

-- Changes of counts, whose sums are the counts; folded now and then. Of kind vehicle: name the last day it
-- was seen, empty for never, and value barred or empty. Of kind image: name a hardware and value an image
-- that runs on it. Of kind ran: the same with the day of the change, so that what ran when is a sum too.
create table fleet_count (
  tenant text not null,
  model text not null,
  market text not null,
  kind text not null check (kind in ('vehicle', 'image', 'ran')),
  name text not null,
  value text not null,
  day date,
  vehicles bigint not null
);
create index fleet_count_by_kind on fleet_count (tenant, kind, name);

create function vehicle_counted() returns trigger language plpgsql as $$
begin
  insert into fleet_count
    select tenant, model, market, 'vehicle', coalesce(last_seen_day::text, ''),
      case when quarantined then 'barred' else '' end, null, count(*)
    from after group by 1, 2, 3, 5, 6;
  return null;
end $$;
create trigger vehicle_counted_insert after insert on vehicle
  referencing new table as after for each statement execute function vehicle_counted();

create function vehicle_recounted() returns trigger language plpgsql as $$
begin
  insert into fleet_count values
    (old.tenant, old.model, old.market, 'vehicle', coalesce(old.last_seen_day::text, ''),
      case when old.quarantined then 'barred' else '' end, null, -1);
  if tg_op = 'DELETE' then return null; end if;
  insert into fleet_count values
    (new.tenant, new.model, new.market, 'vehicle', coalesce(new.last_seen_day::text, ''),
      case when new.quarantined then 'barred' else '' end, null, 1);
  if (old.tenant, old.model, old.market) is distinct from (new.tenant, new.model, new.market) then
    insert into fleet_count
      select place.tenant, place.model, place.market, k.kind, hardware_id, coalesce(installed_name, ''),
        case when k.kind = 'ran' then coalesce((installed_at at time zone 'UTC')::date, current_date) end, place.sign
      from ecu cross join (values ('image'), ('ran')) k (kind) cross join (values (old.tenant, old.model, old.market, -1),
        (new.tenant, new.model, new.market, 1)) place (tenant, model, market, sign)
      where vehicle_id = new.vehicle_id;
  end if;
  return null;
end $$;
create trigger vehicle_recounted_update
  after update of tenant, model, market, quarantined, last_seen_at on vehicle for each row
  when ((old.tenant, old.model, old.market, old.quarantined, old.last_seen_day)
    is distinct from (new.tenant, new.model, new.market, new.quarantined, new.last_seen_day))
  execute function vehicle_recounted();
create trigger vehicle_recounted_delete after delete on vehicle for each row
  execute function vehicle_recounted();

create function ecu_counted() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into fleet_count
      select v.tenant, v.model, v.market, k.kind, e.hardware_id, coalesce(e.installed_name, ''),
        case when k.kind = 'ran' then coalesce((e.installed_at at time zone 'UTC')::date, current_date) end, count(*)
      from after e join vehicle v using (vehicle_id) cross join (values ('image'), ('ran')) k (kind)
      group by 1, 2, 3, 4, 5, 6, 7;
  else
    insert into fleet_count
      select v.tenant, v.model, v.market, k.kind, e.hardware_id, coalesce(e.installed_name, ''),
        case when k.kind = 'ran' then current_date end, -count(*)
      from before e join vehicle v using (vehicle_id) cross join (values ('image'), ('ran')) k (kind)
      group by 1, 2, 3, 4, 5, 6, 7;
  end if;
  return null;
end $$;
create trigger ecu_counted_insert after insert on ecu
  referencing new table as after for each statement execute function ecu_counted();
create trigger ecu_counted_delete after delete on ecu
  referencing old table as before for each statement execute function ecu_counted();

create function ecu_recounted() returns trigger language plpgsql as $$
begin
  insert into fleet_count
    select v.tenant, v.model, v.market, k.kind, ran.hardware, coalesce(ran.image, ''),
      case when k.kind = 'ran' then coalesce((new.installed_at at time zone 'UTC')::date, current_date) end, ran.sign
    from vehicle v cross join (values ('image'), ('ran')) k (kind) cross join (values (old.hardware_id, old.installed_name, -1),
      (new.hardware_id, new.installed_name, 1)) ran (hardware, image, sign)
    where v.vehicle_id = new.vehicle_id;
  return null;
end $$;
create trigger ecu_recounted_update after update of hardware_id, installed_name on ecu for each row
  when ((old.hardware_id, old.installed_name) is distinct from (new.hardware_id, new.installed_name))
  execute function ecu_recounted();

insert into fleet_count
  select tenant, model, market, 'vehicle', coalesce(last_seen_day::text, ''),
    case when quarantined then 'barred' else '' end, null, count(*)
  from vehicle group by 1, 2, 3, 5, 6;
insert into fleet_count
  select v.tenant, v.model, v.market, k.kind, e.hardware_id, coalesce(e.installed_name, ''),
    case when k.kind = 'ran' then coalesce((e.installed_at at time zone 'UTC')::date, current_date) end, count(*)
  from ecu e join vehicle v using (vehicle_id) cross join (values ('image'), ('ran')) k (kind)
  group by 1, 2, 3, 4, 5, 6, 7;
`,
};
