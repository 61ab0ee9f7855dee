import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { concatBytes } from '@immota/base';
import { createCertificateRequest, generateSigner, parseCertificateRequest } from '@immota/pki';

import {
  type Der,
  writeImplicit,
  writeInteger,
  writeNull,
  writeOid,
  writeSequence,
  writeSetOf,
  writeText,
} from '../../src/der/write.ts';
import { OID } from '../../src/oid.ts';
import { extension, forgeCertificateRequest, name, type RequestParts } from '../support/forge.ts';
import { makeScratch, openssl, skip } from '../support/openssl.ts';
import { refuses } from '../support/world.ts';

const key = generateSigner('ecdsa-p256');

function forgeRequest(parts: RequestParts = {}): Promise<Der> {
  return forgeCertificateRequest(key, parts);
}

function attribute(type: string, ...values: readonly Der[]): Der {
  return writeSequence(writeOid(type), writeSetOf(values));
}

const alternative = extension(
  OID.subjectAltName,
  writeSequence(writeImplicit(2, Buffer.from('veh-1.example.com'))),
);

describe('createCertificateRequest()', () => {
  for (const algorithm of ['ecdsa-p256', 'ed25519'] as const) {
    it(`asks for an ${algorithm} key, as openssl reads it`, { skip }, async () => {
      using scratch = makeScratch();
      const signer = generateSigner(algorithm);
      const subject = { commonName: 'veh-1', organization: 'Example' };
      const file = scratch.write('csr.der', await createCertificateRequest(signer, subject));
      const text = openssl('req', '-inform', 'DER', '-in', file, '-noout', '-verify', '-subject');
      assert.match(text, /verify OK/);
      assert.match(text, /subject=O = Example, CN = veh-1/);
    });
  }

  it('repeats a name that was given before, octet by octet', async () => {
    const first = parseCertificateRequest(await createCertificateRequest(key, { commonName: 'é' }));
    const again = parseCertificateRequest(await createCertificateRequest(key, first.subject));
    assert.deepEqual(again.subject.der, first.subject.der);
  });

  it('refuses keys that X.509 signatures are not made with here', async () => {
    for (const algorithm of ['rsa-pss', 'ml-dsa-65'] as const) {
      const signer = generateSigner(algorithm);
      await refuses('ALGORITHM', () => createCertificateRequest(signer, { commonName: 'x' }));
    }
  });

  it('refuses names that are empty, too long, or no text', async () => {
    for (const commonName of ['x', 'x'.repeat(64)]) {
      assert.ok(await createCertificateRequest(key, { commonName }));
      assert.ok(await createCertificateRequest(key, { commonName, organization: commonName }));
    }
    for (const commonName of ['', 'x'.repeat(65), '\ud800']) {
      await refuses('LIMIT', () => createCertificateRequest(key, { commonName }));
      await refuses('LIMIT', () =>
        createCertificateRequest(key, { commonName: 'x', organization: commonName }),
      );
    }
  });
});

describe('parseCertificateRequest()', () => {
  it('gives subject and key', async () => {
    const der = await forgeRequest();
    const request = parseCertificateRequest(der);
    assert.deepEqual(request.subject.der, Uint8Array.from(name('veh-1')));
    assert.deepEqual(request.publicKeyDer, key.publicKeyDer);
    assert.deepEqual(request.der, der);
    assert.equal(request.alternativeNames, undefined);
  });

  it('gives the names that it wishes for, and passes over other attributes', async () => {
    const challenge = attribute('1.2.840.113549.1.9.7', writeText('secret'));
    const wish = attribute(OID.extensionRequest, writeSequence(alternative));
    const { alternativeNames } = parseCertificateRequest(
      await forgeRequest({ attributes: [challenge, wish] }),
    );
    assert.deepEqual(alternativeNames?.dnsNames, ['veh-1.example.com']);
  });

  it('refuses a request by one who does not hold the key', async () => {
    const thief = generateSigner('ecdsa-p256');
    const stolen = { ...thief, publicKeyDer: key.publicKeyDer };
    const der = await createCertificateRequest(stolen, { commonName: 'veh-1' });
    await refuses('CSR_POSSESSION', () => parseCertificateRequest(der));
    const changed = Uint8Array.from(await forgeRequest());
    const at = Buffer.from(changed).indexOf('veh-1');
    changed[at + 4] = 0x32;
    await refuses('CSR_POSSESSION', () => parseCertificateRequest(changed));
  });

  it('refuses a signature of another kind than the key', async () => {
    const algorithm = writeSequence(writeOid(OID.ed25519));
    const der = await forgeRequest({ algorithm });
    await refuses('CSR_POSSESSION', () => parseCertificateRequest(der));
  });

  const wish = attribute(OID.extensionRequest, writeSequence(alternative));
  const malformed: Readonly<Record<string, RequestParts>> = {
    'another version': { version: writeInteger(1) },
    'fields behind the attributes': { tail: writeNull() },
    'bytes behind the signature': { outerTail: writeNull() },
    'wishes twice': { attributes: [wish, wish] },
    'two lists of wishes': {
      attributes: [attribute(OID.extensionRequest, writeSequence(), writeSequence(alternative))],
    },
    'no list of wishes': { attributes: [attribute(OID.extensionRequest)] },
    'wishes that are no list': { attributes: [attribute(OID.extensionRequest, writeNull())] },
    'an attribute with more fields': {
      attributes: [writeSequence(writeOid('1.2.3'), writeSetOf([]), writeNull())],
    },
  };
  for (const [what, parts] of Object.entries(malformed)) {
    it(`refuses ${what}`, async () => {
      const der = await forgeRequest(parts);
      await refuses('DER_MALFORMED', () => parseCertificateRequest(der));
    });
  }

  it('refuses more than 16 KiB', async () => {
    const der = await forgeRequest();
    const padded = (length: number): Uint8Array =>
      concatBytes([der, new Uint8Array(length - der.length)]);
    await refuses('DER_MALFORMED', () => parseCertificateRequest(padded(16_384)));
    await refuses('LIMIT', () => parseCertificateRequest(padded(16_385)));
  });
});
