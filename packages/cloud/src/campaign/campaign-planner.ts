/** The Director's planner: which campaign a vehicle is in, and what comes next for it. */
import type { ReasonCode, VehicleState } from '@immota/api';
import type { Clock } from '@immota/base';
import { sql } from '@immota/store';
import { committed } from '../context.ts';
import type { Planner, UpdatePlan, VehicleInventory } from '../director/ports.ts';
import type { EventSink } from '../event-log/event-sink.ts';
import type { CloudDatabase } from '../schema/database.ts';
import { correlationOf } from './correlation.ts';
import { finishCampaigns } from './finish-campaigns.ts';
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
 * A vehicle takes part in one campaign at a time: the one under way in it, else the oldest that runs
 * and has something for it. Why the others wait, or that there is nothing left to do, is written down.
 */
export function createCampaignPlanner(options: CampaignPlannerOptions): Planner {
  const { database, releases } = options;
  return {
    async plan(vehicles) {
      const candidates = await findCandidates(
        database,
        vehicles.map(({ vehicleId }) => vehicleId),
      );
      if (candidates.size === 0) return vehicles.map(() => undefined);
      const notes: Note[] = [];
      const plans = await Promise.all(
        vehicles.map((vehicle) =>
          choose(releases, { vehicle, candidates: candidates.get(vehicle.vehicleId) ?? [], notes }),
        ),
      );
      await saveNotes(options, notes);
      return plans;
    },
  };
}

/** A running campaign that has a vehicle among its active ones. */
interface Candidate {
  readonly vehicle_id: string;
  readonly campaign_id: string;
  readonly release_id: string;
  readonly state: VehicleState;
  readonly reason: ReasonCode | null;
}

/** A place that planning found to be another than was written down. */
interface Note {
  readonly candidate: Candidate;
  readonly state: VehicleState;
  readonly reason: ReasonCode | undefined;
  readonly ecus: readonly string[];
}

async function choose(
  releases: ReleaseStore,
  situation: {
    readonly vehicle: VehicleInventory;
    readonly candidates: readonly Candidate[];
    readonly notes: Note[];
  },
): Promise<UpdatePlan | undefined> {
  const { vehicle, candidates, notes } = situation;
  for (const [index, candidate] of candidates.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- the next campaign is asked only when this one has nothing
    const planner = await releases.planner(candidate.release_id);
    const decision = planner.decide(vehicle);
    const others = candidates.slice(index + 1);
    if (decision.kind === 'install') {
      notes.push(...others.flatMap(noteWaiting));
      return {
        correlationId: correlationOf(candidate.campaign_id),
        images: decision.images,
        custom: { ...planner.notice(), ...planner.technician(vehicle, decision.images) },
        imageCustom: planner.imageCustom(),
      };
    }
    notes.push(...noteDecision(candidate, decision));
    // What it has begun is ended first: the others get their turn at its next contact.
    if (isUnderWay(candidate)) return undefined;
  }
  return undefined;
}

function noteWaiting(candidate: Candidate): readonly Note[] {
  return candidate.reason === 'OTHER_CAMPAIGN'
    ? []
    : [{ candidate, state: 'blocked', reason: 'OTHER_CAMPAIGN', ecus: [] }];
}

function noteDecision(
  candidate: Candidate,
  decision: Exclude<VehicleDecision, { readonly kind: 'install' }>,
): readonly Note[] {
  if (decision.kind === 'done') {
    // It runs the release: by this campaign when it had begun, otherwise by somebody else's doing.
    const isOurs = isUnderWay(candidate) || candidate.reason === 'NEXT_STEP';
    return isOurs
      ? [{ candidate, state: 'updated', reason: undefined, ecus: [] }]
      : [{ candidate, state: 'not-needed', reason: 'ALREADY_RUNS_IT', ecus: [] }];
  }
  const { state, reason, ecus } = decision;
  const isKnown = state === candidate.state && reason === candidate.reason;
  return isKnown ? [] : [{ candidate, state, reason, ecus }];
}

/** Finds each vehicle's active campaigns, in the order of their turn; vehicles without one are absent. */
async function findCandidates(
  database: CloudDatabase,
  vehicleIds: readonly string[],
): Promise<ReadonlyMap<string, readonly Candidate[]>> {
  if (vehicleIds.length === 0) return new Map();
  const { rows } = await sql<Candidate>`
    select vehicle_id, campaign_id, release_id, state, reason from (
      select cv.vehicle_id, c.campaign_id, c.release_id, cv.state, cv.reason, row_number() over (
        partition by cv.vehicle_id
        order by cv.state in ('offered', 'in-flight') or cv.reason = 'NEXT_STEP' desc,
          c.started_at, c.campaign_id) as turn
      from campaign_vehicle cv join campaign c using (campaign_id)
      where cv.vehicle_id = any(${vehicleIds}) and c.state = 'running'
        and cv.state = any(${[...ACTIVE_STATES]})) as ordered
    where turn <= ${CANDIDATES_MAX} order by vehicle_id, turn`.execute(database.kysely);
  return Map.groupBy(rows, (row) => row.vehicle_id);
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
        ${ordered.map(({ ecus }) => JSON.stringify(ecus.length > 0 ? { ecus } : {}))}::text[]
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
