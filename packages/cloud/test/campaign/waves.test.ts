import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { REASONS } from '@immota/api';
import { saveVehicle } from '../../src/index.ts';
import { NEW, OLD, type CampaignFleet, openCampaignFleet } from '../support/campaign-fleet.ts';
import type { TestVehicle } from '../support/vehicle.ts';

let fleet: CampaignFleet;
before(async () => {
  fleet = await openCampaignFleet();
});
after(() => fleet.world.close());
beforeEach(() => fleet.empty());

const TWO_WAVES = [
  { name: 'first', upToPermille: 300, outcomesMin: 2, successPermille: 900 },
  { name: 'all', upToPermille: 1000 },
];
/** Nothing holds it, whatever fails. */
const UNGUARDED = { failurePermilleMax: 1000, harmPermilleMax: 1000 };

/** The vehicles of a wave, and those that are left untouched. */
async function members(
  campaignId: string,
  wave: number,
): Promise<{ readonly treated: readonly string[]; readonly controls: readonly string[] }> {
  const rows = await fleet.world.test.database.kysely
    .selectFrom('campaign_vehicle')
    .select(['vehicle_id', 'is_control'])
    .where('campaign_id', '=', campaignId)
    .where('wave', '=', wave)
    .orderBy('vehicle_id')
    .execute();
  const ids = (isControl: boolean): readonly string[] =>
    rows.filter((row) => row.is_control === isControl).map((row) => row.vehicle_id);
  return { treated: ids(false), controls: ids(true) };
}

function textOf(value: unknown): string {
  assert.ok(typeof value === 'string');
  return value;
}

function pick(all: readonly TestVehicle[], ids: readonly string[]): readonly TestVehicle[] {
  return all.filter(({ id }) => ids.includes(id));
}

async function stateOf(campaignId: string): Promise<string> {
  return (await fleet.world.room.campaigns.load(campaignId)).state;
}

async function openWaveOf(campaignId: string): Promise<number> {
  return (await fleet.world.room.campaigns.load(campaignId)).open_wave;
}

describe('a campaign in waves', () => {
  it('gives each wave its share of every stratum, and says what the others wait for', async () => {
    await fleet.vehicles(20, 'x');
    await fleet.vehicles(10, 'y');
    for (let index = 0; index < 10; index += 1) {
      await saveVehicle(fleet.world.context, { vehicleId: `y${index}`, model: 'Y' });
    }
    const campaignId = await fleet.started({ waves: TWO_WAVES });
    const { treated } = await members(campaignId, 1);
    assert.ok([8, 9, 10].includes(treated.length), String(treated.length));
    assert.ok([5, 6, 7, 8].includes(treated.filter((id) => id.startsWith('x')).length));
    const { treated: later } = await members(campaignId, 2);
    const [id = ''] = later;
    const why = await fleet.why(id);
    assert.deepEqual([why.state, why.reason], ['targeted', 'LATER_WAVE']);
    assert.deepEqual(why.measured, { wave: 2, openWave: 1 });
    const left = await fleet.world.test.database.kysely
      .selectFrom('campaign_order')
      .selectAll()
      .execute();
    assert.equal(left.length, 0);
  });

  it('offers nothing to a later wave before it opens, and all of it after', async () => {
    const all = await fleet.vehicles(10);
    const campaignId = await fleet.started({ waves: TWO_WAVES });
    const [early, late] = [await members(campaignId, 1), await members(campaignId, 2)];
    for (const vehicle of all) await fleet.world.report(vehicle);
    for (const id of early.treated) assert.notEqual(await fleet.world.offer(id), undefined);
    for (const id of late.treated) assert.equal(await fleet.world.offer(id), undefined);
    await fleet.world.room.campaigns.advance();
    assert.equal(await openWaveOf(campaignId), 1);
    for (const vehicle of pick(all, early.treated)) await fleet.install(vehicle);
    await fleet.world.room.campaigns.advance();
    assert.equal(await openWaveOf(campaignId), 2);
    const [id = ''] = late.treated;
    assert.equal((await fleet.why(id)).reason, 'NOT_SEEN');
    for (const vehicle of pick(all, late.treated)) await fleet.install(vehicle);
    assert.equal(await stateOf(campaignId), 'finished');
    const events = await fleet.world.eventsOf('fleet');
    assert.equal(events.filter((kind) => kind === 'campaign.wave-opened').length, 2);
  });

  it('opens no wave while too few are healthy, and says in numbers what is missing', async () => {
    const all = await fleet.vehicles(10);
    const waves = [
      { ...TWO_WAVES[0], name: 'first', upToPermille: 300 },
      { name: 'all', upToPermille: 1000 },
    ];
    const campaignId = await fleet.started({ waves, guard: UNGUARDED });
    const { treated } = await members(campaignId, 1);
    const [bad, ...good] = pick(all, treated);
    assert.ok(bad !== undefined && good.length >= 1 && good.length < 9);
    for (let attempt = 0; attempt < 3; attempt += 1) await fleet.fail(bad, campaignId);
    for (const vehicle of good) await fleet.install(vehicle);
    await fleet.world.room.campaigns.advance();
    assert.equal(await openWaveOf(campaignId), 1);
    await assert.rejects(fleet.world.room.campaigns.openWave(campaignId, 3, 'ann'), {
      code: 'CAMPAIGN_STATE',
    });
    await fleet.world.room.campaigns.openWave(campaignId, 2, 'ann');
    assert.equal(await openWaveOf(campaignId), 2);
  });

  it('waits for an operator where its plan says so', async () => {
    const all = await fleet.vehicles(6);
    const waves = [
      { name: 'first', upToPermille: 500, isManual: true },
      { name: 'all', upToPermille: 1000 },
    ];
    const campaignId = await fleet.started({ waves });
    for (const vehicle of pick(all, (await members(campaignId, 1)).treated)) {
      await fleet.install(vehicle);
    }
    await fleet.world.room.campaigns.advance();
    assert.equal(await openWaveOf(campaignId), 1);
    await fleet.world.room.campaigns.openWave(campaignId, 2, 'ann');
    assert.equal(await openWaveOf(campaignId), 2);
  });

  it('counts as healthy who stayed so for as long as its wave says, by a later report', async () => {
    const [one] = await fleet.vehicles(1);
    assert.ok(one !== undefined);
    const waves = [{ name: 'all', upToPermille: 1000, soakMinutes: 60 }];
    const campaignId = await fleet.started({ waves });
    await fleet.install(one);
    assert.deepEqual(await standing(campaignId), ['updated', 'booted', 'unknown', '']);
    fleet.world.context.clock.advance({ minutes: 59 });
    await fleet.world.report(one);
    assert.deepEqual(await standing(campaignId), ['updated', 'booted', 'unknown', '']);
    fleet.world.context.clock.advance({ minutes: 1 });
    await fleet.world.report(one);
    assert.deepEqual(await standing(campaignId), ['updated', 'healthy', 'healthy', 'good']);
  });

  it('finds a vehicle unhealthy that reports new trouble codes, and none that had them before', async () => {
    const [ill, same] = await fleet.vehicles(2);
    assert.ok(ill !== undefined && same !== undefined);
    same.primary.custom = { health: { troubleCodes: ['u0100'] } };
    await fleet.world.report(same);
    await fleet.started({ guard: UNGUARDED });
    await fleet.install(same);
    assert.equal((await fleet.why(same.id)).reason, undefined);
    await fleet.world.report(ill);
    ill.primary.custom = { health: { troubleCodes: ['p0a80'] } };
    await fleet.install(ill);
    const why = await fleet.why(ill.id);
    assert.deepEqual([why.state, why.reason, why.health], ['updated', 'UNHEALTHY', 'unhealthy']);
    assert.deepEqual(why.measured, { troubleCodes: [`ECU-${ill.id}:p0a80`] });
    assert.equal(why.text.actor, REASONS.UNHEALTHY.actor);
  });
});

async function standing(campaignId: string): Promise<readonly string[]> {
  const row = await fleet.world.test.database.kysely
    .selectFrom('campaign_vehicle')
    .select(['state', 'stage', 'health', 'outcome'])
    .where('campaign_id', '=', campaignId)
    .executeTakeFirstOrThrow();
  return [row.state, row.stage, row.health, row.outcome];
}

describe('the guard', () => {
  it('holds the campaign with the report that breaks it, and signs no offer after', async () => {
    const [first, second, third, fourth] = await fleet.vehicles(4);
    assert.ok(first && second && third && fourth);
    const campaignId = await fleet.started();
    await fleet.world.report(third);
    assert.notEqual(await fleet.world.offer(third.id), undefined);
    await fleet.fail(first, campaignId);
    assert.equal(await stateOf(campaignId), 'running');
    await fleet.fail(second, campaignId);
    assert.equal(await stateOf(campaignId), 'held');
    // What is offered and not fetched is withdrawn at the next contact; nobody else is offered it.
    for (const vehicle of [third, fourth]) await fleet.world.report(vehicle);
    assert.equal(await fleet.world.offer(third.id), undefined);
    assert.equal(await fleet.world.offer(fourth.id), undefined);
    const why = await fleet.why(fourth.id);
    assert.deepEqual([why.reason, why.text.actor], ['CAMPAIGN_HELD', 'operator']);
    assert.match(textOf(why.measured['explanation']), /^2 of 2 updates of wave 1 failed/);
    const events = await fleet.world.eventsOf('fleet');
    assert.equal(events.filter((kind) => kind === 'campaign.held').length, 1);
  });

  it('is resumed with a reason, and its test begins anew for what comes after', async () => {
    const [first, second, third, fourth] = await fleet.vehicles(4);
    assert.ok(first && second && third && fourth);
    const { campaigns } = fleet.world.room;
    const campaignId = await fleet.started();
    for (const vehicle of [first, second]) await fleet.fail(vehicle, campaignId);
    await assert.rejects(campaigns.start(campaignId, 'ann'), { code: 'CAMPAIGN_STATE' });
    await campaigns.resume(campaignId, 'ann', 'a loose connector in both of them');
    const { state, hold } = await campaigns.load(campaignId);
    assert.deepEqual([state, hold], ['running', null]);
    await fleet.install(third);
    assert.equal(await stateOf(campaignId), 'running');
    await assert.rejects(campaigns.resume(campaignId, 'ann', 'again'), { code: 'CAMPAIGN_STATE' });
    assert.ok((await fleet.world.eventsOf('fleet')).includes('campaign.resumed'));
  });

  it('counts each vehicle once, however often it fails', async () => {
    const [only] = await fleet.vehicles(2);
    assert.ok(only !== undefined);
    const campaignId = await fleet.started();
    for (let attempt = 0; attempt < 3; attempt += 1) await fleet.fail(only, campaignId);
    assert.equal((await fleet.why(only.id)).state, 'failed');
    assert.equal(await stateOf(campaignId), 'running');
  });

  it('leaves controls untouched, and holds when treated vehicles fall ill and they do not', async () => {
    const all = await fleet.vehicles(60);
    const waves = [
      { name: 'half', upToPermille: 500, outcomesMin: 60 },
      { name: 'all', upToPermille: 1000 },
    ];
    const guard = { controlPermille: 300, failurePermilleMax: 1000, harmPermilleMax: 20 };
    const campaignId = await fleet.started({ waves, guard });
    const { controls } = await members(campaignId, 2);
    assert.ok(controls.length >= 15 && controls.length <= 21, String(controls.length));
    for (const vehicle of pick(all, controls)) await fleet.world.report(vehicle);
    for (const id of controls) assert.equal(await fleet.world.offer(id), undefined);
    const [control = ''] = controls;
    assert.equal((await fleet.why(control)).reason, 'CONTROL_GROUP');
    for (const vehicle of pick(all, (await members(campaignId, 1)).treated)) {
      await fleet.world.report(vehicle);
      vehicle.primary.custom = { health: { troubleCodes: ['c1234'] } };
      if ((await fleet.world.offer(vehicle.id)) === undefined) break;
      vehicle.primary.image = NEW;
      await fleet.world.report(vehicle);
    }
    const { state, hold } = await fleet.world.room.campaigns.load(campaignId);
    assert.deepEqual([state, hold?.['rule']], ['held', 'harm']);
  });
});

describe('the policy of a campaign', () => {
  it('makes no more offers in an hour than its cap, and tells until when', async () => {
    const all = await fleet.vehicles(5);
    const rate = { vehiclesPerHour: 2 };
    await fleet.started({ policy: { rate } });
    for (const vehicle of all) await fleet.world.report(vehicle);
    const offers = await Promise.all(all.map(({ id }) => fleet.world.offer(id)));
    assert.equal(offers.filter((offer) => offer !== undefined).length, 2);
    const why = await fleet.why('v4');
    assert.deepEqual([why.reason, why.measured['cap']], ['RATE_CAP', rate]);
    fleet.world.context.clock.advance({ hours: 1 });
    for (const vehicle of all) await fleet.world.report(vehicle);
    const later = await Promise.all(all.map(({ id }) => fleet.world.offer(id)));
    assert.equal(later.filter((offer) => offer !== undefined).length, 4);
  });

  it('keeps its cap also when all come at once', async () => {
    const all = await fleet.vehicles(12);
    await fleet.started({ policy: { rate: { vehiclesPerHour: 5 } } });
    await Promise.all(all.map((vehicle) => fleet.world.report(vehicle)));
    const offers = await Promise.all(all.map(({ id }) => fleet.world.offer(id)));
    assert.equal(offers.filter((offer) => offer !== undefined).length, 5);
  });

  it('spreads first offers over its time, the same for a vehicle each time', async () => {
    const all = await fleet.vehicles(8);
    await fleet.started({ policy: { spreadMinutes: 600 } });
    for (const vehicle of all) await fleet.world.report(vehicle);
    const why = await fleet.why('v0');
    assert.equal(why.reason, 'SPREAD');
    const until = Temporal.Instant.from(textOf(why.measured['until']));
    const { clock } = fleet.world.context;
    clock.advance(until.since(clock.now()));
    const [one] = all;
    assert.ok(one !== undefined);
    await fleet.world.report(one);
    assert.notEqual(await fleet.world.offer('v0'), undefined);
  });

  it('leaves a vehicle alone that failed, for as long as it says, and tells why', async () => {
    const [one] = await fleet.vehicles(2);
    assert.ok(one !== undefined);
    const retries = { attemptsMax: 3, penaltyHours: 4 };
    const campaignId = await fleet.started({ policy: { retries } });
    await fleet.fail(one, campaignId);
    const why = await fleet.why(one.id);
    assert.deepEqual([why.state, why.reason], ['targeted', 'PENALTY_BOX']);
    assert.equal(why.measured['because'], 'INSTALL_FAILED');
    assert.equal(await fleet.world.offer(one.id), undefined);
    await fleet.world.report(one);
    assert.equal(await fleet.world.offer(one.id), undefined);
    fleet.world.context.clock.advance({ hours: 4 });
    await fleet.world.report(one);
    assert.notEqual(await fleet.world.offer(one.id), undefined);
  });

  it('offers nothing new after its end', async () => {
    const [one, two] = await fleet.vehicles(2);
    assert.ok(one !== undefined && two !== undefined);
    const endsAt = fleet.world.context.clock.now().add({ hours: 1 }).toString();
    await fleet.started({ policy: { endsAt } });
    await fleet.world.report(one);
    fleet.world.context.clock.advance({ hours: 1 });
    for (const vehicle of [one, two]) await fleet.world.report(vehicle);
    assert.notEqual(await fleet.world.offer(one.id), undefined);
    assert.deepEqual((await fleet.why(two.id)).reason, 'CAMPAIGN_OVER');
  });

  it('offers nothing of a release that was blocked, not even what was offered', async () => {
    const [one] = await fleet.vehicles(1);
    assert.ok(one !== undefined);
    await fleet.started();
    await fleet.world.report(one);
    const { kysely } = fleet.world.test.database;
    const block = async (because: string | null): Promise<void> => {
      await kysely.updateTable('release').set({ blocked_because: because }).execute();
    };
    await block('CVE-2026-1');
    await fleet.world.report(one);
    assert.equal(await fleet.world.offer(one.id), undefined);
    const why = await fleet.why(one.id);
    assert.deepEqual([why.reason, why.measured], ['RELEASE_BLOCKED', { because: 'CVE-2026-1' }]);
    await block(null);
    await fleet.world.report(one);
    assert.notEqual(await fleet.world.offer(one.id), undefined);
  });

  it('lets the higher priority go first, whichever is older', async () => {
    const [one] = await fleet.vehicles(1);
    assert.ok(one !== undefined);
    await fleet.started({ name: 'ordinary' });
    fleet.world.context.clock.advance({ hours: 1 });
    const urgent = await fleet.started({ name: 'urgent', policy: { priority: 900 } });
    await fleet.world.report(one);
    assert.equal((await fleet.world.offer(one.id))?.campaignId, urgent);
  });

  it('takes in who comes to match while it runs, if it says so, and nobody otherwise', async () => {
    await fleet.vehicles(1);
    const query = 'vehicle.model == "X"';
    const closed = await fleet.started({ query });
    const open = await fleet.started({ query, policy: { joins: true } });
    const [late] = await fleet.vehicles(1, 'late');
    assert.ok(late !== undefined);
    assert.equal(await fleet.world.place(late.id, open), undefined);
    await saveVehicle(fleet.world.context, { vehicleId: late.id, model: 'X' });
    await fleet.world.report(late);
    assert.equal((await fleet.world.place(late.id, open))?.state, 'offered');
    assert.equal(await fleet.world.place(late.id, closed), undefined);
  });

  it('is signed for the vehicle to heed, and only where it says something', async () => {
    const [one] = await fleet.vehicles(1);
    assert.ok(one !== undefined);
    const precondition = 'Vehicle.Speed == 0.0';
    const window = { from: '22:00', to: '05:00' };
    await fleet.started({ policy: { precondition, window, network: 'wifi' } });
    await fleet.world.report(one);
    const row = await fleet.world.test.database.kysely
      .selectFrom('vehicle_director')
      .select('targets')
      .where('vehicle_id', '=', one.id)
      .executeTakeFirstOrThrow();
    const text = Buffer.from(row.targets).toString();
    assert.ok(text.includes(precondition) && text.includes('"network":"wifi"'));
  });

  it('is refused when its parts contradict each other', async () => {
    const refused = [
      { policy: { precondition: 'speed == 0' } },
      { policy: { precondition: 'Vehicle.Speed.filter(x, true)' } },
      { waves: [{ name: 'a', upToPermille: 500 }] },
      {
        waves: [
          { name: 'a', upToPermille: 1000 },
          { name: 'b', upToPermille: 1000 },
        ],
      },
      { guard: { controlPermille: 100 } },
    ];
    for (const plan of refused) {
      await assert.rejects(fleet.started(plan), { code: 'CAMPAIGN_MALFORMED' });
    }
  });
});

describe('an updated vehicle', () => {
  it('is updated no more when a signed report names another image, and is offered the release again', async () => {
    const [one] = await fleet.vehicles(2);
    assert.ok(one !== undefined);
    await fleet.started();
    await fleet.install(one);
    assert.equal((await fleet.why(one.id)).state, 'updated');
    one.primary.image = OLD;
    await fleet.world.report(one);
    const why = await fleet.why(one.id);
    assert.notEqual(why.state, 'updated');
    assert.equal(why.attempts, 1);
    assert.notEqual(await fleet.world.offer(one.id), undefined);
  });

  it('is told as failed when its campaign is over', async () => {
    const [one] = await fleet.vehicles(1);
    assert.ok(one !== undefined);
    const campaignId = await fleet.started();
    await fleet.install(one);
    assert.equal(await stateOf(campaignId), 'finished');
    one.primary.image = OLD;
    await fleet.world.report(one);
    const why = await fleet.why(one.id);
    assert.deepEqual([why.state, why.reason], ['failed', 'TAKEN_BACK']);
  });
});
