/** Vehicle version manifests: what a vehicle says all its ECUs run {uptane J2}. */
import { isJsonObject, type JsonObject, member, type Signer } from '@immota/base';
import type { Brand } from '@immota/base';
import { AKTUALIZR } from '../encoding/aktualizr.ts';
import { encodeCanonical } from '../encoding/canonical.ts';
import { normalized } from '../encoding/encode-metadata.ts';
import { type Envelope, openEnvelope, parseDocument } from '../encoding/envelope.ts';
import { asObject, findObject, readObject } from '../encoding/reader.ts';
import { UptaneFault } from '../fault.ts';
import { ECUS_MAX, MANIFEST_MAX_BYTES } from '../limits.ts';
import type { PublicKey } from '../metadata/key.ts';
import {
  type EcuIdentifier,
  parseEcuIdentifier,
  parseVehicleIdentifier,
  type VehicleIdentifier,
} from '../metadata/names.ts';
import {
  type EcuVersionReport,
  parseReport,
  signDocument,
  type UnverifiedReport,
} from './report.ts';

/** A manifest as it came: shape checked, no signature yet. */
export interface UnverifiedManifest {
  readonly vehicleIdentifier: VehicleIdentifier | undefined;
  readonly primaryEcuIdentifier: EcuIdentifier;
  readonly reports: ReadonlyMap<EcuIdentifier, UnverifiedReport>;
  /** How the last installation went, in the client's words; undefined when there is nothing new. */
  readonly installationReport: JsonObject | undefined;
  readonly custom: JsonObject;
  readonly envelope: Envelope;
}

interface ManifestFields {
  readonly primaryEcuIdentifier: EcuIdentifier;
  readonly vehicleIdentifier: VehicleIdentifier | undefined;
  readonly reports: ReadonlyMap<EcuIdentifier, EcuVersionReport>;
  /** Reports that were there and did not verify, with why. */
  readonly refused: ReadonlyMap<EcuIdentifier, UptaneFault>;
  readonly installationReport: JsonObject | undefined;
  readonly custom: JsonObject;
}

/**
 * A manifest after its signatures.
 *
 * Holding a VerifiedManifest tells you: the registered Primary signed all of it; each entry of
 * `reports` was signed by that ECU's own registered key. It does not tell that it is new: counters
 * are the Director's to compare.
 */
export type VerifiedManifest = Brand<ManifestFields, 'VerifiedManifest'>;

/** The registered keys of a vehicle {uptane F3}. */
export interface VehicleKeys {
  /** Whose connection it is; undefined where no manifest names a vehicle. */
  readonly vehicleIdentifier?: VehicleIdentifier | undefined;
  readonly primaryEcuIdentifier: EcuIdentifier;
  readonly ecus: ReadonlyMap<EcuIdentifier, PublicKey>;
}

/**
 * Decodes a manifest.
 *
 * @param bytes - the request's body.
 * @throws UptaneFault MALFORMED, SIGNATURE_DUPLICATE or LIMIT.
 */
export function decodeManifest(bytes: Uint8Array): UnverifiedManifest {
  const document = parseDocument(bytes, MANIFEST_MAX_BYTES);
  const envelope = openEnvelope(AKTUALIZR, document, bytes);
  const { signed } = envelope;
  const listed = Object.entries(readObject(signed, 'ecu_version_manifests'));
  if (listed.length > ECUS_MAX) {
    throw new UptaneFault('LIMIT', `Cannot read manifest: more than ${ECUS_MAX} ECUs`);
  }
  const reports = new Map<EcuIdentifier, UnverifiedReport>();
  for (const [identifier, value] of listed) {
    const own = openEnvelope(AKTUALIZR, asObject(value, 'report'), undefined);
    const report = parseReport(own.signed);
    if (report.ecuIdentifier !== identifier) {
      throw new UptaneFault(
        'MALFORMED',
        `Cannot read manifest: "${identifier}" holds another's report`,
      );
    }
    reports.set(report.ecuIdentifier, { report, envelope: own });
  }
  const vehicle = member(signed, 'vehicle_identifier');
  const installation = member(signed, 'installation_report');
  return {
    vehicleIdentifier: vehicle === undefined ? undefined : parseVehicleIdentifier(vehicle),
    primaryEcuIdentifier: parseEcuIdentifier(member(signed, 'primary_ecu_serial')),
    reports,
    installationReport: isJsonObject(installation) ? installation : undefined,
    custom: findObject(signed, 'custom') ?? {},
    envelope,
  };
}

/**
 * Verifies a manifest with the keys that were registered, whatever key identifiers it states
 * {uptane E4}.
 *
 * @param keys - of the vehicle that the connection belongs to.
 * @throws UptaneFault REPORT_SIGNATURE when the Primary's signature does not verify, ECU_UNKNOWN when
 * another Primary signed, VEHICLE_MISMATCH when it names another vehicle {uptane E6}. A single ECU's
 * bad report is not thrown but listed in `refused`.
 */
export function verifyManifest(manifest: UnverifiedManifest, keys: VehicleKeys): VerifiedManifest {
  const { primaryEcuIdentifier } = manifest;
  if (primaryEcuIdentifier !== keys.primaryEcuIdentifier) {
    throw new UptaneFault('ECU_UNKNOWN', `Cannot accept manifest of "${primaryEcuIdentifier}"`);
  }
  checkSignedBy(manifest.envelope, keys.ecus.get(primaryEcuIdentifier), 'manifest');
  const { vehicleIdentifier, installationReport, custom } = manifest;
  const expected = keys.vehicleIdentifier ?? vehicleIdentifier;
  if (vehicleIdentifier !== undefined && vehicleIdentifier !== expected) {
    throw new UptaneFault(
      'VEHICLE_MISMATCH',
      `Cannot accept manifest: for ${vehicleIdentifier} instead of ${expected}`,
    );
  }
  const reports = new Map<EcuIdentifier, EcuVersionReport>();
  const refused = new Map<EcuIdentifier, UptaneFault>();
  for (const [identifier, { report, envelope }] of manifest.reports) {
    const what = `report of "${identifier}"`;
    const fault = findSignatureFault(envelope, keys.ecus.get(identifier), what);
    if (fault === undefined) reports.set(identifier, report);
    else refused.set(identifier, fault);
  }
  const fields = { primaryEcuIdentifier, vehicleIdentifier, reports, refused };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: every signature was checked above
  return { ...fields, installationReport, custom } as unknown as VerifiedManifest;
}

/**
 * Checks that a report is newer than the last one of the same ECU {uptane E5}: replay.
 *
 * @param last - the last counter accepted; undefined for the first report of a key.
 * @param counter - the one that came; undefined from ECUs that count nothing.
 * @throws UptaneFault REPORT_REPLAY when it is not higher, or vanished.
 */
export function checkCounter(last: number | undefined, counter: number | undefined): void {
  if (last === undefined) return;
  if (counter === undefined || counter <= last) {
    throw new UptaneFault(
      'REPORT_REPLAY',
      `Cannot accept report: counter ${counter ?? 'none'} after ${last}`,
    );
  }
}

/** What a Primary puts into its manifest. */
export interface ManifestDescription {
  readonly vehicleIdentifier: VehicleIdentifier;
  readonly primaryEcuIdentifier: EcuIdentifier;
  /** Signed reports, as the ECUs made them {uptane I3}. */
  readonly reports: ReadonlyMap<EcuIdentifier, JsonObject>;
  readonly installationReport?: JsonObject | undefined;
  readonly custom?: JsonObject | undefined;
}

/**
 * Builds and signs a vehicle version manifest {uptane I3} {uptane J2}. The Primary's own texts are
 * brought to NFC {uptane B1}; the reports stay as their ECUs signed them.
 *
 * @param signer - the Primary's key.
 * @returns the body to send.
 */
export async function signManifest(
  description: ManifestDescription,
  signer: Signer,
): Promise<Uint8Array<ArrayBuffer>> {
  const { installationReport, custom } = description;
  const signed: JsonObject = {
    vehicle_identifier: description.vehicleIdentifier,
    primary_ecu_serial: description.primaryEcuIdentifier,
    ecu_version_manifests: Object.fromEntries(description.reports),
    ...(installationReport === undefined
      ? {}
      : { installation_report: normalized(installationReport) }),
    ...(custom === undefined ? {} : { custom: normalized(custom) }),
  };
  return encodeCanonical(await signDocument(signed, signer), AKTUALIZR.canonicalForm);
}

/** Decodes one signed report alone, as a Secondary hands it to its Primary. */
export function decodeReport(document: JsonObject): UnverifiedReport {
  const envelope = openEnvelope(AKTUALIZR, document, undefined);
  return { report: parseReport(envelope.signed), envelope };
}

/**
 * Checks that a document carries a signature of one key.
 *
 * @param what - for the refusal's words.
 * @throws UptaneFault REPORT_SIGNATURE when there is no key or none of the signatures is its own.
 */
export function checkSignedBy(
  envelope: Pick<Envelope, 'payload' | 'signatures'>,
  key: PublicKey | undefined,
  what: string,
): void {
  const fault = findSignatureFault(envelope, key, what);
  if (fault !== undefined) throw fault;
}

function findSignatureFault(
  { payload, signatures }: Pick<Envelope, 'payload' | 'signatures'>,
  key: PublicKey | undefined,
  what: string,
): UptaneFault | undefined {
  if (key !== undefined && signatures.some(({ bytes }) => key.verify(payload, bytes))) {
    return undefined;
  }
  return new UptaneFault('REPORT_SIGNATURE', `Cannot accept ${what}: its key did not sign it`);
}
