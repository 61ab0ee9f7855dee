/** Vehicles with keys of their own that report: the fleet of a benchmark. */
import { createHash } from 'node:crypto';
import type { JsonObject } from '@immota/base';
import type { CloudContext } from '@immota/cloud';
import { generateSigner, type SoftwareSigner } from '@immota/pki';
import { sql } from '@immota/store';
import {
  type EcuIdentifier,
  parseEcuIdentifier,
  parseTargetName,
  parseVehicleIdentifier,
  signManifest,
  signReport,
} from '@immota/uptane';

/** An ECU that signs. */
interface BenchEcu {
  readonly id: EcuIdentifier;
  readonly hardwareId: string;
  readonly signer: SoftwareSigner;
}

/** A vehicle; its first ECU is the Primary. */
export interface BenchVehicle {
  readonly id: string;
  readonly ecus: readonly BenchEcu[];
  counter: number;
}

const INSTALLED = createHash('sha256').update('installed').digest('hex');
const EPOCH = Temporal.Instant.fromEpochMilliseconds(0);

/** Makes vehicles; each ECU has an Ed25519 key of its own. */
export function makeVehicles(count: number, ecuCount: number): readonly BenchVehicle[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `bench-${ecuCount}-${String(index).padStart(6, '0')}`;
    const ecus = Array.from({ length: ecuCount }, (__, place) => ({
      id: parseEcuIdentifier(`${id}-ecu-${place}`),
      hardwareId: `hw-${place}`,
      signer: generateSigner('ed25519'),
    }));
    return { id, ecus, counter: 0 };
  });
}

/** Registers them, as many registrations would have. */
export async function insertVehicles(
  { database }: Pick<CloudContext, 'database'>,
  vehicles: readonly BenchVehicle[],
): Promise<void> {
  const ecus = vehicles.flatMap((vehicle) =>
    vehicle.ecus.map((ecu, place) => ({ ...ecu, vehicleId: vehicle.id, isPrimary: place === 0 })),
  );
  await sql`
    insert into vehicle (vehicle_id, primary_ecu_id, registered_at)
    select *, now() from unnest(
      ${vehicles.map(({ id }) => id)}::text[],
      ${vehicles.map(({ ecus: [primary] }) => primary?.id ?? '')}::text[])`.execute(
    database.kysely,
  );
  await sql`
    insert into ecu (vehicle_id, ecu_id, is_primary, hardware_id, key_algorithm, public_key)
    select vehicle_id, ecu_id, is_primary, hardware_id, 'ed25519', public_key from unnest(
      ${ecus.map(({ vehicleId }) => vehicleId)}::text[],
      ${ecus.map(({ id }) => id)}::text[],
      ${ecus.map(({ isPrimary }) => isPrimary)}::boolean[],
      ${ecus.map(({ hardwareId }) => hardwareId)}::text[],
      ${ecus.map(({ signer }) => signer.publicKeyDer)}::bytea[]
    ) as fresh (vehicle_id, ecu_id, is_primary, hardware_id, public_key)`.execute(database.kysely);
}

/** What a manifest says beyond that nothing has changed. */
export interface ManifestNews {
  /** What an ECU runs; one image of a thousand bytes on all when left out. */
  readonly imageOf?: (hardwareId: string) => RunningImage;
  /** How an installation went. */
  readonly installationReport?: JsonObject;
}

/** An image as an ECU reports it. */
export interface RunningImage {
  readonly name: string;
  readonly sha256: string;
  readonly lengthBytes: number;
}

const IMAGE: RunningImage = { name: 'image', sha256: INSTALLED, lengthBytes: 1000 };

/** Signs a vehicle's next manifest: one signature over it, and one over each ECU's report. */
export async function nextManifest(
  vehicle: BenchVehicle,
  { imageOf = () => IMAGE, installationReport }: ManifestNews = {},
): Promise<Uint8Array> {
  vehicle.counter += 1;
  const [primary] = vehicle.ecus;
  if (primary === undefined) throw new RangeError('a vehicle has a Primary');
  const reports = new Map<EcuIdentifier, JsonObject>();
  for (const { id, hardwareId, signer } of vehicle.ecus) {
    const { name, sha256, lengthBytes } = imageOf(hardwareId);
    const report = {
      ecuIdentifier: id,
      installedImage: {
        name: parseTargetName(name),
        lengthBytes,
        hashes: new Map([['sha256', sha256]] as const),
      },
      attacksDetected: '',
      timeAttested: EPOCH,
      timePrevious: EPOCH,
      counter: vehicle.counter,
      custom: {},
    };
    // oxlint-disable-next-line no-await-in-loop -- the signer works in this very thread
    reports.set(id, await signReport(report, signer));
  }
  const manifest = {
    vehicleIdentifier: parseVehicleIdentifier(vehicle.id),
    primaryEcuIdentifier: primary.id,
    reports,
    installationReport,
    custom: undefined,
  };
  return await signManifest(manifest, primary.signer);
}
