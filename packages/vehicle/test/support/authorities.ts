/** A root, authorities for servers and devices, and credentials below them: all real. */
import {
  type Authority,
  createRootAuthority,
  encodeCertificatesPem,
  encodeCredentialFiles,
  encodePem,
  exportPrivateKey,
  generateSigner,
  issueAuthority,
  issueServerCertificate,
  makeDeviceCredentials,
  openAuthority,
  parseDeviceId,
  type Validity,
} from '@immota/pki';
import { entropy } from './folder.ts';

/**
 * TLS itself looks at the machine's clock, so certificates are valid from before any test's present
 * until long after the reader's.
 */
export const VALIDITY: Validity = {
  notBefore: Temporal.Instant.from('2020-01-01T00:00:00Z'),
  notAfter: Temporal.Instant.from('2049-01-01T00:00:00Z'),
};

export interface Authorities {
  readonly root: Authority;
  readonly servers: Authority;
  readonly devices: Authority;
}

/** Makes a hierarchy. */
export async function makeAuthorities(commonName = 'Test Root'): Promise<Authorities> {
  const name = { commonName, organization: 'Test Motors' };
  const signer = generateSigner('ecdsa-p256');
  const root = await createRootAuthority({ signer, name, validity: VALIDITY, entropy });
  return {
    root,
    servers: await makeAuthority(root, 'servers'),
    devices: await makeAuthority(root, 'devices'),
  };
}

async function makeAuthority(root: Authority, kind: 'servers' | 'devices'): Promise<Authority> {
  const signer = generateSigner('ecdsa-p256');
  const certificate = await issueAuthority(root, {
    publicKeyDer: signer.publicKeyDer,
    kind,
    name: { commonName: `Test ${kind}`, organization: 'Test Motors' },
    validity: VALIDITY,
    entropy,
  });
  return openAuthority([certificate, root.certificate], signer);
}

export interface ServerCredential {
  readonly cert: string;
  readonly key: string;
}

/** Issues a certificate for a server on this machine, or another name. */
export async function makeServer(
  { servers }: Authorities,
  names: { readonly dnsNames: readonly string[]; readonly ipAddresses?: readonly string[] } = {
    dnsNames: ['localhost'],
    ipAddresses: ['127.0.0.1'],
  },
): Promise<ServerCredential> {
  const signer = generateSigner('ecdsa-p256');
  const { publicKeyDer } = signer;
  const request = { publicKeyDer, ...names, validity: VALIDITY, entropy };
  const certificate = await issueServerCertificate(servers, request);
  return {
    cert: encodeCertificatesPem([certificate, servers.certificate]),
    key: encodePem('PRIVATE KEY', exportPrivateKey(signer)),
  };
}

/** The three files of a vehicle. */
export async function makeVehicleFiles(
  { root, devices }: Authorities,
  vehicle: string,
  validity: Validity = VALIDITY,
): Promise<ReturnType<typeof encodeCredentialFiles>> {
  const serverRoots = [root.certificate];
  const request = { serverRoots, validity, entropy };
  return encodeCredentialFiles(
    await makeDeviceCredentials(devices, parseDeviceId(vehicle), request),
  );
}
