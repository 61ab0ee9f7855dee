import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { createSecureContext } from 'node:tls';

import {
  encodeCertificatesPem,
  encodeCredentialPkcs12,
  encodePkcs12,
  makeDeviceCredentials,
  parseCertificate,
  parseCertificatesPem,
  parseDeviceId,
} from '@immota/pki';

import { makeScratch, openssl, skip, tryOpenssl } from '../support/openssl.ts';
import { days, entropy, makeWorld } from '../support/world.ts';

const world = await makeWorld();
const credentials = await makeDeviceCredentials(world.devices, parseDeviceId('veh-7'), {
  serverRoots: [world.root.certificate],
  validity: days(100),
  entropy,
});
const pkcs12 = encodeCredentialPkcs12(credentials, entropy);

describe('encodePkcs12()', () => {
  it('is read by TLS with the empty passphrase', () => {
    assert.ok(createSecureContext({ pfx: Buffer.from(pkcs12), passphrase: '' }));
  });

  it('is refused by TLS with another passphrase, or when one octet was changed', () => {
    assert.throws(() => createSecureContext({ pfx: Buffer.from(pkcs12), passphrase: 'x' }), {
      message: 'mac verify failure',
    });
    const changed = Buffer.from(pkcs12);
    changed.writeUInt8(changed.readUInt8(200) ^ 1, 200);
    assert.throws(() => createSecureContext({ pfx: changed, passphrase: '' }), {
      message: 'mac verify failure',
    });
  });

  it('differs each time', () => {
    assert.notDeepEqual(encodeCredentialPkcs12(credentials, entropy), pkcs12);
  });

  it('gives key, leaf and every other certificate to openssl', { skip }, () => {
    using scratch = makeScratch();
    const file = scratch.write('device.p12', pkcs12);
    const read = (...args: readonly string[]): string =>
      openssl('pkcs12', '-in', file, '-passin', 'pass:', '-nodes', ...args);
    const key = createPrivateKey(read('-nocerts'));
    assert.ok(key.equals(credentials.signer.privateKey));
    const leaf = new X509Certificate(read('-nokeys', '-clcerts'));
    assert.deepEqual(new Uint8Array(leaf.raw), credentials.certificate.der);
    const others = parseCertificatesPem(read('-nokeys', '-cacerts'));
    assert.deepEqual(
      others.map(({ der }) => der),
      [world.devices.certificate.der, world.root.certificate.der],
    );
  });

  it('is sealed with AES-256 and SHA-256 alone', { skip }, () => {
    using scratch = makeScratch();
    const file = scratch.write('device.p12', pkcs12);
    const info = openssl('pkcs12', '-in', file, '-passin', 'pass:', '-info', '-noout');
    assert.match(info, /MAC: sha256, Iteration 2048/);
    const sealed = info.match(/PBES2, PBKDF2, AES-256-CBC, Iteration 2048, PRF hmacWithSHA256/g);
    assert.equal(sealed?.length, 2);
    assert.notEqual(tryOpenssl('pkcs12', '-in', file, '-passin', 'pass:wrong', '-noout').status, 0);
  });

  it('does without other certificates', () => {
    const { signer, certificate } = credentials;
    const alone = encodePkcs12({ signer, certificate, others: [], entropy });
    assert.ok(createSecureContext({ pfx: Buffer.from(alone), passphrase: '' }));
  });
});

describe('parseCertificatesPem()', () => {
  it('reads what encodeCertificatesPem() wrote', () => {
    const certificates = [world.device, world.devices.certificate];
    assert.deepEqual(parseCertificatesPem(encodeCertificatesPem(certificates)), certificates);
    assert.deepEqual(parseCertificate(world.device.der), world.device);
  });
});
