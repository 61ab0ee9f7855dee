/** Vehicles, their timelines, their certificates, and why they are not updated. */
import { OPERATOR_ROUTES } from '@immota/api';
import { parseSerialNumber } from '@immota/pki';
import { findConstraint, sql } from '@immota/store';
import { checkVisible, inScope } from '../access/scope.ts';
import { explainVehicle } from '../campaign/why-not.ts';
import { parseFleetQuery } from '../fleet/query/fleet-query.ts';
import type { RawBuilder } from 'kysely';
import { type CloudContext, committed } from '../context.ts';
import { FLEET_STREAM, fleetStream } from '../event-log/event-sink.ts';
import { CloudFault } from '../fault.ts';
import type { VehicleInventory } from '../director/ports.ts';
import { revokeCertificate, revokeUnrecorded, setQuarantine } from '../inventory/access.ts';
import { EcuKeyCache } from '../inventory/ecu-key.ts';
import { approveReplacement } from '../inventory/replacement.ts';
import { saveVehicle } from '../inventory/vehicle.ts';
import { loadVehicles } from '../inventory/vehicle-record.ts';
import type { OperatorApp } from './operator-app.ts';
import { FIRST_TENANT, type FleetScope } from '../inventory/fleet-scope.ts';
import type { OperatorServices } from './services.ts';
import { eventView, vehicleView, type View, whyNotView } from './views.ts';

type LoadVehicle = (fleet: FleetScope, vehicleId: string) => Promise<VehicleInventory>;

/** Adds the routes about vehicles. */
export function addVehicleRoutes(app: OperatorApp, services: OperatorServices): void {
  const { context } = services;
  const cache = new EcuKeyCache();
  const load: LoadVehicle = async (fleet, vehicleId) => {
    await checkVisible(context.database.kysely, fleet, vehicleId);
    const found = await loadVehicles(context.database.kysely, [vehicleId], cache);
    const inventory = found.get(vehicleId)?.inventory;
    if (inventory === undefined) {
      throw new CloudFault('NOT_FOUND', `Cannot find vehicle "${vehicleId}"`);
    }
    return inventory;
  };
  app.openapi(OPERATOR_ROUTES.listVehicles.config, async (c) => {
    const { after = '', limit, query } = c.req.valid('query');
    const page = await findVehicles(services, c.get('caller').fleet, { after, limit, query });
    return c.json(page, 200);
  });
  app.openapi(OPERATOR_ROUTES.getVehicle.config, async (c) =>
    c.json(vehicleView(await load(c.get('caller').fleet, c.req.valid('param').vehicleId)), 200),
  );
  app.openapi(OPERATOR_ROUTES.patchVehicle.config, async (c) => {
    const { vehicleId } = c.req.valid('param');
    const { name: by, fleet } = c.get('caller');
    await patchVehicle(context, { vehicleId, by, fleet }, c.req.valid('json'));
    return c.json(vehicleView(await load(fleet, vehicleId)), 200);
  });
  app.openapi(OPERATOR_ROUTES.approveReplacement.config, async (c) => {
    const { vehicleId, ecuId } = c.req.valid('param');
    const { name: by, fleet } = c.get('caller');
    await checkVisible(context.database.kysely, fleet, vehicleId);
    await approveReplacement(context, { vehicleId, ecuId, by });
    return c.json(vehicleView(await load(fleet, vehicleId)), 200);
  });
  app.openapi(OPERATOR_ROUTES.explainVehicle.config, async (c) => {
    const { vehicleId } = await load(c.get('caller').fleet, c.req.valid('param').vehicleId);
    const items = (await explainVehicle(context.database, vehicleId)).map(whyNotView);
    return c.json({ items }, 200);
  });
  app.openapi(OPERATOR_ROUTES.wakeVehicle.config, async (c) => {
    const { vehicleId } = await load(c.get('caller').fleet, c.req.valid('param').vehicleId);
    return c.json({ isSent: await services.wake(vehicleId) }, 200);
  });
  addEventRoutes(app, services, load);
  addCertificateRoutes(app, services);
}

/** What changed is on record by its names; the values may be personal. */
async function patchVehicle(
  context: CloudContext,
  { vehicleId, by, fleet }: { vehicleId: string; by: string; fleet: FleetScope },
  patch: View<'vehiclePatchSchema'>,
): Promise<void> {
  const { isQuarantined, ...description } = patch;
  try {
    await saveVehicle(context, { vehicleId, ...description }, fleet);
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
  { context }: OperatorServices,
  fleet: FleetScope,
  { after, limit, query }: { after: string; limit: number; query?: string | undefined },
): Promise<{ items: ReturnType<typeof vehicleView>[]; next?: string }> {
  const { kysely } = context.database;
  const meant = query === undefined ? sql`true` : parseFleetQuery(query).sql('vehicle');
  const { rows } = await sql<{ readonly vehicle_id: string }>`
    select vehicle_id from vehicle where vehicle_id > ${after} and ${inScope(fleet)} and ${meant}
    order by vehicle_id limit ${limit}`.execute(kysely);
  const ids = rows.map(({ vehicle_id: id }) => id);
  const records = await loadVehicles(kysely, ids, new EcuKeyCache());
  const items = ids.flatMap((id) => {
    const record = records.get(id);
    return record === undefined ? [] : [vehicleView(record.inventory)];
  });
  const last = ids.length < limit ? undefined : ids.at(-1);
  return last === undefined ? { items } : { items, next: last };
}

function addEventRoutes(app: OperatorApp, { context }: OperatorServices, load: LoadVehicle): void {
  app.openapi(OPERATOR_ROUTES.listTimeline.config, async (c) => {
    const { vehicleId } = c.req.valid('param');
    await load(c.get('caller').fleet, vehicleId);
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
    const { stream: asked, after, limit } = c.req.valid('query');
    const { fleet } = c.get('caller');
    // `fleet` is the caller's own; of others only vehicles that the caller sees.
    const stream = asked === FLEET_STREAM ? fleetStream(fleet.tenant) : asked;
    if (stream !== fleetStream(fleet.tenant)) {
      await checkVisible(context.database.kysely, fleet, stream);
    }
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
    select = select.where(certificateInScope(c.get('caller').fleet));
    const rows = await select.execute();
    const items = rows.map(certificateView);
    const last = rows.length < limit ? undefined : rows.at(-1)?.serial;
    return c.json(last === undefined ? { items } : { items, next: last }, 200);
  });
  app.openapi(OPERATOR_ROUTES.revokeCertificate.config, async (c) => {
    const serial = parseSerialNumber(c.req.valid('param').serial);
    const { reason, isUnrecorded } = c.req.valid('json');
    const { name: by, fleet } = c.get('caller');
    const { kysely } = context.database;
    const known = await kysely
      .selectFrom('device_certificate')
      .select(certificateInScope(fleet).as('isOurs'))
      .where('serial', '=', serial)
      .executeTakeFirst();
    // A serial number of which nothing is known may be of any tenant's vehicle.
    const isOurs = known === undefined ? isInstallations(fleet) : known.isOurs;
    if (!isOurs) throw new CloudFault('NOT_FOUND', `Cannot find certificate ${serial}`);
    const revoke = isUnrecorded ? revokeUnrecorded : revokeCertificate;
    await revoke(context, serial, { reason, by });
    const row = await kysely
      .selectFrom('device_certificate')
      .selectAll()
      .where('serial', '=', serial)
      .executeTakeFirst();
    if (row === undefined) throw new CloudFault('NOT_FOUND', `Cannot find certificate ${serial}`);
    return c.json(certificateView(row), 200);
  });
}

/** Of vehicles that the caller sees; of no vehicle here, for whoever sees all of the first tenant. */
function certificateInScope(fleet: FleetScope): RawBuilder<boolean> {
  const ofVehicle = sql<boolean>`exists (select from vehicle
    where vehicle.vehicle_id = device_certificate.vehicle_id and ${inScope(fleet)})`;
  if (!isInstallations(fleet)) return ofVehicle;
  return sql<boolean>`(${ofVehicle} or not exists (select from vehicle
    where vehicle.vehicle_id = device_certificate.vehicle_id))`;
}

function isInstallations({ tenant, query }: FleetScope): boolean {
  return tenant === FIRST_TENANT && query === undefined;
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
