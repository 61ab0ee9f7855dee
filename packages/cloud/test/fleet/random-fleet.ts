/** A fleet with everything that a query can ask for, in every state, and with much of it missing. */
import type { JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import * as fc from 'fast-check';
import type { FleetVehicle } from '../../src/fleet/query/fleet-query.ts';
import { EcuKeyCache } from '../../src/inventory/ecu-key.ts';
import { loadVehicles } from '../../src/inventory/vehicle-record.ts';
import type { CloudDatabase } from '../../src/schema/database.ts';

const tag = fc.oneof(
  fc.constantFrom('a', 'X1', 'DE', '', 'é', 'hw-1', 'hw-1/2'),
  fc.constantFrom(0, 1, 1.5, -1, 2),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.constantFrom('a', 1, true, null, 1.5), { maxLength: 3 }),
  fc.record({ inner: fc.constantFrom('a', 1, 'X1', false) }),
  fc.constant({}),
);
const tags = fc.record(
  {
    fleet: fc.oneof({ weight: 3, arbitrary: fc.constantFrom('a', 'X1', 'veh-1') }, tag),
    n: fc.oneof(fc.constantFrom(0, 1, 1.5, 2, -1), tag),
    flag: fc.oneof(fc.boolean(), tag),
    list: fc.oneof(fc.array(fc.constantFrom('a', 1, true, null, 1.5, 'X1'), { maxLength: 3 }), tag),
    map: fc.oneof(
      fc.dictionary(fc.constantFrom('inner', 'a', 'other'), fc.constantFrom('a', 1, 'X1')),
      tag,
    ),
    nothing: fc.constant(null),
  },
  { requiredKeys: [] },
);
const ecu = fc.record({
  hardware: fc.constantFrom('hw-1', 'hw-2', 'hw-3'),
  image: fc.option(fc.constantFrom('hw-1/1', 'hw-1/2', 'a', 'X1')),
  attacks: fc.constantFrom('', '', 'a'),
  isMissing: fc.boolean(),
  hasSince: fc.boolean(),
  rxswins: fc.constantFrom(
    [],
    [],
    [{ regulation: 'R1', rxswin: 'RX 1' }],
    [{ regulation: 'R1', rxswin: 'a' }],
  ),
});
const vehicle = fc.record({
  hasVin: fc.boolean(),
  model: fc.constantFrom('X1', 'X2', '', 'a', 'x.y'),
  market: fc.constantFrom('DE', 'FR', 'é', ''),
  tags,
  isBarred: fc.boolean(),
  isRegistered: fc.boolean(),
  seenHoursAgo: fc.option(fc.constantFrom(0, 1.5, 36, 58, 1000)),
  ecus: fc.array(ecu, { maxLength: 4 }),
  campaigns: fc.subarray(['one', 'two']),
  place: fc.constantFrom('failed', 'updated', 'targeted'),
});

/** Puts a fleet there, always the same one. */
export async function insertRandomFleet(
  { kysely }: CloudDatabase,
  { vehicles, now }: { readonly vehicles: number; readonly now: Temporal.Instant },
): Promise<void> {
  const body = {
    _type: 'Release',
    name: 'r',
    version: '1',
    goal: { 'hw-1': 'hw-1/2' },
    images: [{ hardwareId: 'hw-1', name: 'hw-1/2', installsOver: 'any' }],
  };
  const document = Buffer.from(JSON.stringify({ signed: body, signatures: [] }));
  const release = { name: 'r', version: '1', document, body, created_by: 'x' };
  await kysely
    .insertInto('release')
    .values({ ...release, release_id: 'r' })
    .execute();
  for (const id of ['one', 'two']) {
    await sql`insert into campaign (campaign_id, release_id, name, query, state, created_by)
      values (${id}, 'r', ${id === 'one' ? 'a' : 'b'}, 'true', 'running', 'x')`.execute(kysely);
  }
  for (const [index, one] of fc.sample(vehicle, { numRuns: vehicles, seed: 7 }).entries()) {
    const id = `veh-${index}`;
    const at = (hours: number): Temporal.Instant =>
      now.subtract({ seconds: Math.round(hours * 3600) });
    await kysely
      .insertInto('vehicle')
      .values({
        vehicle_id: id,
        vin: one.hasVin ? `X${index}` : null,
        model: one.model,
        market: one.market,
        tags: one.tags as JsonObject,
        quarantined: one.isBarred,
        primary_ecu_id: one.isRegistered ? `${id}-0` : null,
        registered_at: one.isRegistered ? now : null,
        last_seen_at: one.seenHoursAgo === null ? null : at(one.seenHoursAgo),
      })
      .execute();
    for (const [place, own] of one.ecus.entries()) {
      await sql`insert into ecu (vehicle_id, ecu_id, is_primary, hardware_id, key_algorithm, public_key,
          installed_name, installed_sha256, installed_at, attacks_detected, missing_since, rxswins)
        values (${id}, ${`${id}-${place}`}, ${place === 0}, ${own.hardware}, 'unknown', ''::bytea,
          ${own.image}, ${own.image === null ? null : 'a'}, ${own.hasSince && own.image !== null ? at(2) : null}::timestamptz,
          ${own.attacks}, ${own.isMissing ? now : null}::timestamptz, ${JSON.stringify(own.rxswins)}::jsonb)`.execute(
        kysely,
      );
    }
    for (const campaign of one.campaigns) {
      const reason = one.place === 'updated' ? null : 'NOT_SEEN';
      await sql`insert into campaign_vehicle (vehicle_id, campaign_id, state, reason)
        values (${id}, ${campaign}, ${one.place}, ${reason})`.execute(kysely);
    }
  }
}

/** Loads it as queries in memory see it, by id. */
export async function loadFleet({ kysely }: CloudDatabase): Promise<readonly FleetVehicle[]> {
  const rows = await kysely
    .selectFrom('vehicle')
    .select('vehicle_id')
    .orderBy('vehicle_id')
    .execute();
  const ids = rows.map(({ vehicle_id: id }) => id);
  const records = await loadVehicles(kysely, ids, new EcuKeyCache());
  const places = await kysely
    .selectFrom('campaign_vehicle as p')
    .innerJoin('campaign as c', 'c.campaign_id', 'p.campaign_id')
    .select(['p.vehicle_id', 'c.campaign_id as id', 'c.name', 'p.state', 'p.reason', 'p.health'])
    .execute();
  return ids.flatMap((id) => {
    const inventory = records.get(id)?.inventory;
    if (inventory === undefined) return [];
    const campaigns = places
      .filter((place) => place.vehicle_id === id)
      .map(({ id: campaignId, name, state, reason, health }) => ({
        id: campaignId,
        name,
        state,
        reason: reason ?? '',
        health,
      }));
    return [{ ...inventory, campaigns }];
  });
}
