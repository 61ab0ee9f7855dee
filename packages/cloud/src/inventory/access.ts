/**
 * Who is barred: revoked certificates and quarantined vehicles, held in memory so that each request
 * can ask, and told of changes by every process that makes one.
 */
import { keyIdOf, type RevocationReason, type SerialNumber } from '@immota/pki';
import { sql } from '@immota/store';
import { committed, type CloudContext } from '../context.ts';
import { FLEET_STREAM } from '../event-log/event-sink.ts';
import type { CloudDatabase, CloudTransaction } from '../schema/database.ts';
import type { IssuingContext } from './credentials.ts';

/** The channel that is told of each change; the payload is empty. */
const ACCESS_CHANNEL = 'immota_access';

/** The views of this process on each database: whoever bars somebody here brings them up to date at once. */
const views = new WeakMap<CloudDatabase, Set<AccessView>>();

/** What is barred at this moment. */
export interface AccessView {
  /** Tells whether a certificate was revoked. */
  isRevoked(serial: string): boolean;
  /** Tells whether a vehicle is barred. */
  isQuarantined(vehicleId: string): boolean;
  /** Reads again now. */
  reload(): Promise<void>;
  /** Calls back after each change. @returns what ends it. */
  onChange(listener: () => void): () => void;
  close(): Promise<void>;
}

/**
 * Opens the view.
 *
 * @param failed - told when it cannot be brought up to date; it stays as it was.
 */
export async function openAccessView(
  database: CloudDatabase,
  failed: (error: unknown) => void,
): Promise<AccessView> {
  let revoked: ReadonlySet<string> = new Set();
  let quarantined: ReadonlySet<string> = new Set();
  let running: Promise<unknown> = Promise.resolve();
  const listeners = new Set<() => void>();
  const read = async (): Promise<void> => {
    const { kysely } = database;
    const [serials, vehicles] = await Promise.all([
      kysely
        .selectFrom('device_certificate')
        .select('serial')
        .where('revoked_at', 'is not', null)
        .execute(),
      kysely.selectFrom('vehicle').select('vehicle_id').where('quarantined', '=', true).execute(),
    ]);
    revoked = new Set(serials.map(({ serial }) => serial));
    quarantined = new Set(vehicles.map(({ vehicle_id: id }) => id));
    for (const listener of listeners) listener();
  };
  // One after the other: what was read before must not come behind what was read later.
  const reload = (): Promise<void> => {
    const next = running.then(read);
    running = next.catch(() => undefined);
    return next;
  };
  // First listen, then read: what changes in between is told.
  const subscription = await database.listen(ACCESS_CHANNEL, () => {
    reload().catch(failed);
  });
  await reload();
  const own = views.get(database) ?? new Set<AccessView>();
  views.set(database, own);
  const view: AccessView = {
    isRevoked: (serial) => revoked.has(serial),
    isQuarantined: (vehicleId) => quarantined.has(vehicleId),
    reload,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      own.delete(view);
      await subscription.close();
      await running;
    },
  };
  own.add(view);
  return view;
}

/**
 * Has the views of this process see a change before whoever made it is answered. Those of others hear of it,
 * and so do these, should they fail now: what was written stands.
 */
async function refreshViews(database: CloudDatabase): Promise<void> {
  await Promise.allSettled([...(views.get(database) ?? [])].map((view) => view.reload()));
}

/** What is revoked, and why. */
export interface RevocationRequest {
  readonly reason: RevocationReason;
  /** The operator's name, for the record. */
  readonly by: string;
}

/**
 * Revokes a certificate, once for all.
 *
 * @returns whether it was there and good until now.
 */
export async function revokeCertificate(
  context: CloudContext,
  serial: SerialNumber,
  request: RevocationRequest,
): Promise<boolean> {
  const where = sql`serial = ${serial}`;
  return (await revokeWhere(context, where, request)) > 0;
}

/**
 * Revokes a certificate that the authority for devices issued beside this database: in a factory, or
 * before the database was lost. Nothing is known of it but its serial number.
 *
 * @returns whether it was good until now; one that is on record after all is revoked there.
 */
export async function revokeUnrecorded(
  context: IssuingContext,
  serial: SerialNumber,
  request: RevocationRequest,
): Promise<boolean> {
  if (await revokeCertificate(context, serial, request)) return true;
  const at = context.clock.now();
  const { reason, by } = request;
  const authority = Buffer.from(keyIdOf(context.devices.certificate.publicKeyDer)).toString('hex');
  const isNew = await committed(context.database, async (tx) => {
    const { rows } = await sql`
      insert into device_certificate (serial, authority, revoked_at, revocation_reason)
      values (${serial}, ${authority}, ${at}, ${reason}) on conflict do nothing
      returning serial`.execute(tx);
    if (rows.length === 0) return false;
    const body = { serial, reason, by };
    const event = { stream: FLEET_STREAM, kind: 'certificate.revoked', at, body } as const;
    await context.events.append(tx, [event]);
    await notifyAccess(tx);
    return true;
  });
  await refreshViews(context.database);
  return isNew;
}

/**
 * Revokes every certificate of a vehicle.
 *
 * @returns how many were good until now.
 */
export async function revokeVehicle(
  context: CloudContext,
  vehicleId: string,
  request: RevocationRequest,
): Promise<number> {
  return await revokeWhere(context, sql`vehicle_id = ${vehicleId}`, request);
}

async function revokeWhere(
  context: CloudContext,
  where: ReturnType<typeof sql>,
  { reason, by }: RevocationRequest,
): Promise<number> {
  const at = context.clock.now();
  const count = await committed(context.database, async (tx) => {
    const { rows } = await sql<{ readonly serial: string; readonly vehicle_id: string }>`
      update device_certificate set revoked_at = ${at}, revocation_reason = ${reason}
      where ${where} and revoked_at is null returning serial, vehicle_id`.execute(tx);
    await context.events.append(
      tx,
      rows.map(({ serial, vehicle_id: vehicleId }) => ({
        stream: vehicleId,
        kind: 'certificate.revoked',
        at,
        body: { serial, reason, by },
      })),
    );
    await notifyAccess(tx);
    return rows.length;
  });
  await refreshViews(context.database);
  return count;
}

/**
 * Bars a vehicle, or lifts the bar.
 *
 * @param by - the operator's name, for the record.
 * @returns whether the vehicle is there.
 */
export async function setQuarantine(
  context: CloudContext,
  vehicleId: string,
  isQuarantined: boolean,
  by = 'this machine',
): Promise<boolean> {
  const at = context.clock.now();
  const isThere = await committed(context.database, async (tx) => {
    const { rows } = await sql<{ readonly quarantined: boolean }>`select quarantined from vehicle
      where vehicle_id = ${vehicleId} for no key update`.execute(tx);
    const [row] = rows;
    if (row === undefined) return false;
    if (row.quarantined === isQuarantined) return true;
    await sql`update vehicle set quarantined = ${isQuarantined}
      where vehicle_id = ${vehicleId}`.execute(tx);
    const kind = isQuarantined ? 'vehicle.quarantined' : 'vehicle.released';
    await context.events.append(tx, [{ stream: vehicleId, kind, at, body: { by } }]);
    await notifyAccess(tx);
    return true;
  });
  await refreshViews(context.database);
  return isThere;
}

async function notifyAccess(tx: CloudTransaction): Promise<void> {
  await sql`select pg_notify(${ACCESS_CHANNEL}, '')`.execute(tx);
}
