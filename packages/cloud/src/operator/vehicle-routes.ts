/** Vehicles, their timelines, their certificates, and why they are not updated. */
import { OPERATOR_ROUTES } from '@immota/api';
import { parseSerialNumber } from '@immota/pki';
import { findConstraint } from '@immota/store';
import { explainVehicle } from '../campaign/why-not.ts';
import { parseFleetQuery } from '../campaign/fleet-query.ts';
import { type CloudContext, committed } from '../context.ts';
import { CloudFault } from '../fault.ts';
import type { VehicleInventory } from '../director/ports.ts';
import { revokeCertificate, revokeUnrecorded, setQuarantine } from '../inventory/access.ts';
import { EcuKeyCache } from '../inventory/ecu-key.ts';
import { approveReplacement } from '../inventory/replacement.ts';
import { saveVehicle } from '../inventory/vehicle.ts';
import { loadVehicles } from '../inventory/vehicle-record.ts';
import type { OperatorApp } from './operator-app.ts';
import { createFleetReader } from '../inventory/fleet.ts';
import type { OperatorServices } from './services.ts';
import { eventView, vehicleView, type View, whyNotView } from './views.ts';

/** Vehicles looked at for one page of a query; beyond it the page ends early and goes on from there. */
const LOOKED_AT_MAX = 20_000;

/** Adds the routes about vehicles. */
export function addVehicleRoutes(app: OperatorApp, services: OperatorServices): void {
  const { context } = services;
  const cache = new EcuKeyCache();
  const load = async (vehicleId: string): Promise<VehicleInventory> => {
    const found = await loadVehicles(context.database.kysely, [vehicleId], cache);
    const inventory = found.get(vehicleId)?.inventory;
    if (inventory === undefined) {
      throw new CloudFault('NOT_FOUND', `Cannot find vehicle "${vehicleId}"`);
    }
    return inventory;
  };
  app.openapi(OPERATOR_ROUTES.listVehicles.config, async (c) => {
    const { after = '', limit, query } = c.req.valid('query');
    const page = await findVehicles(services, { after, limit, query });
    return c.json(page, 200);
  });
  app.openapi(OPERATOR_ROUTES.getVehicle.config, async (c) =>
    c.json(vehicleView(await load(c.req.valid('param').vehicleId)), 200),
  );
  app.openapi(OPERATOR_ROUTES.patchVehicle.config, async (c) => {
    const { vehicleId } = c.req.valid('param');
    await patchVehicle(context, vehicleId, { ...c.req.valid('json'), by: c.get('caller').name });
    return c.json(vehicleView(await load(vehicleId)), 200);
  });
  app.openapi(OPERATOR_ROUTES.approveReplacement.config, async (c) => {
    const { vehicleId, ecuId } = c.req.valid('param');
    await approveReplacement(context, { vehicleId, ecuId, by: c.get('caller').name });
    return c.json(vehicleView(await load(vehicleId)), 200);
  });
  app.openapi(OPERATOR_ROUTES.explainVehicle.config, async (c) => {
    const { vehicleId } = await load(c.req.valid('param').vehicleId);
    const items = (await explainVehicle(context.database, vehicleId)).map(whyNotView);
    return c.json({ items }, 200);
  });
  app.openapi(OPERATOR_ROUTES.wakeVehicle.config, async (c) => {
    const { vehicleId } = await load(c.req.valid('param').vehicleId);
    return c.json({ isSent: await services.wake(vehicleId) }, 200);
  });
  addEventRoutes(app, services, load);
  addCertificateRoutes(app, services);
}

/** What changed is on record by its names; the values may be personal. */
async function patchVehicle(
  context: CloudContext,
  vehicleId: string,
  patch: View<'vehiclePatchSchema'> & { readonly by: string },
): Promise<void> {
  const { by, isQuarantined, ...description } = patch;
  try {
    await saveVehicle(context, { vehicleId, ...description });
  } catch (error) {
    if (findConstraint(error) !== 'vehicle_vin_key') throw error;
    throw new CloudFault('VIN_EXISTS', 'Cannot set the VIN: another vehicle has it', {
      cause: error,
    });
  }
  if (isQuarantined !== undefined) await setQuarantine(context, vehicleId, isQuarantined, by);
  const fields = Object.keys(description);
  if (fields.length === 0) return;
  const event = {
    stream: vehicleId,
    kind: 'vehicle.described',
    at: context.clock.now(),
    body: { fields, by },
  } as const;
  await committed(context.database, (tx) => context.events.append(tx, [event]));
}

async function findVehicles(
  services: OperatorServices,
  { after, limit, query }: { after: string; limit: number; query?: string | undefined },
): Promise<{ items: ReturnType<typeof vehicleView>[]; next?: string }> {
  const readFleet = createFleetReader(services.context.database);
  const matcher = query === undefined ? undefined : parseFleetQuery(query);
  const items: ReturnType<typeof vehicleView>[] = [];
  let next = after;
  for (let lookedAt = 0; lookedAt < LOOKED_AT_MAX; lookedAt += limit) {
    // oxlint-disable-next-line no-await-in-loop -- page after page, so that memory stays bounded
    const page = await readFleet(next, limit);
    for (const vehicle of page) {
      if (matcher?.matches(vehicle) === false) continue;
      items.push(vehicleView(vehicle));
      if (items.length === limit) return { items, next: vehicle.vehicleId };
    }
    if (page.length < limit) return { items };
    next = page.at(-1)?.vehicleId ?? next;
  }
  return { items, next };
}

function addEventRoutes(
  app: OperatorApp,
  { context }: OperatorServices,
  load: (vehicleId: string) => Promise<VehicleInventory>,
): void {
  app.openapi(OPERATOR_ROUTES.listTimeline.config, async (c) => {
    const { vehicleId } = c.req.valid('param');
    await load(vehicleId);
    const { after, limit } = c.req.valid('query');
    const rows = await context.database.kysely
      .selectFrom('event')
      .selectAll()
      .where('stream', '=', vehicleId)
      .where('sequence', '<', after === undefined ? Number.MAX_SAFE_INTEGER : sequenceOf(after))
      .orderBy('sequence', 'desc')
      .limit(limit)
      .execute();
    return c.json(pageOfEvents(rows, limit), 200);
  });
  app.openapi(OPERATOR_ROUTES.listEvents.config, async (c) => {
    const { stream, after, limit } = c.req.valid('query');
    const rows = await context.database.kysely
      .selectFrom('event')
      .selectAll()
      .where('stream', '=', stream)
      .where('sequence', '>', after === undefined ? 0 : sequenceOf(after))
      .orderBy('sequence')
      .limit(limit)
      .execute();
    return c.json(pageOfEvents(rows, limit), 200);
  });
}

function pageOfEvents(
  rows: readonly Parameters<typeof eventView>[0][],
  limit: number,
): { items: ReturnType<typeof eventView>[]; next?: string } {
  const last = rows.at(-1);
  const items = rows.map(eventView);
  return last === undefined || rows.length < limit
    ? { items }
    : { items, next: String(last.sequence) };
}

function sequenceOf(text: string): number {
  const sequence = Number(text);
  if (Number.isSafeInteger(sequence) && sequence >= 0) return sequence;
  throw new CloudFault('REQUEST_MALFORMED', 'Cannot read request: "after" is no sequence number');
}

function addCertificateRoutes(app: OperatorApp, { context }: OperatorServices): void {
  app.openapi(OPERATOR_ROUTES.listCertificates.config, async (c) => {
    const { after = '', limit, vehicleId } = c.req.valid('query');
    let select = context.database.kysely
      .selectFrom('device_certificate')
      .selectAll()
      .where('serial', '>', after)
      .orderBy('serial')
      .limit(limit);
    if (vehicleId !== undefined) select = select.where('vehicle_id', '=', vehicleId);
    const rows = await select.execute();
    const items = rows.map(certificateView);
    const last = rows.length < limit ? undefined : rows.at(-1)?.serial;
    return c.json(last === undefined ? { items } : { items, next: last }, 200);
  });
  app.openapi(OPERATOR_ROUTES.revokeCertificate.config, async (c) => {
    const serial = parseSerialNumber(c.req.valid('param').serial);
    const { reason, isUnrecorded } = c.req.valid('json');
    const by = c.get('caller').name;
    const revoke = isUnrecorded ? revokeUnrecorded : revokeCertificate;
    await revoke(context, serial, { reason, by });
    const row = await context.database.kysely
      .selectFrom('device_certificate')
      .selectAll()
      .where('serial', '=', serial)
      .executeTakeFirst();
    if (row === undefined) throw new CloudFault('NOT_FOUND', `Cannot find certificate ${serial}`);
    return c.json(certificateView(row), 200);
  });
}

function certificateView(row: {
  readonly serial: string;
  readonly vehicle_id: string | null;
  readonly authority: string;
  readonly not_after: Temporal.Instant | null;
  readonly revoked_at: Temporal.Instant | null;
  readonly revocation_reason: string | null;
}): {
  serial: string;
  vehicleId: string | undefined;
  authority: string;
  notAfter: string | undefined;
  revokedAt: string | undefined;
  reason: string | undefined;
} {
  return {
    serial: row.serial,
    vehicleId: row.vehicle_id ?? undefined,
    authority: row.authority,
    notAfter: row.not_after?.toString(),
    revokedAt: row.revoked_at?.toString(),
    reason: row.revocation_reason ?? undefined,
  };
}
