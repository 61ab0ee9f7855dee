/** A vehicle's keys, reports and manifests. */
import { type JsonObject, type Signer, utf8 } from '@immota/base';
import {
  type EcuIdentifier,
  type EcuVersionReport,
  parseTargetName,
  type PublicKey,
  publicKeyFromDer,
  signManifest,
  signReport,
  type VehicleKeys,
} from '@immota/uptane';
import { signerOf } from './keys.ts';
import { BRAKE, measure, NOW, TBOX, VEHICLE } from './world.ts';

export const PRIMARY = signerOf('tbox');
export const SECONDARY = signerOf('brake', 'ecdsa-p256');
const EPOCH = Temporal.Instant.from('1970-01-01T00:00:00Z');

export function keyOf({ algorithm, publicKeyDer }: Signer): PublicKey {
  return publicKeyFromDer(algorithm, publicKeyDer);
}

export const KEYS: VehicleKeys = {
  vehicleIdentifier: VEHICLE,
  primaryEcuIdentifier: TBOX,
  ecus: new Map([
    [TBOX, keyOf(PRIMARY)],
    [BRAKE, keyOf(SECONDARY)],
  ]),
};

export function reportOf(
  ecuIdentifier: EcuIdentifier,
  changes: Partial<EcuVersionReport> = {},
): EcuVersionReport {
  return {
    ecuIdentifier,
    installedImage: { name: parseTargetName('fw.bin'), ...measure(utf8('fw')) },
    attacksDetected: '',
    timeAttested: NOW,
    timePrevious: EPOCH,
    counter: 7,
    custom: {},
    ...changes,
  };
}

/** The manifest of a vehicle with two ECUs. */
export async function manifestOf(
  reports?: readonly (readonly [EcuIdentifier, JsonObject])[],
  signer = PRIMARY,
): Promise<Uint8Array> {
  const own = reports ?? [
    [TBOX, await signReport(reportOf(TBOX), PRIMARY)],
    [BRAKE, await signReport(reportOf(BRAKE), SECONDARY)],
  ];
  const description = {
    vehicleIdentifier: VEHICLE,
    primaryEcuIdentifier: TBOX,
    reports: new Map(own),
  };
  return await signManifest(description, signer);
}

export function parseManifest(bytes: Uint8Array): JsonObject {
  return JSON.parse(new TextDecoder().decode(bytes)) as JsonObject;
}
