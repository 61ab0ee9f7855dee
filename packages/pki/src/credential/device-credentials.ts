/** Everything a device needs to be known: made for it, one by one or a batch at a time. */
import type { Entropy } from '@immota/base';

import type { Authority } from '../authority/authority.ts';
import { chainBelowRoot } from '../authority/authority.ts';
import { issueDeviceCertificate } from '../authority/leaf.ts';
import type { DeviceId } from '../device-id.ts';
import { PkiFault } from '../fault.ts';
import { exportPrivateKey, generateSigner, type SoftwareSigner } from '../keys/software.ts';
import { BATCH_DEVICES_MAX } from '../limits.ts';
import type { Certificate, Validity } from '../x509/certificate.ts';
import type { StatusLocations } from '../x509/extension.ts';
import { encodeCertificatesPem, encodePem } from '../x509/pem.ts';
import { encodePkcs12 } from './pkcs12.ts';

/** What new credentials are made of. */
export interface CredentialsRequest {
  /** Who vouches for the servers the device will talk to. */
  readonly serverRoots: readonly Certificate[];
  readonly validity: Validity;
  readonly status?: StatusLocations | undefined;
  readonly entropy: Entropy;
}

/** What a batch of credentials is made of. */
export interface BatchRequest extends CredentialsRequest {
  /** Left out: a million. */
  readonly devicesMax?: number | undefined;
}

/** A device's key, its certificate, and whom it trusts. */
export interface DeviceCredentials {
  readonly deviceId: DeviceId;
  readonly signer: SoftwareSigner;
  readonly certificate: Certificate;
  /** The authorities between the certificate and its root. */
  readonly intermediates: readonly Certificate[];
  readonly serverRoots: readonly Certificate[];
}

/** The three files by which an aktualizr client with device credentials is provisioned. */
export interface CredentialFiles {
  /** `root.crt`: who vouches for the servers. */
  readonly rootPem: string;
  /** `client.pem`: the device's certificate and the authorities above it but the root. */
  readonly clientPem: string;
  /** `pkey.pem`: the private key, unencrypted PKCS #8. */
  readonly privateKeyPem: string;
}

/**
 * Makes an ECDSA P-256 key for a device and issues its certificate.
 *
 * @param issuer - an authority for devices.
 * @param deviceId - whose they are.
 * @param request - server roots, dates and chance.
 * @throws PkiFault as `issueDeviceCertificate`.
 */
export async function makeDeviceCredentials(
  issuer: Authority,
  deviceId: DeviceId,
  request: CredentialsRequest,
): Promise<DeviceCredentials> {
  const { serverRoots, validity, status, entropy } = request;
  const signer = generateSigner('ecdsa-p256');
  const { publicKeyDer } = signer;
  const leaf = { deviceId, publicKeyDer, validity, status, entropy };
  const certificate = await issueDeviceCertificate(issuer, leaf);
  return { deviceId, signer, certificate, intermediates: chainBelowRoot(issuer), serverRoots };
}

/**
 * Makes credentials for a batch of devices, one at a time, so that memory does not grow with keys.
 *
 * @param issuer - an authority for devices.
 * @param deviceIds - each once.
 * @param request - server roots, dates, chance, and how many there may be.
 * @throws PkiFault DEVICE_ID when an identifier repeats; LIMIT when there are too many; as
 *   `issueDeviceCertificate`.
 */
export async function* makeCredentialsBatch(
  issuer: Authority,
  deviceIds: Iterable<DeviceId>,
  request: BatchRequest,
): AsyncGenerator<DeviceCredentials, void, void> {
  const { devicesMax = BATCH_DEVICES_MAX } = request;
  const seen = new Set<DeviceId>();
  for (const deviceId of deviceIds) {
    if (seen.has(deviceId)) {
      throw new PkiFault('DEVICE_ID', `Cannot issue batch: ${deviceId} is in it twice`);
    }
    if (seen.size === devicesMax) {
      throw new PkiFault('LIMIT', `Cannot issue batch: more than ${devicesMax} devices`);
    }
    seen.add(deviceId);
    yield await makeDeviceCredentials(issuer, deviceId, request);
  }
}

/** Encodes credentials as the three files of a device. They hold its private key. */
export function encodeCredentialFiles(credentials: DeviceCredentials): CredentialFiles {
  const { certificate, intermediates, serverRoots, signer } = credentials;
  const privateKey = exportPrivateKey(signer);
  const privateKeyPem = encodePem('PRIVATE KEY', privateKey);
  privateKey.fill(0);
  return {
    rootPem: encodeCertificatesPem(serverRoots),
    clientPem: encodeCertificatesPem([certificate, ...intermediates]),
    privateKeyPem,
  };
}

/** Encodes credentials as the answer to aktualizr's `POST /devices`. It holds the private key. */
export function encodeCredentialPkcs12(
  credentials: DeviceCredentials,
  entropy: Entropy,
): Uint8Array {
  const { certificate, intermediates, serverRoots, signer } = credentials;
  return encodePkcs12({ signer, certificate, others: [...intermediates, ...serverRoots], entropy });
}
