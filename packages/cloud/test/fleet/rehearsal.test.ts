import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { campaignSchemas } from '@immota/api';
import { sql } from '@immota/store';
import { Rehearsals, type StoredRehearsal } from '../../src/rehearsal/rehearsals.ts';
import { type FleetWorld, image, openFleetWorld, releaseOf } from '../support/fleet-world.ts';
import { unexpected } from '../support/world.ts';

let world: FleetWorld;
let rehearsals: Rehearsals;
before(async () => {
  world = await openFleetWorld();
  await world.publish([
    image('a/1', 'a-hw'),
    image('a/2', 'a-hw'),
    { ...image('a/3', 'a-hw'), releaseCounter: 3 },
    { ...image('a/9', 'a-hw'), releaseCounter: 9 },
  ]);
  const { context, store: trust } = world;
  const { releases } = world.room;
  rehearsals = new Rehearsals({ context, releases, trust, failed: unexpected });
});
after(() => world.close());

/** Puts vehicles there that report an image. */
async function insertVehicles(prefix: string, count: number, name: string | null): Promise<void> {
  const { kysely } = world.test.database;
  await sql`insert into vehicle (vehicle_id, model, market, primary_ecu_id, registered_at, last_seen_at, contact_gap,
      contact_hours)
    select ${prefix} || n, 'X', 'DE', ${prefix} || n || '-0', now(), ${world.context.clock.now()}, 36000,
      decode(repeat('05', 24), 'hex')
    from generate_series(1, ${count}::int) n`.execute(kysely);
  await sql`insert into ecu (vehicle_id, ecu_id, is_primary, hardware_id, key_algorithm, public_key, installed_name,
      installed_sha256, installed_at)
    select vehicle_id, vehicle_id || '-0', true, 'a-hw', 'unknown', ''::bytea, ${name},
      (select sha256 from image where name = ${name}), now()
    from vehicle where vehicle_id like ${`${prefix}%`}`.execute(kysely);
}

type Result = NonNullable<ReturnType<typeof campaignSchemas.rehearsalSchema.parse>['result']>;

function resultOf(row: StoredRehearsal | undefined): Result {
  assert.equal(row?.state, 'done', row?.problem ?? 'it is not done');
  const parsed = campaignSchemas.rehearsalSchema.shape.result.parse(row.result);
  assert.ok(parsed !== undefined);
  return parsed;
}

async function campaignOf(query: string, changes: object = {}): Promise<string> {
  const releaseId = await world.release(
    releaseOf({ 'a-hw': 'a/3' }, [
      { hardwareId: 'a-hw', name: 'a/2', installsOver: ['a/1'] },
      { hardwareId: 'a-hw', name: 'a/3', installsOver: ['a/2', 'a/9'] },
    ]),
  );
  return await world.room.campaigns.create({
    name: `campaign ${query}`,
    releaseId,
    query,
    createdBy: 'author',
    ...changes,
  });
}

async function rehearseOf(campaignId: string): Promise<Result> {
  const campaign = await world.room.campaigns.load(campaignId);
  await rehearsals.begin(campaign, 'operator');
  await rehearsals.settled();
  return resultOf(await rehearsals.find(campaign));
}

describe('a rehearsal', () => {
  it('tells who is hit, who is not and why, what it weighs, and when it will be done', async () => {
    await insertVehicles('old-', 40, 'a/1');
    await insertVehicles('mid-', 10, 'a/2');
    await insertVehicles('new-', 5, 'a/3');
    await insertVehicles('dumb-', 2, null);
    await insertVehicles('other-', 3, 'b/1');
    await sql`update vehicle set quarantined = true where vehicle_id = 'mid-1'`.execute(
      world.test.database.kysely,
    );
    const campaignId = await campaignOf('vehicle.model == "X"', {
      waves: [
        { name: 'first', upToPermille: 100 },
        { name: 'all', upToPermille: 1000 },
      ],
    });
    const result = await rehearseOf(campaignId);
    assert.equal(result.matched, 60);
    assert.equal(result.plannable, 49);
    assert.equal(result.alreadyThere, 5);
    assert.deepEqual(
      Object.fromEntries(result.blocked.map(({ reason, vehicles }) => [reason, vehicles])),
      { NO_PATH: 3, NOT_SEEN: 2, QUARANTINED: 1 },
    );
    assert.deepEqual(result.blocked.find(({ reason }) => reason === 'QUARANTINED')?.sample, [
      'mid-1',
    ]);
    const [first] = result.variants;
    assert.deepEqual(
      [first?.source, first?.vehicles, first?.plannable, first?.steps],
      ['a-hw=a/1', 40, 40, 2],
    );
    const length = Buffer.from('bytes of a/1').length;
    assert.equal(result.bytes.full, 40 * 2 * length + 9 * length);
    assert.ok(result.bytes.delta < result.bytes.full);
    assert.equal(result.bytes.estimated, result.bytes.delta);
    assert.deepEqual(
      result.waves.map(({ vehicles }) => vehicles).reduce((sum, one) => sum + one, 0),
      60,
    );
    assert.ok((result.waves[0]?.vehicles ?? 0) >= 4 && (result.waves[0]?.vehicles ?? 0) <= 8);
    const last = result.forecast.at(-1);
    assert.ok(last !== undefined && last.low <= last.middle && last.middle <= last.high);
    assert.equal(last.high, 49);
    assert.ok(result.hoursTo95 !== undefined && result.hoursTo95 > 10 && result.hoursTo95 < 400);
  });

  it('is the same for the same content, and begins once while it runs', async () => {
    const campaignId = await campaignOf('vehicle.id.startsWith("old-")');
    const campaign = await world.room.campaigns.load(campaignId);
    const begun = await rehearsals.begin(campaign, 'operator');
    const again = await rehearsals.begin(campaign, 'operator');
    assert.equal(again.rehearsal_id, begun.rehearsal_id);
    await rehearsals.settled();
    const one = resultOf(await rehearsals.find(campaign));
    const other = await rehearseOf(campaignId);
    assert.deepEqual(other, one);
    assert.notEqual((await rehearsals.find(campaign))?.rehearsal_id, begun.rehearsal_id);
  });

  it('finds what would strand vehicles, and only that forbids approval', async () => {
    const { kysely } = world.test.database;
    await insertVehicles('high-', 7, 'a/9');
    await sql`insert into device_certificate (serial, authority, vehicle_id, not_after)
      values ('x1', 'a', 'high-1', ${world.context.clock.now().subtract({ hours: 1 })}),
        ('x2', 'a', 'high-2', ${world.context.clock.now().add({ hours: 48 })})`.execute(kysely);
    const result = await rehearseOf(await campaignOf('vehicle.id.startsWith("high-")'));
    const found = new Map(result.stranding.map((one) => [one.check, one]));
    assert.deepEqual(found.get('release-counter')?.vehicles, 7);
    assert.equal(found.get('release-counter')?.isBlocking, true);
    assert.equal(found.get('certificate-ended')?.vehicles, 1);
    assert.equal(found.get('certificate-ending')?.vehicles, 1);
    assert.equal(found.get('certificate-ending')?.isBlocking, false);
    const sound = await rehearseOf(await campaignOf('vehicle.id.startsWith("mid-")'));
    assert.deepEqual(
      sound.stranding.filter(({ isBlocking }) => isBlocking),
      [],
    );
  });

  it('finds a gap in the chain of Root, and Root that has ended', async () => {
    const { kysely } = world.test.database;
    await sql`insert into metadata_file (repository, dialect, role, version, bytes, expires_at)
      values ('image', 'aktualizr', 'root', 3, '', ${world.context.clock.now()})`.execute(kysely);
    const result = await rehearseOf(await campaignOf('vehicle.id.startsWith("mid-1")'));
    const blocking = result.stranding.filter(({ isBlocking }) => isBlocking);
    const checks = new Set(blocking.map(({ check }) => check));
    assert.ok(checks.has('root-chain') && checks.has('metadata-expiry'));
    await sql`delete from metadata_file where version = 3 and role = 'root'`.execute(kysely);
  });

  it('names other live campaigns that want the same vehicles', async () => {
    const { kysely } = world.test.database;
    const own = await campaignOf('vehicle.id.startsWith("mid-")');
    const other = await campaignOf('vehicle.id == "mid-2"');
    await sql`update campaign set state = 'running', priority = 900 where campaign_id = ${other}`.execute(
      kysely,
    );
    await sql`insert into campaign_vehicle (vehicle_id, campaign_id, state, reason)
      values ('mid-2', ${other}, 'targeted', 'NOT_SEEN')`.execute(kysely);
    const { conflicts } = await rehearseOf(own);
    assert.deepEqual(
      conflicts.map(({ campaignId, vehicles }) => [campaignId, vehicles]),
      [[other, 1]],
    );
    assert.match(conflicts[0]?.explanation ?? '', /goes first/);
  });

  it('is taken up again when whoever ran it died, and not while it lives', async () => {
    const campaign = await world.room.campaigns.load(await campaignOf('vehicle.model == "X"'));
    const begun = await rehearsals.begin(campaign, 'operator');
    await rehearsals.settled();
    await sql`update rehearsal set state = 'running', ended_at = null, result = null
      where rehearsal_id = ${begun.rehearsal_id}`.execute(world.test.database.kysely);
    assert.equal((await rehearsals.find(campaign))?.state, 'running');
    await rehearsals.settled();
    assert.equal((await rehearsals.find(campaign))?.state, 'running');
    world.context.clock.advance({ minutes: 6 });
    await rehearsals.find(campaign);
    await rehearsals.settled();
    resultOf(await rehearsals.find(campaign));
  });

  it('fails with its reason when the campaign was changed under it', async () => {
    const campaign = await world.room.campaigns.load(await campaignOf('vehicle.model == "Y"'));
    await sql`insert into rehearsal (rehearsal_id, campaign_id, content_sha256, state, seed, created_by, started_at, beat_at)
      values ('stale', ${campaign.campaign_id}, 'other', 'running', 's', 'x', ${world.context.clock.now()},
        ${world.context.clock.now()})`.execute(world.test.database.kysely);
    world.context.clock.advance({ seconds: 1 });
    const fresh = await rehearsals.begin(campaign, 'operator');
    assert.notEqual(fresh.rehearsal_id, 'stale');
    await rehearsals.settled();
    const stale = await world.test.database.kysely
      .selectFrom('rehearsal')
      .select(['state', 'problem'])
      .where('rehearsal_id', '=', 'stale')
      .executeTakeFirst();
    assert.equal(stale?.state, 'failed');
    assert.ok(stale.problem);
    assert.equal(resultOf(await rehearsals.find(campaign)).matched, 0);
  });
});
