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
import { BACKDATING_SECONDS } from '../limits.ts';
import type { CloudTransaction } from '../schema/database.ts';

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
 * @throws PkiFault as `makeDeviceCredentials`.
 */
export async function issueCredentials(
  context: IssuingContext,
  deviceId: DeviceId,
): Promise<DeviceCredentials> {
  const { devices, serverRoots, status, entropy } = context;
  const validity = deviceValidity(context);
  const request = { serverRoots, validity, status, entropy };
  const credentials = await makeDeviceCredentials(devices, deviceId, request);
  await committed(context.database, async (tx) => {
    if (!isBootstrap(deviceId)) {
      await sql`insert into vehicle (vehicle_id) values (${deviceId}) on conflict do nothing`.execute(
        tx,
      );
    }
    await recordCertificate(context, tx, { deviceId, certificate: credentials.certificate });
  });
  return credentials;
}

/**
 * Provisions a vehicle that asks with bootstrap credentials: a key and a certificate, once.
 *
 * @param value - the id it chose.
 * @param days - how long it asks for; never longer than the house gives.
 * @throws CloudFault DEVICE_ALREADY_REGISTERED, DEVICE_UNLISTED; PkiFault DEVICE_ID.
 */
export async function provisionVehicle(
  context: IssuingContext,
  value: string,
  days: number | undefined,
): Promise<DeviceCredentials> {
  const deviceId = parseDeviceId(value);
  const { devices, serverRoots, status, entropy } = context;
  const validity = deviceValidity(context, days);
  return await committed(context.database, async (tx) => {
    await claimDevice(context, tx, deviceId);
    const request = { serverRoots, validity, status, entropy };
    const credentials = await makeDeviceCredentials(devices, deviceId, request);
    await recordCertificate(context, tx, { deviceId, certificate: credentials.certificate });
    return credentials;
  });
}

/**
 * Claims an id for a device that has no certificate yet. Two that claim it at once meet at its row.
 *
 * @throws CloudFault DEVICE_ALREADY_REGISTERED, DEVICE_UNLISTED.
 */
export async function claimDevice(
  context: IssuingContext,
  tx: CloudTransaction,
  deviceId: DeviceId,
): Promise<void> {
  if (isBootstrap(deviceId)) {
    throw new CloudFault('DEVICE_UNLISTED', `Cannot provision ${deviceId}: no vehicle's name`);
  }
  if (context.provisioning === 'open') {
    await sql`insert into vehicle (vehicle_id) values (${deviceId}) on conflict do nothing`.execute(
      tx,
    );
  }
  const { rows } = await sql`select from vehicle where vehicle_id = ${deviceId}
    for no key update`.execute(tx);
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
