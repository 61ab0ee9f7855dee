import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { sql, transaction } from '@immota/store';
import { parseVehicleIdentifier } from '@immota/uptane';
import { correlationOf } from '../../src/campaign/correlation.ts';
import { committed } from '../../src/context.ts';
import { type Observation, saveVehicle, setQuarantine } from '../../src/index.ts';
import { type FleetWorld, image, openFleetWorld, releaseOf } from '../support/fleet-world.ts';
import type { TestVehicle } from '../support/vehicle.ts';

const NEW = image('a/2', 'a-hw');
const MONTH = { hours: 24 * 30 };
let world: FleetWorld;
let releaseId: string;
before(async () => {
  world = await openFleetWorld();
  await world.publish([NEW]);
  releaseId = await world.release(
    releaseOf({ 'a-hw': 'a/2' }, [{ hardwareId: 'a-hw', name: 'a/2', installsOver: 'any' }]),
  );
});
after(() => world.close());
beforeEach(async () => {
  await transaction(world.test.database, (tx) => tx.deleteFrom('campaign_vehicle').execute());
  await transaction(world.test.database, (tx) => tx.deleteFrom('vehicle').execute());
  await transaction(world.test.database, (tx) => tx.deleteFrom('campaign').execute());
  await transaction(world.test.database, (tx) => tx.deleteFrom('event').execute());
});

async function vehicle(id: string, running = image('a/1', 'a-hw')): Promise<TestVehicle> {
  const made = await world.register(id, [[`ECU-${id}`, 'a-hw']]);
  made.primary.image = running;
  await world.report(made);
  return made;
}

async function install(one: TestVehicle): Promise<void> {
  one.primary.image = NEW;
  await world.report(one);
}

async function started(query = 'true'): Promise<string> {
  const { campaigns } = world.room;
  // Nothing holds it, whatever fails.
  const guard = { failurePermilleMax: 1000 };
  const description = { name: 'c', releaseId, query, guard, createdBy: 'ann' };
  const campaignId = await campaigns.create(description);
  await campaigns.start(campaignId, 'ann');
  return campaignId;
}

async function stateOf(campaignId: string): Promise<string> {
  return (await world.room.campaigns.status(campaignId)).campaign.state;
}

async function finishes(): Promise<number> {
  const events = await world.eventsOf('fleet');
  return events.filter((kind) => kind === 'campaign.finished').length;
}

function givenUp(id: string, campaignId: string): Observation {
  return {
    kind: 'refused-silently',
    vehicleId: parseVehicleIdentifier(id),
    at: world.context.clock.now(),
    correlationId: correlationOf(campaignId),
    count: 3,
    isFinal: true,
  };
}

describe('a campaign', () => {
  it('is finished by the signed report that ends it for its last vehicle, and tells so once', async () => {
    const [one, two] = [await vehicle('v1'), await vehicle('v2')];
    await vehicle('v3', NEW);
    const campaignId = await started();
    for (const each of [one, two]) await world.report(each);
    await install(one);
    assert.equal(await stateOf(campaignId), 'running');
    await install(two);
    assert.equal(await stateOf(campaignId), 'finished');
    await world.report(one);
    assert.equal(await finishes(), 1);
  });

  it('is finished also when vehicles failed, and stays so when one comes round', async () => {
    const one = await vehicle('v1');
    const campaignId = await started();
    await world.report(one);
    await world.observe([givenUp('v1', campaignId)]);
    assert.equal(await stateOf(campaignId), 'finished');
    await install(one);
    const [place, state] = [await world.place('v1', campaignId), await stateOf(campaignId)];
    assert.deepEqual([place?.state, state], ['updated', 'finished']);
    assert.equal(await finishes(), 1);
  });

  it('is finished when planning finds by the reports that nothing is left', async () => {
    const one = await world.register('v1', [['ECU-1', 'a-hw']]);
    const campaignId = await started();
    assert.equal(await stateOf(campaignId), 'running');
    await install(one);
    assert.equal((await world.place('v1', campaignId))?.state, 'not-needed');
    assert.equal(await stateOf(campaignId), 'finished');
  });

  it('is finished at its start when every vehicle reported the release before', async () => {
    await vehicle('v1', NEW);
    assert.equal(await stateOf(await started()), 'finished');
  });

  it('is not finished while it means nobody, nor by time, nor by what an operator does', async () => {
    assert.equal(await stateOf(await started()), 'running');
    await vehicle('v1');
    await saveVehicle(world.context, { vehicleId: 'v2' });
    const campaignId = await started();
    await setQuarantine(world.context, 'v1', true);
    world.context.clock.advance(MONTH);
    await world.director.prepare(['v1', 'v2']);
    assert.equal(await stateOf(campaignId), 'running');
    assert.equal(await finishes(), 0);
  });

  it('is finished when it is resumed, if all was done while it was paused', async () => {
    const { campaigns } = world.room;
    const one = await vehicle('v1');
    const campaignId = await started();
    await world.report(one);
    await campaigns.pause(campaignId, 'ann');
    await install(one);
    assert.equal(await stateOf(campaignId), 'paused');
    assert.equal((await campaigns.start(campaignId, 'ann')).campaign.state, 'finished');
  });

  it('is started again for who came since, and neither paused nor cancelled', async () => {
    const { campaigns } = world.room;
    await vehicle('v1', NEW);
    const campaignId = await started();
    for (const move of ['pause', 'cancel'] as const) {
      await assert.rejects(campaigns[move](campaignId, 'ann'), { code: 'CAMPAIGN_STATE' });
    }
    const two = await vehicle('v2');
    assert.equal((await campaigns.start(campaignId, 'ann')).campaign.state, 'running');
    await world.report(two);
    await install(two);
    assert.equal(await stateOf(campaignId), 'finished');
    assert.equal(await finishes(), 2);
  });

  it('is finished by one of two who end its last vehicles at the same time', async () => {
    for (const id of ['v1', 'v2']) await world.report(await vehicle(id));
    const campaignId = await started();
    const { database } = world.test;
    const { promise: told, resolve: tell } = Promise.withResolvers<void>();
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const first = committed(database, async (tx) => {
      await world.room.observer.observe(tx, [givenUp('v1', campaignId)]);
      tell();
      await gate;
    });
    await told;
    const second = world.observe([givenUp('v2', campaignId)]);
    const isDone = second.then(() => true);
    for (let isSeen = false; !isSeen;) {
      isSeen =
        (await isSomebodyWaiting()) || (await Promise.race([isDone, Promise.resolve(false)]));
    }
    open();
    await Promise.all([first, second]);
    assert.equal(await stateOf(campaignId), 'finished');
    assert.equal(await finishes(), 1);
  });
});

/** Asks the server whether a statement of this database waits for a lock. */
async function isSomebodyWaiting(): Promise<boolean> {
  const { rows } = await sql`select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`.execute(
    world.test.database.kysely,
  );
  return rows.length > 0;
}
