/**
 * The workshop authority of a deployment: it vouches for technicians, and for nobody else. It has a root of
 * its own, so that no gateway takes a technician's certificate for a vehicle's, and no vehicle takes a
 * vehicle's for a technician's.
 */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Entropy } from '@immota/base';
import {
  chainBelowRoot,
  createRootAuthority,
  encodeCertificatesPem,
  encodePem,
  exportPrivateKey,
  generateSigner,
  issueAuthority,
  issueDeviceCertificate,
  openAuthority,
  parseCertificatesPem,
  parseDeviceId,
  parsePem,
  signerFromPrivateKey,
  type SoftwareSigner,
  type Validity,
} from '@immota/pki';
import type { TechnicianCredential } from '@immota/vehicle';
import { CliFault } from '../fault.ts';

/** Time and chance. */
export interface WorkshopContext {
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** Where a deployment keeps its workshop authority, in its data folder. */
export const WORKSHOPS_FOLDER = 'workshops';
/** Below the T-BOX's folder: where a technician and the vehicle meet. */
export const TECHNICIAN_FOLDER = 'technician';
/** What vehicles trust, in their factory's folder. */
export const WORKSHOPS_FILE = 'workshops.crt';
const FILES = {
  root: 'root.crt',
  rootKey: 'root.key',
  authority: 'authority.crt',
  authorityKey: 'authority.key',
} as const;
const CREDENTIAL = { certificate: 'technician.crt', key: 'technician.key' } as const;
const FILE_MAX_BYTES = 65_536;
const ROOT_DAYS = 7300;
const AUTHORITY_DAYS = 3650;
/** A vehicle far from any network hears of no revocation: what is lost must end by itself. */
export const TECHNICIAN_DAYS_MAX = 397;
/** Clocks differ: a certificate is good a little before it was made. */
const BACKDATING_MINUTES = 5;

/**
 * Finds the root of a deployment's workshops, or makes it with the authority below.
 *
 * @param folder - of the authority; in production the root's key is moved to where it is safe.
 * @returns the root, PEM.
 */
export async function ensureWorkshop(folder: string, context: WorkshopContext): Promise<string> {
  if (existsSync(join(folder, FILES.root))) return readText(folder, FILES.root);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { entropy } = context;
  const rootSigner = generateSigner('ecdsa-p256');
  const root = await createRootAuthority({
    signer: rootSigner,
    name: { commonName: 'Workshops Root' },
    validity: daysFrom(context.clock, ROOT_DAYS),
    entropy,
  });
  const signer = generateSigner('ecdsa-p256');
  const certificate = await issueAuthority(root, {
    publicKeyDer: signer.publicKeyDer,
    kind: 'devices',
    name: { commonName: 'Technicians' },
    validity: daysFrom(context.clock, AUTHORITY_DAYS),
    entropy,
  });
  writeKey(folder, FILES.rootKey, rootSigner);
  writeKey(folder, FILES.authorityKey, signer);
  const chain = encodeCertificatesPem([certificate, root.certificate]);
  writeFileSync(join(folder, FILES.authority), chain);
  const rootPem = encodeCertificatesPem([root.certificate]);
  // Last: whoever finds it finds the others.
  writeFileSync(join(folder, FILES.root), rootPem);
  return rootPem;
}

/**
 * Issues a technician's certificate, and writes it with its key into a folder for them.
 *
 * @throws CliFault FILE when the authority's key is elsewhere; PkiFault DEVICE_ID for a name that is none.
 */
export async function hireTechnician(
  workshop: string,
  hired: { readonly name: string; readonly days: number; readonly out: string },
  context: WorkshopContext,
): Promise<void> {
  await ensureWorkshop(workshop, context);
  const key = parsePem('PRIVATE KEY', readText(workshop, FILES.authorityKey));
  const chain = parseCertificatesPem(readText(workshop, FILES.authority));
  const authority = openAuthority(chain, signerFromPrivateKey(key));
  const signer = generateSigner('ecdsa-p256');
  const certificate = await issueDeviceCertificate(authority, {
    deviceId: parseDeviceId(hired.name),
    publicKeyDer: signer.publicKeyDer,
    validity: daysFrom(context.clock, hired.days),
    entropy: context.entropy,
  });
  mkdirSync(hired.out, { recursive: true, mode: 0o700 });
  const shown = encodeCertificatesPem([certificate, ...chainBelowRoot(authority)]);
  writeFileSync(join(hired.out, CREDENTIAL.certificate), shown);
  writeKey(hired.out, CREDENTIAL.key, signer);
}

/** Loads what `hireTechnician` has written. @throws CliFault FILE. */
export function loadTechnician(folder: string): TechnicianCredential {
  return {
    certificatePem: readText(folder, CREDENTIAL.certificate),
    privateKeyPem: readText(folder, CREDENTIAL.key),
  };
}

function readText(folder: string, name: string): string {
  const path = join(folder, name);
  if (!existsSync(path)) throw new CliFault('FILE', `Cannot read ${path}: it is not there`);
  const bytes = readFileSync(path);
  if (bytes.length > FILE_MAX_BYTES) throw new CliFault('FILE', `Cannot read ${path}: too long`);
  return bytes.toString('utf8');
}

function writeKey(folder: string, name: string, signer: SoftwareSigner): void {
  const der = exportPrivateKey(signer);
  const path = join(folder, name);
  writeFileSync(path, encodePem('PRIVATE KEY', der), { mode: 0o600 });
  // The mode counts for new files alone.
  chmodSync(path, 0o600);
  der.fill(0);
}

function daysFrom(clock: Clock, days: number): Validity {
  const now = clock.now().round('second');
  return {
    notBefore: now.subtract({ minutes: BACKDATING_MINUTES }),
    notAfter: now.add({ hours: 24 * days }),
  };
}
