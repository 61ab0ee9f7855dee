import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { campaignSchemas } from '@immota/api';
import { listConflicts } from '../../src/campaign/conflicts.ts';
import { exportMembers } from '../../src/campaign/export-members.ts';
import { listFailures } from '../../src/campaign/failures.ts';
import { loadLive } from '../../src/campaign/live.ts';
import { liveView } from '../../src/operator/views.ts';
import { saveVehicle } from '../../src/index.ts';
import { type CampaignFleet, openCampaignFleet } from '../support/campaign-fleet.ts';

let fleet: CampaignFleet;
before(async () => {
  fleet = await openCampaignFleet();
});
after(() => fleet.world.close());
beforeEach(() => fleet.empty());

const UNGUARDED = { failurePermilleMax: 1000, harmPermilleMax: 1000 };

describe('loadLive()', () => {
  it('shows how far vehicles came, why others stopped, and the failures against the limit', async () => {
    const [good, bad, waiting] = await fleet.vehicles(4);
    assert.ok(good && bad && waiting);
    const campaignId = await fleet.started({ guard: { failurePermilleMax: 400 } });
    const { campaigns } = fleet.world.room;
    await fleet.install(good);
    await fleet.fail(bad, campaignId);
    await fleet.world.report(waiting);
    await campaigns.advance();
    fleet.world.context.clock.advance({ minutes: 90 });
    const campaign = await campaigns.load(campaignId);
    const live = await loadLive(
      fleet.world.test.database,
      campaign,
      fleet.world.context.clock.now(),
    );
    const view = campaignSchemas.campaignLiveSchema.parse(liveView(live));
    const funnel = new Map(view.funnel.map((stage) => [stage.stage, stage]));
    assert.equal(funnel.get('targeted')?.vehicles, 4);
    assert.deepEqual(
      funnel.get('targeted')?.stopped.map(({ reason, vehicles }) => [reason, vehicles]),
      [['NOT_SEEN', 1]],
    );
    assert.equal(funnel.get('reachable')?.vehicles, 3);
    assert.deepEqual([funnel.get('booted')?.vehicles, funnel.get('healthy')?.vehicles], [1, 1]);
    assert.deepEqual(
      funnel.get('ready')?.stopped.map(({ reason }) => reason),
      ['INSTALL_FAILED'],
    );
    const { outcomes, bad: failed, limit, verdict, history } = view.failures;
    assert.deepEqual([outcomes, failed, limit, verdict], [2, 1, 0.4, 'unknown']);
    assert.equal(history.length, 1);
    assert.deepEqual(
      view.adoption.map(({ hours, vehicles }) => [hours, vehicles]),
      [
        [0, 1],
        [1.5, 1],
      ],
    );
    assert.deepEqual([view.forecast, view.health], [[], undefined]);
  });
});

describe('listFailures()', () => {
  it('tells hardware by what ran before, with codes and examples', async () => {
    const [good, bad] = await fleet.vehicles(2);
    assert.ok(good && bad);
    const campaignId = await fleet.started({ guard: UNGUARDED });
    await fleet.install(good);
    await fleet.fail(bad, campaignId);
    assert.deepEqual(await listFailures(fleet.world.test.database, campaignId), [
      {
        hardwareId: 'a-hw',
        source: 'a/1',
        outcomes: 2,
        failures: 1,
        codes: { INSTALL_FAILED: 1 },
        sample: [bad.id],
      },
    ]);
  });
});

describe('listConflicts()', () => {
  it('says which of two campaigns goes first, and why', async () => {
    await fleet.vehicles(3);
    const first = await fleet.started({ name: 'first' });
    const second = await fleet.started({ name: 'second', policy: { priority: 700 } });
    const { campaigns } = fleet.world.room;
    const { database } = fleet.world.test;
    const [seen] = await listConflicts(database, await campaigns.load(first));
    assert.deepEqual([seen?.campaignId, seen?.vehicles, seen?.priority], [second, 3, 700]);
    assert.match(seen?.explanation ?? '', /"second" goes first: priority 700 before 500/);
    await campaigns.cancel(second, 'ann');
    assert.deepEqual(await listConflicts(database, await campaigns.load(first)), []);
  });
});

describe('exportMembers()', () => {
  it('writes every vehicle that the caller sees with its reason, and no formula', async () => {
    await fleet.vehicles(2);
    await saveVehicle(fleet.world.context, { vehicleId: 'v1', model: '=1+1' });
    const campaign = await fleet.world.room.campaigns.load(await fleet.started());
    const read = async (tenant: string, format: 'csv' | 'ndjson'): Promise<string> => {
      const chunks = exportMembers(fleet.world.test.database, campaign, {
        fleet: { tenant },
        format,
      });
      return Buffer.concat(await Array.fromAsync(chunks)).toString();
    };
    const csv = (await read('main', 'csv')).split('\r\n');
    assert.equal(csv.length, 4);
    assert.match(csv[1] ?? '', /^v0,,,,targeted,targeted,1,false,unknown,NOT_SEEN,/);
    assert.match(csv[2] ?? '', /^v1,,'=1\+1,/);
    assert.equal((await read('main', 'ndjson')).split('\n').length, 3);
    assert.equal((await read('other', 'csv')).split('\r\n').length, 2);
  });
});
