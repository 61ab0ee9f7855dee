/** An operator who starts campaigns, tries again when the cloud dies, and repeats what was given up. */
import { approveReplacement, listReplacements } from '@immota/cloud';
import type { Factory } from './factory.ts';
import type { Campaigns, SimulatedCloud } from './simulated-cloud.ts';
import type { SimulatedTime } from './simulated-time.ts';
import type { Story } from './story.ts';
import { VERSIONS } from './images.ts';

/** What an operator works with. */
export interface OperatorSetup {
  readonly factory: Factory;
  readonly time: SimulatedTime;
  readonly cloud: SimulatedCloud;
  readonly story: Story;
}

const RETRY_MS = 60_000;
const CAMPAIGNS_MAX = 100;
const EXPLAINED_MAX = 4;
const OVER = new Set(['updated', 'not-needed']);

/** See the head of the file. */
export class Operator {
  readonly #setup: OperatorSetup;
  #repeats = 0;
  /** Whether an approval was begun: the cloud may have died of it, and done it all the same. */
  #isRepeatDue = false;

  constructor(setup: OperatorSetup) {
    this.#setup = setup;
  }

  /** Starts a campaign for a release, sometime. */
  plan(version: number, delayMs: number): void {
    const { time, story } = this.#setup;
    time.schedule(delayMs, () => {
      this.#try(version, `to ${version}`).catch((error: unknown) => {
        story.fail('broken', `operator: ${String(error)}`);
      });
    });
  }

  /**
   * Looks whether the cloud says of every vehicle that it has the last release. Where a campaign gave a
   * vehicle up after so many signed failures, as it must, the release is sent in another one.
   */
  async look(vehicleIds: readonly string[]): Promise<boolean> {
    const version = VERSIONS.at(-1) ?? 0;
    if (await this.#approve()) await this.#repeat(version);
    await this.#resumeHeld();
    const states = await this.#states(version);
    if (states === undefined) return false;
    // The last campaign for the release counts: an ECU may have come since an earlier one was over.
    const last = new Map(states.map((row) => [row.vehicle_id, row.state]));
    const isUpdated = vehicleIds.every((id) => OVER.has(last.get(id) ?? ''));
    if (isUpdated) return true;
    const isGivenUp = vehicleIds.some((id) => (last.get(id) ?? 'failed') === 'failed');
    if (isGivenUp) await this.#repeat(version);
    return false;
  }

  /** Tells what the cloud thinks of a vehicle: its newest campaigns. */
  async explain(vehicleId: string): Promise<string> {
    const rows = await this.#setup.cloud.operate(async (_, running) =>
      running.cloud.context.database.kysely
        .selectFrom('campaign_vehicle')
        .innerJoin('campaign', 'campaign.campaign_id', 'campaign_vehicle.campaign_id')
        .select([
          'campaign.name',
          'campaign.state as campaign_state',
          'campaign_vehicle.state',
          'reason',
          'measured',
        ])
        .where('vehicle_id', '=', vehicleId)
        .orderBy('campaign.created_at', 'desc')
        .limit(EXPLAINED_MAX)
        .execute(),
    );
    return JSON.stringify(rows ?? 'the cloud is down');
  }

  /** A guard holds what goes wrong in this weather: whoever knows the weather lets it go on. */
  async #resumeHeld(): Promise<void> {
    const { cloud, story } = this.#setup;
    const resumed = await cloud.operate(async (campaigns) => {
      const listed = (await campaigns.list(CAMPAIGNS_MAX)).map(({ campaign }) => campaign);
      const held = listed.filter(({ state }) => state === 'held');
      for (const { campaign_id: id } of held) {
        await campaigns.resume(id, 'operator', 'the weather explains it');
      }
      return held.map(({ name }) => name);
    });
    for (const name of resumed ?? []) story.tell('campaign-resumed', name);
  }

  async #repeat(version: number): Promise<void> {
    this.#repeats += 1;
    this.#setup.story.tell('campaign-repeated');
    await this.#try(version, `to ${version} again ${this.#repeats}`);
  }

  /**
   * An ECU that did not answer when its vehicle registered comes later, and waits for a word. Campaigns
   * that were over without it do not begin again for it.
   *
   * @returns whether there was one, and the release is to be sent again.
   */
  async #approve(): Promise<boolean> {
    const { cloud, story } = this.#setup;
    const approved = await cloud.operate(async (_, running) => {
      const { context } = running.cloud;
      const waiting = await listReplacements(context);
      if (waiting.length > 0) this.#isRepeatDue = true;
      for (const { vehicle_id: vehicleId, ecu_id: ecuId } of waiting) {
        await approveReplacement(context, { vehicleId, ecuId, by: 'operator' });
      }
      return waiting.map((row) => row.ecu_id);
    });
    for (const ecu of approved ?? []) story.tell('ecu-approved', ecu);
    if (approved === undefined || !this.#isRepeatDue) return false;
    this.#isRepeatDue = false;
    return true;
  }

  async #states(
    version: number,
  ): Promise<readonly { readonly vehicle_id: string; readonly state: string }[] | undefined> {
    const releaseId = this.#releaseId(version);
    return await this.#setup.cloud.operate(async (_, running) =>
      running.cloud.context.database.kysely
        .selectFrom('campaign_vehicle')
        .innerJoin('campaign', 'campaign.campaign_id', 'campaign_vehicle.campaign_id')
        .select(['campaign_vehicle.vehicle_id', 'campaign_vehicle.state'])
        .where('campaign.release_id', '=', releaseId)
        .orderBy('campaign.created_at')
        .execute(),
    );
  }

  async #try(version: number, name: string): Promise<void> {
    const { cloud, time, story } = this.#setup;
    const isStarted = await cloud.operate((campaigns) => this.#start(campaigns, version, name));
    if (isStarted === true) {
      story.tell('campaign-started', name);
      return;
    }
    time.schedule(RETRY_MS, () => {
      this.#try(version, name).catch((error: unknown) =>
        story.fail('broken', `operator: ${String(error)}`),
      );
    });
  }

  async #start(campaigns: Campaigns, version: number, name: string): Promise<true> {
    const releaseId = this.#releaseId(version);
    const listed = (await campaigns.list(CAMPAIGNS_MAX)).map(({ campaign }) => campaign);
    const known = listed.find((campaign) => campaign.name === name);
    const description = { name, releaseId, query: 'true', createdBy: 'operator' };
    const id = known?.campaign_id ?? (await campaigns.create(description));
    // A start that the cloud did not survive may have reached some vehicles only: begun again from a pause.
    if (known?.state === 'running') await campaigns.pause(id, 'operator');
    await campaigns.start(id, 'operator');
    return true;
  }

  #releaseId(version: number): string {
    const releaseId = this.#setup.factory.releaseIds.get(version);
    if (releaseId === undefined) throw new TypeError(`there is no release ${version}`);
    return releaseId;
  }
}
