import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { connect, type ConnectionOptions, createServer, type TLSSocket } from 'node:tls';

import {
  checkDevice,
  encodeCertificatesPem,
  encodeCredentialFiles,
  encodeCredentialPkcs12,
  encodePem,
  exportPrivateKey,
  generateSigner,
  issueServerCertificate,
  makeDeviceCredentials,
  parseCertificate,
  parseDeviceId,
} from '@immota/pki';

import { entropy, makeRoot, makeWorld, NOW } from '../support/world.ts';

// TLS looks at the clock itself, so these certificates are valid whenever the test runs.
const always = {
  notBefore: Temporal.Instant.from('2026-01-01T00:00:00Z'),
  notAfter: Temporal.Instant.from('2030-01-01T00:00:00Z'),
};
const world = await makeWorld();
const serverKey = generateSigner('ecdsa-p256');
const server = await issueServerCertificate(world.servers, {
  publicKeyDer: serverKey.publicKeyDer,
  dnsNames: ['ota.example.com'],
  validity: always,
  entropy,
});
const credentials = await makeDeviceCredentials(world.devices, parseDeviceId('veh-6'), {
  serverRoots: [world.root.certificate],
  validity: always,
  entropy,
});
const files = encodeCredentialFiles(credentials);
const device = { ca: files.rootPem, cert: files.clientPem, key: files.privateKeyPem };

/** Connects to a server of ours and gives the certificate that the server saw, or why it failed. */
async function handshake(options: ConnectionOptions): Promise<Buffer | string> {
  const gateway = createServer({
    cert: encodeCertificatesPem([server, world.servers.certificate]),
    key: encodePem('PRIVATE KEY', exportPrivateKey(serverKey)),
    ca: encodeCertificatesPem([world.root.certificate]),
    requestCert: true,
    rejectUnauthorized: true,
  });
  gateway.listen(0, '127.0.0.1');
  await once(gateway, 'listening');
  const { port } = gateway.address() as AddressInfo;
  const outcome = Promise.withResolvers<Buffer | string>();
  gateway.on('secureConnection', (socket: TLSSocket) => {
    outcome.resolve(socket.getPeerX509Certificate()?.raw ?? 'no certificate');
    socket.on('error', () => undefined).destroy();
  });
  gateway.on('tlsClientError', (error: NodeJS.ErrnoException) => {
    outcome.resolve(String(error.code));
  });
  const socket = connect({ host: '127.0.0.1', port, servername: 'ota.example.com', ...options });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    outcome.resolve(String(error.code));
  });
  const result = await outcome.promise;
  socket.destroy();
  gateway.close();
  await once(gateway, 'close');
  return result;
}

describe('a device that connects', () => {
  it('is known by its files, and by its PKCS #12', async () => {
    const pfx = Buffer.from(encodeCredentialPkcs12(credentials, entropy));
    for (const options of [device, { pfx, passphrase: '', ca: files.rootPem }]) {
      const raw = await handshake(options);
      assert.ok(Buffer.isBuffer(raw), String(raw));
      const { deviceId } = checkDevice(parseCertificate(raw), {
        intermediates: [world.devices.certificate],
        anchors: [world.root.certificate],
        at: NOW,
        isRevoked: () => false,
      });
      assert.equal(deviceId, 'veh-6');
    }
  });

  it('is refused without a certificate, and with a server’s', async () => {
    assert.equal(
      await handshake({ ca: files.rootPem }),
      'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE',
    );
    const wrong = {
      ca: files.rootPem,
      cert: encodeCertificatesPem([server, world.servers.certificate]),
      key: encodePem('PRIVATE KEY', exportPrivateKey(serverKey)),
    };
    assert.equal(typeof (await handshake(wrong)), 'string');
  });

  it('does not talk to a server of another root, or of another name', async () => {
    const stranger = encodeCertificatesPem([(await makeRoot('Stranger')).certificate]);
    assert.equal(await handshake({ ...device, ca: stranger }), 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY');
    const servername = 'evil.example.com';
    assert.equal(await handshake({ ...device, servername }), 'ERR_TLS_CERT_ALTNAME_INVALID');
  });
});
