import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { sql, transaction } from '@immota/store';
import { foldCounts, loadCounts, sumCounts } from '../../src/campaign/counts.ts';
import { type CampaignFleet, openCampaignFleet } from '../support/campaign-fleet.ts';

let fleet: CampaignFleet;
before(async () => {
  fleet = await openCampaignFleet();
});
after(() => fleet.world.close());

const VEHICLES = 2400;
const WAVES = [
  { name: 'a', upToPermille: 100 },
  { name: 'b', upToPermille: 400 },
  { name: 'c', upToPermille: 1000 },
];

async function waveSizes(campaignId: string): Promise<readonly number[]> {
  const rows = await fleet.world.test.database.kysely
    .selectFrom('campaign_vehicle')
    .select(['wave', (eb) => eb.fn.countAll<number>().as('count')])
    .where('campaign_id', '=', campaignId)
    .groupBy('wave')
    .orderBy('wave')
    .execute();
  return rows.map(({ count }) => count);
}

describe('a campaign over many vehicles', () => {
  it('goes on where its start was interrupted, and ends as if nothing had been', async () => {
    const { world } = fleet;
    await transaction(world.test.database, async (tx) => {
      const rows = Array.from({ length: VEHICLES }, (_, index) => ({
        vehicle_id: `many-${index}`,
        model: index % 3 === 0 ? 'X' : 'Y',
      }));
      await tx.insertInto('vehicle').values(rows).execute();
    });
    const description = {
      name: 'c',
      releaseId: fleet.releaseId,
      query: 'true',
      waves: WAVES,
      createdBy: 'ann',
    };
    const interrupted = await world.room.campaigns.create(description);
    await assert.rejects(
      world.room.campaigns.start(interrupted, 'ann', (seen) => {
        if (seen >= 2000) throw new RangeError('the power went');
      }),
      RangeError,
    );
    assert.equal((await world.room.campaigns.load(interrupted)).state, 'planned');
    // What was begun is no draft any more: its vehicles were chosen by what it says.
    await assert.rejects(world.room.campaigns.change(interrupted, description, 'ann'), {
      code: 'CAMPAIGN_STATE',
    });
    await world.room.campaigns.start(interrupted, 'ann');
    const whole = await world.room.campaigns.create(description);
    await world.room.campaigns.start(whole, 'ann');
    const sizes = await waveSizes(interrupted);
    const expected = [VEHICLES * 0.1, VEHICLES * 0.3, VEHICLES * 0.6];
    for (const [index, size] of (await waveSizes(whole)).entries()) {
      assert.ok(Math.abs(size - (expected[index] ?? 0)) <= 3, String(size));
      assert.ok(Math.abs(size - (sizes[index] ?? 0)) <= 3, String(sizes[index]));
    }
  });

  it('is counted right while places change and counts are folded at the same time', async () => {
    const { world } = fleet;
    const { database } = world.test;
    const [{ campaign } = assert.fail('there is a campaign')] = await world.room.campaigns.list(1);
    const { campaign_id: campaignId } = campaign;
    const change = async (round: number): Promise<void> => {
      for (let index = round; index < 300; index += 3) {
        await sql`update campaign_vehicle set stage = ${index % 2 === 0 ? 'notified' : 'reachable'}
          where campaign_id = ${campaignId} and vehicle_id = ${`many-${index * 7}`}`.execute(
          database.kysely,
        );
      }
    };
    const fold = async (): Promise<void> => {
      for (let turn = 0; turn < 20; turn += 1) {
        await sql`insert into campaign_count select campaign_id, wave, is_control, state, reason, stage,
          health, 0 from campaign_count where campaign_id = ${campaignId} limit 600`.execute(
          database.kysely,
        );
        await foldCounts(database, [campaignId]);
      }
    };
    await Promise.all([change(0), change(1), change(2), fold(), fold()]);
    const counts = (await loadCounts(database.kysely, [campaignId])).get(campaignId) ?? [];
    const rows = await database.kysely
      .selectFrom('campaign_vehicle')
      .select(['stage', (eb) => eb.fn.countAll<number>().as('count')])
      .where('campaign_id', '=', campaignId)
      .groupBy('stage')
      .execute();
    assert.deepEqual(
      sumCounts(counts, ({ stage }) => stage),
      Object.fromEntries(rows.map(({ stage, count }) => [stage, count])),
    );
  });
});
