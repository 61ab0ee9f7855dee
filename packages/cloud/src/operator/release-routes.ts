/** Releases: documents, ways to them, dossiers, blocks, and the RXSWIN register. */
import { OPERATOR_ROUTES } from '@immota/api';
import { sql } from '@immota/store';
import { parseHardwareIdentifier } from '@immota/uptane';
import type { Selectable } from 'kysely';
import { inScope } from '../access/scope.ts';
import { CloudFault } from '../fault.ts';
import { EcuKeyCache } from '../inventory/ecu-key.ts';
import type { FleetScope } from '../inventory/fleet-scope.ts';
import { loadVehicles } from '../inventory/vehicle-record.ts';
import { blockRelease } from '../release/block-release.ts';
import { type DossierContext, loadDossier, writeDossierItem } from '../release/dossier.ts';
import { explainPath } from '../release/explain-path.ts';
import type { EcuConfiguration } from '../release/find-path.ts';
import { readStoredRelease } from '../release/release-document.ts';
import { countRxswins } from '../release/rxswin-counts.ts';
import type { ReleaseRow } from '../schema/release-tables.ts';
import type { OperatorApp } from './operator-app.ts';
import { encodePosition, parsePosition } from './position.ts';
import {
  dossierView,
  releaseDetailView,
  releaseView,
  rxswinEntryView,
  solutionView,
} from './release-views.ts';
import type { OperatorServices } from './services.ts';

/** Adds the routes about releases. */
export function addReleaseRoutes(app: OperatorApp, services: OperatorServices): void {
  const { context, releases } = services;
  const { kysely } = context.database;
  app.openapi(OPERATOR_ROUTES.createRelease.config, async (c) => {
    const { name, fleet } = c.get('caller');
    const document = new Uint8Array(await c.req.arrayBuffer());
    const { releaseId } = await releases.create(document, name, fleet.tenant);
    return c.json(releaseView(await loadRow(context, releaseId, fleet.tenant)), 201);
  });
  app.openapi(OPERATOR_ROUTES.listReleases.config, async (c) => {
    const { after, limit } = c.req.valid('query');
    let select = kysely
      .selectFrom('release')
      .selectAll()
      .where('tenant', '=', c.get('caller').fleet.tenant)
      .orderBy('created_at', 'desc')
      .orderBy('release_id', 'desc')
      .limit(limit);
    if (after !== undefined) {
      const { createdAt, id } = parsePosition(after);
      select = select.where(sql<boolean>`(created_at, release_id) < (${createdAt}, ${id})`);
    }
    const rows = await select.execute();
    const items = rows.map(releaseView);
    const last = rows.length < limit ? undefined : rows.at(-1);
    if (last === undefined) return c.json({ items }, 200);
    const next = encodePosition({ createdAt: last.created_at, id: last.release_id });
    return c.json({ items, next }, 200);
  });
  app.openapi(OPERATOR_ROUTES.getRelease.config, async (c) =>
    c.json(
      await detail(context, c.req.valid('param').releaseId, c.get('caller').fleet.tenant),
      200,
    ),
  );
  app.openapi(OPERATOR_ROUTES.blockRelease.config, async (c) => {
    const { releaseId } = c.req.valid('param');
    const { name, fleet } = c.get('caller');
    const { tenant } = fleet;
    await blockRelease(context, { releaseId, tenant, by: name, ...c.req.valid('json') });
    return c.json(await detail(context, releaseId, tenant), 200);
  });
  addSolver(app, services);
  addDossier(app, services);
}

function addSolver(app: OperatorApp, { context, releases }: OperatorServices): void {
  app.openapi(OPERATOR_ROUTES.solveRelease.config, async (c) => {
    const { releaseId } = c.req.valid('param');
    const { fleet } = c.get('caller');
    const { vehicleId, configuration } = c.req.valid('json');
    const row = await loadRow(context, releaseId, fleet.tenant);
    if ((vehicleId === undefined) === (configuration === undefined)) {
      throw new CloudFault('REQUEST_MALFORMED', 'Cannot solve: name a vehicle or a configuration');
    }
    let ecus: readonly EcuConfiguration[];
    if (vehicleId === undefined) {
      ecus = (configuration ?? []).map(({ ecuId, hardwareId, image }) => ({
        ecu: ecuId,
        hardwareIdentifier: parseHardwareIdentifier(hardwareId),
        image,
      }));
      if (new Set(ecus.map(({ ecu }) => ecu)).size < ecus.length) {
        throw new CloudFault('REQUEST_MALFORMED', 'Cannot solve: an ECU stands twice');
      }
    } else {
      const vehicle = await loadInScope(context, vehicleId, fleet);
      ecus = (await releases.planner(releaseId)).configurationOf(vehicle);
    }
    return c.json(solutionView(explainPath(readStoredRelease(row.document), ecus)), 200);
  });
}

function addDossier(app: OperatorApp, { context }: OperatorServices): void {
  const { kysely } = context.database;
  app.openapi(OPERATOR_ROUTES.getDossier.config, async (c) => {
    const { releaseId } = c.req.valid('param');
    const dossier = await loadDossier(kysely, releaseId, c.get('caller').fleet.tenant);
    return c.json(dossierView(dossier), 200);
  });
  app.openapi(OPERATOR_ROUTES.writeDossierItem.config, async (c) => {
    const { releaseId, item } = c.req.valid('param');
    const { name, fleet } = c.get('caller');
    const { text, answer, approvalNumber, evidence } = c.req.valid('json');
    const dossier = await writeDossierItem(context, {
      releaseId,
      tenant: fleet.tenant,
      item,
      written: { text, answer, approvalNumber, evidence },
      by: name,
    });
    return c.json(dossierView(dossier), 200);
  });
  app.openapi(OPERATOR_ROUTES.listRxswins.config, async (c) => {
    const { after, limit, regulation, rxswin } = c.req.valid('query');
    const { tenant } = c.get('caller').fleet;
    let select = kysely
      .selectFrom('rxswin_entry')
      .selectAll()
      .where('tenant', '=', tenant)
      .orderBy('sequence', 'desc')
      .limit(limit);
    if (after !== undefined) select = select.where('sequence', '<', parseSequence(after));
    if (regulation !== undefined) select = select.where('regulation', '=', regulation);
    if (rxswin !== undefined) select = select.where('rxswin', '=', rxswin);
    const rows = await select.execute();
    const counts = await countRxswins(context.database, tenant, rows);
    const items = rows.map((row, index) =>
      rxswinEntryView(row, counts[index] ?? { vehicles: 0, disagreeing: 0 }),
    );
    const last = rows.length < limit ? undefined : rows.at(-1);
    return c.json(last === undefined ? { items } : { items, next: String(last.sequence) }, 200);
  });
}

function parseSequence(after: string): number {
  if (/^\d{1,15}$/.test(after)) return Number(after);
  throw new CloudFault('REQUEST_MALFORMED', 'Cannot read request: "after" is no position');
}

async function loadRow(
  { database }: Pick<DossierContext, 'database'>,
  releaseId: string,
  tenant: string,
): Promise<Selectable<ReleaseRow>> {
  const row = await database.kysely
    .selectFrom('release')
    .selectAll()
    .where('release_id', '=', releaseId)
    .where('tenant', '=', tenant)
    .executeTakeFirst();
  if (row !== undefined) return row;
  throw new CloudFault('NOT_FOUND', `Cannot find release "${releaseId}"`);
}

async function detail(
  context: Pick<DossierContext, 'database'>,
  releaseId: string,
  tenant: string,
): Promise<ReturnType<typeof releaseDetailView>> {
  const row = await loadRow(context, releaseId, tenant);
  const { kysely } = context.database;
  const names = readStoredRelease(row.document).images.map(({ name }): string => name);
  const [images, dossier] = await Promise.all([
    kysely
      .selectFrom('image')
      .select(['name', 'version', 'length_bytes', 'sha256'])
      .where('name', 'in', names)
      .execute(),
    loadDossier(kysely, releaseId, tenant),
  ]);
  const facts = images.map(
    ({ name, version, length_bytes: lengthBytes, sha256 }) =>
      [name, { version, lengthBytes, sha256 }] as const,
  );
  return releaseDetailView(row, new Map(facts), dossier);
}

async function loadInScope(
  { database }: Pick<DossierContext, 'database'>,
  vehicleId: string,
  fleet: FleetScope,
): Promise<
  Parameters<Awaited<ReturnType<OperatorServices['releases']['planner']>>['configurationOf']>[0]
> {
  const { rows } = await sql<{ readonly vehicle_id: string }>`
    select vehicle_id from vehicle where (vehicle_id = ${vehicleId} or vin = ${vehicleId})
      and ${inScope(fleet)} limit 1`.execute(database.kysely);
  const [found] = rows;
  const id = found?.vehicle_id ?? '';
  const records = await loadVehicles(database.kysely, [id], new EcuKeyCache());
  const vehicle = records.get(id)?.inventory;
  if (vehicle !== undefined) return vehicle;
  throw new CloudFault('NOT_FOUND', `Cannot find vehicle "${vehicleId}"`);
}
