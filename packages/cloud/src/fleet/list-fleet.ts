/** Vehicles of the fleet in pages, sorted, each page in the time of a page, wherever it lies. */
import { type JsonObject, type JsonValue, parseJson } from '@immota/base';
import { sql } from '@immota/store';
import { inScope } from '../access/scope.ts';
import { ACTIVE_STATES } from '../campaign/vehicle-place.ts';
import { CloudFault } from '../fault.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import { tryWithin, within } from './bounded.ts';
import { beginningWith } from './query/compile.ts';
import type { FleetQuery } from './query/fleet-query.ts';
import type { Sql } from './query/value.ts';

/** Somebody waits for a page. */
const LIST_LIMIT_MS = 5000;
/** Where many vehicles are meant, a page is found at once by looking at one after the other. */
const WALK_LIMIT_MS = 100;

/** Of a place in a list, as the API takes it. */
const PLACE_MAX_BYTES = 300;

/** How a list is sorted. */
export type FleetSort = 'vehicleId' | 'lastSeenAt' | '-lastSeenAt' | 'model' | 'market';

/** What a list is asked for. */
export interface FleetListRequest {
  readonly query?: FleetQuery | undefined;
  /** The beginning of an id or a VIN. */
  readonly search?: string | undefined;
  readonly sort: FleetSort;
  /** Where the page before ended. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** A vehicle in a list. */
export interface FleetRow {
  readonly vehicle_id: string;
  readonly vin: string | null;
  readonly model: string;
  readonly market: string;
  readonly tags: JsonObject;
  readonly quarantined: boolean;
  readonly last_seen_at: Temporal.Instant | null;
  readonly ecus: number;
  readonly campaign_id: string | null;
  readonly state: string | null;
  readonly reason: string | null;
}

/** A page of a list. */
export interface FleetPage {
  readonly rows: readonly FleetRow[];
  readonly next: string | undefined;
}

/**
 * Lists vehicles.
 *
 * @throws CloudFault REQUEST_MALFORMED for a place that is none; QUERY_TOO_SLOW.
 */
export async function listFleet(
  database: CloudDatabase,
  scope: FleetScope,
  request: FleetListRequest,
): Promise<FleetPage> {
  const { sort, limit } = request;
  const { search = '' } = request;
  const own = [
    inScope(scope, 'v'),
    ...(request.query === undefined ? [] : [request.query.sql('v')]),
  ];
  const after = request.after === undefined ? undefined : parsePlace(request.after);
  const select = async (
    tx: CloudTransaction,
    begins: (scope: FleetScope, search: string) => Sql,
  ): Promise<readonly FleetRow[]> => {
    const meant = search === '' ? own : [...own, begins(scope, search)];
    const found: FleetRow[] = [];
    // Vehicles that were never seen come last, in a statement of their own: so each has its index.
    for (const part of partsOf(sort, after)) {
      const where = sql.join([...meant, part.where], sql` and `);
      const wanted = limit - found.length;
      if (wanted > 0) found.push(...(await selectPage(tx, { where, order: part.order, wanted })));
    }
    return found;
  };
  const walked =
    request.query === undefined && search === ''
      ? undefined
      : await tryWithin(database, WALK_LIMIT_MS, async (tx) => {
          await sql`select set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true)`.execute(
            tx,
          );
          return await select(tx, beginsOneByOne);
        });
  const rows = walked ?? (await within(database, LIST_LIMIT_MS, (tx) => select(tx, beginsByIndex)));
  const last = rows.length < limit ? undefined : rows.at(-1);
  return { rows, next: last === undefined ? undefined : placeOf(last, sort) };
}

/** Finds vehicles of a page's statement. */
async function selectPage(
  tx: CloudTransaction,
  { where, order, wanted }: { where: Sql; order: Sql; wanted: number },
): Promise<readonly FleetRow[]> {
  const { rows } = await sql<FleetRow>`
    with page as materialized (
      select v.vehicle_id, v.vin, v.model, v.market, v.tags, v.quarantined, v.last_seen_at, v.last_seen_day
      from vehicle v where ${where} order by ${order} limit ${wanted})
    select v.vehicle_id, v.vin, v.model, v.market, v.tags, v.quarantined, v.last_seen_at,
      (select count(*) from ecu e where e.vehicle_id = v.vehicle_id) as ecus,
      place.campaign_id, place.state, place.reason
    from page v left join lateral (
      select p.campaign_id, p.state, p.reason from campaign_vehicle p
      join campaign c on c.campaign_id = p.campaign_id and c.state in ('running', 'paused', 'held')
      where p.vehicle_id = v.vehicle_id and p.state = any(${[...ACTIVE_STATES]}::text[])
      order by c.priority desc, c.created_at, c.campaign_id limit 1) place on true
    order by ${order}`.execute(tx);
  return rows;
}

/** Where most vehicles begin so, a page of them is found by looking at one after the other. */
function beginsOneByOne(_: FleetScope, search: string): Sql {
  const pattern = beginningWith(search);
  return sql`(v.vehicle_id like ${pattern} or v.vin like ${pattern})`;
}

/** Where few do, each of the two beginnings has its index. */
function beginsByIndex({ tenant }: FleetScope, search: string): Sql {
  const pattern = beginningWith(search);
  return sql`v.vehicle_id in (
    select vehicle_id from vehicle where tenant = ${tenant} and vehicle_id like ${pattern}
    union select vehicle_id from vehicle where tenant = ${tenant} and vin like ${pattern})`;
}

/** The row after which a page begins. */
interface Place {
  readonly id: string;
  /** Of a sort by something else than the id; null for never seen. */
  readonly key: string | null;
}

interface Part {
  readonly where: Sql;
  readonly order: Sql;
}

function partsOf(sort: FleetSort, after: Place | undefined): readonly Part[] {
  switch (sort) {
    case 'model':
    case 'market': {
      const column = sql.ref(`v.${sort}`);
      const order = sql`${column}, v.vehicle_id`;
      if (after === undefined) return [{ where: sql`true`, order }];
      const where = sql`(${column}, v.vehicle_id) > (${after.key ?? ''}::text, ${after.id}::text)`;
      return [{ where, order }];
    }
    case 'lastSeenAt':
    case '-lastSeenAt':
      return partsByTime(sort === '-lastSeenAt', after);
    case 'vehicleId':
    default: {
      const where = after === undefined ? sql`true` : sql`v.vehicle_id > ${after.id}::text`;
      return [{ where, order: sql`v.vehicle_id` }];
    }
  }
}

function partsByTime(isNewestFirst: boolean, after: Place | undefined): readonly Part[] {
  const never = { where: sql`v.last_seen_day is null`, order: sql`v.vehicle_id` };
  if (after !== undefined && after.key === null) {
    return [{ ...never, where: sql`v.last_seen_day is null and v.vehicle_id > ${after.id}::text` }];
  }
  const way = isNewestFirst ? sql`desc` : sql`asc`;
  const order = sql`v.last_seen_day ${way}, v.last_seen_at ${way}, v.vehicle_id ${way}`;
  if (after === undefined) return [{ where: sql`v.last_seen_day is not null`, order }, never];
  const sign = isNewestFirst ? sql`<` : sql`>`;
  const at = sql`${parseInstant(after.key ?? '')}::timestamptz`;
  const day = sql`(${at} at time zone 'UTC')::date`;
  const where = sql`v.last_seen_day ${sign}= ${day}
    and (v.last_seen_day, v.last_seen_at, v.vehicle_id) ${sign} (${day}, ${at}, ${after.id}::text)`;
  return [{ where, order }, never];
}

function placeOf(row: FleetRow, sort: FleetSort): string {
  const keys = {
    vehicleId: '',
    model: row.model,
    market: row.market,
    lastSeenAt: row.last_seen_at?.toString() ?? null,
    '-lastSeenAt': row.last_seen_at?.toString() ?? null,
  };
  return Buffer.from(JSON.stringify([keys[sort], row.vehicle_id])).toString('base64url');
}

function parsePlace(text: string): Place {
  let parsed: JsonValue;
  try {
    parsed = parseJson(Buffer.from(text, 'base64url'), PLACE_MAX_BYTES);
  } catch (error) {
    throw noPlace(error);
  }
  if (Array.isArray(parsed) && parsed.length === 2) {
    const [key, id]: readonly unknown[] = parsed;
    const isText = typeof id === 'string' && (key === null || typeof key === 'string');
    if (isText && !`${id}${key ?? ''}`.includes('\0')) return { id, key };
  }
  throw noPlace();
}

function parseInstant(text: string): Temporal.Instant {
  try {
    return Temporal.Instant.from(text);
  } catch (error) {
    throw noPlace(error);
  }
}

function noPlace(cause?: unknown): CloudFault {
  return new CloudFault('REQUEST_MALFORMED', 'Cannot read request: "after" is no place', { cause });
}
