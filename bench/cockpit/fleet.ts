/** A fleet of a million vehicles as the inventory holds it: six models, eight markets, seven ECUs each. */
import { type Kysely, sql } from '@immota/store';

const HARDWARE = ['tbox', 'gateway', 'ivi', 'brake', 'battery', 'lidar', 'body'] as const;
/** Vehicles that are inserted by one statement: their ECUs fit in memory. */
const CHUNK_VEHICLES = 50_000;
const TABLES = ['vehicle', 'ecu'] as const;

/** Names the hardware of a place in vehicles of a model. */
function hardwareOf(place: number, model: number): string {
  return `${HARDWARE[place] ?? ''}-${model % 3}`;
}

/** Every hardware of the fleet. */
export const FLEET_HARDWARE: readonly string[] = HARDWARE.flatMap((_, place) =>
  [0, 1, 2].map((model) => hardwareOf(place, model)),
);

/**
 * Puts the fleet there: as fleets are, vehicles of a model have the same hardware, most run one of three
 * versions throughout and some an ECU of another, most came today and some never did.
 *
 * Indexes and counts are made at the end, as a migration makes them: a million vehicles do not register in
 * a minute, and how fast they do is measured elsewhere.
 */
export async function insertMillion<Schema>(
  database: Kysely<Schema>,
  count: number,
): Promise<void> {
  const { rows: indexes } = await sql<{ readonly name: string; readonly definition: string }>`
    select i.indexrelid::regclass::text as name, pg_get_indexdef(i.indexrelid) as definition
    from pg_index i where i.indrelid in ('vehicle'::regclass, 'ecu'::regclass) and not i.indisunique`.execute(
    database,
  );
  for (const { name } of indexes) await sql`drop index ${sql.table(name)}`.execute(database);
  await sql`alter table ecu drop constraint ecu_vehicle_id_fkey`.execute(database);
  for (const table of TABLES) {
    await sql`alter table ${sql.table(table)} disable trigger user`.execute(database);
  }
  for (let first = 1; first <= count; first += CHUNK_VEHICLES) {
    await insertChunk(database, first, Math.min(count, first + CHUNK_VEHICLES - 1));
  }
  for (const table of TABLES) {
    await sql`alter table ${sql.table(table)} enable trigger user`.execute(database);
  }
  await database.transaction().execute(async (tx) => {
    await sql`set local statement_timeout = 0`.execute(tx);
    await sql`alter table ecu add constraint ecu_vehicle_id_fkey foreign key (vehicle_id)
      references vehicle on delete cascade`.execute(tx);
    for (const { definition } of indexes) await sql.raw(definition).execute(tx);
    await sql`insert into fleet_count
      select tenant, model, market, 'vehicle', coalesce(last_seen_day::text, ''), '', null, count(*)
      from vehicle group by 1, 2, 3, 5`.execute(tx);
    await sql`insert into fleet_count
      select v.tenant, v.model, v.market, 'ran', e.hardware_id, e.installed_name,
        (e.installed_at at time zone 'UTC')::date, count(*)
      from ecu e join vehicle v using (vehicle_id) group by 1, 2, 3, 5, 6, 7`.execute(tx);
    await sql`insert into fleet_count
      select tenant, model, market, 'image', name, value, null, sum(vehicles) from fleet_count
      where kind = 'ran' group by 1, 2, 3, 5, 6`.execute(tx);
  });
  // What a server's own housekeeping would have done meanwhile.
  for (const table of [...TABLES, 'fleet_count']) {
    await sql`vacuum analyze ${sql.table(table)}`.execute(database);
  }
}

async function insertChunk<Schema>(
  database: Kysely<Schema>,
  first: number,
  last: number,
): Promise<void> {
  await database.transaction().execute(async (tx) => {
    await sql`set local statement_timeout = 0`.execute(tx);
    await sql`insert into vehicle (vehicle_id, vin, model, market, tags, primary_ecu_id, registered_at,
        last_seen_at, last_manifest_at, contact_gap, contact_hours)
      select id, 'W' || lpad(n::text, 16, '0'), 'M' || mix % 6,
        (array['DE', 'FR', 'CN', 'US', 'GB', 'IT', 'ES', 'SE'])[1 + mix / 6 % 8],
        jsonb_build_object('fleet', (array['private', 'rental', 'police', 'taxi'])[1 + mix / 48 % 4],
          'batch', mix % 500),
        id || '-0', now() - interval '300 days', seen, seen, 3600 * (2 + mix % 60),
        decode(repeat('01', 6) || repeat('08', 12) || repeat('04', 6), 'hex')
      from (select n, 'v' || lpad(n::text, 7, '0') as id, mix,
          case when mix % 100 > 0 then now()
            - interval '1 day' * floor(120 * ((mix / 100 % 1000) / 1000.0) ^ 4)
            - interval '1 second' * (mix % 80000) end as seen
        from (select n, abs(hashint4(n)) as mix
          from generate_series(${first}::int, ${last}::int) n) mixed) one`.execute(tx);
    await sql`insert into ecu (vehicle_id, ecu_id, is_primary, hardware_id, key_algorithm, public_key,
        report_counter, installed_name, installed_sha256, installed_length_bytes, installed_at,
        reported_at)
      select vehicle_id, vehicle_id || '-' || place, place = 0, hardware, 'ed25519',
        decode('302a300506032b6570032100', 'hex') || sha256((vehicle_id || place)::bytea), 1,
        hardware || '/' || version, encode(sha256((hardware || '/' || version)::bytea), 'hex'), 1000000,
        now() - interval '1 day' * (mix / 7 % 200), now()
      from (select vehicle_id, place - 1 as place,
          line.hardware || '-' || substr(model, 2)::int % 3 as hardware, abs(hashtext(vehicle_id)) as mix,
          1 + (abs(hashtext(vehicle_id)) % 3
            + case when abs(hashtext(vehicle_id || place)) % 50 = 0 then 1 else 0 end) % 3 as version
        from vehicle, unnest(${[...HARDWARE]}::text[]) with ordinality as line (hardware, place)
        where vehicle_id between 'v' || lpad(${first}::text, 7, '0')
          and 'v' || lpad(${last}::text, 7, '0')) one`.execute(tx);
  });
}
