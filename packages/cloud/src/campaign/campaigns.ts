/** Campaigns: a signed release to the vehicles that a query means. First form: no waves yet. */
import { randomUUID } from 'node:crypto';
import type { EventId } from '@immota/api';
import { type Clock, unreachable } from '@immota/base';
import { sql } from '@immota/store';
import type { Insertable, Selectable } from 'kysely';
import { PLANS_CHANNEL, type VehicleInventory } from '../director/ports.ts';
import { type EventSink, FLEET_STREAM } from '../event-log/event-sink.ts';
import { committed } from '../context.ts';
import { CloudFault } from '../fault.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { CampaignRow, CampaignVehicleRow, CampaignWaveRow } from '../schema/tables.ts';
import { type Count, loadCounts, sumCounts } from './counts.ts';
import { finishCampaigns } from './finish-campaigns.ts';
import { parseFleetQuery } from './fleet-query.ts';
import type { ReleaseStore } from './release-store.ts';
import { ACTIVE_STATES } from './vehicle-place.ts';
import type { VehicleDecision } from './vehicle-plan.ts';

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
  /** The same, told apart by all that tells them apart. */
  readonly standing: readonly Count[];
}

/** A campaign with everything that is known of it. */
export interface CampaignDetail extends CampaignStatus {
  readonly releaseName: string;
  readonly waves: readonly Selectable<CampaignWaveRow>[];
  /** Of its last rehearsal. */
  readonly rehearsalId: string | undefined;
}

/** Heard while a campaign is started: how many vehicles were looked at, how many are meant. */
export type StartProgress = (seen: number, targeted: number) => void;

/** Where a page of campaigns ended. */
export interface CampaignPosition {
  readonly createdAt: Temporal.Instant;
  readonly campaignId: string;
}

type CampaignState = CampaignRow['state'];
type Move = 'start' | 'pause' | 'cancel';

/** Which state may follow which. */
const MOVES: Readonly<
  Record<
    Move,
    {
      readonly from: readonly CampaignState[];
      readonly next: CampaignState;
      readonly event: EventId;
    }
  >
> = {
  // A finished one is begun again for vehicles that came since.
  start: {
    from: ['planned', 'paused', 'finished'],
    next: 'running',
    event: 'campaign.started',
  },
  pause: { from: ['running'], next: 'paused', event: 'campaign.paused' },
  cancel: {
    from: ['planned', 'running', 'paused'],
    next: 'cancelled',
    event: 'campaign.cancelled',
  },
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
    await committed(database, async (tx) => {
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
   * page by page, and none of the fleet is held in memory. Then the campaign runs; whoever is
   * interrupted before starts it again, and nothing is there twice.
   *
   * @throws CloudFault NOT_FOUND, CAMPAIGN_STATE.
   */
  async start(campaignId: string, by: string, progress?: StartProgress): Promise<CampaignStatus> {
    const campaign = await this.#load(campaignId);
    checkMove(campaign, 'start');
    await this.#target(campaign, progress);
    await this.#move(campaign, 'start', by);
    await this.#announce();
    return await this.status(campaignId);
  }

  /** Pauses a campaign: what is offered is withdrawn at each vehicle's next contact. */
  async pause(campaignId: string, by: string): Promise<CampaignStatus> {
    await this.#move(await this.#load(campaignId), 'pause', by);
    await this.#announce();
    return await this.status(campaignId);
  }

  /**
   * Cancels a campaign for good. Vehicles that are updated stay so, and whoever completes an update
   * that was under way counts as updated too.
   */
  async cancel(campaignId: string, by: string): Promise<CampaignStatus> {
    await this.#move(await this.#load(campaignId), 'cancel', by);
    await this.#announce();
    await this.#cancelPlaces(campaignId);
    return await this.status(campaignId);
  }

  /** Counts a campaign's vehicles by state. @throws CloudFault NOT_FOUND. */
  async status(campaignId: string): Promise<CampaignStatus> {
    const campaign = await this.#load(campaignId);
    const counts = await loadCounts(this.#options.database.kysely, [campaignId]);
    return statusOf(campaign, counts);
  }

  /** Tells all that is known of a campaign. @throws CloudFault NOT_FOUND. */
  async detail(campaignId: string): Promise<CampaignDetail> {
    const { kysely } = this.#options.database;
    const status = await this.status(campaignId);
    const release = await kysely
      .selectFrom('release')
      .select(['name', 'version'])
      .where('release_id', '=', status.campaign.release_id)
      .executeTakeFirst();
    const waves = await kysely
      .selectFrom('campaign_wave')
      .selectAll()
      .where('campaign_id', '=', campaignId)
      .orderBy('number')
      .execute();
    const releaseName = `${release?.name ?? ''} ${release?.version ?? ''}`.trim();
    return { ...status, releaseName, waves, rehearsalId: undefined };
  }

  /**
   * Lists campaigns with their counts, the newest first.
   *
   * @param before - where the page before ended; from the newest on when left out.
   */
  async list(countMax: number, before?: CampaignPosition): Promise<readonly CampaignStatus[]> {
    const { kysely } = this.#options.database;
    let select = kysely
      .selectFrom('campaign')
      .selectAll()
      .orderBy('created_at', 'desc')
      .orderBy('campaign_id', 'desc')
      .limit(countMax);
    if (before !== undefined) {
      const { createdAt, campaignId } = before;
      select = select.where(
        sql<boolean>`(created_at, campaign_id) < (${createdAt}, ${campaignId})`,
      );
    }
    const campaigns = await select.execute();
    const ids = campaigns.map(({ campaign_id: id }) => id);
    const counts = await loadCounts(kysely, ids);
    return campaigns.map((campaign) => statusOf(campaign, counts));
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

  async #move(campaign: StoredCampaign, move: Move, by: string): Promise<void> {
    const { database, clock } = this.#options;
    const { campaign_id: campaignId } = campaign;
    checkMove(campaign, move);
    const now = clock.now();
    const { next, event } = MOVES[move];
    await committed(database, async (tx) => {
      const updated = await tx
        .updateTable('campaign')
        .set({
          state: next,
          ...(move === 'start' ? { started_at: campaign.started_at ?? now } : {}),
        })
        .where('campaign_id', '=', campaignId)
        .where('state', 'in', [...MOVES[move].from])
        .executeTakeFirst();
      if (Number(updated.numUpdatedRows) === 0) throw wrongState(move, 'no longer the same');
      await this.#record(tx, event, { campaignId, by });
      // Perhaps nobody it means needs it, or all were done while it was paused.
      if (move === 'start') {
        await finishCampaigns(tx, this.#options.events, { campaignIds: [campaignId], at: now });
      }
    });
  }

  /** Page by page: no transaction spans the fleet. What is left of an interruption is told as cancelled. */
  async #cancelPlaces(campaignId: string): Promise<void> {
    const { database, clock } = this.#options;
    let count = 0;
    do {
      // oxlint-disable-next-line no-await-in-loop -- see above
      const { numAffectedRows } = await sql`
        update campaign_vehicle set state = 'cancelled', reason = 'CANCELLED', measured = '{}',
          since = ${clock.now()}
        where (vehicle_id, campaign_id) in (
          select vehicle_id, campaign_id from campaign_vehicle
          where campaign_id = ${campaignId} and state = any(${[...ACTIVE_STATES]})
          order by vehicle_id limit ${PAGE_VEHICLES} for no key update)`.execute(database.kysely);
      count = Number(numAffectedRows ?? 0);
    } while (count > 0);
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

function statusOf(
  campaign: StoredCampaign,
  counts: ReadonlyMap<string, readonly Count[]>,
): CampaignStatus {
  const standing = counts.get(campaign.campaign_id) ?? [];
  return { campaign, standing, counts: sumCounts(standing, ({ state }) => state) };
}

function checkMove({ state }: StoredCampaign, move: Move): void {
  if (!MOVES[move].from.includes(state)) throw wrongState(move, state);
}

function wrongState(move: Move, state: string): CloudFault {
  return new CloudFault('CAMPAIGN_STATE', `Cannot ${move} a campaign that is ${state}`);
}

function rowOf(
  { campaign_id: campaignId }: StoredCampaign,
  decision: VehicleDecision,
  { vehicleId }: VehicleInventory,
): Omit<Insertable<CampaignVehicleRow>, 'since'> {
  const key = { vehicle_id: vehicleId, campaign_id: campaignId };
  switch (decision.kind) {
    case 'install':
      return { ...key, state: 'targeted', reason: 'NOT_SEEN', measured: {} };
    case 'done':
      return { ...key, state: 'not-needed', reason: 'ALREADY_RUNS_IT', measured: {} };
    case 'none': {
      const { state, reason, ecus } = decision;
      return { ...key, state, reason, measured: ecus.length > 0 ? { ecus } : {} };
    }
    default:
      return unreachable(decision);
  }
}
