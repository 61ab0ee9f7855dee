/** The Director's planner: which campaign a vehicle is in, and what comes next for it. */
import type { ReasonCode, VehicleState } from '@immota/api';
import type { Clock, JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import { committed } from '../context.ts';
import type { Planner, UpdatePlan, VehicleInventory } from '../director/ports.ts';
import type { EventSink } from '../event-log/event-sink.ts';
import type { CloudDatabase } from '../schema/database.ts';
import { hourOf, isCapped, type OfferRate } from './admit-offers.ts';
import { correlationOf } from './correlation.ts';
import { finishCampaigns } from './finish-campaigns.ts';
import { joinCampaigns } from './join-campaigns.ts';
import { findClosed } from './offer-gate.ts';
import { CampaignRules, type KnownCampaign } from './place-rows.ts';
import { policyNotice } from './policy-notice.ts';
import type { ReleaseStore } from './release-store.ts';
import { ACTIVE_STATES, isActive, isUnderWay } from './vehicle-place.ts';
import type { VehicleDecision } from './vehicle-plan.ts';

/** Campaigns looked at for one vehicle; whoever is in more waits for the first of them. */
const CANDIDATES_MAX = 8;

/** What the planner works with. */
export interface CampaignPlannerOptions {
  readonly database: CloudDatabase;
  readonly releases: ReleaseStore;
  readonly events: EventSink;
  readonly clock: Clock;
}

/**
 * Makes the planner of all campaigns.
 *
 * A vehicle takes part in one campaign at a time: the one under way in it, else the one of the highest
 * priority that runs and has something for it, the oldest of them first. Why the others wait, or that
 * there is nothing left to do, is written down.
 */
export function createCampaignPlanner(options: CampaignPlannerOptions): Planner {
  const { database, clock } = options;
  const rules = new CampaignRules();
  return {
    async plan(vehicles) {
      await joinCampaigns(options, vehicles);
      const ids = vehicles.map(({ vehicleId }) => vehicleId);
      const candidates = await findCandidates(database, ids);
      if (candidates.size === 0) return vehicles.map(() => undefined);
      const rows = [...candidates.values()].flat();
      const campaignIds = [...new Set(rows.map((row) => row.campaign_id))];
      const campaigns = await rules.load(database.kysely, campaignIds);
      const now = clock.now();
      const planning: Planning = {
        releases: options.releases,
        campaigns,
        rates: await loadRates(database, [...campaigns.values()], now),
        notes: [],
        now,
      };
      const plans = await Promise.all(
        vehicles.map((vehicle) =>
          choose(planning, vehicle, candidates.get(vehicle.vehicleId) ?? []),
        ),
      );
      await saveNotes(options, planning.notes);
      return plans;
    },
  };
}

/** A running campaign that has a vehicle among its active ones. */
interface Candidate {
  readonly vehicle_id: string;
  readonly campaign_id: string;
  readonly release_id: string;
  readonly name: string;
  readonly state: VehicleState;
  readonly reason: ReasonCode | null;
  readonly until: string | null;
  readonly wave: number;
  readonly is_control: boolean;
  readonly penalty_until: Temporal.Instant | null;
  readonly wave_opened_at: Temporal.Instant | null;
  readonly blocked_because: string | null;
}

interface Planning {
  readonly releases: ReleaseStore;
  readonly campaigns: ReadonlyMap<string, KnownCampaign>;
  /** What this hour's offers came to; those of this batch are added as they are made. */
  readonly rates: Map<string, OfferRate>;
  readonly notes: Note[];
  readonly now: Temporal.Instant;
}

/** A place that planning found to be another than was written down. */
interface Note {
  readonly candidate: Candidate;
  readonly state: VehicleState;
  readonly reason: ReasonCode | undefined;
  readonly measured: JsonObject;
}

async function choose(
  planning: Planning,
  vehicle: VehicleInventory,
  candidates: readonly Candidate[],
): Promise<UpdatePlan | undefined> {
  const { releases, campaigns, notes } = planning;
  for (const [index, candidate] of candidates.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- the next campaign is asked only when this one has nothing
    const planner = await releases.planner(candidate.release_id);
    const decision = planner.decide(vehicle);
    if (decision.kind === 'install') {
      const campaign = campaigns.get(candidate.campaign_id);
      if (campaign === undefined) continue;
      const lengthBytes = planner.lengthOf(decision.images);
      const closed = pass(planning, { vehicle, candidate, campaign, lengthBytes });
      if (closed !== undefined) {
        notes.push(...noteClosed(candidate, closed));
        continue;
      }
      for (const other of candidates.slice(index + 1)) notes.push(...noteWaiting(other, candidate));
      return {
        correlationId: correlationOf(candidate.campaign_id),
        images: decision.images,
        custom: {
          ...planner.notice(),
          ...planner.technician(vehicle, decision.images),
          ...policyNotice(campaign.content.policy),
        },
        imageCustom: planner.imageCustom(),
        lengthBytes,
      };
    }
    notes.push(...noteDecision(candidate, decision));
    // What it has begun is ended first: the others get their turn at its next contact.
    if (isUnderWay(candidate)) return undefined;
  }
  return undefined;
}

/** Lets a vehicle through to an offer, and counts it. @returns why not. */
function pass(
  { rates, now }: Planning,
  asked: {
    readonly vehicle: VehicleInventory;
    readonly candidate: Candidate;
    readonly campaign: KnownCampaign;
    readonly lengthBytes: number;
  },
): ReturnType<typeof findClosed> {
  const { vehicle, candidate, campaign, lengthBytes } = asked;
  const { campaignId, content, openWave } = campaign;
  const rate = rates.get(campaignId) ?? { vehicles: 0, bytes: 0 };
  const isOffered = vehicle.offer?.correlationId === correlationOf(campaignId);
  const closed = findClosed(
    {
      campaignId,
      vehicleId: vehicle.vehicleId,
      policy: content.policy,
      wave: candidate.wave,
      isControl: candidate.is_control,
      openWave,
      waveCount: content.waves.length,
      waveOpenedAt: candidate.wave_opened_at ?? undefined,
      penaltyUntil: candidate.penalty_until ?? undefined,
      blockedBecause: candidate.blocked_because ?? undefined,
      isOffered: isOffered && isUnderWay(candidate),
      isBegun: candidate.reason === 'NEXT_STEP',
      rate,
    },
    now,
  );
  if (closed === undefined && !isOffered) {
    rates.set(campaignId, { vehicles: rate.vehicles + 1, bytes: rate.bytes + lengthBytes });
  }
  return closed;
}

/** A vehicle whose turn has not come is written down once, and again when it is told another time. */
function noteClosed(
  candidate: Candidate,
  { reason, measured }: NonNullable<ReturnType<typeof findClosed>>,
): readonly Note[] {
  const { until } = measured;
  const isKnown =
    candidate.state === 'targeted' &&
    candidate.reason === reason &&
    (until === undefined || until === candidate.until);
  // What somebody measured when it was put there says more than that it is there.
  const isBoxed = reason === 'PENALTY_BOX' && candidate.reason === reason;
  return isKnown || isBoxed ? [] : [{ candidate, state: 'targeted', reason, measured }];
}

function noteWaiting(candidate: Candidate, first: Candidate): readonly Note[] {
  if (candidate.reason === 'OTHER_CAMPAIGN') return [];
  const measured = { campaignId: first.campaign_id, campaign: first.name };
  return [{ candidate, state: 'blocked', reason: 'OTHER_CAMPAIGN', measured }];
}

function noteDecision(
  candidate: Candidate,
  decision: Exclude<VehicleDecision, { readonly kind: 'install' }>,
): readonly Note[] {
  if (decision.kind === 'done') {
    // It runs the release: by this campaign when it had begun, otherwise by somebody else's doing.
    const isOurs = isUnderWay(candidate) || candidate.reason === 'NEXT_STEP';
    return isOurs
      ? [{ candidate, state: 'updated', reason: undefined, measured: {} }]
      : [{ candidate, state: 'not-needed', reason: 'ALREADY_RUNS_IT', measured: {} }];
  }
  const { state, reason, ecus } = decision;
  const isKnown = state === candidate.state && reason === candidate.reason;
  return isKnown ? [] : [{ candidate, state, reason, measured: ecus.length > 0 ? { ecus } : {} }];
}

/** Finds each vehicle's active campaigns, in the order of their turn; vehicles without one are absent. */
async function findCandidates(
  database: CloudDatabase,
  vehicleIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Candidate[]>> {
  if (vehicleIds.length === 0) return new Map();
  const { rows } = await sql<Candidate>`
    select ordered.*, w.opened_at as wave_opened_at, r.blocked_because from (
      select cv.vehicle_id, c.campaign_id, c.release_id, c.name, cv.state, cv.reason,
        cv.measured ->> 'until' as until, cv.wave, cv.is_control, cv.penalty_until, row_number() over (
          partition by cv.vehicle_id
          order by cv.state in ('offered', 'in-flight') or cv.reason = 'NEXT_STEP' desc,
            c.priority desc, c.started_at, c.campaign_id) as turn
      from campaign_vehicle cv join campaign c using (campaign_id)
      where cv.vehicle_id = any(${vehicleIds}) and c.state = 'running'
        and cv.state = any(${[...ACTIVE_STATES]})) as ordered
      join release r using (release_id)
      left join campaign_wave w on w.campaign_id = ordered.campaign_id and w.number = ordered.wave
    where turn <= ${CANDIDATES_MAX} order by vehicle_id, turn`.execute(database.kysely);
  return Map.groupBy(rows, (row) => row.vehicle_id);
}

async function loadRates(
  { kysely }: CloudDatabase,
  campaigns: readonly KnownCampaign[],
  now: Temporal.Instant,
): Promise<Map<string, OfferRate>> {
  const capped = campaigns.filter(({ content }) => isCapped(content.policy));
  if (capped.length === 0) return new Map();
  const rows = await kysely
    .selectFrom('campaign_rate')
    .select(['campaign_id', 'vehicles', 'bytes'])
    .where(
      'campaign_id',
      'in',
      capped.map(({ campaignId }) => campaignId),
    )
    .where('hour', '=', hourOf(now))
    .execute();
  return new Map(
    rows.map(({ campaign_id: id, vehicles, bytes }) => [id, { vehicles, bytes }] as const),
  );
}

/** What was observed meanwhile goes before what was found: such a place stays as it is. */
async function saveNotes(
  { database, events, clock }: CampaignPlannerOptions,
  notes: readonly Note[],
): Promise<void> {
  if (notes.length === 0) return;
  const ordered = notes.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
  const candidates = ordered.map(({ candidate }) => candidate);
  const ended = ordered.filter((note) => !isActive(note));
  await committed(database, async (tx) => {
    await sql`
      update campaign_vehicle cv set state = fresh.state, reason = fresh.reason,
        measured = fresh.measured::jsonb, since = ${clock.now()}
      from unnest(
        ${candidates.map((one) => one.vehicle_id)}::text[],
        ${candidates.map((one) => one.campaign_id)}::text[],
        ${candidates.map((one) => one.state)}::text[],
        ${candidates.map((one) => one.reason)}::text[],
        ${ordered.map(({ state }) => state)}::text[],
        ${ordered.map(({ reason }) => reason ?? null)}::text[],
        ${ordered.map(({ measured }) => JSON.stringify(measured))}::text[]
      ) as fresh (vehicle_id, campaign_id, old_state, old_reason, state, reason, measured)
      where cv.vehicle_id = fresh.vehicle_id and cv.campaign_id = fresh.campaign_id
        and cv.state = fresh.old_state
        and cv.reason is not distinct from fresh.old_reason`.execute(tx);
    const campaignIds = ended.map(({ candidate }) => candidate.campaign_id);
    await finishCampaigns(tx, events, { campaignIds, at: clock.now() });
  });
}

function keyOf({ candidate }: Note): string {
  return `${candidate.vehicle_id}\n${candidate.campaign_id}`;
}
