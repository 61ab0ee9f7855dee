/** Campaigns: a signed release to the vehicles that a query means, in waves, guarded, and approved by two. */
import { randomUUID } from 'node:crypto';
import type { Clock, JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import type { Insertable, RawBuilder, Selectable } from 'kysely';
import { committed } from '../context.ts';
import { type EventSink, fleetStream } from '../event-log/event-sink.ts';
import { freezeTargets } from '../evidence/freeze-targets.ts';
import { CloudFault } from '../fault.ts';
import { FIRST_TENANT } from '../inventory/fleet-scope.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { CampaignRow, CampaignWaveRow } from '../schema/campaign-tables.ts';
import { advanceCampaigns } from './advance-campaigns.ts';
import {
  type CampaignContent,
  type CampaignPlan,
  contentOf,
  hashContent,
  objectOf,
  parseContent,
} from './campaign-content.ts';
import { checkMove, moveCampaign } from './campaign-moves.ts';
import { type Count, loadCounts, sumCounts } from './counts.ts';
import { finishCampaigns } from './finish-campaigns.ts';
import { parseFleetQuery } from './fleet-query.ts';
import { findRehearsal } from './last-rehearsal.ts';
import { openWave, resetGuard } from './open-wave.ts';
import type { ReleaseStore } from './release-store.ts';
import { placeVehicles, type StartProgress } from './start-campaign.ts';
import { ACTIVE_STATES } from './vehicle-place.ts';
import type { StoredCampaign } from './stored-campaign.ts';

/** Vehicles cancelled at once. */
const PAGE_VEHICLES = 1000;

/**
 * Checks, in the transaction that starts a campaign, that it is approved as it stands.
 *
 * @throws CloudFault APPROVAL_MISSING and others.
 */
export type ApprovalCheck = (tx: CloudTransaction, campaign: StoredCampaign) => Promise<void>;

/** What campaigns work with. */
export interface CampaignsOptions {
  readonly database: CloudDatabase;
  readonly releases: ReleaseStore;
  readonly events: EventSink;
  readonly clock: Clock;
  readonly checkApproved: ApprovalCheck;
}

/** A campaign to be created. */
export type CampaignDescription = CampaignPlan & {
  readonly createdBy: string;
  /** The first one when left out. */
  readonly tenant?: string | undefined;
};

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

/** Which campaigns are listed. */
export interface CampaignFilter {
  /** All tenants' when left out. */
  readonly tenant?: string | undefined;
  readonly state?: string | undefined;
}

/** Where a page of campaigns ended. */
export interface CampaignPosition {
  readonly createdAt: Temporal.Instant;
  readonly campaignId: string;
}

/** Creates, starts, pauses and cancels campaigns, and counts them. */
export class Campaigns {
  readonly #options: CampaignsOptions;

  constructor(options: CampaignsOptions) {
    this.#options = options;
  }

  /**
   * Creates a campaign, as a draft: nothing is offered before it is approved and started.
   *
   * @throws CloudFault QUERY_MALFORMED; CAMPAIGN_MALFORMED; NOT_FOUND when there is no such release.
   */
  async create(description: CampaignDescription): Promise<string> {
    const { createdBy, tenant = FIRST_TENANT, ...plan } = description;
    const content = await this.#check(plan, tenant);
    const campaignId = randomUUID();
    const { name, releaseId, query } = content;
    await committed(this.#options.database, async (tx) => {
      await tx
        .insertInto('campaign')
        .values({
          campaign_id: campaignId,
          state: 'planned',
          created_by: createdBy,
          tenant,
          ...columnsOf(content),
        })
        .execute();
      await this.#record(
        tx,
        { kind: 'campaign.created', tenant },
        {
          campaignId,
          name,
          releaseId,
          query,
          createdBy,
          contentSha256: hashContent(content),
        },
      );
    });
    return campaignId;
  }

  /**
   * Changes a campaign that was not started. What was approved is approved no more.
   *
   * @throws CloudFault as `create`; CAMPAIGN_STATE.
   */
  async change(campaignId: string, plan: CampaignPlan, by: string): Promise<void> {
    const { tenant } = await this.load(campaignId);
    const content = await this.#check(plan, tenant);
    const contentSha256 = hashContent(content);
    await committed(this.#options.database, async (tx) => {
      const changed = await tx
        .updateTable('campaign')
        .set({ ...columnsOf(content), approval: 'draft', submission: null, decision: null })
        .where('campaign_id', '=', campaignId)
        .where('state', '=', 'planned')
        // Of a start that was interrupted some vehicles have their places already.
        .where((where) =>
          where.not(
            where.exists(
              where
                .selectFrom('campaign_vehicle')
                .select('vehicle_id')
                .where('campaign_vehicle.campaign_id', '=', campaignId)
                .limit(1),
            ),
          ),
        )
        .executeTakeFirst();
      if (Number(changed.numUpdatedRows) === 0) {
        throw new CloudFault('CAMPAIGN_STATE', 'Cannot change a campaign that was started');
      }
      await this.#record(
        tx,
        { kind: 'campaign.changed', tenant },
        { campaignId, by, contentSha256 },
      );
    });
  }

  /**
   * Starts or resumes a campaign: every vehicle that the query means gets its place, its wave and its
   * reason, page by page, and none of the fleet is held in memory. Then the campaign runs; whoever is
   * interrupted before starts it again, and nothing is there twice.
   *
   * @throws CloudFault NOT_FOUND, CAMPAIGN_STATE; APPROVAL_MISSING and others when nobody else has approved
   * what is there now.
   */
  async start(campaignId: string, by: string, progress?: StartProgress): Promise<CampaignStatus> {
    const { database, events, clock, checkApproved } = this.#options;
    const campaign = await this.load(campaignId);
    checkMove(campaign, 'start');
    await committed(database, (tx) => checkApproved(tx, campaign));
    await placeVehicles(this.#options, campaign, progress);
    const now = clock.now();
    // {R156 7.1.2.4}: who is meant, and that it fits what they ran, stands before anything is offered.
    await freezeTargets(this.#options, { campaignId, tenant: campaign.tenant, at: now });
    await moveCampaign(this.#options, campaignId, 'start', {
      by,
      set: { started_at: campaign.started_at ?? now },
      before: checkApproved,
      after: async (tx, stored) => {
        if (stored.open_wave === 0) await openWave(tx, events, { campaign: stored, wave: 1, now });
        // Perhaps nobody it means needs it, or all were done while it was paused.
        await finishCampaigns(tx, events, { campaignIds: [campaignId], at: now });
      },
    });
    return await this.status(campaignId);
  }

  /** Pauses a campaign: what is offered is withdrawn at each vehicle's next contact. */
  async pause(campaignId: string, by: string, reason?: string): Promise<CampaignStatus> {
    await moveCampaign(this.#options, campaignId, 'pause', { by, reason });
    return await this.status(campaignId);
  }

  /**
   * Lets a campaign go on that held by itself. Its test begins anew: what somebody has looked at and
   * answered for holds it no more.
   *
   * @param reason - why it may go on, for the record.
   * @throws CloudFault NOT_FOUND, CAMPAIGN_STATE.
   */
  async resume(campaignId: string, by: string, reason: string): Promise<CampaignStatus> {
    await moveCampaign(this.#options, campaignId, 'resume', {
      by,
      reason,
      set: { hold: null },
      before: (tx, campaign) => resetGuard(tx, campaign),
      after: (tx) =>
        finishCampaigns(tx, this.#options.events, {
          campaignIds: [campaignId],
          at: this.#options.clock.now(),
        }),
    });
    return await this.status(campaignId);
  }

  /**
   * Cancels a campaign for good. Vehicles that are updated stay so, and whoever completes an update
   * that was under way counts as updated too.
   */
  async cancel(campaignId: string, by: string, reason?: string): Promise<CampaignStatus> {
    await moveCampaign(this.#options, campaignId, 'cancel', { by, reason, set: { hold: null } });
    await this.#cancelPlaces(campaignId);
    return await this.status(campaignId);
  }

  /**
   * Opens the next wave by hand.
   *
   * @param wave - the one after the last that is open: nobody opens a wave unawares.
   * @throws CloudFault NOT_FOUND; CAMPAIGN_STATE when it does not run, or another wave is next.
   */
  async openWave(campaignId: string, wave: number, by: string): Promise<void> {
    const { database, events, clock } = this.#options;
    await this.load(campaignId);
    await committed(database, async (tx) => {
      const campaign = await tx
        .selectFrom('campaign')
        .selectAll()
        .where('campaign_id', '=', campaignId)
        .forNoKeyUpdate()
        .executeTakeFirstOrThrow();
      const { state, open_wave: open } = campaign;
      if (state !== 'running' || wave !== open + 1 || wave > contentOf(campaign).waves.length) {
        throw new CloudFault(
          'CAMPAIGN_STATE',
          `Cannot open wave ${wave} of a campaign that is ${state} with wave ${open} open`,
        );
      }
      await openWave(tx, events, { campaign, wave, now: clock.now(), by });
    });
  }

  /** Counts a campaign's vehicles by state. @throws CloudFault NOT_FOUND. */
  async status(campaignId: string): Promise<CampaignStatus> {
    const campaign = await this.load(campaignId);
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
    const rehearsal = await findRehearsal(this.#options.database, campaignId);
    return { ...status, releaseName, waves, rehearsalId: rehearsal?.rehearsalId };
  }

  /**
   * Lists campaigns with their counts, the newest first.
   *
   * @param before - where the page before ended; from the newest on when left out.
   */
  async list(
    countMax: number,
    before?: CampaignPosition,
    { tenant, state }: CampaignFilter = {},
  ): Promise<readonly CampaignStatus[]> {
    const { kysely } = this.#options.database;
    let select = kysely
      .selectFrom('campaign')
      .selectAll()
      .orderBy('created_at', 'desc')
      .orderBy('campaign_id', 'desc')
      .limit(countMax);
    if (tenant !== undefined) select = select.where('tenant', '=', tenant);
    if (state !== undefined) select = select.where(sql<boolean>`state = ${state}`);
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

  /** Opens waves that are due, folds counts, draws curves on: of live campaigns, and never of the fleet. */
  async advance(): Promise<void> {
    await advanceCampaigns(this.#options);
  }

  /**
   * Finds a campaign.
   *
   * @param tenant - whose it must be; anybody's when left out.
   * @throws CloudFault NOT_FOUND, for another tenant's too: nobody learns that it is there.
   */
  async load(campaignId: string, tenant?: string): Promise<StoredCampaign> {
    const campaign = await this.#options.database.kysely
      .selectFrom('campaign')
      .selectAll()
      .where('campaign_id', '=', campaignId)
      .executeTakeFirst();
    if (campaign === undefined || (tenant !== undefined && campaign.tenant !== tenant)) {
      throw new CloudFault('NOT_FOUND', `Cannot find campaign "${campaignId}"`);
    }
    return campaign;
  }

  async #check(plan: CampaignPlan, tenant: string): Promise<CampaignContent> {
    const { database, releases, clock } = this.#options;
    const content = parseContent(plan);
    parseFleetQuery(content.query, clock.now());
    await releases.load(content.releaseId);
    const own = await database.kysely
      .selectFrom('release')
      .select('release_id')
      .where('release_id', '=', content.releaseId)
      .where('tenant', '=', tenant)
      .executeTakeFirst();
    if (own === undefined) {
      throw new CloudFault('NOT_FOUND', `Cannot find release "${content.releaseId}"`);
    }
    return content;
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

  async #record(
    tx: CloudTransaction,
    { kind, tenant }: { kind: 'campaign.created' | 'campaign.changed'; tenant: string },
    body: Readonly<Record<string, string>>,
  ): Promise<void> {
    const { events, clock } = this.#options;
    await events.append(tx, [{ stream: fleetStream(tenant), kind, at: clock.now(), body }]);
  }
}

function statusOf(
  campaign: StoredCampaign,
  counts: ReadonlyMap<string, readonly Count[]>,
): CampaignStatus {
  const standing = counts.get(campaign.campaign_id) ?? [];
  return { campaign, standing, counts: sumCounts(standing, ({ state }) => state) };
}

/** What is decided, as the row has it. */
function columnsOf(content: CampaignContent): ContentColumns {
  const { name, releaseId, query, policy, waves, guard, filingNumber } = content;
  return {
    name,
    release_id: releaseId,
    query,
    policy: objectOf(policy),
    // A list would be taken for an array of the database's own.
    waves: sql<readonly JsonObject[]>`${JSON.stringify(waves.map(objectOf))}::jsonb`,
    guard: objectOf(guard),
    priority: policy.priority,
    joins: policy.joins,
    filing_number: filingNumber ?? null,
    content_sha256: hashContent(content),
  };
}

type ContentColumns = Pick<
  Insertable<CampaignRow>,
  | 'name'
  | 'release_id'
  | 'query'
  | 'policy'
  | 'guard'
  | 'priority'
  | 'joins'
  | 'filing_number'
  | 'content_sha256'
> & { readonly waves: RawBuilder<readonly JsonObject[]> };
