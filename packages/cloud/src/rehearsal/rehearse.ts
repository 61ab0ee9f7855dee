/**
 * Rehearses a campaign over the fleet as it was last seen: every vehicle that its query means is looked at
 * once, those that are alike are planned for once, and nothing is written to any of them.
 */
import type { JsonObject } from '@immota/base';
import { sql } from '@immota/store';
import { type CampaignContent, cutOf, designOf } from '../campaign/campaign-content.ts';
import type { StoredCampaign } from '../campaign/stored-campaign.ts';
import type { ReleaseStore } from '../campaign/release-store.ts';
import { detectableRate } from '../campaign/statistics/detectable-rate.ts';
import { placeByIndex } from '../campaign/statistics/stratified-sample.ts';
import { CloudFault } from '../fault.ts';
import { parseFleetQuery } from '../fleet/query/fleet-query.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { TrustStore } from '../trust/trust-store.ts';
import { type ContactPattern, type Forecast, forecast } from './forecast.ts';
import { loadImageFacts } from './images.ts';
import {
  countEndingCertificates,
  loadConflicts,
  loadContacts,
  loadGroups,
  loadLags,
  type VehicleGroup,
} from './page.ts';
import { type GroupPlan, planGroup } from './plan-group.ts';
import { type Random, seededRandom } from './random.ts';
import { findStranding } from './stranding.ts';
import { STRATA_MAX, Tally } from './tally.ts';

/** Vehicles read at once: some tens of megabytes. */
const PAGE_VEHICLES = 20_000;
/** Vehicles whose contacts are simulated, of a page and of all. */
const SAMPLED_OF_PAGE = 200;
const SAMPLED_MAX = 2000;
/** Until when keys and metadata must last where the forecast has no end. */
const HORIZON_HOURS = 90 * 24;
/** How long ago installations still tell how long one takes. */
const LAGS_HOURS = 180 * 24;
/** Four times in five. */
const POWER = 0.8;
const HOURS_OF_STATEMENT = 1;

/** What a rehearsal works with. */
export interface Rehearsing {
  readonly database: CloudDatabase;
  readonly releases: ReleaseStore;
  readonly trust: TrustStore;
}

/** What is rehearsed. */
export interface RehearsalRequest {
  readonly campaign: StoredCampaign;
  readonly content: CampaignContent;
  readonly now: Temporal.Instant;
  readonly seed: string;
  /** Told of each page; it throws when nobody wants the rehearsal any more. */
  readonly progress: (seen: number, total: number) => Promise<void>;
}

/**
 * Rehearses.
 *
 * @returns the result as the API gives it.
 * @throws CloudFault QUERY_MALFORMED, NOT_FOUND, REHEARSAL_TOO_VARIED; whatever `progress` throws.
 */
export async function rehearse(
  rehearsing: Rehearsing,
  request: RehearsalRequest,
): Promise<JsonObject> {
  const { database } = rehearsing;
  return await database.kysely
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (tx) => {
      const timeout = `${HOURS_OF_STATEMENT}h`;
      await sql`select set_config('statement_timeout', ${timeout}, true), set_config('jit', 'off', true),
        set_config('idle_in_transaction_session_timeout', ${timeout}, true),
        set_config('cursor_tuple_fraction', '1', true), set_config('work_mem', '64MB', true)`.execute(
        tx,
      );
      const looked = await lookAtFleet(tx, rehearsing, request);
      return await conclude(tx, { rehearsing, request, looked });
    });
}

interface Looked {
  readonly tally: Tally;
  readonly patterns: readonly ContactPattern[];
}

async function lookAtFleet(
  tx: CloudTransaction,
  { releases }: Rehearsing,
  request: RehearsalRequest,
): Promise<Looked> {
  const { campaign, content, now, seed, progress } = request;
  const release = await releases.load(content.releaseId);
  const planner = await releases.planner(content.releaseId);
  const images = await loadImageFacts(tx, release);
  const hardware = hardwareOf(release);
  const tally = new Tally();
  const plans = new Map<string, GroupPlan>();
  const random = seededRandom(`${seed} sample`);
  const patterns: ContactPattern[] = [];
  const until = now.add({ hours: HORIZON_HOURS });
  const meant = parseFleetQuery(content.query, now).sql('v');
  await sql`declare rehearsed no scroll cursor for select v.vehicle_id from vehicle v
    where v.tenant = ${campaign.tenant} and ${meant}`.execute(tx);
  const total = await expectedTotal(tx, campaign.tenant);
  for (;;) {
    // oxlint-disable no-await-in-loop -- page after page, so that memory stays bounded
    const { rows } = await sql<{ readonly vehicle_id: string }>`
      fetch ${sql.lit(PAGE_VEHICLES)} from rehearsed`.execute(tx);
    const ids = rows.map((row) => row.vehicle_id);
    if (ids.length === 0) break;
    const groups = await loadGroups(tx, ids, hardware);
    for (const group of groups) {
      const plan = plans.get(group.key) ?? planGroup(group, { release, planner, images });
      if (plans.size >= STRATA_MAX) throw tooVaried();
      plans.set(group.key, plan);
      tally.add(group, plan);
    }
    for (const [id, vehicles] of await loadConflicts(tx, ids, campaign.campaign_id)) {
      tally.conflicts.set(id, (tally.conflicts.get(id) ?? 0) + vehicles);
    }
    const { ended, ending } = await countEndingCertificates(tx, ids, { now, until });
    tally.endedCertificates += ended;
    tally.endingCertificates += ending;
    const page = { ids, groups, plans, random, now };
    patterns.push(...(await samplePatterns(tx, page)));
    await progress(tally.matched, Math.max(total, tally.matched));
    // oxlint-enable no-await-in-loop
  }
  return { tally, patterns };
}

function tooVaried(): CloudFault {
  return new CloudFault(
    'REHEARSAL_TOO_VARIED',
    `Cannot rehearse: vehicles run more than ${STRATA_MAX} different configurations`,
  );
}

/** Hardware that the release speaks of: what it brings, and what must be beside it. */
function hardwareOf(release: Awaited<ReturnType<ReleaseStore['load']>>): readonly string[] {
  const named = release.images.flatMap(({ hardwareIdentifier, requires, conflicts }) => [
    hardwareIdentifier,
    ...[...requires, ...conflicts].map((other) => other.hardwareIdentifier),
  ]);
  return [...new Set<string>(named)];
}

/** Of the whole tenant: how many are meant is known at the end. */
async function expectedTotal(tx: CloudTransaction, tenant: string): Promise<number> {
  const { rows } = await sql<{ readonly vehicles: number }>`
    select coalesce(sum(vehicles), 0)::bigint as vehicles from fleet_count
    where tenant = ${tenant} and kind = 'vehicle'`.execute(tx);
  return rows[0]?.vehicles ?? 0;
}

/** Some vehicles of a page, each for its share of it. Their waves are given at the end. */
async function samplePatterns(
  tx: CloudTransaction,
  page: {
    readonly ids: readonly string[];
    readonly groups: readonly VehicleGroup[];
    readonly plans: ReadonlyMap<string, GroupPlan>;
    readonly random: Random;
    readonly now: Temporal.Instant;
  },
): Promise<readonly ContactPattern[]> {
  const { ids, groups, plans, random, now } = page;
  const plannable = groups.flatMap((group) => {
    const outcome = plans.get(group.key)?.outcome;
    return outcome?.kind === 'plannable' ? [{ group, steps: outcome.steps }] : [];
  });
  const all = plannable.reduce((sum, { group }) => sum + group.vehicles, 0);
  if (all === 0) return [];
  const count = Math.min(ids.length, SAMPLED_OF_PAGE);
  const chosen = new Set<string>();
  while (chosen.size < count) chosen.add(ids[Math.floor(random() * ids.length)] ?? '');
  const rows = await loadContacts(tx, [...chosen]);
  const ordered = rows.toSorted((a, b) => (a.vehicle_id < b.vehicle_id ? -1 : 1));
  return ordered.map(({ gap, hours, seen }): ContactPattern => ({
    weight: all / ordered.length,
    gapHours: gap === null ? undefined : gap / 3600,
    hours: hours ?? undefined,
    silentHours: seen === null ? undefined : now.since(seen).total('hours'),
    steps: stepsAt(plannable, random() * all),
    wave: 1,
  }));
}

function stepsAt(
  plannable: readonly { readonly group: VehicleGroup; readonly steps: number }[],
  at: number,
): number {
  let passed = 0;
  for (const { group, steps } of plannable) {
    passed += group.vehicles;
    if (at < passed) return steps;
  }
  return 1;
}

async function conclude(
  tx: CloudTransaction,
  {
    rehearsing,
    request,
    looked,
  }: {
    readonly rehearsing: Rehearsing;
    readonly request: RehearsalRequest;
    readonly looked: Looked;
  },
): Promise<JsonObject> {
  const { campaign, content, now } = request;
  const { tally } = looked;
  const release = await rehearsing.releases.load(content.releaseId);
  const lags = await loadLags(tx, now.subtract({ hours: LAGS_HOURS }));
  const expected = forecastOf(request, looked, lags);
  const hours = expected.hoursTo95 ?? HORIZON_HOURS;
  const until = now.add({ seconds: Math.round(hours * 3600) });
  const stranding = await findStranding({
    reader: tx,
    trust: rehearsing.trust,
    release,
    tally,
    now,
    until,
  });
  const detectable = detectablePermille(content, tally.plannable);
  return {
    matched: tally.matched,
    plannable: tally.plannable,
    alreadyThere: tally.alreadyThere,
    blocked: tally.blocked().map((one) => ({ ...one, sample: [...one.sample] })),
    variants: tally.variants().map((variant) => ({ ...variant })),
    ...wavesOf(content, tally.strata()),
    bytes: { full: tally.bytes.full, delta: tally.bytes.delta, estimated: tally.bytes.estimated },
    minutes: minutesOf(tally.steps, release.unusableSeconds),
    forecast: expected.points.map((point) => ({ ...point })),
    ...(expected.hoursTo95 === undefined ? {} : { hoursTo95: expected.hoursTo95 }),
    conflicts: await describeConflicts(tx, campaign, tally.conflicts),
    stranding: stranding.map((one) => ({ ...one })),
    ...(detectable === undefined ? {} : { detectablePermille: detectable }),
  };
}

function forecastOf(
  { content, now, seed }: RehearsalRequest,
  { tally, patterns }: Looked,
  lags: readonly number[],
): Forecast {
  const { policy, waves } = content;
  const kept = thin(patterns);
  const cut = cutOf(content);
  const bytes = tally.plannable === 0 ? 0 : tally.bytes.full / tally.plannable;
  const caps = [
    ...(policy.rate.vehiclesPerHour === undefined ? [] : [policy.rate.vehiclesPerHour]),
    ...(policy.rate.bytesPerHour === undefined || bytes === 0
      ? []
      : [policy.rate.bytesPerHour / bytes]),
  ];
  return forecast({
    vehicles: kept.map((one, index) => ({ ...one, wave: placeByIndex(index, cut).wave })),
    waves,
    spreadHours: policy.spreadMinutes / 60,
    offersPerHour: caps.length === 0 ? undefined : Math.min(...caps),
    lags,
    startHour: now.toZonedDateTimeISO('UTC').hour,
    seed,
  });
}

/** Every so many of them, each for the more. */
function thin(patterns: readonly ContactPattern[]): readonly ContactPattern[] {
  const every = Math.ceil(patterns.length / SAMPLED_MAX);
  if (every <= 1) return patterns;
  const kept = patterns.filter((_, index) => index % every === 0);
  const all = patterns.reduce((sum, { weight }) => sum + weight, 0);
  const some = kept.reduce((sum, { weight }) => sum + weight, 0);
  return kept.map((one) => ({ ...one, weight: (one.weight * all) / some }));
}

/** The waves as they are cut at the start: along the order of strata. */
function wavesOf(
  content: CampaignContent,
  strata: readonly number[],
): { waves: JsonObject[]; controls: number } {
  const cut = cutOf(content);
  const waves = content.waves.map(({ name }) => ({ name, vehicles: 0, strata: 0 }));
  let controls = 0;
  let index = 0;
  for (const vehicles of strata) {
    const met = new Set<number>();
    for (const end = index + vehicles; index < end; index += 1) {
      const place = placeByIndex(index, cut);
      const wave = waves[place.wave - 1];
      if (wave !== undefined) wave.vehicles += 1;
      if (place.isControl) controls += 1;
      met.add(place.wave);
    }
    for (const number of met) {
      const wave = waves[number - 1];
      if (wave !== undefined) wave.strata += 1;
    }
  }
  return { waves, controls };
}

/** As the release states them for one step: the fewest steps, the middle vehicle, the most. */
function minutesOf(steps: ReadonlyMap<number, number>, unusableSeconds: number): JsonObject {
  const sorted = [...steps].toSorted(([a], [b]) => a - b);
  const all = sorted.reduce((sum, [, vehicles]) => sum + vehicles, 0);
  let passed = 0;
  const [middle] = sorted.find(([, vehicles]) => (passed += vehicles) * 2 >= all) ?? [0];
  const of = (count: number): number => Math.round((count * unusableSeconds) / 6) / 10;
  return { low: of(sorted[0]?.[0] ?? 0), middle: of(middle), high: of(sorted.at(-1)?.[0] ?? 0) };
}

/** Of the first wave, where a harm should be found. */
function detectablePermille(content: CampaignContent, plannable: number): number | undefined {
  const { failureMax, falseHolds } = designOf(content);
  const first = content.waves[0]?.upToPermille ?? 1000;
  const outcomes = Math.floor((plannable * first) / 1000);
  if (outcomes === 0) return undefined;
  const rate = detectableRate({
    limit: failureMax,
    design: { expected: failureMax, alpha: falseHolds / 2 },
    outcomes,
    power: POWER,
  });
  return rate === undefined ? undefined : Math.round(rate * 10_000) / 10;
}

async function describeConflicts(
  tx: CloudTransaction,
  own: StoredCampaign,
  counts: ReadonlyMap<string, number>,
): Promise<JsonObject[]> {
  if (counts.size === 0) return [];
  const rows = await tx
    .selectFrom('campaign')
    .select(['campaign_id', 'name', 'state', 'priority'])
    .where('campaign_id', 'in', [...counts.keys()])
    .execute();
  return rows
    .map(({ campaign_id: campaignId, name, state, priority }) => {
      const vehicles = counts.get(campaignId) ?? 0;
      const isFirst = own.priority > priority;
      const first = isFirst ? 'this campaign' : `"${name}"`;
      const why = own.priority === priority ? 'it was started earlier' : 'its priority is higher';
      const explanation = `${vehicles} vehicles are in both: ${first} goes first, for ${why}; what is under way is ended before.`;
      return { campaignId, name, state, priority, vehicles, explanation };
    })
    .toSorted((a, b) => b.vehicles - a.vehicles);
}
