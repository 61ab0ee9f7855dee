/** What the tests of this package share: chance, dates, and a small hierarchy that is right. */
import { randomBytes } from 'node:crypto';
import assert from 'node:assert/strict';

import type { Entropy, SignatureAlgorithm } from '@immota/base';

import {
  type Authority,
  type Certificate,
  createRootAuthority,
  generateSigner,
  issueAuthority,
  issueDeviceCertificate,
  issueServerCertificate,
  openAuthority,
  parseDeviceId,
  PkiFault,
  type PkiFaultCode,
  type SoftwareSigner,
  type Validity,
} from '@immota/pki';

export const entropy: Entropy = { bytes: (length) => new Uint8Array(randomBytes(length)) };

export const NOW: Temporal.Instant = Temporal.Instant.from('2026-06-01T12:00:00Z');

/** Dates around NOW, or a number of days from `start` on. */
export function days(count: number, start = '2026-01-01T00:00:00Z'): Validity {
  const notBefore = Temporal.Instant.from(start);
  return { notBefore, notAfter: notBefore.add({ hours: count * 24 }) };
}

/** A root, its two authorities, a server and a device, with their keys. */
export interface World {
  readonly root: Authority;
  readonly servers: Authority;
  readonly devices: Authority;
  readonly server: Certificate;
  readonly serverKey: SoftwareSigner;
  readonly device: Certificate;
  readonly deviceKey: SoftwareSigner;
}

export async function makeWorld(): Promise<World> {
  const root = await makeRoot();
  const servers = await makeAuthority(root, 'servers');
  const devices = await makeAuthority(root, 'devices');
  const serverKey = generateSigner('ecdsa-p256');
  const deviceKey = generateSigner('ecdsa-p256');
  const server = await issueServerCertificate(servers, {
    publicKeyDer: serverKey.publicKeyDer,
    dnsNames: ['ota.example.com', '*.gateway.example.com'],
    ipAddresses: ['127.0.0.1', '::1'],
    validity: days(365),
    entropy,
  });
  const device = await issueDeviceCertificate(devices, {
    publicKeyDer: deviceKey.publicKeyDer,
    deviceId: parseDeviceId('veh-1'),
    validity: days(365),
    entropy,
  });
  return { root, servers, devices, server, serverKey, device, deviceKey };
}

export async function makeRoot(commonName = 'Example Root'): Promise<Authority> {
  return await createRootAuthority({
    signer: generateSigner('ecdsa-p256'),
    name: { commonName, organization: 'Example Motors' },
    validity: days(3650),
    entropy,
  });
}

export async function makeAuthority(
  root: Authority,
  kind: 'servers' | 'devices',
): Promise<Authority> {
  const signer = generateSigner('ecdsa-p256');
  const certificate = await issueAuthority(root, {
    publicKeyDer: signer.publicKeyDer,
    kind,
    name: { commonName: `Example ${kind}`, organization: 'Example Motors' },
    validity: days(1825),
    permitted:
      kind === 'servers' ? { dnsNames: ['example.com'], ipAddresses: ['127.0.0.1', '::1'] } : {},
    entropy,
  });
  return openAuthority([certificate, root.certificate], signer);
}

/** Asserts that something is refused with this code, whether it throws or rejects. */
export async function refuses(code: PkiFaultCode, act: () => unknown): Promise<void> {
  await assert.rejects(
    async () => await act(),
    (error) => {
      if (!(error instanceof PkiFault)) throw error;
      assert.equal(error.code, code);
      return true;
    },
  );
}

export const ALGORITHMS: readonly SignatureAlgorithm[] = [
  'ed25519',
  'ecdsa-p256',
  'rsa-pss',
  'ml-dsa-65',
];
