import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { transaction } from '@immota/store';
import { parseVehicleIdentifier } from '@immota/uptane';
import { listMembers, type MemberPage } from '../../src/campaign/members.ts';
import { explainVehicle } from '../../src/campaign/why-not.ts';
import { correlationOf } from '../../src/campaign/correlation.ts';
import { saveVehicle, setQuarantine } from '../../src/index.ts';
import { type FleetWorld, image, openFleetWorld, releaseOf } from '../support/fleet-world.ts';
import { installationReport, type TestVehicle } from '../support/vehicle.ts';

const images = [image('a/2', 'a-hw'), image('a/3', 'a-hw'), image('b/2', 'b-hw')] as const;
let world: FleetWorld;
let releaseId: string;
let chainId: string;
before(async () => {
  world = await openFleetWorld();
  await world.publish(images);
  releaseId = await world.release(
    releaseOf({ 'a-hw': 'a/2' }, [{ hardwareId: 'a-hw', name: 'a/2', installsOver: 'any' }]),
  );
  chainId = await world.release(
    releaseOf({ 'a-hw': 'a/3' }, [
      { hardwareId: 'a-hw', name: 'a/2', installsOver: ['a/1'] },
      { hardwareId: 'a-hw', name: 'a/3', installsOver: ['a/2'] },
    ]),
  );
});
after(() => world.close());
beforeEach(async () => {
  await transaction(world.test.database, (tx) => tx.deleteFrom('campaign_vehicle').execute());
  await transaction(world.test.database, (tx) => tx.deleteFrom('vehicle').execute());
  await transaction(world.test.database, (tx) => tx.deleteFrom('campaign').execute());
});

async function create(query = 'true', release = releaseId): Promise<string> {
  const description = { name: 'c', releaseId: release, query, createdBy: 'ann' };
  return await world.room.campaigns.create(description);
}

async function started(query?: string, release?: string): Promise<string> {
  const campaignId = await create(query, release);
  await world.room.campaigns.start(campaignId, 'ann');
  return campaignId;
}

/** A vehicle of one ECU that runs an image. */
async function vehicle(id: string, name = 'a/1'): Promise<TestVehicle> {
  const made = await world.register(id, [[`ECU-${id}`, 'a-hw']]);
  made.primary.image = images.find((one) => one.name === name) ?? image(name, 'a-hw');
  await world.report(made);
  return made;
}

async function stand(id: string, campaignId: string): Promise<readonly [string?, string?]> {
  const place = await world.place(id, campaignId);
  return place === undefined ? [] : [place.state, place.reason ?? ''];
}

describe('Campaigns.create()', () => {
  it('plans a campaign and offers nothing', async () => {
    const one = await vehicle('v1');
    const campaignId = await create();
    const { campaign, counts } = await world.room.campaigns.status(campaignId);
    assert.deepEqual([campaign.state, campaign.created_by, counts], ['planned', 'ann', {}]);
    await world.report(one);
    assert.equal(await world.offer('v1'), undefined);
    assert.ok((await world.eventsOf('fleet')).includes('campaign.created'));
  });
  it('refuses a query that is none', async () => {
    await assert.rejects(create('vehicle.'), { code: 'QUERY_MALFORMED' });
  });
  it('refuses a release that there is not', async () => {
    await assert.rejects(create('true', 'none'), { code: 'NOT_FOUND' });
  });
});

describe('Campaigns.start()', () => {
  it('gives every vehicle that the query means its place and its reason', async () => {
    await vehicle('old');
    await vehicle('new', 'a/2');
    await vehicle('other');
    await saveVehicle(world.context, { vehicleId: 'other', model: 'X9' });
    await saveVehicle(world.context, { vehicleId: 'unregistered' });
    await world.register('silent', [['ECU-s', 'a-hw']]);
    await world.register('foreign', [['ECU-f', 'z-hw']]);
    await vehicle('barred');
    await setQuarantine(world.context, 'barred', true);
    const campaignId = await started('vehicle.model != "X9"');
    assert.deepEqual(await stand('old', campaignId), ['targeted', 'NOT_SEEN']);
    assert.deepEqual(await stand('new', campaignId), ['not-needed', 'ALREADY_RUNS_IT']);
    assert.deepEqual(await stand('other', campaignId), []);
    assert.deepEqual(await stand('unregistered', campaignId), ['blocked', 'NEVER_REGISTERED']);
    assert.deepEqual(await stand('silent', campaignId), ['targeted', 'NOT_SEEN']);
    assert.deepEqual(await stand('foreign', campaignId), ['blocked', 'HARDWARE_UNKNOWN']);
    assert.deepEqual(await stand('barred', campaignId), ['blocked', 'QUARANTINED']);
    const { counts } = await world.room.campaigns.status(campaignId);
    assert.deepEqual(counts, { targeted: 2, 'not-needed': 1, blocked: 3 });
  });

  it('goes through the fleet in pages', async () => {
    await transaction(world.test.database, async (tx) => {
      const rows = Array.from({ length: 2345 }, (_, index) => ({ vehicle_id: `p${index}` }));
      await tx.insertInto('vehicle').values(rows).execute();
    });
    const campaignId = await create();
    const seen: (readonly [number, number])[] = [];
    const { counts } = await world.room.campaigns.start(campaignId, 'ann', (looked, targeted) => {
      seen.push([looked, targeted]);
    });
    assert.deepEqual(counts, { blocked: 2345 });
    assert.deepEqual(seen, [
      [1000, 1000],
      [2000, 2000],
      [2345, 2345],
    ]);
  });

  it('takes in who came since when it is resumed, and leaves the others where they are', async () => {
    await vehicle('v1');
    const campaignId = await started();
    const first = await world.room.campaigns.status(campaignId);
    await world.observe([{ kind: 'blocked', reason: 'NO_PATH', ...of('v1', campaignId) }]);
    await world.room.campaigns.pause(campaignId, 'ann');
    await vehicle('v2');
    world.context.clock.advance({ hours: 1 });
    const second = await world.room.campaigns.start(campaignId, 'ann');
    assert.deepEqual(await stand('v1', campaignId), ['blocked', 'NO_PATH']);
    assert.deepEqual(await stand('v2', campaignId), ['targeted', 'NOT_SEEN']);
    const started_at = first.campaign.started_at?.toString();
    assert.equal(second.campaign.started_at?.toString(), started_at);
  });
});

function of(
  id: string,
  campaignId: string,
): {
  vehicleId: ReturnType<typeof parseVehicleIdentifier>;
  at: Temporal.Instant;
  correlationId: string;
} {
  return {
    vehicleId: parseVehicleIdentifier(id),
    at: world.context.clock.now(),
    correlationId: correlationOf(campaignId),
  };
}

describe('a campaign', () => {
  it('goes only the ways there are', async () => {
    const { campaigns } = world.room;
    const campaignId = await create();
    await assert.rejects(campaigns.pause(campaignId, 'ann'), { code: 'CAMPAIGN_STATE' });
    assert.equal((await campaigns.start(campaignId, 'ann')).campaign.state, 'running');
    await assert.rejects(campaigns.start(campaignId, 'ann'), { code: 'CAMPAIGN_STATE' });
    assert.equal((await campaigns.pause(campaignId, 'ann')).campaign.state, 'paused');
    assert.equal((await campaigns.start(campaignId, 'ann')).campaign.state, 'running');
    assert.equal((await campaigns.cancel(campaignId, 'ann')).campaign.state, 'cancelled');
    for (const move of ['start', 'pause', 'cancel'] as const) {
      await assert.rejects(campaigns[move](campaignId, 'ann'), { code: 'CAMPAIGN_STATE' });
      await assert.rejects(campaigns[move]('none', 'ann'), { code: 'NOT_FOUND' });
    }
    const events = await world.eventsOf('fleet');
    const kinds = events.filter((kind) => kind !== 'campaign.targets-frozen').slice(-6);
    assert.deepEqual(
      kinds,
      ['created', 'started', 'wave-opened', 'paused', 'started', 'cancelled'].map(
        (kind) => `campaign.${kind}`,
      ),
    );
  });

  it('withdraws what it offered when it is paused, and offers it again when resumed', async () => {
    const one = await vehicle('v1');
    const campaignId = await started();
    await world.report(one);
    assert.deepEqual(await stand('v1', campaignId), ['offered', 'OFFERED']);
    await world.room.campaigns.pause(campaignId, 'ann');
    const [why] = await explainVehicle(world.test.database, 'v1');
    assert.equal(why?.reason, 'CAMPAIGN_NOT_RUNNING');
    await world.report(one);
    assert.equal(await world.offer('v1'), undefined);
    await world.room.campaigns.start(campaignId, 'ann');
    await world.report(one);
    assert.equal((await world.offer('v1'))?.campaignId, campaignId);
  });

  it('cancels who waits, in pages, and nobody who is updated', async () => {
    const one = await vehicle('v1');
    await vehicle('v2');
    const campaignId = await started();
    await world.report(one);
    one.primary.image = images[0];
    await world.report(one);
    assert.deepEqual(await stand('v1', campaignId), ['updated', '']);
    const { counts } = await world.room.campaigns.cancel(campaignId, 'ann');
    assert.deepEqual(counts, { updated: 1, cancelled: 1 });
    assert.deepEqual(await stand('v2', campaignId), ['cancelled', 'CANCELLED']);
  });

  it('counts who completes the update although it was cancelled: truth comes from the car', async () => {
    const one = await vehicle('v1');
    const campaignId = await started();
    await world.report(one);
    await world.director.load('v1', 'targets');
    await world.room.campaigns.cancel(campaignId, 'ann');
    one.primary.image = images[0];
    await world.report(one);
    assert.deepEqual(await stand('v1', campaignId), ['updated', '']);
  });

  it('lists the newest first, page by page, with counts', async () => {
    await vehicle('v1');
    const ids = [await create(), await started(), await create()];
    const first = await world.room.campaigns.list(2);
    assert.deepEqual(
      first.map(({ campaign }) => campaign.campaign_id),
      [ids[2], ids[1]],
    );
    assert.deepEqual(first[1]?.counts, { targeted: 1 });
    const { created_at: createdAt, campaign_id: campaignId } = first[1].campaign;
    const rest = await world.room.campaigns.list(2, { createdAt, campaignId });
    assert.deepEqual(
      rest.map(({ campaign }) => campaign.campaign_id),
      [ids[0]],
    );
  });
});

describe('an update', () => {
  it('goes from targeted to updated by signed reports alone', async () => {
    const one = await vehicle('v1');
    const campaignId = await started();
    await world.report(one);
    assert.deepEqual(await stand('v1', campaignId), ['offered', 'OFFERED']);
    await world.director.load('v1', 'targets');
    assert.deepEqual(await stand('v1', campaignId), ['in-flight', 'AWAITING_REPORT']);
    // It says that all went well, and its ECU still reports the old image.
    const correlationId = correlationOf(campaignId);
    await world.report(one, { report: installationReport(correlationId, 'OK') });
    assert.deepEqual(await stand('v1', campaignId), ['in-flight', 'AWAITING_REPORT']);
    one.primary.image = { name: 'a/2', bytes: Buffer.from('other bytes') };
    await world.report(one);
    assert.notEqual((await stand('v1', campaignId))[0], 'updated');
    // On trial it may still go back: the offer stays, and nothing is settled.
    one.primary.image = images[0];
    one.primary.isTrial = true;
    await world.report(one);
    assert.notEqual((await stand('v1', campaignId))[0], 'updated');
    assert.notEqual(await world.offer('v1'), undefined);
    one.primary.isTrial = false;
    await world.report(one);
    assert.deepEqual(await stand('v1', campaignId), ['updated', '']);
    assert.equal(await world.offer('v1'), undefined);
  });

  it('takes several steps, and is updated after the last {uptane E7}', async () => {
    const one = await vehicle('v1');
    const campaignId = await started('true', chainId);
    await world.report(one);
    assert.deepEqual((await world.offer('v1'))?.images, { 'ECU-v1': 'a/2' });
    one.primary.image = images[0];
    await world.report(one);
    assert.deepEqual((await world.offer('v1'))?.images, { 'ECU-v1': 'a/3' });
    assert.deepEqual(await stand('v1', campaignId), ['offered', 'OFFERED']);
    one.primary.image = images[1];
    await world.report(one);
    assert.deepEqual(await stand('v1', campaignId), ['updated', '']);
  });

  it('offers a failed installation again, and gives up after the third', async () => {
    const one = await vehicle('v1');
    const campaignId = await started();
    const report = installationReport(correlationOf(campaignId), 'a-hw:INSTALL_FAILED');
    await world.report(one);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      assert.equal((await world.offer('v1'))?.campaignId, campaignId);
      await world.director.load('v1', 'targets');
      await world.report(one, { report });
      const place = await world.place('v1', campaignId);
      assert.deepEqual([place?.attempts, place?.reason], [attempt, 'INSTALL_FAILED']);
      assert.equal(place?.state, attempt === 3 ? 'failed' : 'in-flight');
    }
    assert.equal(await world.offer('v1'), undefined);
    await world.report(one);
    assert.equal(await world.offer('v1'), undefined);
  });

  it('gives up when the vehicle refuses without a word, time and again', async () => {
    const one = await vehicle('v1');
    const campaignId = await started();
    await world.report(one);
    for (let count = 1; count <= 3; count += 1) {
      await world.director.load('v1', 'targets');
      await world.report(one);
    }
    assert.deepEqual(await stand('v1', campaignId), ['failed', 'REFUSED_SILENTLY']);
    assert.deepEqual((await world.place('v1', campaignId))?.measured, { times: 3 });
    assert.equal(await world.offer('v1'), undefined);
  });

  it('waits with the reason that the vehicle gives, and with no other', async () => {
    const one = await vehicle('v1');
    const campaignId = await started();
    await world.report(one);
    await world.director.load('v1', 'targets');
    const correlationId = correlationOf(campaignId);
    const measured = { speed: 50 };
    await world.report(one, { progress: { correlationId, state: 'PRECONDITION', measured } });
    const place = await world.place('v1', campaignId);
    assert.deepEqual([place?.state, place?.reason], ['in-flight', 'PRECONDITION']);
    assert.deepEqual(place?.measured, measured);
    await world.report(one, { progress: { correlationId, state: 'CANCELLED', measured } });
    assert.deepEqual(await stand('v1', campaignId), ['in-flight', 'PRECONDITION']);
  });

  it('does not end by what the vehicle says of campaigns that are not its own', async () => {
    const one = await vehicle('v1');
    const mine = await started();
    await world.report(one);
    for (const correlationId of [
      'urn:immota:campaign:\0',
      correlationOf('x'),
      'other',
      correlationOf(crypto.randomUUID()),
    ]) {
      await world.report(one, { report: installationReport(correlationId, 'INSTALL_FAILED') });
    }
    assert.deepEqual(await stand('v1', mine), ['offered', 'OFFERED']);
  });
});

describe('createCampaignPlanner()', () => {
  it('ends the campaign under way before the older one begins, and says so', async () => {
    const one = await vehicle('v1');
    const young = await started('true', chainId);
    await world.report(one);
    const old = await started();
    await transaction(world.test.database, (tx) =>
      tx
        .updateTable('campaign')
        .set({ started_at: Temporal.Instant.from('2020-01-01T00:00:00Z') })
        .where('campaign_id', '=', old)
        .execute(),
    );
    await world.report(one);
    assert.equal((await world.offer('v1'))?.campaignId, young);
    assert.deepEqual(await stand('v1', old), ['blocked', 'OTHER_CAMPAIGN']);
    for (const step of [images[0], images[1]]) {
      one.primary.image = step;
      await world.report(one);
    }
    assert.deepEqual(await stand('v1', young), ['updated', '']);
    // It ran what the older one brings on its way: nothing is taken back for it.
    assert.deepEqual(await stand('v1', old), ['not-needed', 'ALREADY_RUNS_IT']);
    assert.equal(await world.offer('v1'), undefined);
  });

  it('takes the oldest of those that have something for the vehicle', async () => {
    const one = await vehicle('v1', 'a/0');
    const blocked = await started('true', chainId);
    world.context.clock.advance({ hours: 1 });
    const open = await started();
    await world.report(one);
    assert.deepEqual(await stand('v1', blocked), ['blocked', 'NO_PATH']);
    assert.equal((await world.offer('v1'))?.campaignId, open);
    // Now there is a way for the first one too.
    one.primary.image = images[0];
    await world.report(one);
    assert.deepEqual(await stand('v1', open), ['updated', '']);
    assert.equal((await world.offer('v1'))?.campaignId, blocked);
  });

  it('says at the first report what was not known when the campaign began', async () => {
    const runsIt = await world.register('runs', [['E-1', 'a-hw']]);
    const noWay = await world.register('noway', [['E-2', 'a-hw']]);
    const campaignId = await started('true', chainId);
    assert.deepEqual(await stand('runs', campaignId), ['targeted', 'NOT_SEEN']);
    runsIt.primary.image = images[1];
    await world.report(runsIt);
    assert.deepEqual(await stand('runs', campaignId), ['not-needed', 'ALREADY_RUNS_IT']);
    noWay.primary.image = image('a/0', 'a-hw');
    await world.report(noWay);
    assert.deepEqual(await stand('noway', campaignId), ['blocked', 'NO_PATH']);
    assert.deepEqual((await world.place('noway', campaignId))?.measured, { ecus: ['E-2'] });
  });

  it('withdraws an offer while an ECU is missing, and offers it again', async () => {
    const one = await world.register('v1', [
      ['P', 'b-hw'],
      ['S', 'a-hw'],
    ]);
    one.ecu(1).image = image('a/1', 'a-hw');
    await world.report(one);
    const campaignId = await started();
    await world.report(one);
    await world.report(one, { reports: [one.primary] });
    assert.deepEqual(await stand('v1', campaignId), ['blocked', 'ECU_MISSING']);
    assert.equal(await world.offer('v1'), undefined);
    await world.report(one);
    assert.deepEqual(await stand('v1', campaignId), ['offered', 'OFFERED']);
  });

  it('counts an update that was completed while the campaign was paused', async () => {
    const one = await vehicle('v1');
    const campaignId = await started();
    await world.report(one);
    await world.room.campaigns.pause(campaignId, 'ann');
    await world.report(one);
    one.primary.image = images[0];
    await world.report(one);
    await world.room.campaigns.start(campaignId, 'ann');
    await world.report(one);
    assert.deepEqual(await stand('v1', campaignId), ['updated', '']);
  });
});

describe('explainVehicle()', () => {
  it('says what holds now before what was written down', async () => {
    await vehicle('v1');
    await saveVehicle(world.context, { vehicleId: 'v2' });
    const campaignId = await started();
    await setQuarantine(world.context, 'v1', true);
    const [first] = await explainVehicle(world.test.database, 'v1');
    assert.deepEqual([first?.reason, first?.text.actor], ['QUARANTINED', 'security']);
    const [second] = await explainVehicle(world.test.database, 'v2');
    assert.deepEqual([second?.reason, second?.release], ['NEVER_REGISTERED', 'line 1']);
    await world.room.campaigns.cancel(campaignId, 'ann');
    const [third] = await explainVehicle(world.test.database, 'v1');
    assert.deepEqual([third?.state, third?.reason], ['cancelled', 'CANCELLED']);
  });

  it('has nothing to say of a vehicle in no campaign', async () => {
    await vehicle('v1');
    assert.deepEqual(await explainVehicle(world.test.database, 'v1'), []);
  });
});

describe('listMembers()', () => {
  it('lists vehicles by their ids, page by page, filtered by what holds now', async () => {
    await vehicle('v1');
    await vehicle('v2', 'a/2');
    await vehicle('v3');
    const campaignId = await started();
    const list = async (page: MemberPage): Promise<readonly [readonly string[], string?]> => {
      const campaign = await world.room.campaigns.load(campaignId);
      const request = { fleet: { tenant: 'main' }, page };
      const { items, next } = await listMembers(world.test.database, campaign, request);
      const ids = items.map((one) => one.vehicleId);
      return next === undefined ? [ids] : [ids, next];
    };
    assert.deepEqual(await list({ after: '', limit: 2 }), [['v1', 'v2'], 'v2']);
    assert.deepEqual(await list({ after: 'v2', limit: 2 }), [['v3']]);
    const by = async (filter: NonNullable<MemberPage['filter']>): Promise<readonly string[]> =>
      (await list({ after: '', limit: 9, filter }))[0];
    assert.deepEqual(await by({ state: 'not-needed' }), ['v2']);
    assert.deepEqual(await by({ reason: 'NOT_SEEN' }), ['v1', 'v3']);
    assert.deepEqual(await by({ search: 'v3' }), ['v3']);
    assert.deepEqual(await by({ hardwareId: 'a-hw', source: 'a/1' }), ['v1', 'v3']);
    assert.deepEqual(await by({ hardwareId: 'a-hw', source: 'a/' }), []);
    await world.room.campaigns.pause(campaignId, 'ann');
    assert.deepEqual(await by({ reason: 'NOT_SEEN' }), []);
    assert.deepEqual(await by({ reason: 'CAMPAIGN_NOT_RUNNING' }), ['v1', 'v3']);
  });
  it('shows nothing of another tenant, nor beyond the scope of whoever looks', async () => {
    await vehicle('v1');
    await vehicle('v2');
    await saveVehicle(world.context, { vehicleId: 'v2', model: 'X2' });
    const campaign = await world.room.campaigns.load(await started());
    const page = { after: '', limit: 9 };
    for (const [fleet, seen] of [
      [{ tenant: 'main' }, ['v1', 'v2']],
      [{ tenant: 'main', query: 'vehicle.model == "X2"' }, ['v2']],
      [{ tenant: 'other' }, []],
    ] as const) {
      const { items } = await listMembers(world.test.database, campaign, { fleet, page });
      assert.deepEqual(
        items.map((one) => one.vehicleId),
        seen,
      );
    }
  });
  it('refuses a campaign of another tenant as if it were not there', async () => {
    const campaignId = await started();
    const { campaigns } = world.room;
    await assert.rejects(campaigns.load(campaignId, 'other'), { code: 'NOT_FOUND' });
    assert.equal((await campaigns.load(campaignId, 'main')).campaign_id, campaignId);
  });
});
