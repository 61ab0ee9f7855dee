import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  type AuthorityRequest,
  chainBelowRoot,
  checkChain,
  createRootAuthority,
  encodeCertificatesPem,
  findCommonName,
  findOrganization,
  generateSigner,
  issueAuthority,
  issueDeviceCertificate,
  issueServerCertificate,
  openAuthority,
  parseDeviceId,
} from '@immota/pki';

import { OID } from '../../src/oid.ts';
import { makeScratch, openssl, skip, tryOpenssl } from '../support/openssl.ts';
import { days, entropy, makeAuthority, makeWorld, NOW, refuses } from '../support/world.ts';

const world = await makeWorld();
const request: AuthorityRequest = {
  publicKeyDer: generateSigner('ecdsa-p256').publicKeyDer,
  kind: 'devices',
  name: { commonName: 'Line 1', organization: 'Example Motors' },
  validity: days(100),
  entropy,
};

describe('createRootAuthority()', () => {
  it('makes a certificate that its own key signed, for one level below', () => {
    const { certificate, ancestors } = world.root;
    assert.deepEqual(certificate.issuer.der, certificate.subject.der);
    assert.equal(findCommonName(certificate.subject), 'Example Root');
    assert.equal(findOrganization(certificate.subject), 'Example Motors');
    assert.equal(certificate.isAuthority, true);
    assert.equal(certificate.pathLength, 1);
    assert.deepEqual([...(certificate.keyUsages ?? [])], ['keyCertSign', 'cRLSign']);
    assert.equal(certificate.purposes, undefined);
    assert.equal(certificate.nameConstraints, undefined);
    assert.deepEqual(certificate.subjectKeyId, certificate.authorityKeyId);
    assert.deepEqual(ancestors, []);
  });

  it('draws serial numbers of 16 octets that are never negative', async () => {
    for (const octet of [0x00, 0xff]) {
      const fixed = { bytes: (length: number) => new Uint8Array(length).fill(octet) };
      const { certificate } = await createRootAuthority({
        signer: generateSigner('ecdsa-p256'),
        name: { commonName: 'Fixed' },
        validity: days(1),
        entropy: fixed,
      });
      const rest = octet.toString(16).padStart(2, '0').repeat(15);
      assert.equal(certificate.serial, (octet === 0 ? '40' : '7f') + rest);
    }
  });

  it('refuses keys other than ECDSA P-256', async () => {
    for (const algorithm of ['ed25519', 'rsa-pss', 'ml-dsa-65'] as const) {
      const signer = generateSigner(algorithm);
      await refuses('ALGORITHM', () =>
        createRootAuthority({ signer, name: { commonName: 'x' }, validity: days(1), entropy }),
      );
    }
  });

  it('refuses dates in the wrong order and takes one instant', async () => {
    const [signer, name] = [generateSigner('ecdsa-p256'), { commonName: 'x' }];
    const root = { signer, name, entropy };
    assert.ok(await createRootAuthority({ ...root, validity: { notBefore: NOW, notAfter: NOW } }));
    const notAfter = NOW.subtract({ seconds: 1 });
    const validity = { notBefore: NOW, notAfter };
    await refuses('ISSUE_REFUSED', () => createRootAuthority({ ...root, validity }));
  });

  it('refuses years that have not four digits, and takes the last that has', async () => {
    const root = { signer: generateSigner('ecdsa-p256'), name: { commonName: 'x' }, entropy };
    const [first, last] = ['0000-01-01T00:00:00Z', '9999-12-31T23:59:59Z'].map((at) => {
      return Temporal.Instant.from(at);
    });
    assert.ok(first && last);
    const good = { notBefore: first, notAfter: last };
    const { certificate } = await createRootAuthority({ ...root, validity: good });
    assert.equal(certificate.notBefore.toString(), '0000-01-01T00:00:00Z');
    assert.equal(certificate.notAfter.toString(), '9999-12-31T23:59:59Z');
    for (const validity of [
      { ...good, notAfter: last.add({ seconds: 1 }) },
      { ...good, notBefore: first.subtract({ seconds: 1 }) },
    ]) {
      await refuses('ISSUE_REFUSED', () => createRootAuthority({ ...root, validity }));
    }
  });

  it('refuses a token that signs with another key than it shows', async () => {
    const [signer, other] = [generateSigner('ecdsa-p256'), generateSigner('ecdsa-p256')];
    const broken = { ...signer, publicKeyDer: other.publicKeyDer };
    const name = { commonName: 'x' };
    await refuses('ISSUE_REFUSED', () =>
      createRootAuthority({ signer: broken, name, validity: days(1), entropy }),
    );
  });
});

describe('issueAuthority()', () => {
  it('makes authorities that issue leaves of one kind', async () => {
    for (const [authority, purpose] of [
      [world.servers, OID.serverAuth],
      [world.devices, OID.clientAuth],
    ] as const) {
      const { certificate } = authority;
      assert.equal(certificate.isAuthority, true);
      assert.equal(certificate.pathLength, 0);
      assert.deepEqual(certificate.purposes, [purpose]);
      assert.deepEqual(
        [...(certificate.keyUsages ?? [])],
        ['digitalSignature', 'keyCertSign', 'cRLSign'],
      );
      assert.deepEqual(certificate.authorityKeyId, world.root.certificate.subjectKeyId);
      assert.deepEqual(certificate.issuer.der, world.root.certificate.subject.der);
    }
  });

  it('holds devices to their organization and servers to their names', async () => {
    const { nameConstraints: devices } = world.devices.certificate;
    const [base] = devices?.permitted.directoryNames ?? [];
    assert.deepEqual(
      base?.attributes.map(({ value }) => value),
      ['Example Motors'],
    );
    assert.deepEqual(devices?.permitted.dnsNames, []);
    const { nameConstraints: servers } = world.servers.certificate;
    assert.deepEqual(servers?.permitted.dnsNames, ['example.com']);
    assert.deepEqual(
      servers?.permitted.ipRanges[0],
      Uint8Array.of(127, 0, 0, 1, 255, 255, 255, 255),
    );
    assert.deepEqual(servers?.permitted.directoryNames, []);
    for (const kind of ['devices', 'servers'] as const) {
      const free = { ...request, kind, name: { commonName: 'Free' } };
      const { nameConstraints } = await issueAuthority(world.root, free);
      assert.equal(nameConstraints, undefined);
    }
  });

  it('is critical in a leaf too', { skip }, () => {
    using scratch = makeScratch();
    const file = scratch.write('leaf.pem', encodeCertificatesPem([world.server]));
    const text = openssl('x509', '-in', file, '-noout', '-text');
    assert.match(text, /X509v3 Basic Constraints: critical\n\s+CA:FALSE\n/);
    assert.match(text, /X509v3 Key Usage: critical\n\s+Digital Signature\n/);
    assert.match(text, /X509v3 Extended Key Usage: \n/);
    assert.match(text, /X509v3 Subject Alternative Name: \n/);
    assert.match(text, /DNS:ota\.example\.com, /);
  });

  it('is critical about what openssl must not pass over', { skip }, () => {
    using scratch = makeScratch();
    const file = scratch.write('ca.pem', encodeCertificatesPem([world.devices.certificate]));
    const text = openssl('x509', '-in', file, '-noout', '-text');
    for (const what of ['Basic Constraints', 'Key Usage', 'Name Constraints']) {
      assert.match(text, new RegExp(`X509v3 ${what}: critical`));
    }
  });

  it('refuses an issuer that may issue leaves only', async () => {
    await refuses('ISSUE_REFUSED', () => issueAuthority(world.devices, request));
  });

  it('refuses dates that are not within the issuer’s, and takes exactly them', async () => {
    const { notBefore, notAfter } = world.root.certificate;
    assert.ok(await issueAuthority(world.root, { ...request, validity: { notBefore, notAfter } }));
    for (const validity of [
      { notBefore: notBefore.subtract({ seconds: 1 }), notAfter },
      { notBefore, notAfter: notAfter.add({ seconds: 1 }) },
      { notBefore: NOW, notAfter: NOW.subtract({ seconds: 1 }) },
    ]) {
      await refuses('ISSUE_REFUSED', () => issueAuthority(world.root, { ...request, validity }));
    }
  });

  it('refuses names that are none', async () => {
    for (const permitted of [{ dnsNames: ['a b'] }, { ipAddresses: ['300.1.1.1'] }]) {
      const servers = { ...request, kind: 'servers', permitted } as const;
      await refuses('ISSUE_REFUSED', () => issueAuthority(world.root, servers));
    }
  });
});

describe('openAuthority()', () => {
  const { certificate, signer } = world.devices;

  it('puts certificates and key together', () => {
    const opened = openAuthority([certificate, world.root.certificate], signer);
    assert.deepEqual(opened.ancestors, [world.root.certificate]);
    assert.deepEqual(chainBelowRoot(opened), [certificate]);
    assert.deepEqual(chainBelowRoot(world.root), []);
  });

  it('refuses another’s key, a leaf, and nothing', async () => {
    await refuses('ISSUE_REFUSED', () => openAuthority([certificate], world.servers.signer));
    await refuses('ISSUE_REFUSED', () => openAuthority([world.device], world.deviceKey));
    await refuses('ISSUE_REFUSED', () => openAuthority([], signer));
  });
});

describe('a hierarchy', () => {
  it('is believed by openssl, for its purpose alone', { skip }, () => {
    using scratch = makeScratch();
    const root = scratch.write('root.pem', encodeCertificatesPem([world.root.certificate]));
    for (const [leaf, issuer, good, bad] of [
      [world.server, world.servers, 'sslserver', 'sslclient'],
      [world.device, world.devices, 'sslclient', 'sslserver'],
    ] as const) {
      const middle = scratch.write('ca.pem', encodeCertificatesPem([issuer.certificate]));
      const file = scratch.write('leaf.pem', encodeCertificatesPem([leaf]));
      const verify = (purpose: string): number | null => {
        const at = ['-attime', String(NOW.epochMilliseconds / 1000)];
        const chain = ['-CAfile', root, '-untrusted', middle];
        return tryOpenssl('verify', '-x509_strict', ...at, '-purpose', purpose, ...chain, file)
          .status;
      };
      assert.equal(verify(good), 0);
      assert.notEqual(verify(bad), 0);
    }
  });
});

describe('issueServerCertificate()', () => {
  const server = {
    publicKeyDer: generateSigner('ecdsa-p256').publicKeyDer,
    dnsNames: ['ota.example.com'],
    validity: days(90),
    entropy,
  };

  it('names hosts and addresses', async () => {
    const certificate = await issueServerCertificate(world.servers, {
      ...server,
      dnsNames: ['OTA.example.com', '*.example.com'],
      ipAddresses: ['127.0.0.1', '::1'],
    });
    assert.deepEqual(certificate.alternativeNames?.dnsNames, ['ota.example.com', '*.example.com']);
    assert.deepEqual(certificate.alternativeNames.ipAddresses, [
      Uint8Array.of(127, 0, 0, 1),
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1),
    ]);
    assert.equal(findCommonName(certificate.subject), 'OTA.example.com');
    assert.ok(Buffer.from(certificate.der).includes('\x82\x0fota.example.com', 0, 'latin1'));
    assert.equal(findOrganization(certificate.subject), 'Example Motors');
    assert.deepEqual([...(certificate.keyUsages ?? [])], ['digitalSignature']);
    assert.deepEqual(certificate.purposes, [OID.serverAuth]);
    assert.equal(certificate.isAuthority, false);
  });

  it('takes addresses alone, and names longer than a common name', async () => {
    const byIp = { ...server, dnsNames: [], ipAddresses: ['127.0.0.1'] };
    const certificate = await issueServerCertificate(world.servers, byIp);
    assert.equal(findCommonName(certificate.subject), '127.0.0.1');
    const long = `${'a'.repeat(63)}.example.com`;
    const other = await issueServerCertificate(world.servers, { ...server, dnsNames: [long] });
    assert.equal(findCommonName(other.subject)?.length, 64);
    assert.deepEqual(other.alternativeNames?.dnsNames, [long]);
  });

  it('refuses no name at all, and names that are none', async () => {
    await refuses('ISSUE_REFUSED', () =>
      issueServerCertificate(world.servers, { ...server, dnsNames: [] }),
    );
    await refuses('ISSUE_REFUSED', () =>
      issueServerCertificate(world.servers, { ...server, dnsNames: ['a b'] }),
    );
  });

  it('reads addresses in every form and refuses what is none', async () => {
    const free = await issueAuthority(world.root, {
      ...request,
      kind: 'servers',
      publicKeyDer: world.servers.signer.publicKeyDer,
      name: { commonName: 'Free' },
    });
    const issuer = openAuthority([free, world.root.certificate], world.servers.signer);
    const read = async (address: string): Promise<string> => {
      const leaf = { ...server, ipAddresses: [address] };
      const { alternativeNames } = await issueServerCertificate(issuer, leaf);
      return Buffer.from(alternativeNames?.ipAddresses[0] ?? []).toString('hex');
    };
    assert.equal(await read('0.0.0.0'), '00000000');
    assert.equal(await read('249.204.10.9'), 'f9cc0a09');
    assert.equal(await read('255.250.199.99'), 'fffac763');
    assert.equal(await read('::'), '0'.repeat(32));
    assert.equal(await read('2001:db8::ff00:42:8329'), '20010db8000000000000ff0000428329');
    assert.equal(await read('1:2:3:4:5:6:7:8'), '00010002000300040005000600070008');
    assert.equal(await read('1::'), `0001${'0'.repeat(28)}`);
    assert.equal(await read('::ffff:10.0.0.1'), '00000000000000000000ffff0a000001');
    for (const wrong of [
      '',
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.4.',
      '256.1.1.1',
      '01.1.1.1',
      '1.2.3.x',
      ':',
      '1::2::3',
      '1:2:3:4:5:6:7:8:9',
      'fe80::1%eth0',
      '[::1]',
      'localhost',
      '::1]:80/[::1',
    ]) {
      await refuses('ISSUE_REFUSED', () => read(wrong));
    }
  });

  it('refuses names that the authority may not vouch for', async () => {
    await refuses('CHAIN_NAME', () =>
      issueServerCertificate(world.servers, { ...server, dnsNames: ['example.org'] }),
    );
    await refuses('CHAIN_NAME', () =>
      issueServerCertificate(world.servers, { ...server, ipAddresses: ['127.0.0.2'] }),
    );
  });

  it('refuses an authority that is for devices, or a root', async () => {
    await refuses('ISSUE_REFUSED', () => issueServerCertificate(world.devices, server));
    await refuses('ISSUE_REFUSED', () => issueServerCertificate(world.root, server));
  });

  it('says where its status is found, as openssl reads it', { skip }, async () => {
    using scratch = makeScratch();
    const status = { crlUrl: 'http://pki.example.com/ca.crl', ocspUrl: 'http://ocsp.example.com' };
    const show = async (which: object): Promise<string> => {
      const certificate = await issueServerCertificate(world.servers, { ...server, status: which });
      const file = scratch.write('leaf.pem', encodeCertificatesPem([certificate]));
      return openssl('x509', '-in', file, '-noout', '-text');
    };
    const both = await show(status);
    assert.match(
      both,
      /CRL Distribution Points: \n\s+Full Name:\n\s+URI:http:\/\/pki\.example\.com\/ca\.crl/,
    );
    assert.match(both, /Authority Information Access: \n\s+OCSP - URI:http:\/\/ocsp\.example\.com/);
    assert.doesNotMatch(await show({ crlUrl: status.crlUrl }), /Authority Information/);
    assert.doesNotMatch(await show({ ocspUrl: status.ocspUrl }), /CRL Distribution/);
  });
});

describe('issueDeviceCertificate()', () => {
  const device = {
    publicKeyDer: generateSigner('ecdsa-p256').publicKeyDer,
    deviceId: parseDeviceId('veh-5'),
    validity: days(365),
    entropy,
  };

  it('names the device in its common name, under the authority’s organization', async () => {
    const certificate = await issueDeviceCertificate(world.devices, device);
    assert.equal(findCommonName(certificate.subject), 'veh-5');
    assert.equal(findOrganization(certificate.subject), 'Example Motors');
    assert.deepEqual(certificate.purposes, [OID.clientAuth]);
    assert.equal(certificate.alternativeNames, undefined);
    assert.deepEqual(certificate.publicKeyDer, device.publicKeyDer);
    assert.equal(certificate.authorityKeyId?.length, 20);
    // What a ticket would carry along for nothing.
    assert.equal(certificate.subjectKeyId, undefined);
  });

  it('takes the keys that TLS peers take, and no others', async () => {
    for (const algorithm of ['ed25519', 'rsa-pss'] as const) {
      const { publicKeyDer } = generateSigner(algorithm);
      assert.ok(await issueDeviceCertificate(world.devices, { ...device, publicKeyDer }));
    }
    const { publicKeyDer } = generateSigner('ml-dsa-65');
    await refuses('ALGORITHM', () =>
      issueDeviceCertificate(world.devices, { ...device, publicKeyDer }),
    );
    await refuses('KEY_MALFORMED', () =>
      issueDeviceCertificate(world.devices, { ...device, publicKeyDer: Uint8Array.of(1) }),
    );
  });

  it('refuses an authority that is for servers', async () => {
    await refuses('ISSUE_REFUSED', () => issueDeviceCertificate(world.servers, device));
  });

  it('refuses to outlive its authority', async () => {
    const { notBefore, notAfter } = world.devices.certificate;
    const exact = { ...device, validity: { notBefore, notAfter } };
    assert.ok(await issueDeviceCertificate(world.devices, exact));
    const validity = { notBefore, notAfter: notAfter.add({ seconds: 1 }) };
    await refuses('ISSUE_REFUSED', () =>
      issueDeviceCertificate(world.devices, { ...device, validity }),
    );
  });

  it('leads to the root of its own authority only', async () => {
    const other = await makeAuthority(world.root, 'devices');
    const leaf = await issueDeviceCertificate(other, device);
    const anchors = [world.root.certificate];
    const intermediates = [other.certificate, world.devices.certificate];
    assert.deepEqual(
      checkChain(leaf, 'device', { anchors, intermediates, at: NOW })[1],
      other.certificate,
    );
  });
});
