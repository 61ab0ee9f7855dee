/** The vehicles of a campaign, filtered, page by page: each page is bounded, however few it finds. */
import type { CampaignStage, VehicleState } from '@immota/api';
import { sql } from '@immota/store';
import type { RawBuilder } from 'kysely';
import { inScope } from '../access/scope.ts';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import type { CloudDatabase } from '../schema/database.ts';
import type { StoredCampaign } from './stored-campaign.ts';
import { ACTIVE_STATES } from './vehicle-place.ts';
import { explain, selectPlaces, type WhyNot } from './why-not.ts';

/** Places looked at for one page: beyond it the page ends early, and the next goes on from there. */
const LOOKED_AT_MAX = 10_000;

/** Which vehicles are wanted. */
export interface MemberFilter {
  readonly state?: VehicleState | undefined;
  readonly stage?: CampaignStage | undefined;
  readonly reason?: string | undefined;
  readonly wave?: number | undefined;
  /** The beginning of an id or of a vehicle identification number. */
  readonly search?: string | undefined;
  readonly hardwareId?: string | undefined;
  /** The image that ran before. */
  readonly source?: string | undefined;
}

/** A page of them. */
export interface MemberPage {
  /** The last vehicle that was looked at for the page before; `''` for the first page. */
  readonly after: string;
  readonly limit: number;
  readonly filter?: MemberFilter | undefined;
}

/** What was found. */
export interface Members {
  readonly items: readonly WhyNot[];
  /** Where the next page begins; undefined when this was the last. */
  readonly next: string | undefined;
}

/** Lists vehicles of a campaign that a caller sees, by their ids. */
export async function listMembers(
  { kysely }: CloudDatabase,
  campaign: StoredCampaign,
  { fleet, page }: { readonly fleet: FleetScope; readonly page: MemberPage },
): Promise<Members> {
  const { after, limit, filter = {} } = page;
  const exact = after === '' ? await findExact(kysely, campaign, { fleet, filter }) : undefined;
  if (exact !== undefined) return { items: [exact], next: undefined };
  const isSparse = isSlow(filter) || fleet.query !== undefined;
  const looked = isSparse ? LOOKED_AT_MAX : limit;
  const ids = kysely
    .selectFrom('campaign_vehicle')
    .select('vehicle_id')
    .where('campaign_id', '=', campaign.campaign_id)
    .where('vehicle_id', '>', after)
    .where(indexed(campaign, filter))
    .orderBy('vehicle_id')
    .limit(looked);
  const rows = await selectPlaces(kysely)
    .where('campaign_vehicle.campaign_id', '=', campaign.campaign_id)
    .where('campaign_vehicle.vehicle_id', 'in', ids)
    .where(sparse(filter))
    .where(inScope(fleet, 'vehicle'))
    .orderBy('campaign_vehicle.vehicle_id')
    .limit(limit)
    .execute();
  const items = rows.map(explain);
  if (items.length === limit) return { items, next: items.at(-1)?.vehicleId };
  if (!isSparse) return { items, next: undefined };
  const end = await kysely
    .selectFrom(ids.as('looked'))
    .select((select) => [
      select.fn.max('vehicle_id').as('last'),
      select.fn.countAll<number>().as('count'),
    ])
    .executeTakeFirst();
  const isMore = (end?.count ?? 0) === LOOKED_AT_MAX;
  return { items, next: isMore ? end?.last : undefined };
}

/** A whole id or number, as people paste it, is found at once. */
async function findExact(
  kysely: CloudDatabase['kysely'],
  campaign: StoredCampaign,
  { fleet, filter }: { readonly fleet: FleetScope; readonly filter: MemberFilter },
): Promise<WhyNot | undefined> {
  const { search, ...others } = filter;
  if (search === undefined || Object.values(others).some((value) => value !== undefined)) {
    return undefined;
  }
  const row = await selectPlaces(kysely)
    .where('campaign_vehicle.campaign_id', '=', campaign.campaign_id)
    .where((where) =>
      where.or([where('vehicle.vehicle_id', '=', search), where('vehicle.vin', '=', search)]),
    )
    .where(inScope(fleet, 'vehicle'))
    .limit(1)
    .executeTakeFirst();
  return row && explain(row);
}

/** Filters that an index answers, in the order of vehicles. */
function indexed(campaign: StoredCampaign, filter: MemberFilter): RawBuilder<boolean> {
  const { state, stage, reason, wave } = filter;
  const conditions = [
    ...(state === undefined ? [] : [sql`state = ${state}`]),
    ...(stage === undefined ? [] : [sql`stage = ${stage}`]),
    ...(wave === undefined ? [] : [sql`wave = ${wave}`]),
    ...(reason === undefined ? [] : [reasonIs(campaign, reason)]),
  ];
  return allOf(conditions);
}

/** What holds now goes before what was written down, as in {@link explain}. */
function reasonIs(
  { state, open_wave: openWave }: StoredCampaign,
  reason: string,
): RawBuilder<unknown> {
  const active = sql`state = any(${[...ACTIVE_STATES]})`;
  if (reason === 'UNHEALTHY') return sql`(state = 'updated' and health = 'unhealthy')`;
  if (reason === 'CAMPAIGN_HELD') return state === 'held' ? active : NOBODY;
  if (reason === 'CAMPAIGN_NOT_RUNNING') {
    return state === 'running' || state === 'held' || state === 'cancelled' ? NOBODY : active;
  }
  if (state !== 'running') return sql`(reason = ${reason} and not ${active})`;
  if (reason === 'LATER_WAVE' || reason === 'CONTROL_GROUP') {
    return sql`(reason = ${reason} and wave > ${openWave})`;
  }
  if (reason !== 'NOT_SEEN') return sql`reason = ${reason}`;
  return sql`(reason = 'NOT_SEEN'
    or (reason in ('LATER_WAVE', 'CONTROL_GROUP') and wave <= ${openWave}))`;
}

const NOBODY = sql`false`;

function isSlow({ search, hardwareId, source }: MemberFilter): boolean {
  return search !== undefined || hardwareId !== undefined || source !== undefined;
}

/** Filters that each place is looked at for. */
function sparse({ search, hardwareId, source }: MemberFilter): RawBuilder<boolean> {
  const ran = sql`' ' || campaign_vehicle.source || ' '`;
  const conditions = [
    ...(search === undefined
      ? []
      : [
          sql`(starts_with(campaign_vehicle.vehicle_id, ${search})
            or starts_with(coalesce(vehicle.vin, ''), ${search}))`,
        ]),
    ...(hardwareId === undefined
      ? []
      : [sql`position(' ' || ${hardwareId} || '=' || ${source ?? ''} in ${ran}) > 0`]),
    ...(source === undefined ? [] : [sql`position('=' || ${source} || ' ' in ${ran}) > 0`]),
  ];
  return allOf(conditions);
}

function allOf(conditions: readonly RawBuilder<unknown>[]): RawBuilder<boolean> {
  return conditions.length === 0
    ? sql<boolean>`true`
    : sql<boolean>`${sql.join(conditions, sql` and `)}`;
}
