/**
 * How the two ends of the in-vehicle link come to trust each other: certificates of an authority that
 * exists for one vehicle and whose keys are gone once they are issued.
 *
 * The Primary gets a client's certificate and each Secondary a server's, which names its ECU. So no
 * Secondary can pose as the Primary or as another ECU, and nothing from another vehicle fits.
 */
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assert, type Entropy } from '@immota/base';
import {
  type Authority,
  type AuthorityKind,
  chainBelowRoot,
  createRootAuthority,
  encodeCertificatesPem,
  encodePem,
  exportPrivateKey,
  generateSigner,
  issueAuthority,
  issueDeviceCertificate,
  issueServerCertificate,
  openAuthority,
  parseDeviceId,
  type SoftwareSigner,
  type Validity,
} from '@immota/pki';
import type { EcuIdentifier, VehicleIdentifier } from '@immota/uptane';
import { VehicleFault } from '../vehicle-fault.ts';

/** What one node shows, and whom it trusts. */
export interface LinkCredential {
  /** The vehicle's own authority, PEM. */
  readonly authorityPem: string;
  /** The node's certificate and the one above it, PEM. */
  readonly certificatePem: string;
  /** PKCS #8, PEM. */
  readonly privateKeyPem: string;
}

/** The credentials of one vehicle. */
export interface VehicleLinkCredentials {
  readonly primary: LinkCredential;
  readonly secondaries: ReadonlyMap<EcuIdentifier, LinkCredential>;
}

/** Whose credentials are made. */
export interface LinkCredentialsRequest {
  readonly vehicleIdentifier: VehicleIdentifier;
  readonly secondaries: readonly EcuIdentifier[];
  readonly entropy: Entropy;
}

/** Who a Secondary lets in: the common name of the Primary's certificate. */
export const PRIMARY_NAME = 'primary';

/**
 * An ECU may start without a clock, in 1970, and lives as long as its vehicle: the certificates say
 * who somebody is, and new ones take their place ({RFC 5280 4.1.2.5} names the last date).
 */
const VALIDITY: Validity = {
  notBefore: Temporal.Instant.from('1970-01-01T00:00:00Z'),
  notAfter: Temporal.Instant.from('9999-12-31T23:59:59Z'),
};
const DOMAIN = 'ecu.internal';
/** Hexadecimal digits of a digest in a host name: 160 bits. */
const LABEL_DIGITS = 40;
const FILES = {
  authorityPem: 'link-ca.crt',
  certificatePem: 'link.pem',
  privateKeyPem: 'link.key',
};
const FILE_MAX_BYTES = 65_536;

/**
 * Makes the credentials of a whole vehicle, at the factory, or in a workshop when an ECU is replaced:
 * then all get new ones, because nobody has kept the key that could add one.
 */
export async function createVehicleLinkCredentials({
  vehicleIdentifier,
  secondaries,
  entropy,
}: LinkCredentialsRequest): Promise<VehicleLinkCredentials> {
  const signer = generateSigner('ecdsa-p256');
  const name = { commonName: `${vehicleIdentifier} link` };
  const root = await createRootAuthority({ signer, name, validity: VALIDITY, entropy });
  const devices = await makeAuthority(root, 'devices', entropy);
  const servers = await makeAuthority(root, 'servers', entropy);
  const primaryKey = generateSigner('ecdsa-p256');
  const primary = await issueDeviceCertificate(devices, {
    deviceId: parseDeviceId(PRIMARY_NAME),
    publicKeyDer: primaryKey.publicKeyDer,
    validity: VALIDITY,
    entropy,
  });
  const credentials = new Map<EcuIdentifier, LinkCredential>();
  for (const ecuIdentifier of secondaries) {
    const key = generateSigner('ecdsa-p256');
    const certificate = await issueServerCertificate(servers, {
      dnsNames: [linkNameOf(ecuIdentifier)],
      publicKeyDer: key.publicKeyDer,
      validity: VALIDITY,
      entropy,
    });
    credentials.set(ecuIdentifier, credentialOf(servers, certificate, key));
  }
  return { primary: credentialOf(devices, primary, primaryKey), secondaries: credentials };
}

/** Names an ECU as its certificate does: a digest, since identifiers may hold what host names may not. */
export function linkNameOf(ecuIdentifier: EcuIdentifier): string {
  const digest = createHash('sha256').update(ecuIdentifier).digest('hex');
  return `e${digest.slice(0, LABEL_DIGITS)}.${DOMAIN}`;
}

/** Saves a node's credential as `link-ca.crt`, `link.pem` and `link.key`, the key for its owner only. */
export function saveLinkCredential(folder: string, credential: LinkCredential): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const part of partsOf(FILES)) {
    const path = join(folder, FILES[part]);
    writeFileSync(path, credential[part], { mode: 0o600 });
    // The mode counts for new files alone.
    if (part === 'privateKeyPem') chmodSync(path, 0o600);
  }
}

/** Loads what `saveLinkCredential` has saved. @throws VehicleFault BUNDLE_MALFORMED naming the file. */
export function loadLinkCredential(folder: string): LinkCredential {
  const read = (part: keyof LinkCredential): string => {
    const name = FILES[part];
    try {
      const bytes = readFileSync(join(folder, name));
      if (bytes.length <= FILE_MAX_BYTES) return bytes.toString('utf8');
    } catch (cause) {
      throw new VehicleFault('BUNDLE_MALFORMED', `Cannot load ${name}: it cannot be read`, {
        cause,
      });
    }
    throw new VehicleFault('BUNDLE_MALFORMED', `Cannot load ${name}: it is too long`);
  };
  return {
    authorityPem: read('authorityPem'),
    certificatePem: read('certificatePem'),
    privateKeyPem: read('privateKeyPem'),
  };
}

async function makeAuthority(
  root: Authority,
  kind: AuthorityKind,
  entropy: Entropy,
): Promise<Authority> {
  const signer = generateSigner('ecdsa-p256');
  const certificate = await issueAuthority(root, {
    publicKeyDer: signer.publicKeyDer,
    kind,
    name: { commonName: `link ${kind}` },
    validity: VALIDITY,
    ...(kind === 'servers' ? { permitted: { dnsNames: [DOMAIN] } } : {}),
    entropy,
  });
  return openAuthority([certificate, root.certificate], signer);
}

function credentialOf(
  issuer: Authority,
  certificate: Authority['certificate'],
  signer: SoftwareSigner,
): LinkCredential {
  const root = issuer.ancestors.at(-1);
  assert(root !== undefined, 'a link authority stands below its root');
  const key = exportPrivateKey(signer);
  const privateKeyPem = encodePem('PRIVATE KEY', key);
  key.fill(0);
  return {
    authorityPem: encodeCertificatesPem([root]),
    certificatePem: encodeCertificatesPem([certificate, ...chainBelowRoot(issuer)]),
    privateKeyPem,
  };
}

function partsOf(
  files: Readonly<Record<keyof LinkCredential, string>>,
): readonly (keyof LinkCredential)[] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a constant
  return Object.keys(files) as (keyof LinkCredential)[];
}
