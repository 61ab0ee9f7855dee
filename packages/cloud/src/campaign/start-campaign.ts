/**
 * Gives every vehicle that a campaign means its place, its wave and its reason, page by page: none of the
 * fleet is held in memory, and whoever is interrupted goes on where it was.
 */
import type { Clock } from '@immota/base';
import { sql } from '@immota/store';
import { committed } from '../context.ts';
import { EcuKeyCache } from '../inventory/ecu-key.ts';
import { loadVehicles } from '../inventory/vehicle-record.ts';
import type { CloudDatabase } from '../schema/database.ts';
import { contentOf, cutOf } from './campaign-content.ts';
import type { StoredCampaign } from './stored-campaign.ts';
import { parseFleetQuery } from './fleet-query.ts';
import { placeLate } from './join-campaigns.ts';
import { firstReason, insertPlaces, type NewPlace, newPlace, watchControls } from './new-places.ts';
import type { ReleaseStore } from './release-store.ts';
import { type Cut, placeByIndex, type SamplePlace } from './statistics/stratified-sample.ts';

/** Vehicles planned and written at once. */
const PAGE_VEHICLES = 1000;
/** Vehicles that get their wave at once. */
const PAGE_ORDER = 5000;
/** A wave that is not known yet. */
const NO_WAVE: SamplePlace = { wave: 0, isControl: false };

/** What starting works with. */
export interface Starting {
  readonly database: CloudDatabase;
  readonly releases: ReleaseStore;
  readonly clock: Clock;
}

/** Heard while a campaign is started: how many vehicles were looked at, how many are meant. */
export type StartProgress = (seen: number, targeted: number) => void;

/** Gives places to all vehicles that the campaign means and that have none yet. */
export async function placeVehicles(
  starting: Starting,
  campaign: StoredCampaign,
  progress?: StartProgress,
): Promise<void> {
  const content = contentOf(campaign);
  const cut = cutOf(content);
  const isFirst = campaign.started_at === null;
  const isCut = cut.upToPermille.length > 1;
  const placedOf = (vehicleId: string): SamplePlace => {
    if (isCut && isFirst) return NO_WAVE;
    return isCut ? placeLate(campaign.campaign_id, vehicleId, cut) : { wave: 1, isControl: false };
  };
  await target(starting, { campaign, placedOf, progress });
  if (isCut && isFirst) await giveWaves(starting, campaign.campaign_id, cut);
}

async function target(
  { database, releases, clock }: Starting,
  asked: {
    readonly campaign: StoredCampaign;
    readonly placedOf: (vehicleId: string) => SamplePlace;
    readonly progress: StartProgress | undefined;
  },
): Promise<void> {
  const { campaign, placedOf, progress } = asked;
  const { campaign_id: campaignId, tenant } = campaign;
  const condition = parseFleetQuery(campaign.query, clock.now()).sql('v');
  const planner = await releases.planner(campaign.release_id);
  const cache = new EcuKeyCache();
  let seen = 0;
  let targeted = 0;
  let after = '';
  // The next page is read and planned while this one is written.
  let writing: Promise<void> = Promise.resolve();
  for (;;) {
    // oxlint-disable no-await-in-loop -- page after page, so that memory stays bounded
    const { rows } = await sql<{ readonly vehicle_id: string; readonly is_meant: boolean }>`
      select v.vehicle_id, (${condition}) is true as is_meant from vehicle v
      where v.tenant = ${tenant} and v.vehicle_id > ${after}
      order by v.vehicle_id limit ${PAGE_VEHICLES}`.execute(database.kysely);
    const last = rows.at(-1);
    if (last === undefined) break;
    after = last.vehicle_id;
    const ids = rows.flatMap((row) => (row.is_meant ? [row.vehicle_id] : []));
    const records = await loadVehicles(database.kysely, ids, cache);
    const places = [...records.values()].map(({ inventory }) =>
      newPlace(planner, inventory, placedOf(inventory.vehicleId)),
    );
    await writing;
    writing = write(database, campaignId, places, clock.now());
    // Whoever awaits it hears of a failure; until then it must not count as unhandled.
    writing.catch(() => undefined);
    // oxlint-enable no-await-in-loop
    seen += rows.length;
    targeted += ids.length;
    progress?.(seen, targeted);
  }
  await writing;
}

async function write(
  database: CloudDatabase,
  campaignId: string,
  places: readonly NewPlace[],
  now: Temporal.Instant,
): Promise<void> {
  const fresh = await insertPlaces(database, campaignId, places, now);
  await watchControls(database, controlsOf(places, fresh), now);
}

function controlsOf(places: readonly NewPlace[], fresh: readonly string[]): readonly string[] {
  const isFresh = new Set(fresh);
  return places.flatMap(({ vehicleId, placed }) =>
    placed.isControl && isFresh.has(vehicleId) ? [vehicleId] : [],
  );
}

/**
 * Gives waves by the order of strata (model, market, what they run, and within a stratum a hash). The order
 * is written once, in one statement of the database's own; then places take their waves from it by the page.
 */
async function giveWaves(
  { database, clock }: Starting,
  campaignId: string,
  cut: Cut,
): Promise<void> {
  await committed(database, async (tx) => {
    // Of two who start it at once the second waits, and finds the order there.
    await sql`select from campaign where campaign_id = ${campaignId} for no key update`.execute(tx);
    await sql`
      insert into campaign_order (campaign_id, position, vehicle_id)
      select ${campaignId}, row_number() over (order by v.model, v.market, cv.source,
        md5(${campaignId} || cv.vehicle_id), cv.vehicle_id) - 1, cv.vehicle_id
      from campaign_vehicle cv join vehicle v using (vehicle_id)
      where cv.campaign_id = ${campaignId} and cv.wave = 0
        and not exists (select from campaign_order o where o.campaign_id = ${campaignId})`.execute(
      tx,
    );
  });
  for (let from = 0; ; from += PAGE_ORDER) {
    // oxlint-disable-next-line no-await-in-loop -- page after page, so that no transaction spans the fleet
    const count = await giveWavesOfPage(database, { campaignId, cut, from, now: clock.now() });
    if (count === 0) break;
  }
  await giveLateWaves(database, { campaignId, cut, now: clock.now() });
  await sql`delete from campaign_order where campaign_id = ${campaignId}`.execute(database.kysely);
}

async function giveWavesOfPage(
  database: CloudDatabase,
  page: {
    readonly campaignId: string;
    readonly cut: Cut;
    readonly from: number;
    readonly now: Temporal.Instant;
  },
): Promise<number> {
  const { campaignId, cut, from, now } = page;
  const rows = await database.kysely
    .selectFrom('campaign_order')
    .select(['vehicle_id', 'position'])
    .where('campaign_id', '=', campaignId)
    .where('position', '>=', from)
    .where('position', '<', from + PAGE_ORDER)
    .execute();
  const placed = rows.map((row) => [row.vehicle_id, placeByIndex(row.position, cut)] as const);
  await saveWaves(database, { campaignId, placed, now });
  return rows.length;
}

/** Those that came while it was started, after the order was closed. */
async function giveLateWaves(
  database: CloudDatabase,
  {
    campaignId,
    cut,
    now,
  }: {
    readonly campaignId: string;
    readonly cut: Cut;
    readonly now: Temporal.Instant;
  },
): Promise<void> {
  for (;;) {
    // oxlint-disable no-await-in-loop -- see above
    const rows = await database.kysely
      .selectFrom('campaign_vehicle')
      .select('vehicle_id')
      .where('campaign_id', '=', campaignId)
      .where('wave', '=', 0)
      .limit(PAGE_ORDER)
      .execute();
    if (rows.length === 0) return;
    const placed = rows.map(({ vehicle_id: id }) => [id, placeLate(campaignId, id, cut)] as const);
    await saveWaves(database, { campaignId, placed, now });
    // oxlint-enable no-await-in-loop
  }
}

async function saveWaves(
  database: CloudDatabase,
  saving: {
    readonly campaignId: string;
    readonly placed: readonly (readonly [vehicleId: string, placed: SamplePlace])[];
    readonly now: Temporal.Instant;
  },
): Promise<void> {
  const { campaignId, placed, now } = saving;
  if (placed.length === 0) return;
  await sql`
    update campaign_vehicle cv set wave = fresh.wave, is_control = fresh.is_control,
      reason = case when cv.state = 'targeted' and cv.reason = 'NOT_SEEN' then fresh.reason
        else cv.reason end
    from unnest(
      ${placed.map(([id]) => id)}::text[],
      ${placed.map(([, { wave }]) => wave)}::integer[],
      ${placed.map(([, { isControl }]) => isControl)}::boolean[],
      ${placed.map(([, place]) => firstReason(place))}::text[]
    ) as fresh (vehicle_id, wave, is_control, reason)
    where cv.campaign_id = ${campaignId} and cv.vehicle_id = fresh.vehicle_id
      and cv.wave = 0`.execute(database.kysely);
  const controls = placed.flatMap(([id, { isControl }]) => (isControl ? [id] : []));
  await watchControls(database, controls, now);
}
