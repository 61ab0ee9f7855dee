/**
 * Carries what vehicles report into their campaigns: one read and one write for a batch, however many
 * vehicles it tells of, and those of one vehicle in their order.
 */
import { sql } from '@immota/store';
import { type HealthFacts, readHealth } from '../director/health-facts.ts';
import type { Observation, ReportObserver } from '../director/ports.ts';
import type { EventSink } from '../event-log/event-sink.ts';
import type { CloudTransaction } from '../schema/database.ts';
import { admitOffers } from './admit-offers.ts';
import { findCampaign } from './correlation.ts';
import { finishCampaigns } from './finish-campaigns.ts';
import { bookOutcomes, type PlaceChange } from './outcomes.ts';
import {
  type CampaignMember,
  CampaignRules,
  keyOf,
  type KnownCampaign,
  type KnownPlace,
  loadPlaces,
  savePlaces,
} from './place-rows.ts';
import { advancePlace, healthDue, isActive } from './vehicle-place.ts';

/**
 * Finds, inside a transaction, which of these vehicles run the whole release of their campaign.
 *
 * @returns for each, in order; undefined where nobody can tell.
 */
export type CompletionCheck = (
  tx: CloudTransaction,
  members: readonly CampaignMember[],
) => Promise<readonly (boolean | undefined)[]>;

/**
 * Makes the observer of all campaigns.
 *
 * @param runsRelease - asked when ECUs report other images than before: more bundles may follow.
 * @param events - where campaigns that hold or are over are put on record.
 */
export function createCampaignObserver(
  runsRelease: CompletionCheck,
  events: EventSink,
): ReportObserver {
  const rules = new CampaignRules();
  return {
    async observe(tx, observations) {
      const heard = observations.flatMap((one) => listen(one));
      const [first] = heard;
      if (first === undefined) return;
      const { at } = first.observation;
      const members = heard.flatMap(({ vehicleId, campaignId }) =>
        campaignId === undefined ? [] : [{ vehicleId, campaignId }],
      );
      const whole = heard.filter(({ campaignId }) => campaignId === undefined);
      const places = await loadPlaces(tx, members, [
        ...new Set(whole.map(({ vehicleId }) => vehicleId)),
      ]);
      if (places.size === 0) return;
      const campaignIds = [...new Set([...places.values()].map((known) => known.campaignId))];
      const campaigns = await rules.load(tx, campaignIds);
      const offered = observations.filter((one) => one.kind === 'offered');
      await admitOffers(tx, offered, campaigns);
      const situation = {
        places,
        campaigns,
        complete: await findComplete(tx, { heard, places, runsRelease }),
        health: await loadHealth(tx, offered),
      };
      const changes = fold(heard, situation);
      await savePlaces(
        tx,
        changes.map(({ known }) => known),
      );
      await watch(tx, { heard, places, campaigns });
      await bookOutcomes(tx, events, { changes, campaigns, at });
      const ended = changes.filter(({ known }) => !isActive(known.place));
      const endedIds = ended.map(({ known }) => known.campaignId);
      await finishCampaigns(tx, events, { campaignIds: endedIds, at });
    },
  };
}

/** An observation, and whom it is for: one campaign, or every one that has the vehicle. */
interface Heard {
  readonly observation: Observation;
  readonly vehicleId: string;
  readonly campaignId: string | undefined;
}

function listen(observation: Observation): readonly Heard[] {
  const { vehicleId } = observation;
  if (observation.kind === 'installed' || observation.kind === 'health') {
    return [{ observation, vehicleId, campaignId: undefined }];
  }
  const campaignId = findCampaign(observation.correlationId);
  return campaignId === undefined ? [] : [{ observation, vehicleId, campaignId }];
}

interface Situation {
  /** Where each stands; what is folded goes on from what was folded before. */
  readonly places: Map<string, KnownPlace>;
  readonly campaigns: ReadonlyMap<string, KnownCampaign>;
  readonly complete: ReadonlyMap<string, boolean | undefined>;
  readonly health: ReadonlyMap<string, HealthFacts>;
}

function fold(heard: readonly Heard[], situation: Situation): readonly PlaceChange[] {
  const { places, campaigns, complete, health } = situation;
  const before = new Map(places);
  const byVehicle = Map.groupBy(places.keys(), (key) => places.get(key)?.vehicleId ?? '');
  const changed = new Set<string>();
  for (const { observation, vehicleId, campaignId } of heard) {
    const keys =
      campaignId === undefined
        ? (byVehicle.get(vehicleId) ?? [])
        : [keyOf({ vehicleId, campaignId })];
    for (const key of keys) {
      const known = places.get(key);
      const campaign = known && campaigns.get(known.campaignId);
      if (known === undefined || campaign === undefined) continue;
      const found = { runsRelease: complete.get(key), health: health.get(vehicleId) };
      const place = advancePlace(known.place, observation, found, campaign.rules(known.place.wave));
      if (place === known.place) continue;
      places.set(key, { ...known, place });
      changed.add(key);
    }
  }
  return [...changed].flatMap((key) => {
    const known = places.get(key);
    const former = before.get(key);
    return known === undefined || former === undefined ? [] : [{ before: former.place, known }];
  });
}

async function findComplete(
  tx: CloudTransaction,
  {
    heard,
    places,
    runsRelease,
  }: {
    readonly heard: readonly Heard[];
    readonly places: ReadonlyMap<string, KnownPlace>;
    readonly runsRelease: CompletionCheck;
  },
): Promise<Situation['complete']> {
  const ended = heard.filter(
    ({ observation: { kind } }) => kind === 'completed' || kind === 'installed',
  );
  const named = new Set(
    ended.flatMap((one) =>
      one.campaignId === undefined ? [] : [keyOf({ ...one, campaignId: one.campaignId })],
    ),
  );
  const whole = new Set(
    ended.flatMap(({ vehicleId, campaignId }) => (campaignId === undefined ? [vehicleId] : [])),
  );
  const asked = [...places.values()].filter(
    (known) => whole.has(known.vehicleId) || named.has(keyOf(known)),
  );
  if (asked.length === 0) return new Map();
  const answers = await runsRelease(tx, asked);
  return new Map(asked.map((known, index) => [keyOf(known), answers[index]]));
}

/** The health of vehicles that are offered something, to hold against how they are afterwards. */
async function loadHealth(
  tx: CloudTransaction,
  offered: readonly Observation[],
): Promise<ReadonlyMap<string, HealthFacts>> {
  if (offered.length === 0) return new Map();
  const ids = [...new Set(offered.map(({ vehicleId }) => vehicleId))];
  const rows = await tx
    .selectFrom('ecu')
    .select(['vehicle_id', 'ecu_id', 'health'])
    .where('vehicle_id', 'in', ids)
    .execute();
  return new Map(
    [...Map.groupBy(rows, (row) => row.vehicle_id)].map(([id, ecus]) => [
      id,
      readHealth(ecus.map(({ ecu_id: ecu, health }) => [ecu, health] as const)),
    ]),
  );
}

/** Says when the health of vehicles that told of it is wanted next; what has no end is `infinity`. */
async function watch(
  tx: CloudTransaction,
  {
    heard,
    places,
    campaigns,
  }: Pick<Situation, 'places' | 'campaigns'> & { readonly heard: readonly Heard[] },
): Promise<void> {
  const told = heard.filter(({ observation }) => observation.kind === 'health');
  if (told.length === 0) return;
  const byVehicle = Map.groupBy(places.values(), ({ vehicleId }) => vehicleId);
  const due = new Map<string, string | null>();
  for (const { vehicleId, observation } of told) {
    const dues = (byVehicle.get(vehicleId) ?? []).flatMap(({ place, campaignId }) => {
      const rules = campaigns.get(campaignId)?.rules(place.wave);
      return (rules && healthDue(place, observation.at, rules)) ?? [];
    });
    const instants = dues.filter((one) => one instanceof Temporal.Instant);
    const [soonest] = instants.toSorted((left, right) => Temporal.Instant.compare(left, right));
    due.set(vehicleId, soonest?.toString() ?? (dues.length > 0 ? 'infinity' : null));
  }
  await sql`
    update vehicle set health_due_at = fresh.due
    from unnest(${[...due.keys()]}::text[], ${[...due.values()]}::timestamptz[]) as fresh (vehicle_id, due)
    where vehicle.vehicle_id = fresh.vehicle_id
      and vehicle.health_due_at is distinct from fresh.due`.execute(tx);
}
