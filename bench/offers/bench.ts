/**
 * How soon a campaign over 100,000 vehicles makes its first offer, and how soon one that holds by itself
 * makes no more: while the fleet is being signed for, vehicles report that their update failed.
 *
 * When something became durable is what PostgreSQL says of the transaction that wrote its event.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Platform } from '@immota/cloud';
import { sql } from '@immota/store';
import { firstImage, insertFleet, MODEL, publishImages, signRelease } from '../campaign/line.ts';
import { askerOf } from '../cloud/ask-operator.ts';
import {
  keepCommitTimes,
  makeCloudFolder,
  openBenchPlatform,
  removeCloudFolder,
} from '../cloud/bench-cloud.ts';
import { type BenchVehicle, insertVehicles, makeVehicles, nextManifest } from '../cloud/fleet.ts';
import type { BenchResult, Row } from '../row.ts';

const VEHICLES = 100_000;
const ECUS = 4;
/** Vehicles that report a failure; a guard of 2 % breaks long before the last of them. */
const WITNESSES = 40;
const START_LIMIT_SECONDS = 30;
const HOLD_LIMIT_MS = 1000;
const POLL_MS = 20;
/** How long the fleet is signed for before somebody reports, and goes on being after the hold. */
const UNDER_WAY_MS = 2000;

/** See the head of the file. */
export async function benchOffers(): Promise<BenchResult> {
  const folder = await makeCloudFolder();
  try {
    await keepCommitTimes(folder);
    const platform = await openBenchPlatform(folder, { approvals: 'self' });
    try {
      const { ids, witnesses, campaignId } = await prepare(platform);
      const start = await measureStart(platform, campaignId, ids[0] ?? '');
      return { rows: [start, ...(await measureHold(platform, { campaignId, ids, witnesses }))] };
    } finally {
      await platform.close();
    }
  } finally {
    await removeCloudFolder(folder);
  }
}

interface Prepared {
  readonly campaignId: string;
  readonly ids: readonly string[];
  readonly witnesses: readonly BenchVehicle[];
}

async function prepare({ cloud, campaigns: room, director }: Platform): Promise<Prepared> {
  await publishImages(cloud);
  const ids = await insertFleet(cloud, VEHICLES);
  const witnesses = makeVehicles(WITNESSES, ECUS);
  await insertVehicles(cloud.context, witnesses);
  await sql`update vehicle set model = ${MODEL} where vehicle_id = any(${witnesses.map(
    ({ id }) => id,
  )})`.execute(cloud.context.database.kysely);
  for (const witness of witnesses) {
    await director.accept(witness.id, await nextManifest(witness, { imageOf: firstImage }));
  }
  const { releaseId } = await room.releases.create(await signRelease(cloud), 'bench');
  const query = `vehicle.model == "${MODEL}"`;
  const plan = { name: 'bench', releaseId, query, createdBy: 'bench' };
  return { campaignId: await room.campaigns.create(plan), ids, witnesses };
}

/** One vehicle asks again and again, as all of them together do. */
async function measureStart(
  platform: Platform,
  campaignId: string,
  vehicleId: string,
): Promise<Row> {
  const ask = await askerOf(platform);
  const { director } = platform;
  const { version: before } = await director.load(vehicleId, 'targets');
  const begin = performance.now();
  let answered = Number.NaN;
  const starting = ask(`campaigns/${campaignId}/start`, {}).then(() => {
    answered = performance.now();
  });
  // A start that is refused ends the waiting below.
  let refused: unknown;
  starting.catch((error: unknown) => {
    refused = error;
  });
  while ((await director.load(vehicleId, 'targets')).version === before) {
    if (refused !== undefined) break;
    await delay(POLL_MS);
  }
  const seconds = (performance.now() - begin) / 1000;
  await starting;
  return {
    id: 'start-to-first-offer',
    what: `from the request to start a campaign over ${VEHICLES} vehicles of ${ECUS} ECUs to its first signed offer`,
    ours: seconds,
    unit: 's',
    peer: 'limit',
    peers: START_LIMIT_SECONDS,
    ratio: seconds / START_LIMIT_SECONDS,
    aim: { atMost: 1 },
    note: `the request itself was answered after ${((answered - begin) / 1000).toFixed(1)} s; whatever else runs on the machine counts`,
  };
}

async function measureHold(platform: Platform, prepared: Prepared): Promise<readonly Row[]> {
  const { campaignId, ids, witnesses } = prepared;
  let isOver = false;
  const signing = platform.director.prepare(takeUntil(ids, () => isOver));
  // Whoever awaits it hears of a failure; until then it must not count as unhandled.
  signing.catch(() => undefined);
  await delay(UNDER_WAY_MS);
  let reports = 0;
  let reportedMs = Number.NaN;
  for (const witness of witnesses) {
    reportedMs = await reportFailure(platform, witness, campaignId);
    reports += 1;
    if (await isHeld(platform, campaignId)) break;
  }
  if (!(await isHeld(platform, campaignId))) throw new TypeError('the campaign did not hold');
  await delay(UNDER_WAY_MS);
  isOver = true;
  await signing;
  const { heldMs, lastMs, before, after } = await readOffers(platform, campaignId, reportedMs);
  if (before === 0) throw new TypeError('nothing was being signed when the campaign held');
  const untilLast = Math.max(0, lastMs - reportedMs);
  return [
    {
      id: 'hold-to-last-offer',
      what: 'from the report that makes a campaign hold to the last offer that became durable, while its fleet is signed for',
      ours: untilLast,
      unit: 'ms',
      peer: 'limit',
      peers: HOLD_LIMIT_MS,
      ratio: untilLast / HOLD_LIMIT_MS,
      aim: { atMost: 1 },
      note: `report ${reports}; the hold was durable after ${(heldMs - reportedMs).toFixed(0)} ms, with ${before} offers in the second before the report`,
    },
    {
      id: 'offers-after-hold',
      what: 'offers that became durable after the hold, while signing went on being asked for',
      ours: after,
      unit: 'offers',
      peer: 'limit',
      peers: 0,
      ratio: after,
      aim: { atMost: 0 },
    },
  ];
}

function* takeUntil(ids: readonly string[], isOver: () => boolean): Generator<string> {
  for (const id of ids) {
    if (isOver()) return;
    yield id;
  }
}

/** A vehicle fetches its offer, tries, and is back where it was. @returns when its report came, in ms. */
async function reportFailure(
  { director }: Platform,
  witness: BenchVehicle,
  campaignId: string,
): Promise<number> {
  await director.load(witness.id, 'targets');
  const result = { success: false, code: 'INSTALL_FAILED', description: 'it fell back' };
  const installationReport = {
    content_type: 'application/vnd.com.here.otac.installationReport.v1',
    report: {
      correlation_id: `urn:immota:campaign:${campaignId}`,
      raw_report: '',
      result,
      items: witness.ecus.map(({ id }) => ({ ecu: id, result })),
    },
  };
  const news = { imageOf: firstImage, installationReport };
  const manifest = await nextManifest(witness, news);
  const reportedMs = Temporal.Now.instant().epochMilliseconds;
  await director.accept(witness.id, manifest);
  return reportedMs;
}

async function isHeld({ cloud }: Platform, campaignId: string): Promise<boolean> {
  const { state } = await cloud.context.database.kysely
    .selectFrom('campaign')
    .select('state')
    .where('campaign_id', '=', campaignId)
    .executeTakeFirstOrThrow();
  return state === 'held';
}

interface Offers {
  /** When the hold was durable; milliseconds of the epoch, as all of these. */
  readonly heldMs: number;
  /** When the last offer was. */
  readonly lastMs: number;
  /** Offers in the second before the report. */
  readonly before: number;
  /** Offers that were durable after the hold. */
  readonly after: number;
}

async function readOffers(
  { cloud }: Platform,
  campaignId: string,
  reportedMs: number,
): Promise<Offers> {
  const { rows } = await sql<Offers>`
    with held as (
      select pg_xact_commit_timestamp(xmin) as at from event
      where kind = 'campaign.held' and body ->> 'campaignId' = ${campaignId}),
    offered as (
      select pg_xact_commit_timestamp(xmin) as at from event
      where kind = 'update.offered'
        and body ->> 'correlationId' = ${`urn:immota:campaign:${campaignId}`})
    select (extract(epoch from held.at) * 1000)::float8 as "heldMs",
      (extract(epoch from max(offered.at)) * 1000)::float8 as "lastMs",
      (count(*) filter (where offered.at between to_timestamp(${reportedMs - 1000} / 1000.0)
        and to_timestamp(${reportedMs} / 1000.0)))::int as "before",
      (count(*) filter (where offered.at > held.at))::int as "after"
    from held cross join offered group by held.at`.execute(cloud.context.database.kysely);
  const [offers] = rows;
  if (offers === undefined) throw new TypeError('the hold is not on record');
  return offers;
}
