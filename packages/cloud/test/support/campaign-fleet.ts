/** A fleet of vehicles with one ECU each, and campaigns over it, for tests of waves and guards. */
import assert from 'node:assert/strict';
import { transaction } from '@immota/store';
import type { CampaignDescription } from '../../src/campaign/campaigns.ts';
import { correlationOf } from '../../src/campaign/correlation.ts';
import { explainVehicle, type WhyNot } from '../../src/campaign/why-not.ts';
import { type FleetWorld, image, openFleetWorld, releaseOf } from './fleet-world.ts';
import { installationReport, type TestVehicle } from './vehicle.ts';

/** See the head of the file. */
export interface CampaignFleet {
  readonly world: FleetWorld;
  readonly releaseId: string;
  /** Vehicles `v0` … that run the old image and have reported so. */
  vehicles(count: number, prefix?: string): Promise<readonly TestVehicle[]>;
  /** Creates a campaign over everybody and starts it. */
  started(plan?: Partial<CampaignDescription>): Promise<string>;
  /** Has a vehicle take the offer, install it and report it. */
  install(vehicle: TestVehicle): Promise<void>;
  /** Has a vehicle report that it could not install what is offered. */
  fail(vehicle: TestVehicle, campaignId: string): Promise<void>;
  /** Why a vehicle is not updated in its newest campaign. */
  why(id: string): Promise<WhyNot>;
  empty(): Promise<void>;
}

/** The image that a campaign brings. */
export const NEW: ReturnType<typeof image> = image('a/2', 'a-hw');
/** The image that runs before. */
export const OLD: ReturnType<typeof image> = image('a/1', 'a-hw');

/** Opens one. */
export async function openCampaignFleet(): Promise<CampaignFleet> {
  const world = await openFleetWorld();
  await world.publish([NEW]);
  const releaseId = await world.release(
    releaseOf({ 'a-hw': 'a/2' }, [{ hardwareId: 'a-hw', name: 'a/2', installsOver: 'any' }]),
  );
  return {
    world,
    releaseId,
    async vehicles(count, prefix = 'v') {
      const made: TestVehicle[] = [];
      for (let index = 0; index < count; index += 1) {
        const id = `${prefix}${index}`;
        const vehicle = await world.register(id, [[`ECU-${id}`, 'a-hw']]);
        vehicle.primary.image = OLD;
        await world.report(vehicle);
        made.push(vehicle);
      }
      return made;
    },
    async started(plan = {}) {
      const description = { name: 'c', releaseId, query: 'true', createdBy: 'ann', ...plan };
      const campaignId = await world.room.campaigns.create(description);
      await world.room.campaigns.start(campaignId, 'ann');
      return campaignId;
    },
    async install(vehicle) {
      await world.report(vehicle);
      assert.notEqual(await world.offer(vehicle.id), undefined, `${vehicle.id} has an offer`);
      await world.director.load(vehicle.id, 'targets');
      vehicle.primary.image = NEW;
      await world.report(vehicle);
    },
    async fail(vehicle, campaignId) {
      await world.report(vehicle);
      await world.director.load(vehicle.id, 'targets');
      const report = installationReport(correlationOf(campaignId), 'a-hw:INSTALL_FAILED');
      await world.report(vehicle, { report });
    },
    async why(id) {
      const [why] = await explainVehicle(world.test.database, id);
      assert.ok(why !== undefined);
      return why;
    },
    async empty() {
      for (const table of ['campaign_vehicle', 'vehicle', 'campaign', 'event'] as const) {
        await transaction(world.test.database, (tx) => tx.deleteFrom(table).execute());
      }
    },
  };
}
