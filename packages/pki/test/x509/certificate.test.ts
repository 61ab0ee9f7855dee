import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';

import { concatBytes } from '@immota/base';
import {
  fingerprintOf,
  generateSigner,
  keyIdOf,
  parseCertificate,
  parseSerialNumber,
} from '@immota/pki';

import {
  writeDer,
  writeExplicit,
  writeInteger,
  writeNull,
  writeOid,
  writeSequence,
  writeTime,
  writeUnsigned,
} from '../../src/der/write.ts';
import { OID } from '../../src/oid.ts';
import { authority, ECDSA, forge, type Parts } from '../support/forge.ts';
import { days, makeWorld, refuses } from '../support/world.ts';

const world = await makeWorld();

describe('parseCertificate()', () => {
  it('reads what others read too', () => {
    for (const certificate of [world.root.certificate, world.server, world.device]) {
      const other = new X509Certificate(certificate.der);
      assert.equal(other.serialNumber.toLowerCase(), certificate.serial);
      assert.equal(new Date(other.validFrom).getTime(), certificate.notBefore.epochMilliseconds);
      assert.equal(new Date(other.validTo).getTime(), certificate.notAfter.epochMilliseconds);
      assert.equal(other.ca, certificate.isAuthority);
      const key = other.publicKey.export({ format: 'der', type: 'spki' });
      assert.deepEqual(new Uint8Array(key), certificate.publicKeyDer);
      assert.equal(
        other.fingerprint256.replaceAll(':', '').toLowerCase(),
        fingerprintOf(certificate),
      );
      assert.deepEqual(parseCertificate(certificate.der), certificate);
    }
    assert.deepEqual(world.device.purposes, [OID.clientAuth]);
    assert.deepEqual(world.server.alternativeNames?.dnsNames, [
      'ota.example.com',
      '*.gateway.example.com',
    ]);
    assert.deepEqual(world.server.alternativeNames?.ipAddresses[0], Uint8Array.of(127, 0, 0, 1));
    assert.deepEqual([...(world.root.certificate.keyUsages ?? [])], ['keyCertSign', 'cRLSign']);
    assert.equal(world.root.certificate.pathLength, 1);
  });

  it('keeps its own copy', () => {
    const bytes = Uint8Array.from(world.device.der);
    const certificate = parseCertificate(bytes);
    bytes.fill(0);
    assert.deepEqual(certificate, world.device);
  });

  it('reads a plain one', async () => {
    const certificate = parseCertificate(await forge());
    assert.equal(certificate.isAuthority, false);
    assert.equal(certificate.pathLength, undefined);
    assert.equal(certificate.serial, '1267');
    assert.equal(certificate.keyUsages, undefined);
  });

  const { notBefore, notAfter } = days(365);
  const rsa = writeOid(OID.sha256WithRsaEncryption);
  const malformed: Readonly<Record<string, Parts>> = {
    'no version': { version: undefined },
    'a version with more behind it': { version: writeExplicit(0, writeInteger(2), writeNull()) },
    'a serial number that is negative': { serial: writeDer(2, Uint8Array.of(0x80)) },
    'a signature that is no bits': { signature: writeNull() },
    'bytes behind the signature': { outerTail: writeNull() },
    'fields behind the extensions': { tail: writeNull() },
    'no extensions at all': { extensions: undefined },
    'parameters beside ECDSA': {
      innerAlgorithm: writeSequence(writeOid(OID.ecdsaWithSha256), writeNull()),
    },
    'RSA without parameters': { innerAlgorithm: writeSequence(rsa) },
    'RSA with content in NULL': {
      innerAlgorithm: writeSequence(rsa, writeDer(5, Uint8Array.of(1))),
    },
    'one date': { validity: writeSequence(writeTime(notBefore)) },
    'three dates': { validity: writeSequence(...[1, 2, 3].map(() => writeTime(notBefore))) },
  };
  for (const [what, parts] of Object.entries(malformed)) {
    it(`refuses ${what}`, async () => {
      const der = await forge(parts);
      await refuses('DER_MALFORMED', () => parseCertificate(der));
    });
  }

  const unlawful: Readonly<Record<string, Parts>> = {
    'version 1 or 2': { version: writeExplicit(0, writeInteger(1)) },
    'version 4': { version: writeExplicit(0, writeInteger(3)) },
    'a serial number of zero': { serial: writeInteger(0) },
    'a serial number of 21 octets': { serial: writeUnsigned(new Uint8Array(21).fill(1)) },
    'two algorithms': { innerAlgorithm: writeSequence(writeOid(OID.ed25519)) },
    'an end before its beginning': {
      validity: writeSequence(writeTime(notAfter), writeTime(notBefore)),
    },
    'an authority without a name': { subject: writeSequence(), extensions: [authority()] },
  };
  for (const [what, parts] of Object.entries(unlawful)) {
    it(`refuses ${what}`, async () => {
      const der = await forge(parts);
      await refuses('CERTIFICATE_MALFORMED', () => parseCertificate(der));
    });
  }

  it('takes the longest serial number, one instant, and a leaf without a name', async () => {
    const serial = writeUnsigned(new Uint8Array(20).fill(1));
    assert.equal(parseCertificate(await forge({ serial })).serial, '01'.repeat(20));
    const validity = writeSequence(writeTime(notBefore), writeTime(notBefore));
    assert.ok(parseCertificate(await forge({ validity })));
    assert.ok(parseCertificate(await forge({ subject: writeSequence() })));
  });

  it('refuses algorithms of signature that the house does not have', async () => {
    const sha1WithRsa = writeSequence(writeOid('1.2.840.113549.1.1.5'), writeNull());
    for (const part of ['innerAlgorithm', 'outerAlgorithm']) {
      const der = await forge({ [part]: sha1WithRsa });
      await refuses('ALGORITHM', () => parseCertificate(der));
    }
    const der = await forge({
      outerAlgorithm: writeSequence(rsa, writeNull()),
      innerAlgorithm: writeSequence(rsa, writeNull()),
    });
    assert.equal(parseCertificate(der).signatureAlgorithm.oid, OID.sha256WithRsaEncryption);
    assert.ok(parseCertificate(await forge({ outerAlgorithm: ECDSA })));
  });

  it('refuses more than 16 KiB, and bytes behind it', async () => {
    const certificate = await forge();
    const padded = (length: number): Uint8Array =>
      concatBytes([certificate, new Uint8Array(length - certificate.length)]);
    await refuses('DER_MALFORMED', () => parseCertificate(padded(16_384)));
    await refuses('LIMIT', () => parseCertificate(padded(16_385)));
  });
});

describe('parseSerialNumber()', () => {
  it('takes 1 to 20 octets above zero in their one form', () => {
    for (const serial of ['01', '80', '0f', 'ff'.repeat(20)]) {
      assert.equal(parseSerialNumber(serial), serial);
    }
  });

  it('refuses anything else', async () => {
    for (const serial of [
      '',
      '0',
      '00',
      '0000',
      '0001',
      '1',
      'AB',
      '0x01',
      'ff'.repeat(21),
      '01\n',
      11,
      ['01'],
      7,
    ]) {
      await refuses('CERTIFICATE_MALFORMED', () => parseSerialNumber(serial));
    }
  });
});

describe('keyIdOf()', () => {
  it('gives 20 octets of the key bits alone', async () => {
    const { publicKeyDer } = generateSigner('ed25519');
    const hash = await crypto.subtle.digest('SHA-256', Uint8Array.from(publicKeyDer.subarray(-32)));
    assert.deepEqual(keyIdOf(publicKeyDer), new Uint8Array(hash).subarray(0, 20));
  });

  it('refuses what is no public key', async () => {
    await refuses('DER_MALFORMED', () => keyIdOf(Uint8Array.of(1, 2, 3)));
  });
});
