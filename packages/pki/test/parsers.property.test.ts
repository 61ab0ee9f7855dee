/** Laws for every reader of bytes from outside: a refusal with a code, never a crash or a hang. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { utf8 } from '@immota/base';
import {
  answerCaCerts,
  answerOcsp,
  checkChain,
  createCertificateRequest,
  decodeKeyContainer,
  emptyRevocationList,
  encodeKeyContainer,
  encodePem,
  generateSigner,
  parseCaCerts,
  parseCertificate,
  parseCertificateRequest,
  parseCertificatesPem,
  parseEnrolmentRequest,
  parsePublicKey,
  PkiFault,
  signerFromPrivateKey,
  exportPrivateKey,
} from '@immota/pki';

import { parseOcspRequest } from '../src/revocation/ocsp-request.ts';
import { makeOcspRequest } from './support/ocsp.ts';
import { entropy, makeWorld, NOW } from './support/world.ts';

const world = await makeWorld();
const key = generateSigner('ecdsa-p256');
const csr = await createCertificateRequest(key, { commonName: 'veh-1', organization: 'Example' });
const ocsp = makeOcspRequest(world.devices.certificate, [world.device.serial], Uint8Array.of(1, 2));
const cacerts = answerCaCerts([world.root.certificate, world.devices.certificate]);
const cost = { memoryKib: 19_456, passes: 2, lanes: 1 };
const passphrase = 'correct horse';
const container = encodeKeyContainer(key, { passphrase, entropy, cost });

/** Gives what was read, or undefined when it was refused with a code; anything else fails the test. */
function readOrRefuse<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof PkiFault) return undefined;
    throw error;
  }
}

/** A good input in which octets were changed, put in, taken out or cut off. */
function damaged(good: Uint8Array): fc.Arbitrary<Uint8Array> {
  const place = fc.nat(good.length - 1);
  const octets = fc.uint8Array({ maxLength: 4 });
  return fc
    .array(fc.record({ at: place, remove: fc.nat(4), insert: octets }), { maxLength: 4 })
    .map((edits) => {
      let bytes = Buffer.from(good);
      for (const { at, remove, insert } of edits) {
        bytes = Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + remove)]);
      }
      return new Uint8Array(bytes);
    });
}

/** Octets that look like DER: tags that occur, lengths that may lie, nested. */
const derLike: fc.Arbitrary<Uint8Array> = fc
  .array(
    fc.record({
      tag: fc.constantFrom(
        1,
        2,
        3,
        4,
        5,
        6,
        0x0c,
        0x13,
        0x17,
        0x18,
        0x30,
        0x31,
        0x80,
        0x82,
        0xa0,
        0xa3,
      ),
      length: fc.constantFrom(0, 1, 2, 5, 0x7f, 0x80, 0x81, 0x82, 0x83, 0x84, 0xff),
      content: fc.uint8Array({ maxLength: 12 }),
    }),
    { maxLength: 40 },
  )
  .map((parts) => {
    const bytes = parts.flatMap(({ tag, length, content }) => [tag, length, ...content]);
    return Uint8Array.from([0x30, 0x82, bytes.length >> 8, bytes.length & 255, ...bytes]);
  });

function outside(good: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc.oneof(damaged(good), derLike, fc.uint8Array({ maxLength: 300 }));
}

const json = (text: string): Uint8Array => utf8(text);

describe('reading bytes from outside', () => {
  it('refuses or reads a certificate, and never believes a changed one', () => {
    const context = {
      intermediates: [world.devices.certificate],
      anchors: [world.root.certificate],
      at: NOW,
    };
    fc.assert(
      fc.property(outside(world.device.der), (bytes) => {
        const certificate = readOrRefuse(() => parseCertificate(bytes));
        if (certificate === undefined) return;
        assert.deepEqual(certificate.der, bytes);
        const chain = readOrRefuse(() => checkChain(certificate, 'device', context));
        // What is signed has one reading. ECDSA signatures do have two, so those octets may differ.
        if (chain !== undefined) assert.deepEqual(certificate.tbsDer, world.device.tbsDer);
      }),
    );
  });

  it('refuses or reads a certificate request, and never one that its key did not sign', () => {
    const good = parseCertificateRequest(csr);
    fc.assert(
      fc.property(outside(csr), (bytes) => {
        const request = readOrRefuse(() => parseCertificateRequest(bytes));
        if (request === undefined) return;
        assert.deepEqual(request.subject, good.subject);
        assert.deepEqual(request.publicKeyDer, key.publicKeyDer);
      }),
    );
  });

  it('refuses or reads an enrolment body', () => {
    const body = utf8(Buffer.from(csr).toString('base64'));
    fc.assert(
      fc.property(fc.oneof(outside(body), fc.string().map(utf8)), (bytes) => {
        readOrRefuse(() => parseEnrolmentRequest({ mediaType: 'application/pkcs10', body: bytes }));
      }),
    );
  });

  it('refuses or reads a body of certificates', () => {
    const der = Buffer.from(Buffer.from(cacerts.body).toString(), 'base64');
    fc.assert(
      fc.property(outside(der), (bytes) => {
        const body = utf8(Buffer.from(bytes).toString('base64'));
        readOrRefuse(() => parseCaCerts({ ...cacerts, body }));
      }),
    );
  });

  it('refuses or reads an OCSP request, and answers either', async () => {
    const list = emptyRevocationList(world.devices.certificate);
    const dates = { thisUpdate: NOW, nextUpdate: NOW.add({ hours: 1 }) };
    const context = { issuer: world.devices, list, isIssued: () => true, ...dates };
    await fc.assert(
      fc.asyncProperty(outside(ocsp), async (bytes) => {
        const request = readOrRefuse(() => parseOcspRequest(bytes));
        const answer = await answerOcsp(bytes, context);
        assert.equal(answer.length > 10, request !== undefined);
      }),
    );
  });

  it('refuses or reads keys', () => {
    const privateKey = exportPrivateKey(key);
    fc.assert(
      fc.property(outside(key.publicKeyDer), outside(privateKey), (publicDer, privateDer) => {
        readOrRefuse(() => parsePublicKey(publicDer));
        readOrRefuse(() => signerFromPrivateKey(privateDer));
      }),
    );
  });

  it('refuses or reads PEM in a time that grows with its length alone', () => {
    const pem = utf8(encodePem('CERTIFICATE', world.device.der));
    fc.assert(
      fc.property(outside(pem), (bytes) => {
        readOrRefuse(() => parseCertificatesPem(Buffer.from(bytes).toString('latin1')));
      }),
    );
    const begin = '-----BEGIN CERTIFICATE-----\n';
    for (const text of [
      begin.repeat(100_000),
      begin + 'A\n'.repeat(1_000_000),
      '-'.repeat(2_000_000),
    ]) {
      assert.equal(
        readOrRefuse(() => parseCertificatesPem(text)),
        undefined,
      );
    }
  });

  it('opens no key container but the one that was sealed', () => {
    const changed = fc.oneof(damaged(container), fc.json().map(json), fc.uint8Array());
    fc.assert(
      fc.property(changed, (bytes) => {
        const signer = readOrRefuse(() => decodeKeyContainer(bytes, passphrase));
        if (signer !== undefined) assert.deepEqual(signer.publicKeyDer, key.publicKeyDer);
      }),
      { numRuns: 60 },
    );
  });
});
