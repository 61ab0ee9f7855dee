/** A vehicle as the Director sees it: ECUs with keys that report what they run. */
import { createHash } from 'node:crypto';
import type { Registration } from '@immota/api';
import { parseJson, type JsonObject, type SignatureAlgorithm } from '@immota/base';
import { generateSigner, type SoftwareSigner } from '@immota/pki';
import {
  AKTUALIZR,
  type EcuIdentifier,
  parseEcuIdentifier,
  parseTargetName,
  parseVehicleIdentifier,
  signManifest,
  signReport,
} from '@immota/uptane';

/** An ECU of a test. */
export interface TestEcu {
  readonly id: EcuIdentifier;
  readonly hardwareId: string;
  signer: SoftwareSigner;
  counter: number | undefined;
  image: { readonly name: string; readonly bytes: Uint8Array };
  attacks: string;
  /** Whether it says that what it runs may be taken back. */
  isTrial: boolean;
  /** What else it says of itself. */
  custom: JsonObject;
}

const NOTHING = { name: 'unknown', bytes: new Uint8Array() };
const EPOCH = Temporal.Instant.fromEpochMilliseconds(0);

/** See the head of the file. The first ECU is the Primary. */
export class TestVehicle {
  readonly id: string;
  readonly ecus: readonly TestEcu[];

  constructor(
    id: string,
    ecus: readonly (readonly [id: string, hardwareId: string])[],
    algorithm: SignatureAlgorithm = 'ed25519',
  ) {
    this.id = id;
    this.ecus = ecus.map(([ecu, hardwareId]) => ({
      id: parseEcuIdentifier(ecu),
      hardwareId,
      signer: generateSigner(algorithm),
      counter: 0,
      image: NOTHING,
      attacks: '',
      isTrial: false,
      custom: {},
    }));
  }

  /** The Primary. */
  get primary(): TestEcu {
    const [first] = this.ecus;
    if (first === undefined) throw new RangeError('a vehicle has a Primary');
    return first;
  }

  /** An ECU by its place. */
  ecu(index: number): TestEcu {
    const ecu = this.ecus[index];
    if (ecu === undefined) throw new RangeError('no such ECU');
    return ecu;
  }

  /** What it registers. */
  registration(): Registration {
    return {
      primary_ecu_serial: this.primary.id,
      ecus: this.ecus.map(({ id, hardwareId, signer }) => ({
        ecu_serial: id,
        hardware_identifier: hardwareId,
        clientKey: clientKey(signer),
      })),
    };
  }

  /** Its next manifest; every ECU that counts counts on. */
  async manifest(options: ManifestOptions = {}): Promise<Uint8Array> {
    const { reports: listed = this.ecus, report, progress, signer, vehicleId = this.id } = options;
    const custom = { ...options.custom, ...(progress === undefined ? {} : { progress }) };
    const reports = new Map<EcuIdentifier, JsonObject>();
    for (const ecu of listed) reports.set(ecu.id, await this.report(ecu));
    return await signManifest(
      {
        vehicleIdentifier: parseVehicleIdentifier(vehicleId),
        primaryEcuIdentifier: this.primary.id,
        reports,
        installationReport: report,
        custom: Object.keys(custom).length === 0 ? undefined : custom,
      },
      signer ?? this.primary.signer,
    );
  }

  /** The next report of an ECU. */
  async report(ecu: TestEcu): Promise<JsonObject> {
    if (ecu.counter !== undefined) ecu.counter += 1;
    const { name, bytes } = ecu.image;
    return await signReport(
      {
        ecuIdentifier: ecu.id,
        installedImage: {
          name: parseTargetName(name),
          lengthBytes: bytes.length,
          hashes: new Map([['sha256', createHash('sha256').update(bytes).digest('hex')]]),
        },
        attacksDetected: ecu.attacks,
        timeAttested: EPOCH,
        timePrevious: EPOCH,
        counter: ecu.counter,
        custom: { ...ecu.custom, ...(ecu.isTrial ? { trial: true } : {}) },
      },
      ecu.signer,
    );
  }
}

/** How a manifest differs from an ordinary one. */
export interface ManifestOptions {
  readonly reports?: readonly TestEcu[];
  readonly report?: JsonObject;
  readonly progress?: JsonObject;
  readonly custom?: JsonObject;
  readonly signer?: SoftwareSigner;
  readonly vehicleId?: string;
}

/** A key as the vehicles' client registers it: hexadecimal in capitals. */
export function clientKey(signer: SoftwareSigner): Registration['ecus'][number]['clientKey'] {
  const key = AKTUALIZR.encodeKey(signer.algorithm, signer.publicKeyDer);
  const { keytype, keyval } = key as unknown as Registration['ecus'][number]['clientKey'];
  const text = signer.algorithm === 'ed25519' ? keyval.public.toUpperCase() : keyval.public;
  return { keytype, keyval: { public: text } };
}

/** A report on an installation, as the vehicles' client writes it. */
export function installationReport(
  correlationId: string,
  code: string,
  items: readonly (readonly [ecu: string, code: string])[] = [],
): JsonObject {
  return {
    content_type: 'application/vnd.com.here.otac.installationReport.v1',
    report: {
      correlation_id: correlationId,
      raw_report: 'in words',
      result: result(code),
      items: items.map(([ecu, own]) => ({ ecu, result: result(own) })),
    },
  };
}

function result(code: string): JsonObject {
  return { success: code === 'OK', code, description: 'in words' };
}

/** Reads a document as JSON. */
export function readJson(bytes: Uint8Array): JsonObject {
  return parseJson(bytes, 1_000_000) as JsonObject;
}
