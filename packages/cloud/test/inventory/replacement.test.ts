/** What becomes of campaigns when a workshop puts another ECU in the place of one that they updated. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { generateSigner } from '@immota/pki';
import { transaction } from '@immota/store';
import { approveReplacement } from '../../src/index.ts';
import { registerEcus } from '../../src/inventory/register.ts';
import { type FleetWorld, image, openFleetWorld, releaseOf } from '../support/fleet-world.ts';
import type { TestEcu, TestVehicle } from '../support/vehicle.ts';

const OLD = image('a/1', 'a-hw');
const NEW = image('a/2', 'a-hw');
let world: FleetWorld;
let releaseId: string;
let vehicle: TestVehicle;
let ecu: TestEcu;
before(async () => {
  world = await openFleetWorld();
  await world.publish([OLD, NEW]);
  releaseId = await world.release(
    releaseOf({ 'a-hw': 'a/2' }, [{ hardwareId: 'a-hw', name: 'a/2', installsOver: 'any' }]),
  );
});
after(() => world.close());
beforeEach(async () => {
  await transaction(world.test.database, (tx) => tx.deleteFrom('campaign_vehicle').execute());
  await transaction(world.test.database, (tx) => tx.deleteFrom('vehicle').execute());
  await transaction(world.test.database, (tx) => tx.deleteFrom('event').execute());
  vehicle = await world.register('v1', [
    ['P', 'p-hw'],
    ['S', 'a-hw'],
  ]);
  ecu = vehicle.ecu(1);
  ecu.image = NEW;
  ecu.attacks = 'seen';
  await world.report(vehicle);
});

/** Registers the vehicle as it is now, and has an operator approve what changed. */
async function approve(): Promise<void> {
  const registration = vehicle.registration();
  const request = { registration, policy: 'approve' } as const;
  await assert.rejects(registerEcus(world.context, vehicle.id, request), {
    code: 'ECU_REPLACEMENT',
  });
  const by = 'operator';
  await approveReplacement(world.context, { vehicleId: vehicle.id, ecuId: ecu.id, by });
}

/** A workshop builds another ECU in, with software of its own. */
async function replace(): Promise<void> {
  ecu.signer = generateSigner('ed25519');
  ecu.counter = 0;
  ecu.attacks = '';
  await approve();
}

async function start(): Promise<string> {
  const { campaigns } = world.room;
  const campaign = { name: 'c', releaseId, query: 'true', createdBy: 'ann' };
  const campaignId = await campaigns.create(campaign);
  await campaigns.start(campaignId, 'ann');
  return campaignId;
}

async function stand(campaignId: string): Promise<readonly (string | null | undefined)[]> {
  const place = await world.place(vehicle.id, campaignId);
  return [place?.state, place?.reason];
}

async function installs(): Promise<number> {
  const events = await world.eventsOf(vehicle.id);
  return events.filter((kind) => kind === 'ecu.installed').length;
}

async function stored(): Promise<Readonly<Record<string, unknown>>> {
  return await world.test.database.kysely
    .selectFrom('ecu')
    .select(['installed_name', 'installed_sha256', 'installed_length_bytes', 'installed_at'])
    .select(['attacks_detected', 'health', 'reported_at', 'missing_since', 'report_counter'])
    .where('ecu_id', '=', ecu.id)
    .executeTakeFirstOrThrow();
}

describe('an ECU in the place of another', () => {
  it('has reported nothing yet', async () => {
    await replace();
    assert.deepEqual(await stored(), {
      installed_name: null,
      installed_sha256: null,
      installed_length_bytes: null,
      installed_at: null,
      attacks_detected: '',
      health: {},
      reported_at: null,
      missing_since: null,
      report_counter: null,
    });
  });

  it('is no reason to think that its vehicle has the release', async () => {
    await replace();
    const campaignId = await start();
    assert.deepEqual(await stand(campaignId), ['targeted', 'NOT_SEEN']);
    ecu.image = OLD;
    await world.report(vehicle);
    assert.deepEqual(await stand(campaignId), ['offered', 'OFFERED']);
  });

  it('does not complete what the old one had begun', async () => {
    const other = await world.register('v2', [
      ['P-2', 'p-hw'],
      ['S-2', 'a-hw'],
      ['T-2', 'a-hw'],
    ]);
    [vehicle, ecu] = [other, other.ecu(1)];
    for (const one of other.ecus) one.image = OLD;
    await world.report(other);
    const campaignId = await start();
    await world.report(other);
    ecu.image = NEW;
    await world.report(other);
    await replace();
    other.ecu(2).image = NEW;
    await world.report(other, { reports: [other.primary, other.ecu(2)] });
    assert.notEqual((await stand(campaignId))[0], 'updated');
    ecu.image = OLD;
    await world.report(other);
    assert.deepEqual(await stand(campaignId), ['offered', 'OFFERED']);
    assert.deepEqual((await world.offer('v2'))?.images, { 'S-2': 'a/2' });
    ecu.image = NEW;
    await world.report(other);
    assert.deepEqual(await stand(campaignId), ['updated', null]);
  });

  it('is heard of what it runs, be it what the old one ran', async () => {
    const count = await installs();
    await replace();
    await world.report(vehicle);
    assert.equal(await installs(), count + 1);
  });

  it('keeps what it reported, and its counter, when its part in the vehicle alone changes', async () => {
    const known = await stored();
    const registration = { ...vehicle.registration(), primary_ecu_serial: ecu.id };
    await registerEcus(world.context, vehicle.id, { registration, policy: 'allow' });
    assert.deepEqual(await stored(), known);
  });
});
