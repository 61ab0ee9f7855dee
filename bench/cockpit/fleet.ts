/** A fleet of a million vehicles as the inventory holds it: six models, eight markets, seven ECUs each. */
import { type Kysely, sql } from '@immota/store';

const HARDWARE = ['tbox', 'gateway', 'ivi', 'brake', 'battery', 'lidar', 'body'] as const;
/** Vehicles that are inserted by one statement: its ECUs fit in memory. */
const CHUNK_VEHICLES = 50_000;

/**
 * Puts the fleet there. Versions, days of the last contact and tags are spread as fleets have them: most
 * vehicles run the newest but one and came today, and some were never seen.
 */
export async function insertMillion<Schema>(
  database: Kysely<Schema>,
  count: number,
): Promise<void> {
  for (let first = 1; first <= count; first += CHUNK_VEHICLES) {
    const last = Math.min(count, first + CHUNK_VEHICLES - 1);
    await database.transaction().execute(async (tx) => {
      await sql`set local statement_timeout = 0`.execute(tx);
      await sql`insert into vehicle (vehicle_id, vin, model, market, tags, primary_ecu_id, registered_at,
          last_seen_at, last_manifest_at, contact_gap, contact_hours)
        select id, 'W' || lpad(n::text, 16, '0'), 'M' || mix % 6, (array['DE', 'FR', 'CN', 'US', 'GB', 'IT', 'ES', 'SE'])[1 + mix % 8],
          jsonb_build_object('fleet', (array['private', 'rental', 'police', 'taxi'])[1 + mix / 8 % 4], 'batch', mix % 500),
          id || '-0', now() - interval '300 days', seen, seen, 3600 * (2 + mix % 60),
          decode(repeat('01', 6) || repeat('08', 12) || repeat('04', 6), 'hex')
        from (select n, 'v' || lpad(n::text, 7, '0') as id, mix,
            case when mix % 100 = 0 then null
              else now() - interval '1 day' * floor(120 * ((mix / 100 % 1000) / 1000.0) ^ 4) - interval '1 second' * (mix % 80000) end as seen
          from (select n, abs(hashint4(n)) as mix from generate_series(${first}::int, ${last}::int) n) mixed) one`.execute(
        tx,
      );
      await sql`insert into ecu (vehicle_id, ecu_id, is_primary, hardware_id, key_algorithm, public_key,
          report_counter, installed_name, installed_sha256, installed_length_bytes, installed_at, reported_at)
        select vehicle_id, vehicle_id || '-' || place, place = 0, hardware || '-' || mix % 3, 'ed25519',
          decode('302a300506032b6570032100', 'hex') || sha256((vehicle_id || place)::bytea), 1,
          hardware || '-' || mix % 3 || '/' || version,
          encode(sha256((hardware || '-' || mix % 3 || '/' || version)::bytea), 'hex'), 1000000,
          now() - interval '1 day' * (mix / 7 % 200), now()
        from (select vehicle_id, place - 1 as place, hardware, abs(hashtext(vehicle_id || hardware)) as mix,
            3 - floor(3 * sqrt(abs(hashtext(hardware || vehicle_id)) % 1000 / 1000.0))::int + 1 as version
          from vehicle, unnest(${[...HARDWARE]}::text[]) with ordinality as line (hardware, place)
          where vehicle_id between 'v' || lpad(${first}::text, 7, '0') and 'v' || lpad(${last}::text, 7, '0')) one`.execute(
        tx,
      );
    });
  }
  // What a server's own housekeeping would have done meanwhile.
  for (const table of ['vehicle', 'ecu', 'fleet_count']) {
    await sql`vacuum analyze ${sql.table(table)}`.execute(database);
  }
}
