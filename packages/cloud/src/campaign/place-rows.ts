/** Places as the database keeps them: read and locked in one order, and written, by the batch. */
import type { CampaignStage, ReasonCode, VehicleState } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import { decodeHealth, encodeHealth } from '../director/health-facts.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { CampaignRow } from '../schema/campaign-tables.ts';
import { type CampaignContent, contentOf, designOf } from './campaign-content.ts';
import type { GuardDesign } from './statistics/campaign-guard.ts';
import type { Place, PlaceRules } from './vehicle-place.ts';

/** A vehicle in a campaign. */
export interface CampaignMember {
  readonly vehicleId: string;
  readonly campaignId: string;
}

/** A place, locked, and what of the vehicle tells failures apart. */
export interface KnownPlace extends CampaignMember {
  readonly place: Place;
  readonly source: string;
}

/** A campaign as far as reports need it. */
export interface KnownCampaign {
  readonly campaignId: string;
  readonly state: CampaignRow['state'];
  readonly openWave: number;
  readonly content: Pick<CampaignContent, 'policy' | 'waves' | 'guard'>;
  readonly design: GuardDesign;
  /** The rules of one of its waves. */
  rules(wave: number): PlaceRules;
}

/** Names a member; no vehicle's name has a line break. */
export function keyOf({ vehicleId, campaignId }: CampaignMember): string {
  return `${campaignId}\n${vehicleId}`;
}

/**
 * Loads places, those that are named and all of some vehicles.
 *
 * Locked in the order of their keys, so that two batches that meet wait for each other in one order.
 */
export async function loadPlaces(
  tx: CloudTransaction,
  members: readonly CampaignMember[],
  vehicleIds: readonly string[],
): Promise<Map<string, KnownPlace>> {
  const { rows } = await sql<PlaceColumns>`
    with asked as (
      select vehicle_id, campaign_id from unnest(
        ${members.map(({ vehicleId }) => vehicleId)}::text[],
        ${members.map(({ campaignId }) => campaignId)}::text[]) as named (vehicle_id, campaign_id)
      union select vehicle_id, campaign_id from campaign_vehicle where vehicle_id = any(${vehicleIds}))
    select cv.* from asked join campaign_vehicle cv using (vehicle_id, campaign_id)
    order by cv.vehicle_id, cv.campaign_id for no key update of cv`.execute(tx);
  return new Map(
    rows.map((row) => {
      const known = {
        vehicleId: row.vehicle_id,
        campaignId: row.campaign_id,
        source: row.source,
        place: placeOf(row),
      };
      return [keyOf(known), known];
    }),
  );
}

interface PlaceColumns {
  readonly vehicle_id: string;
  readonly campaign_id: string;
  readonly state: VehicleState;
  readonly reason: ReasonCode | null;
  readonly measured: JsonObject;
  readonly attempts: number;
  readonly since: Temporal.Instant;
  readonly stage: CampaignStage;
  readonly wave: number;
  readonly is_control: boolean;
  readonly health: Place['health'];
  readonly outcome: Place['outcome'];
  readonly booted_at: Temporal.Instant | null;
  readonly penalty_until: Temporal.Instant | null;
  readonly baseline: JsonObject | null;
  readonly source: string;
}

function placeOf(row: PlaceColumns): Place {
  const { state, reason, measured, attempts, since, stage, wave, health, outcome } = row;
  return {
    state,
    reason: reason ?? undefined,
    measured,
    attempts,
    since,
    stage,
    wave,
    isControl: row.is_control,
    health,
    outcome,
    bootedAt: row.booted_at ?? undefined,
    penaltyUntil: row.penalty_until ?? undefined,
    baseline: decodeHealth(row.baseline),
  };
}

/** Writes places that changed. */
export async function savePlaces(
  tx: CloudTransaction,
  changed: readonly KnownPlace[],
): Promise<void> {
  if (changed.length === 0) return;
  const places = changed.map(({ place }) => place);
  await sql`
    update campaign_vehicle set state = fresh.state, reason = fresh.reason,
      measured = fresh.measured::jsonb, attempts = fresh.attempts, since = fresh.since,
      stage = fresh.stage, is_control = fresh.is_control, health = fresh.health,
      outcome = fresh.outcome, booted_at = fresh.booted_at, penalty_until = fresh.penalty_until,
      baseline = fresh.baseline::jsonb
    from unnest(
      ${changed.map(({ vehicleId }) => vehicleId)}::text[],
      ${changed.map(({ campaignId }) => campaignId)}::text[],
      ${places.map(({ state }) => state)}::text[],
      ${places.map(({ reason }) => reason ?? null)}::text[],
      ${places.map(({ measured }) => JSON.stringify(measured))}::text[],
      ${places.map(({ attempts }) => attempts)}::integer[],
      ${places.map(({ since }) => since)}::timestamptz[],
      ${places.map(({ stage }) => stage)}::text[],
      ${places.map(({ isControl }) => isControl)}::boolean[],
      ${places.map(({ health }) => health)}::text[],
      ${places.map(({ outcome }) => outcome)}::text[],
      ${places.map(({ bootedAt }) => bootedAt ?? null)}::timestamptz[],
      ${places.map(({ penaltyUntil }) => penaltyUntil ?? null)}::timestamptz[],
      ${places.map(({ baseline }) => baseline && JSON.stringify(encodeHealth(baseline)))}::text[]
    ) as fresh (vehicle_id, campaign_id, state, reason, measured, attempts, since, stage, is_control,
      health, outcome, booted_at, penalty_until, baseline)
    where campaign_vehicle.vehicle_id = fresh.vehicle_id
      and campaign_vehicle.campaign_id = fresh.campaign_id`.execute(tx);
}

/** Loads campaigns as far as reports need them; what was decided of one that started never changes. */
export class CampaignRules {
  readonly #contents = new Map<string, KnownCampaign['content']>();

  /** Loads campaigns by their ids. */
  async load(
    tx: CloudDatabase['kysely'] | CloudTransaction,
    campaignIds: readonly string[],
  ): Promise<ReadonlyMap<string, KnownCampaign>> {
    if (campaignIds.length === 0) return new Map();
    const rows = await tx
      .selectFrom('campaign')
      .select(['campaign_id', 'state', 'open_wave', 'content_sha256'])
      .where('campaign_id', 'in', campaignIds)
      .execute();
    const unknown = rows.filter((row) => !this.#contents.has(contentKey(row)));
    if (unknown.length > 0)
      await this.#learn(
        tx,
        unknown.map((row) => row.campaign_id),
      );
    return new Map(
      rows.flatMap((row) => {
        const content = this.#contents.get(contentKey(row));
        return content === undefined ? [] : [[row.campaign_id, knownOf(row, content)]];
      }),
    );
  }

  async #learn(
    tx: CloudDatabase['kysely'] | CloudTransaction,
    campaignIds: readonly string[],
  ): Promise<void> {
    if (this.#contents.size > CONTENTS_KEPT_MAX) this.#contents.clear();
    const rows = await tx
      .selectFrom('campaign')
      .selectAll()
      .where('campaign_id', 'in', campaignIds)
      .execute();
    for (const row of rows) this.#contents.set(contentKey(row), contentOf(row));
  }
}

/** Campaigns that are live, and some that vehicles still report for. */
const CONTENTS_KEPT_MAX = 1000;

function contentKey(row: {
  readonly campaign_id: string;
  readonly content_sha256: string;
}): string {
  return `${row.campaign_id} ${row.content_sha256}`;
}

function knownOf(
  row: Pick<CampaignRow, 'campaign_id' | 'state'> & { readonly open_wave: number },
  content: KnownCampaign['content'],
): KnownCampaign {
  const { campaign_id: campaignId, state, open_wave: openWave } = row;
  const { attemptsMax, penaltyHours } = content.policy.retries;
  const isLive = state === 'running' || state === 'paused' || state === 'held';
  return {
    campaignId,
    state,
    openWave,
    content,
    design: designOf(content),
    rules: (wave) => ({
      campaignId,
      attemptsMax,
      penaltyHours,
      soakMinutes: content.waves[wave - 1]?.soakMinutes ?? 0,
      isLive,
    }),
  };
}
