import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sql } from '@immota/store';
import { openTestDatabase, type TestDatabase } from '@immota/store/testing';
import { loadCockpit } from '../../src/fleet/cockpit.ts';
import { countFleet } from '../../src/fleet/count-fleet.ts';
import { foldCounts } from '../../src/fleet/counts.ts';
import { exportFleet } from '../../src/fleet/export-fleet.ts';
import { listFacets, listVersions } from '../../src/fleet/facets.ts';
import { type FleetSort, listFleet } from '../../src/fleet/list-fleet.ts';
import { parseFleetQuery } from '../../src/fleet/query/fleet-query.ts';
import { FIRST_TENANT, type FleetScope } from '../../src/inventory/fleet-scope.ts';
import { MIGRATIONS } from '../../src/schema/migrations.ts';
import type { CloudSchema } from '../../src/schema/tables.ts';
import { insertRandomFleet } from './random-fleet.ts';

const NOW = Temporal.Instant.from('2026-11-22T10:00:00Z');
const VEHICLES = 60;
const ALL: FleetScope = { tenant: FIRST_TENANT };

let test: TestDatabase<CloudSchema>;
before(async () => {
  test = await openTestDatabase<CloudSchema>(MIGRATIONS);
  await insertRandomFleet(test.database, { vehicles: VEHICLES, now: NOW });
  await sql`insert into tenant (tenant_id, name) values ('other', 'Other')`.execute(
    test.database.kysely,
  );
  await sql`insert into vehicle (vehicle_id, model, market, tenant)
    values ('foreign', 'X1', 'DE', 'other')`.execute(test.database.kysely);
});
after(() => test.drop());

/** What is counted by changes beside what is there. */
async function counted(): Promise<{ readonly kept: unknown; readonly real: unknown }> {
  const { kysely } = test.database;
  const { rows: kept } = await sql`
    select tenant, model, market, kind, name, value, sum(vehicles)::int as vehicles from fleet_count
    group by 1, 2, 3, 4, 5, 6 having sum(vehicles) <> 0 order by 1, 2, 3, 4, 5, 6`.execute(kysely);
  const { rows: real } = await sql`
    select tenant, model, market, 'vehicle' as kind, coalesce(last_seen_day::text, '') as name,
      case when quarantined then 'barred' else '' end as value, count(*)::int as vehicles
    from vehicle group by 1, 2, 3, 5, 6
    union all
    select tenant, model, market, k.kind, hardware_id, coalesce(installed_name, ''), count(*)::int
    from vehicle join ecu using (vehicle_id) cross join (values ('image'), ('ran')) k (kind)
    group by 1, 2, 3, 4, 5, 6
    order by 1, 2, 3, 4, 5, 6`.execute(kysely);
  return { kept, real };
}

describe('the counts of the fleet', () => {
  const changes: Readonly<Record<string, string>> = {
    'as vehicles come': 'select 1',
    'as vehicles are seen': `update vehicle set last_seen_at = '2026-11-23T01:00:00Z' where vehicle_id like 'veh-1%'`,
    'as vehicles are described': `update vehicle set model = 'X9', market = 'CN' where vehicle_id like 'veh-2%'`,
    'as vehicles are barred': `update vehicle set quarantined = not quarantined where vehicle_id like 'veh-3%'`,
    'as ECUs are updated': `update ecu set installed_name = 'new/1', installed_at = '2026-11-23T01:00:00Z' where hardware_id = 'hw-2'`,
    'as ECUs are replaced': `update ecu set hardware_id = 'hw-9', installed_name = null where ecu_id like '%-1'`,
    'as ECUs go': `delete from ecu where ecu_id like '%-2'`,
    'as vehicles go': `delete from vehicle where vehicle_id like 'veh-4%'`,
  };
  for (const [when, statement] of Object.entries(changes)) {
    it(`are right ${when}`, async () => {
      await sql.raw(statement).execute(test.database.kysely);
      const { kept, real } = await counted();
      assert.deepEqual(kept, real);
    });
  }

  it('are the same after folding, in fewer rows', async () => {
    const { kept: unfolded } = await counted();
    const folded = await foldCounts(test.database);
    assert.ok(folded !== undefined && folded.after < folded.before);
    const { kept, real } = await counted();
    assert.deepEqual(kept, unfolded);
    assert.deepEqual(kept, real);
  });

  it('are folded by one at a time', async () => {
    await test.database.kysely.transaction().execute(async (tx) => {
      await sql`select pg_advisory_xact_lock(${0x66_6f_6c_64})`.execute(tx);
      assert.equal(await foldCounts(test.database), undefined);
    });
  });
});

const sum = (values: readonly { readonly vehicles: number }[]): number =>
  values.reduce((total, one) => total + one.vehicles, 0);

async function find(search: string): Promise<number> {
  const request = { sort: 'vehicleId', search, limit: 1000 } as const;
  return (await listFleet(test.database, ALL, request)).rows.length;
}

async function idsOf(sort: FleetSort, scope = ALL, limit = 7): Promise<readonly string[]> {
  const ids: string[] = [];
  let next: string | undefined;
  do {
    const page = await listFleet(test.database, scope, { sort, after: next, limit });
    assert.ok(page.rows.length <= limit);
    ids.push(...page.rows.map(({ vehicle_id: id }) => id));
    next = page.next;
  } while (next !== undefined);
  return ids;
}

describe('listFleet()', () => {
  for (const sort of ['vehicleId', 'lastSeenAt', '-lastSeenAt', 'model', 'market'] as const) {
    it(`gives every vehicle once, page by page, by ${sort}`, async () => {
      const ids = await idsOf(sort);
      const whole = await idsOf(sort, ALL, 1000);
      assert.deepEqual(ids, whole);
      assert.equal(new Set(ids).size, ids.length);
      const { vehicles } = await countFleet(test.database, ALL, undefined);
      assert.equal(ids.length, vehicles);
      assert.ok(!ids.includes('foreign'));
    });
  }

  it('shows those seen last first, and those never seen at the end', async () => {
    const { rows } = await listFleet(test.database, ALL, { sort: '-lastSeenAt', limit: 1000 });
    const times = rows.map(({ last_seen_at: at }) => at?.epochMilliseconds ?? -Infinity);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => (a === b ? 0 : b - a)),
    );
  });

  it('finds by the beginning of an id or a VIN, and takes no pattern', async () => {
    assert.ok((await find('veh-5')) > 0);
    assert.equal(await find('%'), 0);
    assert.equal(await find('eh-5'), 0);
  });

  it('shows a tenant and a scope what is theirs alone', async () => {
    assert.deepEqual(await idsOf('vehicleId', { tenant: 'other' }), ['foreign']);
    const scope = { tenant: FIRST_TENANT, query: 'vehicle.market == "DE"' };
    const { rows } = await listFleet(test.database, scope, { sort: 'model', limit: 1000 });
    assert.ok(rows.length > 0 && rows.every(({ market }) => market === 'DE'));
    const kept = await countFleet(test.database, scope, undefined);
    assert.deepEqual(kept, { vehicles: rows.length, isExact: true });
    const ecus = { tenant: FIRST_TENANT, query: 'vehicle.ecus.exists(e, e.primary)' };
    const all = await listFleet(test.database, ecus, { sort: 'vehicleId', limit: 1000 });
    const real = await countFleet(test.database, ecus, undefined);
    assert.equal(real.vehicles, all.rows.length);
  });

  it('refuses places that are none', async () => {
    for (const text of ['x', 'bm9uZQ', Buffer.from('["a\\u0000","b"]').toString('base64url')]) {
      const page = listFleet(test.database, ALL, { sort: 'lastSeenAt', after: text, limit: 1 });
      await assert.rejects(page, { code: 'REQUEST_MALFORMED' });
    }
  });
});

describe('countFleet()', () => {
  it('counts what a query means, by what is kept and by the vehicles alike', async () => {
    for (const text of ['vehicle.model == "X1"', '"hw-9" in vehicle.hardware', 'true']) {
      const query = parseFleetQuery(text);
      const { rows } = await listFleet(test.database, ALL, { query, sort: 'model', limit: 1000 });
      const count = await countFleet(test.database, ALL, query);
      assert.deepEqual(count, { vehicles: rows.length, isExact: true });
    }
  });
});

describe('exportFleet()', () => {
  it('writes every vehicle once, as lines of JSON or cells that are no formulas', async () => {
    const { kysely } = test.database;
    await sql`update vehicle set model = '=1+1', market = 'a "b", c' where vehicle_id = 'veh-0'`.execute(
      kysely,
    );
    const { vehicles } = await countFleet(test.database, ALL, undefined);
    const ndjson = await new Response(exportFleet(test.database, ALL, { format: 'ndjson' })).text();
    assert.equal(ndjson.trimEnd().split('\n').length, vehicles);
    const csv = await new Response(exportFleet(test.database, ALL, { format: 'csv' })).text();
    assert.match(csv, /^vehicleId,vin,model,market,/);
    assert.match(csv, /\r\nveh-0,[^,]*,'=1\+1,"a ""b"", c",/);
    assert.equal(csv.trimEnd().split('\r\n').length, vehicles + 1);
  });
});

describe('listFacets() and listVersions()', () => {
  it('list what there is, with counts that add up', async () => {
    const facets = await listFacets(test.database, ALL);
    const { vehicles } = await countFleet(test.database, ALL, undefined);
    assert.equal(sum(facets.models), vehicles);
    assert.equal(sum(facets.markets), vehicles);
    assert.equal(sum(facets.images), sum(facets.hardware));
    assert.ok(facets.tags.some(({ name }) => name === 'fleet'));
    assert.ok(facets.rxswins.length > 0);
    const scoped = { tenant: FIRST_TENANT, query: 'vehicle.tags.fleet == "a"' };
    const part = await listFacets(test.database, scoped);
    const own = await countFleet(test.database, scoped, undefined);
    assert.equal(sum(part.models), own.vehicles);
    assert.ok(own.vehicles < vehicles);
  });

  it('tell what ran on each day', async () => {
    const { kysely } = test.database;
    await sql`insert into vehicle (vehicle_id, model, market) values ('h-1', 'H', 'DE')`.execute(
      kysely,
    );
    await sql`insert into ecu (vehicle_id, ecu_id, is_primary, hardware_id, key_algorithm, public_key,
        installed_name, installed_at)
      values ('h-1', 'h-1-0', true, 'day-hw', 'unknown', ''::bytea, 'day/1', '2026-11-01T10:00:00Z')`.execute(
      kysely,
    );
    await sql`update ecu set installed_name = 'day/2', installed_at = '2026-11-20T10:00:00Z'
      where ecu_id = 'h-1-0'`.execute(kysely);
    const request = { hardwareId: 'day-hw', days: 5, now: NOW };
    const history = await listVersions(test.database, ALL, request);
    assert.deepEqual(history, {
      hardwareId: 'day-hw',
      days: ['2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21', '2026-11-22'],
      series: [
        { image: 'day/1', vehicles: [1, 1, 0, 0, 0] },
        { image: 'day/2', vehicles: [0, 0, 1, 1, 1] },
      ],
    });
    const other = await listVersions(test.database, ALL, { ...request, market: 'FR' });
    assert.deepEqual(other.series, []);
    assert.deepEqual((await listVersions(test.database, { tenant: 'other' }, request)).series, []);
  });
});

describe('loadCockpit()', () => {
  it('says what to do, the worst first, to whom it concerns', async () => {
    const { kysely } = test.database;
    await sql`insert into ecu_replacement (vehicle_id, ecu_id, hardware_id, key_algorithm, public_key, is_primary)
      values ('h-1', 'h-1-0', 'day-hw', 'unknown', ''::bytea, true)`.execute(kysely);
    await sql`insert into metadata_file (repository, dialect, role, version, bytes, expires_at)
      values ('image', 'tuf', 'root', 1, '', '2026-11-01T00:00:00Z'), ('image', 'tuf', 'root', 2, '', '2027-11-01T00:00:00Z'),
        ('image', 'tuf', 'targets', 1, '', '2026-11-23T00:00:00Z')`.execute(kysely);
    await sql`insert into device_certificate (serial, authority, vehicle_id, not_after)
      values ('1', 'a', 'h-1', '2026-12-01T00:00:00Z'), ('2', 'a', 'veh-0', '2026-12-01T00:00:00Z'),
        ('3', 'a', 'veh-0', '2027-12-01T00:00:00Z')`.execute(kysely);
    await sql`update campaign set state = 'held', hold = '{"explanation": "too many", "since": "2026-11-22T09:00:00Z"}'
      where campaign_id = 'one'`.execute(kysely);
    await sql`insert into campaign (campaign_id, release_id, name, query, state, created_by, approval)
      values ('three', 'r', 'c', 'true', 'planned', 'x', 'submitted')`.execute(kysely);
    const cockpit = await loadCockpit(test.database, ALL, NOW);
    const kinds = cockpit.actions.map(({ kind }) => kind);
    const first = kinds.findIndex(
      (kind) => !['campaign-held', 'attack-reported', 'metadata-expiring'].includes(kind),
    );
    assert.ok(first >= 3);
    for (const kind of [
      'campaign-held',
      'attack-reported',
      'metadata-expiring',
      'certificate-expiring',
      'replacement-to-approve',
      'campaign-to-approve',
      'vehicles-silent',
      'vehicles-failed',
    ] as const) {
      assert.ok(kinds.includes(kind), kind);
    }
    assert.equal(cockpit.actions.find(({ kind }) => kind === 'certificate-expiring')?.count, 1);
    const { vehicles } = await countFleet(test.database, ALL, undefined);
    assert.equal(cockpit.vehicles, vehicles);
    assert.equal(sum(cockpit.silence), vehicles);
    const other = await loadCockpit(test.database, { tenant: 'other' }, NOW);
    assert.deepEqual(
      other.actions.map(({ kind }) => kind),
      ['metadata-expiring'],
    );
    const [{ vehicles: ofNobody } = { vehicles: -1 }] = (
      await loadCockpit(test.database, { ...ALL, query: 'vehicle.tags.none == 1' }, NOW)
    ).campaigns;
    assert.equal(ofNobody, 0);
  });
});
