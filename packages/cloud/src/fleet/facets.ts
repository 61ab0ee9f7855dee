/** The values that queries can ask for, and which versions ran when. */
import { sql } from '@immota/store';
import { inScope } from '../access/scope.ts';
import type { CloudDatabase } from '../schema/database.ts';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import { within } from './bounded.ts';
import { countSource } from './counts.ts';

const FACETS_LIMIT_MS = 10_000;
/** Values of one facet: more than a list to choose from shows. */
const VALUES_MAX = 500;
const TAGS_MAX = 100;
const TAG_VALUES_MAX = 20;
/** Vehicles whose tags are looked at. */
const TAGGED_SAMPLE = 2000;
/** Versions of one chart; the others are one together. */
const SERIES_MAX = 20;

interface ValueCount {
  readonly value: string;
  readonly vehicles: number;
}

/** See the head of the file. */
export interface FleetFacets {
  readonly models: readonly ValueCount[];
  readonly markets: readonly ValueCount[];
  readonly hardware: readonly ValueCount[];
  readonly images: readonly (ValueCount & { readonly hardwareId: string })[];
  readonly tags: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly rxswins: readonly ValueCount[];
}

/**
 * Lists facets. ECUs are counted where hardware and images are; tags are those of a sample of the fleet.
 *
 * @throws CloudFault QUERY_TOO_SLOW.
 */
export async function listFacets(database: CloudDatabase, scope: FleetScope): Promise<FleetFacets> {
  return await within(database, FACETS_LIMIT_MS, async (tx) => {
    const { rows } = await sql<ValueCount & { readonly facet: string; readonly name: string }>`
      with counts as materialized (
        select model, market, kind, name, value, sum(vehicles)::bigint as vehicles
        from ${countSource(scope)} c where kind in ('vehicle', 'image') group by 1, 2, 3, 4, 5)
      select facet, name, value, vehicles from (
        select facet, name, value, sum(vehicles)::bigint as vehicles,
          row_number() over (partition by facet order by sum(vehicles) desc, name, value) as rank
        from (
          select 'model' as facet, '' as name, model as value, vehicles from counts where kind = 'vehicle'
          union all select 'market', '', market, vehicles from counts where kind = 'vehicle'
          union all select 'hardware', '', name, vehicles from counts where kind = 'image'
          union all select 'image', name, value, vehicles from counts where kind = 'image') each_facet
        group by facet, name, value having sum(vehicles) > 0) ranked
      where rank <= ${VALUES_MAX} order by facet, rank`.execute(tx);
    const of = (facet: string): readonly ValueCount[] =>
      rows.filter((row) => row.facet === facet).map(({ value, vehicles }) => ({ value, vehicles }));
    const { rows: tags } = await sql<{ readonly name: string; readonly values: readonly string[] }>`
      select name, (array_agg(value order by vehicles desc, value))[1:${TAG_VALUES_MAX}] as values
      from (select tag.key as name, tag.value #>> '{}' as value, count(*) as vehicles
        from (select v.tags from vehicle v where ${inScope(scope, 'v')} and v.tags <> '{}'
          limit ${TAGGED_SAMPLE}) tagged, jsonb_each(tags) tag
        where jsonb_typeof(tag.value) in ('string', 'number', 'boolean') group by 1, 2) values_of
      group by name order by sum(vehicles) desc, name limit ${TAGS_MAX}`.execute(tx);
    const { rows: rxswins } = await sql<ValueCount>`
      select rxswin as value, sum(vehicles)::bigint as vehicles from rxswin_count
      where tenant = ${scope.tenant} and ${scope.query === undefined} group by 1 having sum(vehicles) > 0
      order by 2 desc, 1 limit ${VALUES_MAX}`.execute(tx);
    const images = rows.flatMap(({ facet, name, value, vehicles }) =>
      facet === 'image' ? [{ hardwareId: name, value, vehicles }] : [],
    );
    return {
      models: of('model'),
      markets: of('market'),
      hardware: of('hardware'),
      images,
      tags,
      rxswins,
    };
  });
}

/** What a chart of versions is asked for. */
export interface VersionsRequest {
  readonly hardwareId: string;
  readonly days: number;
  readonly model?: string | undefined;
  readonly market?: string | undefined;
}

/** Which versions ran on each day. */
export interface VersionHistory {
  readonly hardwareId: string;
  readonly days: readonly string[];
  readonly series: readonly { readonly image: string; readonly vehicles: readonly number[] }[];
}

/**
 * Sums up what ran at the end of each day, in UTC, the last day being today so far.
 *
 * @throws CloudFault QUERY_TOO_SLOW.
 */
export async function listVersions(
  database: CloudDatabase,
  scope: FleetScope,
  { hardwareId, days, model, market, now }: VersionsRequest & { readonly now: Temporal.Instant },
): Promise<VersionHistory> {
  const today = now.toZonedDateTimeISO('UTC').toPlainDate();
  const dates = Array.from({ length: days }, (_, index) =>
    today.subtract({ days: days - 1 - index }).toString(),
  );
  const [first = today.toString()] = dates;
  const rows = await within(database, FACETS_LIMIT_MS, async (tx) => {
    const found = await sql<{
      readonly image: string;
      readonly day: string;
      readonly vehicles: number;
    }>`
      select value as image, greatest(day, ${first}::date)::text as day, sum(vehicles)::bigint as vehicles
      from ${countSource(scope)} c where kind = 'ran' and name = ${hardwareId}
        and (${model === undefined} or model = ${model ?? ''})
        and (${market === undefined} or market = ${market ?? ''})
      group by 1, 2`.execute(tx);
    return found.rows;
  });
  const series = [...Map.groupBy(rows, ({ image }) => image)].map(([image, changes]) => {
    let vehicles = 0;
    const byDay = new Map(changes.map((change) => [change.day, change.vehicles]));
    return { image, vehicles: dates.map((date) => (vehicles += byDay.get(date) ?? 0)) };
  });
  return { hardwareId, days: dates, series: largest(series) };
}

const top = ({ vehicles }: { readonly vehicles: readonly number[] }): number =>
  Math.max(...vehicles);

/** What is not among the largest is one series without a name. */
function largest(series: VersionHistory['series']): VersionHistory['series'] {
  const sorted = series
    .filter((one) => top(one) > 0)
    .toSorted((a, b) => top(b) - top(a) || (a.image < b.image ? -1 : 1));
  const others = sorted.slice(SERIES_MAX);
  if (others.length === 0) return sorted;
  const days = others[0]?.vehicles.length ?? 0;
  const vehicles = Array.from({ length: days }, (_, index) =>
    others.reduce((sum, one) => sum + (one.vehicles[index] ?? 0), 0),
  );
  return [...sorted.slice(0, SERIES_MAX), { image: '…', vehicles }];
}
