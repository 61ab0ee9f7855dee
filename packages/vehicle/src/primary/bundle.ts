/**
 * What the factory gives a vehicle {uptane H1} {uptane G3}: whom to trust, who it is, and where its
 * server is. ECU keys are not part of it: they are made in the ECUs.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InputFault, parseJson } from '@immota/base';
import { type Certificate, findCommonName, parseCertificatesPem, PkiFault } from '@immota/pki';
import {
  type EcuIdentifier,
  type HardwareIdentifier,
  limits,
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseVehicleIdentifier,
  type RepositoryName,
  UptaneFault,
  type VehicleIdentifier,
} from '@immota/uptane';
import { z } from 'zod';
import type { TlsCredential } from '../download/https-fetcher.ts';
import { VehicleFault } from '../vehicle-fault.ts';

/** A configuration is a few lines. */
const CONFIGURATION_MAX_BYTES = 16_384;
/** Certificates and keys are a few kilobytes each. */
const PEM_FILE_MAX_BYTES = 262_144;

const configurationSchema = z.object({
  /** `https://host:port` of the gateway. */
  server: z.url({ protocol: /^https$/ }).optional(),
  ecuIdentifier: z.string().optional(),
  hardwareIdentifier: z.string().optional(),
  /** The certificate's common name when left out. */
  vehicleIdentifier: z.string().optional(),
  /** `mqtts://host:port` where wake-ups come from. */
  wake: z.url({ protocol: /^mqtts$/ }).optional(),
  /** The earliest time it can be; that of the certificate when left out. */
  builtAt: z.iso.datetime().optional(),
});

/** What a composition root may set or override. */
export type BundleConfiguration = z.infer<typeof configurationSchema>;

/** A vehicle as the factory made it. */
export interface VehicleBundle {
  readonly vehicleIdentifier: VehicleIdentifier;
  readonly ecuIdentifier: EcuIdentifier;
  readonly hardwareIdentifier: HardwareIdentifier;
  /** `https://host:port`, without a path. */
  readonly gatewayOrigin: string;
  readonly wakeUrl: string | undefined;
  readonly builtAt: Temporal.Instant;
  readonly rootsPem: string;
  /** Authorities of workshops, whose technicians may approve; undefined when the factory names none. */
  readonly workshopsPem?: string | undefined;
  readonly credential: TlsCredential;
  /** Root of each repository; without them the first server that answered would own the vehicle. */
  readonly pinnedRoots: Readonly<Record<RepositoryName, Uint8Array>>;
}

/**
 * Loads a folder from the factory: `root.crt`, `client.pem`, `pkey.pem`, `director/root.json`,
 * `image/root.json` (or `repo/root.json`), and `config.json`; where technicians may approve, `workshops.crt`.
 *
 * @param overrides - take precedence over `config.json`.
 * @throws VehicleFault BUNDLE_MALFORMED naming the file.
 */
export function loadBundle(folder: string, overrides: BundleConfiguration = {}): VehicleBundle {
  const found = findFile(folder, 'config.json', CONFIGURATION_MAX_BYTES);
  return translated(() => {
    const stated = found === undefined ? {} : parseJson(found, CONFIGURATION_MAX_BYTES);
    const { server, wake, builtAt, ...names } = {
      ...configurationSchema.parse(stated),
      ...configurationSchema.parse(overrides),
    };
    if (server === undefined) throw malformed('config.json', 'it names no server');
    const rootsPem = readText(folder, 'root.crt');
    const certificatePem = readText(folder, 'client.pem');
    const [certificate] = readCertificates(certificatePem, 'client.pem');
    readCertificates(rootsPem, 'root.crt');
    const workshopsPem = findText(folder, 'workshops.crt');
    if (workshopsPem !== undefined) readCertificates(workshopsPem, 'workshops.crt');
    const identifier = names.vehicleIdentifier ?? findCommonName(certificate.subject);
    return {
      vehicleIdentifier: parseVehicleIdentifier(identifier),
      ecuIdentifier: parseEcuIdentifier(names.ecuIdentifier ?? `${String(identifier)}-tbox`),
      hardwareIdentifier: parseHardwareIdentifier(names.hardwareIdentifier ?? 'tbox'),
      gatewayOrigin: new URL(server).origin,
      wakeUrl: wake,
      builtAt: builtAt === undefined ? certificate.notBefore : Temporal.Instant.from(builtAt),
      rootsPem,
      workshopsPem,
      credential: { certificatePem, privateKeyPem: readText(folder, 'pkey.pem') },
      pinnedRoots: {
        director: readRoot(folder, ['director/root.json']),
        image: readRoot(folder, ['image/root.json', 'repo/root.json']),
      },
    };
  });
}

/** Reads certificates. @throws PkiFault as `parseCertificatesPem`; VehicleFault BUNDLE_MALFORMED for none. */
export function readCertificates(
  pem: string,
  name: string,
): readonly [Certificate, ...(readonly Certificate[])] {
  const [first, ...others] = parseCertificatesPem(pem);
  if (first === undefined) throw malformed(name, 'it holds no certificate');
  return [first, ...others];
}

function readRoot(folder: string, names: readonly string[]): Uint8Array {
  for (const name of names) {
    const bytes = findFile(folder, name, limits.ROOT_MAX_BYTES);
    if (bytes !== undefined) return bytes;
  }
  throw malformed(names[0] ?? '', 'it is missing');
}

function readText(folder: string, name: string): string {
  const text = findText(folder, name);
  if (text === undefined) throw malformed(name, 'it is missing');
  return text;
}

function findText(folder: string, name: string): string | undefined {
  const bytes = findFile(folder, name, PEM_FILE_MAX_BYTES);
  return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
}

function findFile(folder: string, name: string, lengthMaxBytes: number): Uint8Array | undefined {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(readFileSync(join(folder, name)));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw malformed(name, 'it cannot be read', error);
  }
  if (bytes.length > lengthMaxBytes) throw malformed(name, `${bytes.length} bytes are too many`);
  return bytes;
}

function translated<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    if (error instanceof PkiFault || error instanceof UptaneFault || error instanceof InputFault) {
      throw malformed('a file', error.message, error);
    }
    if (error instanceof z.ZodError) throw malformed('config.json', z.prettifyError(error), error);
    throw error;
  }
}

function malformed(name: string, why: string, cause?: unknown): VehicleFault {
  return new VehicleFault('BUNDLE_MALFORMED', `Cannot load ${name} of the bundle: ${why}`, {
    cause,
  });
}
