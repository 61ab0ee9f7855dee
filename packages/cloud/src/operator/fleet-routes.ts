/** The fleet as a whole, and one vehicle in depth. */
import { OPERATOR_ROUTES } from '@immota/api';
import type { JsonObject } from '@immota/base';
import { loadCockpit } from '../fleet/cockpit.ts';
import { countFleet } from '../fleet/count-fleet.ts';
import { foldCounts } from '../fleet/counts.ts';
import { exportFleet, summaryOf } from '../fleet/export-fleet.ts';
import { listFacets, listVersions } from '../fleet/facets.ts';
import { listFleet } from '../fleet/list-fleet.ts';
import { type FleetQuery, parseFleetQuery } from '../fleet/query/fleet-query.ts';
import {
  checkVisible,
  listConsents,
  listLanes,
  loadConfiguration,
} from '../fleet/vehicle-depth.ts';
import type { OperatorApp } from './operator-app.ts';
import type { OperatorServices } from './services.ts';

/** A million vehicles change some ten thousand counts in so long. */
const FOLD_MINUTES = 10;

/** Adds the routes about the fleet. */
export function addFleetRoutes(app: OperatorApp, services: OperatorServices): void {
  const { database, clock } = services.context;
  const parse = (text: string | undefined): FleetQuery | undefined =>
    text === undefined || text === '' ? undefined : parseFleetQuery(text, clock.now());
  const fold = folder(services);
  app.openapi(OPERATOR_ROUTES.getCockpit.config, async (c) => {
    fold();
    const cockpit = await loadCockpit(database, c.get('caller').fleet, clock.now());
    return c.json(mutable(cockpit), 200);
  });
  app.openapi(OPERATOR_ROUTES.listFleet.config, async (c) => {
    const { query, ...request } = c.req.valid('query');
    const { fleet } = c.get('caller');
    const page = await listFleet(database, fleet, { ...request, query: parse(query) });
    const items = page.rows.map(summaryOf);
    return c.json(page.next === undefined ? { items } : { items, next: page.next }, 200);
  });
  app.openapi(OPERATOR_ROUTES.countFleet.config, async (c) => {
    const { query: text, sample: limit } = c.req.valid('json');
    const { fleet } = c.get('caller');
    const begin = performance.now();
    const query = parse(text);
    const counted = await countFleet(database, fleet, query);
    const request = { query, sort: 'vehicleId', limit } as const;
    const sample = limit === 0 ? [] : (await listFleet(database, fleet, request)).rows;
    const elapsedMs = Math.round(performance.now() - begin);
    return c.json({ ...counted, sample: sample.map(summaryOf), elapsedMs }, 200);
  });
  app.openapi(OPERATOR_ROUTES.listFacets.config, async (c) =>
    c.json(mutable(await listFacets(database, c.get('caller').fleet)), 200),
  );
  app.openapi(OPERATOR_ROUTES.listVersions.config, async (c) => {
    const request = { ...c.req.valid('query'), now: clock.now() };
    return c.json(mutable(await listVersions(database, c.get('caller').fleet, request)), 200);
  });
  app.openapi(OPERATOR_ROUTES.exportFleet.config, (c) => {
    const { query, format } = c.req.valid('query');
    const request = { query: parse(query), format };
    const body = exportFleet(database, c.get('caller').fleet, request);
    const type = format === 'csv' ? 'text/csv; charset=utf-8' : 'application/x-ndjson';
    const name = `attachment; filename="fleet.${format}"`;
    return c.body(body, 200, { 'Content-Type': type, 'Content-Disposition': name });
  });
  addVehicleDepth(app, services);
}

/** Folds counts while people look, one at a time and not too often; nobody waits for it. */
function folder({ context, failed }: OperatorServices): () => void {
  const { database, clock } = context;
  let next = clock.now();
  return () => {
    const now = clock.now();
    if (Temporal.Instant.compare(now, next) < 0) return;
    next = now.add({ minutes: FOLD_MINUTES });
    foldCounts(database).catch(failed);
  };
}

function addVehicleDepth(app: OperatorApp, { context }: OperatorServices): void {
  const { database, clock } = context;
  app.openapi(OPERATOR_ROUTES.listLanes.config, async (c) => {
    const { vehicleId } = c.req.valid('param');
    await checkVisible(database, c.get('caller').fleet, vehicleId);
    const since = clock.now().subtract({ hours: 24 * c.req.valid('query').days });
    return c.json(mutable({ lanes: await listLanes(database, vehicleId, since) }), 200);
  });
  app.openapi(OPERATOR_ROUTES.getConfiguration.config, async (c) => {
    const { vehicleId } = c.req.valid('param');
    await checkVisible(database, c.get('caller').fleet, vehicleId);
    return c.json(mutable(await loadConfiguration(database, vehicleId)), 200);
  });
  app.openapi(OPERATOR_ROUTES.listConsents.config, async (c) => {
    const { vehicleId } = c.req.valid('param');
    await checkVisible(database, c.get('caller').fleet, vehicleId);
    return c.json(mutable({ items: await listConsents(database, vehicleId) }), 200);
  });
}

type Mutable<Value> = Value extends string | number | boolean | null | undefined
  ? Value
  : JsonObject extends Value
    ? Record<string, unknown>
    : { -readonly [Key in keyof Value]: Mutable<Value[Key]> };

/** The schemas of the API speak of arrays that may change; ours never do. */
function mutable<Value>(value: Value): Mutable<Value> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same value, about to become text
  return value as Mutable<Value>;
}
