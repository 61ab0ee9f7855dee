/** Campaigns: a signed release to the vehicles that a query means. First form: no waves yet. */
import { randomUUID } from 'node:crypto';
import type { EventId } from '@immota/api';
import type { Clock } from '@immota/base';
import { type Selectable, sql } from 'kysely';
import { PLANS_CHANNEL, type VehicleInventory } from '../director/ports.ts';
import { type EventSink, FLEET_STREAM } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { CampaignRow } from '../schema/tables.ts';
import { parseFleetQuery } from './fleet-query.ts';
import type { ReleaseStore } from './release-store.ts';

/** Vehicles planned and written at once. */
const PAGE_VEHICLES = 1000;

/** Reads the fleet in pages, by vehicle id. */
export type FleetReader = (after: string, countMax: number) => Promise<readonly VehicleInventory[]>;

/** A campaign as it is stored. */
export type StoredCampaign = Selectable<CampaignRow>;

/** What campaigns work with. */
export interface CampaignsOptions {
  readonly database: CloudDatabase;
  readonly releases: ReleaseStore;
  readonly readFleet: FleetReader;
  readonly events: EventSink;
  readonly clock: Clock;
}

/** A campaign to be created. */
export interface CampaignDescription {
  readonly name: string;
  readonly releaseId: string;
  /** CEL, see {@link parseFleetQuery}. */
  readonly query: string;
  readonly createdBy: string;
}

/** How many vehicles of a campaign are in each state. */
export interface CampaignStatus {
  readonly campaign: StoredCampaign;
  readonly counts: Readonly<Record<string, number>>;
}

/** Heard while a campaign is started: how many vehicles were looked at, how many are meant. */
export type StartProgress = (seen: number, targeted: number) => void;

type CampaignState = CampaignRow['state'];

/** Which state may follow which. */
const MOVES: Readonly<Record<'start' | 'pause' | 'cancel', readonly CampaignState[]>> = {
  start: ['planned', 'paused'],
  pause: ['running'],
  cancel: ['planned', 'running', 'paused'],
};

/** Creates, starts, pauses and cancels campaigns, and counts them. */
export class Campaigns {
  readonly #options: CampaignsOptions;

  constructor(options: CampaignsOptions) {
    this.#options = options;
  }

  /**
   * Creates a campaign; nothing is offered before it is started.
   *
   * @throws CloudFault QUERY_MALFORMED; NOT_FOUND when there is no such release.
   */
  async create(description: CampaignDescription): Promise<string> {
    const { database, releases } = this.#options;
    parseFleetQuery(description.query);
    await releases.load(description.releaseId);
    const campaignId = randomUUID();
    const { name, releaseId, query, createdBy } = description;
    await database.kysely.transaction().execute(async (tx) => {
      await tx
        .insertInto('campaign')
        .values({
          campaign_id: campaignId,
          release_id: releaseId,
          name,
          query,
          state: 'planned',
          created_by: createdBy,
        })
        .execute();
      await this.#record(tx, 'campaign.created', { campaignId, name, releaseId, query, createdBy });
    });
    return campaignId;
  }

  /**
   * Starts or resumes a campaign: every vehicle that the query means gets its place and its reason,
   * page by page, and none of the fleet is held in memory.
   *
   * @throws CloudFault NOT_FOUND, CAMPAIGN_STATE.
   */
  async start(campaignId: string, by: string, progress?: StartProgress): Promise<CampaignStatus> {
    const campaign = await this.#move(campaignId, 'start', by);
    await this.#target(campaign, progress);
    await this.#announce();
    return await this.status(campaignId);
  }

  /** Pauses a campaign: what is offered is withdrawn at each vehicle's next contact. */
  async pause(campaignId: string, by: string): Promise<CampaignStatus> {
    await this.#move(campaignId, 'pause', by);
    await this.#announce();
    return await this.status(campaignId);
  }

  /** Cancels a campaign for good. Vehicles that are updated stay so. */
  async cancel(campaignId: string, by: string): Promise<CampaignStatus> {
    await this.#move(campaignId, 'cancel', by);
    await this.#options.database.kysely
      .updateTable('campaign_vehicle')
      .set({ state: 'cancelled', reason: 'CANCELLED', since: this.#options.clock.now() })
      .where('campaign_id', '=', campaignId)
      .where('state', 'not in', ['updated', 'not-needed', 'failed'])
      .execute();
    await this.#announce();
    return await this.status(campaignId);
  }

  /** Counts a campaign's vehicles by state. @throws CloudFault NOT_FOUND. */
  async status(campaignId: string): Promise<CampaignStatus> {
    const campaign = await this.#load(campaignId);
    const rows = await this.#options.database.kysely
      .selectFrom('campaign_vehicle')
      .select(['state', (eb) => eb.fn.countAll<number>().as('count')])
      .where('campaign_id', '=', campaignId)
      .groupBy('state')
      .execute();
    return { campaign, counts: Object.fromEntries(rows.map(({ state, count }) => [state, count])) };
  }

  /** Lists campaigns, the newest first. */
  async list(countMax: number): Promise<readonly StoredCampaign[]> {
    return await this.#options.database.kysely
      .selectFrom('campaign')
      .selectAll()
      .orderBy('created_at', 'desc')
      .limit(countMax)
      .execute();
  }

  async #load(campaignId: string): Promise<StoredCampaign> {
    const campaign = await this.#options.database.kysely
      .selectFrom('campaign')
      .selectAll()
      .where('campaign_id', '=', campaignId)
      .executeTakeFirst();
    if (campaign === undefined) {
      throw new CloudFault('NOT_FOUND', `Cannot find campaign "${campaignId}"`);
    }
    return campaign;
  }

  async #move(campaignId: string, move: keyof typeof MOVES, by: string): Promise<StoredCampaign> {
    const { database, clock } = this.#options;
    const campaign = await this.#load(campaignId);
    const now = clock.now();
    const next = ({ start: 'running', pause: 'paused', cancel: 'cancelled' } as const)[move];
    const event = ({ start: 'started', pause: 'paused', cancel: 'cancelled' } as const)[move];
    await database.kysely.transaction().execute(async (tx) => {
      const updated = await tx
        .updateTable('campaign')
        .set({
          state: next,
          ...(move === 'start' ? { started_at: campaign.started_at ?? now } : {}),
        })
        .where('campaign_id', '=', campaignId)
        .where('state', 'in', [...MOVES[move]])
        .executeTakeFirst();
      if (Number(updated.numUpdatedRows) === 0) {
        throw new CloudFault(
          'CAMPAIGN_STATE',
          `Cannot ${move} a campaign that is ${campaign.state}`,
        );
      }
      await this.#record(tx, `campaign.${event}`, { campaignId, by });
    });
    return { ...campaign, state: next };
  }

  async #target(campaign: StoredCampaign, progress: StartProgress | undefined): Promise<void> {
    const { readFleet, releases } = this.#options;
    const query = parseFleetQuery(campaign.query);
    const planner = await releases.planner(campaign.release_id);
    let seen = 0;
    let targeted = 0;
    let after = '';
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop -- page after page, so that memory stays bounded
      const page = await readFleet(after, PAGE_VEHICLES);
      const last = page.at(-1);
      if (last === undefined) return;
      after = last.vehicleId;
      const meant = page.filter((vehicle) => query.matches(vehicle));
      const rows = meant.map((vehicle) => rowOf(campaign, planner.decide(vehicle), vehicle));
      // oxlint-disable-next-line no-await-in-loop -- see above
      await this.#insert(rows);
      seen += page.length;
      targeted += meant.length;
      progress?.(seen, targeted);
    }
  }

  /** Vehicles that have a place already keep it: a campaign is resumed, not begun again. */
  async #insert(rows: readonly ReturnType<typeof rowOf>[]): Promise<void> {
    if (rows.length === 0) return;
    const since = this.#options.clock.now();
    await this.#options.database.kysely
      .insertInto('campaign_vehicle')
      .values(rows.map((row) => ({ ...row, since })))
      .onConflict((conflict) => conflict.columns(['vehicle_id', 'campaign_id']).doNothing())
      .execute();
  }

  async #announce(): Promise<void> {
    await sql`select pg_notify(${PLANS_CHANNEL}, '')`.execute(this.#options.database.kysely);
  }

  async #record(
    tx: CloudTransaction,
    kind: EventId,
    body: Readonly<Record<string, string>>,
  ): Promise<void> {
    const { events, clock } = this.#options;
    await events.append(tx, [{ stream: FLEET_STREAM, kind, at: clock.now(), body }]);
  }
}

function rowOf(
  campaign: StoredCampaign,
  decision: ReturnType<Awaited<ReturnType<ReleaseStore['planner']>>['decide']>,
  { vehicleId }: VehicleInventory,
): {
  readonly vehicle_id: string;
  readonly campaign_id: string;
  readonly state: string;
  readonly reason: string;
  readonly measured: { readonly ecus: readonly string[] } | Record<string, never>;
} {
  const key = { vehicle_id: vehicleId, campaign_id: campaign.campaign_id };
  switch (decision.kind) {
    case 'install':
      return { ...key, state: 'targeted', reason: 'NOT_SEEN', measured: {} };
    case 'done':
      return { ...key, state: 'not-needed', reason: 'ALREADY_RUNS_IT', measured: {} };
    case 'none': {
      const { state, reason, ecus } = decision;
      return { ...key, state, reason, measured: ecus.length > 0 ? { ecus } : {} };
    }
  }
}
