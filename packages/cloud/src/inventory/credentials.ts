/** Certificates of vehicles: issued here, and every one of them on record. */
import { sql } from '@immota/store';
import {
  type Authority,
  type Certificate,
  type DeviceCredentials,
  type DeviceId,
  keyIdOf,
  makeDeviceCredentials,
  parseDeviceId,
  type StatusLocations,
  type Validity,
} from '@immota/pki';
import { type CloudContext, committed } from '../context.ts';
import { CloudFault } from '../fault.ts';
import { checkTenant } from '../access/tenants.ts';
import { isFleetStream } from '../event-log/event-sink.ts';
import { BACKDATING_SECONDS } from '../limits.ts';
import type { CloudTransaction } from '../schema/database.ts';
import { FIRST_TENANT } from './fleet-scope.ts';

/**
 * Device ids that begin so are no vehicles: their certificates may provision vehicles and do nothing else.
 * No vehicle can get such a name.
 */
export const BOOTSTRAP_PREFIX = 'bootstrap:';

/** What certificates are issued with. */
export interface IssuingContext extends CloudContext {
  /** The authority for devices. */
  readonly devices: Authority;
  /** Who vouches for the servers that devices talk to. */
  readonly serverRoots: readonly Certificate[];
  readonly status?: StatusLocations | undefined;
  readonly validityDays: number;
  /** `listed`: only vehicles that an operator has put on the list may provision themselves. */
  readonly provisioning: 'open' | 'listed';
}

/** Tells whether a device id is a bootstrap credential's. */
export function isBootstrap(deviceId: string): boolean {
  return deviceId.startsWith(BOOTSTRAP_PREFIX);
}

/** Tells whether a name is kept for something else: no vehicle may have it. */
export function isReserved(deviceId: string): boolean {
  return isBootstrap(deviceId) || isFleetStream(deviceId);
}

/**
 * Tells into which tenant a bootstrap credential brings vehicles: its certificate says so, as
 * `bootstrap:TENANT:NAME`; the first tenant when it names none.
 */
function tenantOf(bootstrapId: string): string {
  const [, tenant, name] = bootstrapId.split(':');
  return name === undefined || tenant === undefined ? FIRST_TENANT : tenant;
}

/** From shortly ago, for clocks that are behind, to the end of the authority's own time at most. */
export function deviceValidity(context: IssuingContext, days = context.validityDays): Validity {
  const now = context.clock.now();
  const { notBefore, notAfter } = context.devices.certificate;
  const start = now.subtract({ seconds: BACKDATING_SECONDS });
  const end = now.add({ hours: 24 * Math.min(days, context.validityDays) });
  return {
    notBefore: Temporal.Instant.compare(start, notBefore) < 0 ? notBefore : floor(start),
    notAfter: Temporal.Instant.compare(end, notAfter) > 0 ? notAfter : floor(end),
  };
}

/**
 * Makes a key and a certificate for a device, as an operator or a factory does.
 *
 * @param deviceId - a vehicle's, or {@link BOOTSTRAP_PREFIX} and a name.
 * @param tenant - whose the vehicle becomes when it is new here; a bootstrap credential's id says it itself.
 * @throws PkiFault as `makeDeviceCredentials`; CloudFault REQUEST_MALFORMED for a name that is kept for
 * something else, NOT_FOUND for a tenant that is not there.
 */
export async function issueCredentials(
  context: IssuingContext,
  deviceId: DeviceId,
  tenant: string = isBootstrap(deviceId) ? tenantOf(deviceId) : FIRST_TENANT,
): Promise<DeviceCredentials> {
  if (isFleetStream(deviceId)) {
    throw new CloudFault('REQUEST_MALFORMED', `Cannot issue to ${deviceId}: no vehicle's name`);
  }
  const { devices, serverRoots, status, entropy } = context;
  const validity = deviceValidity(context);
  const request = { serverRoots, validity, status, entropy };
  const credentials = await makeDeviceCredentials(devices, deviceId, request);
  await committed(context.database, async (tx) => {
    await checkTenant(tx, tenant);
    if (!isBootstrap(deviceId)) {
      await sql`insert into vehicle (vehicle_id, tenant) values (${deviceId}, ${tenant})
        on conflict do nothing`.execute(tx);
    }
    await recordCertificate(context, tx, { deviceId, certificate: credentials.certificate });
  });
  return credentials;
}

/**
 * Provisions a vehicle that asks with bootstrap credentials: a key and a certificate, once.
 *
 * @param value - the id it chose.
 * @param asked - how long it asks for, never longer than the house gives; and the bootstrap credential's id.
 * @throws CloudFault DEVICE_ALREADY_REGISTERED, DEVICE_UNLISTED; PkiFault DEVICE_ID.
 */
export async function provisionVehicle(
  context: IssuingContext,
  value: string,
  { days, by }: { readonly days: number | undefined; readonly by: string },
): Promise<DeviceCredentials> {
  const deviceId = parseDeviceId(value);
  const { devices, serverRoots, status, entropy } = context;
  const validity = deviceValidity(context, days);
  return await committed(context.database, async (tx) => {
    await claimDevice(context, tx, { deviceId, by });
    const request = { serverRoots, validity, status, entropy };
    const credentials = await makeDeviceCredentials(devices, deviceId, request);
    await recordCertificate(context, tx, { deviceId, certificate: credentials.certificate });
    return credentials;
  });
}

/**
 * Claims an id for a device that has no certificate yet. Two that claim it at once meet at its row.
 *
 * @param claim - the id, and whose bootstrap credentials claim it.
 * @throws CloudFault DEVICE_ALREADY_REGISTERED, DEVICE_UNLISTED.
 */
export async function claimDevice(
  context: IssuingContext,
  tx: CloudTransaction,
  { deviceId, by }: { readonly deviceId: DeviceId; readonly by: string },
): Promise<void> {
  const tenant = tenantOf(by);
  if (isReserved(deviceId)) {
    throw new CloudFault('DEVICE_UNLISTED', `Cannot provision ${deviceId}: no vehicle's name`);
  }
  if (context.provisioning === 'open') {
    await sql`insert into vehicle (vehicle_id, tenant)
      select ${deviceId}, tenant_id from tenant where tenant_id = ${tenant}
      on conflict do nothing`.execute(tx);
  }
  // Another tenant's vehicle is as if it were on no list.
  const { rows } = await sql`select from vehicle
    where vehicle_id = ${deviceId} and tenant = ${tenant} for no key update`.execute(tx);
  if (rows.length === 0) {
    throw new CloudFault('DEVICE_UNLISTED', `Cannot provision ${deviceId}: it is not on the list`);
  }
  const known = await tx
    .selectFrom('device_certificate')
    .select('serial')
    .where('vehicle_id', '=', deviceId)
    .limit(1)
    .executeTakeFirst();
  if (known !== undefined) {
    throw new CloudFault(
      'DEVICE_ALREADY_REGISTERED',
      `Cannot provision ${deviceId}: it has a certificate already`,
    );
  }
}

/** Puts an issued certificate on record, so that it can be revoked. */
export async function recordCertificate(
  context: Pick<IssuingContext, 'devices' | 'clock' | 'events'>,
  tx: CloudTransaction,
  { deviceId, certificate }: { readonly deviceId: string; readonly certificate: Certificate },
): Promise<void> {
  const at = context.clock.now();
  const { serial, notAfter } = certificate;
  const authority = Buffer.from(keyIdOf(context.devices.certificate.publicKeyDer)).toString('hex');
  await tx
    .insertInto('device_certificate')
    .values({
      serial,
      authority,
      vehicle_id: deviceId,
      not_after: notAfter,
      issued_at: at,
      revoked_at: null,
      revocation_reason: null,
    })
    .execute();
  const body = { serial, device: deviceId, until: notAfter.toString() };
  const stream = isBootstrap(deviceId) ? 'fleet' : deviceId;
  await context.events.append(tx, [
    ...(isBootstrap(deviceId)
      ? []
      : [{ stream, kind: 'vehicle.provisioned' as const, at, body: { device: deviceId } }]),
    { stream, kind: 'certificate.issued', at, body },
  ]);
}

function floor(instant: Temporal.Instant): Temporal.Instant {
  const seconds = Math.floor(instant.epochMilliseconds / 1000);
  return Temporal.Instant.fromEpochMilliseconds(seconds * 1000);
}
