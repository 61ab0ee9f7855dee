/** The certification authorities of a deployment: a root, one that issues to devices, one to servers. */
import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { type Clock, type Entropy, equalBytes } from '@immota/base';
import {
  type Authority,
  type Certificate,
  createRootAuthority,
  encodeCertificatesPem,
  encodePem,
  exportPrivateKey,
  generateSigner,
  issueAuthority,
  issueServerCertificate,
  loadKeyFile,
  openAuthority,
  parseCertificatesPem,
  parseKeyName,
  saveKeyFile,
  type SoftwareSigner,
  type Validity,
} from '@immota/pki';
import { type DataFolder, loadFile, replaceFile, saveNewFile } from './data-folder.ts';
import type { ServerIdentity } from './gateway/tls.ts';
import { BACKDATING_SECONDS } from './limits.ts';

/** The authorities that a running cloud works with. Its root's key is elsewhere. */
export interface Authorities {
  readonly devices: Authority;
  readonly servers: Authority;
  readonly root: Certificate;
}

/** What new authorities are told. */
export interface AuthoritiesRequest {
  readonly organization: string;
  readonly passphrase: string;
  readonly clock: Clock;
  readonly entropy: Entropy;
}

/** By what names clients reach a server. */
export interface ServerNames {
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
}

const ROOT_YEARS = 20;
const ISSUING_YEARS = 10;
/** What browsers and other clients take at most. */
const SERVER_DAYS = 397;
/** A server's certificate is made anew when less remains. */
const SERVER_REMAINING_DAYS = 60;
const COST = { memoryKib: 19_456, passes: 2, lanes: 1 } as const;
const ALGORITHM = 'ecdsa-p256';

/**
 * Makes the authorities and writes them: keys as `pki-root`, `pki-devices` and `pki-servers`. The root's key
 * signs nothing afterwards; move its file to where it is safe.
 *
 * @throws PkiFault KEY_FILE_EXISTS, CloudFault DATA_FOLDER when there are some already.
 */
export async function createAuthorities(
  folder: DataFolder,
  request: AuthoritiesRequest,
): Promise<Authorities> {
  const { organization, passphrase, clock, entropy } = request;
  const save = (name: string): SoftwareSigner => {
    const signer = generateSigner(ALGORITHM);
    const file = parseKeyName(`${name}.${ALGORITHM}`);
    saveKeyFile(folder.keys, file, signer, { passphrase, entropy, cost: COST });
    return signer;
  };
  const root = await createRootAuthority({
    signer: save('pki-root'),
    name: { commonName: `${organization} Root`, organization },
    validity: years(clock, ROOT_YEARS),
    entropy,
  });
  const issue = async (kind: 'devices' | 'servers'): Promise<Authority> => {
    const signer = save(`pki-${kind}`);
    const { publicKeyDer } = signer;
    const name = { commonName: kind, organization };
    const validity = years(clock, ISSUING_YEARS);
    const certificate = await issueAuthority(root, { publicKeyDer, kind, name, validity, entropy });
    await saveNewFile(
      join(folder.pki, `${kind}.crt`),
      encodeCertificatesPem([certificate, root.certificate]),
    );
    return openAuthority([certificate, root.certificate], signer);
  };
  await saveNewFile(join(folder.pki, 'root.crt'), encodeCertificatesPem([root.certificate]));
  const devices = await issue('devices');
  const servers = await issue('servers');
  return { devices, servers, root: root.certificate };
}

/**
 * Opens the authorities of a data folder.
 *
 * @throws CloudFault DATA_FOLDER; PkiFault as `loadKeyFile` and `openAuthority`.
 */
export async function loadAuthorities(
  folder: DataFolder,
  passphrase: string,
): Promise<Authorities> {
  const load = async (kind: string): Promise<Authority> => {
    const text = Buffer.from(await loadFile(join(folder.pki, `${kind}.crt`))).toString('latin1');
    const name = parseKeyName(`pki-${kind}.${ALGORITHM}`);
    return openAuthority(parseCertificatesPem(text), loadKeyFile(folder.keys, name, passphrase));
  };
  const [devices, servers] = [await load('devices'), await load('servers')];
  const text = Buffer.from(await loadFile(join(folder.pki, 'root.crt'))).toString('latin1');
  const [root] = parseCertificatesPem(text);
  return { devices, servers, root: root ?? devices.certificate };
}

/**
 * Finds the gateway's certificate, or makes one when there is none, when it ends soon, or when the
 * gateway got other names.
 */
export async function ensureServerIdentity(
  folder: DataFolder,
  authorities: Authorities,
  request: { readonly names: ServerNames; readonly clock: Clock; readonly entropy: Entropy },
): Promise<ServerIdentity> {
  const { servers } = authorities;
  const { names, clock, entropy } = request;
  const path = join(folder.pki, 'gateway.crt');
  const known = await loadIdentity(folder, path);
  const [own] = known?.certificates ?? [];
  const soon = clock.now().add({ hours: 24 * SERVER_REMAINING_DAYS });
  const isGood =
    known !== undefined &&
    own !== undefined &&
    Temporal.Instant.compare(own.notAfter, soon) > 0 &&
    hasNames(own, names);
  if (isGood) return known;
  const signer = generateSigner(ALGORITHM);
  const { publicKeyDer } = signer;
  const validity = days(clock, SERVER_DAYS);
  const certificate = await issueServerCertificate(servers, {
    publicKeyDer,
    validity,
    entropy,
    ...names,
  });
  const certificates = [certificate, servers.certificate, ...servers.ancestors];
  const privateKeyPem = encodePem('PRIVATE KEY', exportPrivateKey(signer));
  await replaceFile(folder.gatewayKey, privateKeyPem);
  await replaceFile(path, encodeCertificatesPem(certificates));
  return { certificates, privateKeyPem };
}

async function loadIdentity(folder: DataFolder, path: string): Promise<ServerIdentity | undefined> {
  try {
    const certificates = parseCertificatesPem(Buffer.from(await loadFile(path)).toString('latin1'));
    const privateKeyPem = Buffer.from(await loadFile(folder.gatewayKey)).toString('latin1');
    // Two files: whoever replaced them may have died, or met another, between one and the other.
    const own = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
    const isPair = equalBytes(own, certificates[0]?.publicKeyDer ?? new Uint8Array());
    return isPair ? { certificates, privateKeyPem } : undefined;
  } catch {
    return undefined;
  }
}

function hasNames(certificate: Certificate, { dnsNames, ipAddresses }: ServerNames): boolean {
  const own = certificate.alternativeNames;
  return (
    own !== undefined &&
    dnsNames.every((name) => own.dnsNames.includes(name)) &&
    ipAddresses.length <= own.ipAddresses.length
  );
}

function years(clock: Clock, count: number): Validity {
  return days(clock, 365 * count);
}

function days(clock: Clock, count: number): Validity {
  const seconds = Math.floor(clock.now().epochMilliseconds / 1000);
  const at = (offset: number): Temporal.Instant =>
    Temporal.Instant.fromEpochMilliseconds((seconds + offset) * 1000);
  return { notBefore: at(-BACKDATING_SECONDS), notAfter: at(86_400 * count) };
}
