import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { utf8 } from '@immota/base';
import {
  answerCaCerts,
  checkDevice,
  encodeEnrolmentRequest,
  encodePem,
  type EnrolmentContext,
  type EstMessage,
  fingerprintOf,
  generateSigner,
  parseCaCerts,
  parseCertificate,
  parseCertificatesPem,
  parseDeviceId,
  parseEnrolmentRequest,
  parseEnrolmentResponse,
  PkiFault,
  type PkiFaultCode,
  refuseEnrolment,
  simpleEnrol,
  simpleReenrol,
} from '@immota/pki';

import {
  type Der,
  writeImplicit,
  writeOid,
  writeSequence,
  writeSetOf,
} from '../../src/der/write.ts';
import { OID } from '../../src/oid.ts';
import {
  authority,
  extension,
  forge,
  forgeCertificateRequest,
  ISSUES,
  name,
  purposes,
  SIGNS,
} from '../support/forge.ts';
import { makeScratch, openssl, skip } from '../support/openssl.ts';
import { days, entropy, makeWorld, NOW, refuses } from '../support/world.ts';

const world = await makeWorld();
const context: EnrolmentContext = { issuer: world.devices, validity: days(365), entropy };
const checkContext = {
  intermediates: [world.devices.certificate],
  anchors: [world.root.certificate],
  at: NOW,
  isRevoked: () => false,
};
const known = checkDevice(world.device, checkContext);
const id = parseDeviceId('veh-9');
const key = generateSigner('ecdsa-p256');
const request = await encodeEnrolmentRequest(key, { commonName: 'veh-9' });

function decode(message: EstMessage): Buffer {
  return Buffer.from(Buffer.from(message.body).toString(), 'base64');
}

describe('simpleEnrol()', () => {
  it('certifies the key that the request proves, for the permitted device', async () => {
    const { deviceId, certificate, response } = await simpleEnrol(request, id, context);
    assert.equal(deviceId, 'veh-9');
    assert.equal(response.status, 200);
    assert.equal(response.isBase64, true);
    assert.equal(response.mediaType, 'application/pkcs7-mime; smime-type=certs-only');
    const received = parseEnrolmentResponse(response, key.publicKeyDer);
    assert.equal(fingerprintOf(received), fingerprintOf(certificate));
    assert.equal(checkDevice(received, checkContext).deviceId, 'veh-9');
  });

  it('refuses a request for another device than the permitted one, or for none', async () => {
    await refuses('EST_FORBIDDEN', () => simpleEnrol(request, parseDeviceId('veh-8'), context));
    await refuses('EST_FORBIDDEN', () => simpleEnrol(request, undefined, context));
  });

  it('takes an Ed25519 key too, and no key that TLS would not take', async () => {
    const signer = generateSigner('ed25519');
    const message = await encodeEnrolmentRequest(signer, { commonName: 'veh-9' });
    const { response } = await simpleEnrol(message, id, context);
    assert.ok(parseEnrolmentResponse(response, signer.publicKeyDer));
    await refuses('ALGORITHM', () =>
      encodeEnrolmentRequest(generateSigner('ml-dsa-65'), { commonName: 'veh-9' }),
    );
  });

  it('takes a request that openssl made', { skip }, async () => {
    for (const kind of [['rsa:2048'], ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']]) {
      using scratch = makeScratch();
      const out = ['-out', scratch.path('csr.der'), '-outform', 'DER'];
      const names = ['-subj', '/O=Other/CN=veh-9', '-addext', 'subjectAltName=DNS:veh-9.example'];
      const keyout = ['-keyout', scratch.path('key.pem'), '-nodes'];
      openssl('req', '-new', '-newkey', ...kind, ...keyout, ...names, ...out);
      const body = utf8(readFileSync(scratch.path('csr.der')).toString('base64'));
      const { certificate } = await simpleEnrol({ ...request, body }, id, context);
      // What else it wished for is not granted.
      assert.equal(certificate.alternativeNames, undefined);
      assert.equal(checkDevice(certificate, checkContext).deviceId, 'veh-9');
    }
  });

  it('gives openssl a container it can read', { skip }, async () => {
    using scratch = makeScratch();
    const { certificate, response } = await simpleEnrol(request, id, context);
    const file = scratch.write('answer.p7', decode(response));
    const pem = openssl('pkcs7', '-inform', 'DER', '-in', file, '-print_certs');
    assert.deepEqual(
      parseCertificatesPem(pem).map(({ der }) => der),
      [certificate.der],
    );
  });
});

describe('parseEnrolmentRequest()', () => {
  it('passes over how base64 is laid out and what parameters the type has', () => {
    const text = decode(request).toString('base64');
    const mediaType = ' Application/PKCS10 ; charset=x';
    const body = utf8(` ${text.replaceAll(/(.{10})/g, '$1\n\t')}\r\n`);
    assert.equal(parseEnrolmentRequest({ mediaType, body }).deviceId, 'veh-9');
  });

  it('refuses another media type, or none', async () => {
    for (const mediaType of ['application/pkcs7-mime', 'application/pkcs10x', undefined]) {
      await refuses('EST_MEDIA_TYPE', () => parseEnrolmentRequest({ ...request, mediaType }));
    }
  });

  it('refuses a body that is not base64, or empty', async () => {
    for (const body of [decode(request), utf8('!'), utf8(''), utf8('\r\n'), utf8('QQ')]) {
      await refuses('EST_MALFORMED', () => parseEnrolmentRequest({ ...request, body }));
    }
  });

  it('refuses a body above 32 KiB before it reads it', async () => {
    const spaces = (count: number): Uint8Array => {
      return utf8(Buffer.from(request.body).toString().padEnd(count, ' '));
    };
    assert.ok(parseEnrolmentRequest({ ...request, body: spaces(32_768) }));
    await refuses('LIMIT', () => parseEnrolmentRequest({ ...request, body: spaces(32_769) }));
  });

  it('refuses a subject that is no device, or several', async () => {
    const message = await encodeEnrolmentRequest(key, { commonName: 'no device' });
    await refuses('DEVICE_ID', () => parseEnrolmentRequest(message));
  });

  it('refuses a request signed by another key than the one it asks for', async () => {
    const thief = generateSigner('ecdsa-p256');
    const message = await encodeEnrolmentRequest(
      { ...thief, publicKeyDer: key.publicKeyDer },
      { commonName: 'veh-9' },
    );
    await refuses('CSR_POSSESSION', () => parseEnrolmentRequest(message));
  });
});

describe('simpleReenrol()', () => {
  it('renews a certificate, for a new key or the same one', async () => {
    for (const signer of [generateSigner('ecdsa-p256'), world.deviceKey]) {
      const message = await encodeEnrolmentRequest(signer, world.device.subject);
      const { certificate } = await simpleReenrol(message, known, context);
      assert.equal(checkDevice(certificate, checkContext).deviceId, 'veh-1');
      assert.deepEqual(certificate.subject.der, world.device.subject.der);
      assert.deepEqual(certificate.publicKeyDer, signer.publicKeyDer);
      assert.notEqual(certificate.serial, world.device.serial);
    }
  });

  it('refuses another device, and the same one under another name', async () => {
    for (const subject of [
      { commonName: 'veh-2', organization: 'Example Motors' },
      { commonName: 'veh-1' },
      { commonName: 'veh-1', organization: 'Another' },
    ]) {
      const message = await encodeEnrolmentRequest(key, subject);
      await refuses('CSR_SUBJECT', () => simpleReenrol(message, known, context));
    }
  });

  it('refuses alternative names that the certificate does not have', { skip }, async () => {
    using scratch = makeScratch();
    const make = async (...names: readonly string[]): Promise<EstMessage> => {
      const file = scratch.path('csr.der');
      const subject = ['-utf8', '-subj', '/O=Example Motors/CN=veh-1', ...names];
      const pem = scratch.write('key.pem', await exportKey());
      const string = scratch.write('req.cnf', REQUEST_CONFIGURATION);
      openssl(
        'req',
        '-new',
        '-config',
        string,
        '-key',
        pem,
        ...subject,
        '-out',
        file,
        '-outform',
        'DER',
      );
      return { ...request, body: utf8(readFileSync(file).toString('base64')) };
    };
    assert.ok(await simpleReenrol(await make(), known, context));
    for (const wish of ['DNS:veh-1', 'IP:127.0.0.1', 'URI:urn:x']) {
      const message = await make('-addext', `subjectAltName=${wish}`);
      await refuses('CSR_SUBJECT', () => simpleReenrol(message, known, context));
    }
  });
});

const address = (last: number): Der => writeImplicit(7, Uint8Array.of(10, 0, 0, last));

const names = (...parts: readonly Der[]): Der =>
  extension(OID.subjectAltName, writeSequence(...parts));

/** A request for `veh-1` that wishes for alternative names. */
async function ask(...parts: readonly Der[]): Promise<EstMessage> {
  const wish = writeSequence(
    writeOid(OID.extensionRequest),
    writeSetOf([writeSequence(names(...parts))]),
  );
  const der = await forgeCertificateRequest(key, { attributes: [wish] });
  return { ...request, body: utf8(Buffer.from(der).toString('base64')) };
}

describe('simpleReenrol() of a device with alternative names', () => {
  it('takes the same names and refuses others', async () => {
    const own = generateSigner('ecdsa-p256');
    const root = parseCertificate(
      await forge({
        signer: own,
        issuer: name('R'),
        subject: name('R'),
        publicKey: Uint8Array.from(own.publicKeyDer),
        extensions: [authority(), ISSUES],
      }),
    );
    const leaf = parseCertificate(
      await forge({
        signer: own,
        issuer: name('R'),
        subject: name('veh-1'),
        extensions: [purposes(OID.clientAuth), SIGNS, names(address(1))],
      }),
    );
    const client = checkDevice(leaf, { ...checkContext, anchors: [root], intermediates: [] });
    assert.ok(await simpleReenrol(await ask(address(1)), client, context));
    for (const parts of [[], [address(2)], [address(1), address(2)]]) {
      const message = await ask(...parts);
      await refuses('CSR_SUBJECT', () => simpleReenrol(message, client, context));
    }
    const none = await encodeEnrolmentRequest(key, leaf.subject);
    await refuses('CSR_SUBJECT', () => simpleReenrol(none, client, context));
  });
});

const REQUEST_CONFIGURATION = '[req]\nstring_mask = utf8only\ndistinguished_name = dn\n[dn]\n';

async function exportKey(): Promise<string> {
  const { exportPrivateKey } = await import('@immota/pki');
  return encodePem('PRIVATE KEY', exportPrivateKey(key));
}

describe('answerCaCerts()', () => {
  it('gives the authorities in order', () => {
    const certificates = [world.root.certificate, world.devices.certificate];
    const response = answerCaCerts(certificates);
    assert.equal(response.status, 200);
    assert.deepEqual(parseCaCerts(response), certificates);
    const lines = Buffer.from(response.body).toString().split('\r\n');
    assert.ok(lines.slice(0, -2).every((line) => line.length === 76));
    assert.equal(lines.at(-1), '');
  });
});

function many(count: number): EstMessage {
  return answerCaCerts(Array.from({ length: count }, () => world.device));
}

describe('parseEnrolmentResponse()', () => {
  it('refuses a certificate for another key, and more than one', async () => {
    const { response } = await simpleEnrol(request, id, context);
    await refuses('EST_MALFORMED', () =>
      parseEnrolmentResponse(response, world.deviceKey.publicKeyDer),
    );
    const two = answerCaCerts([world.device, world.root.certificate]);
    await refuses('EST_MALFORMED', () => parseEnrolmentResponse(two, world.deviceKey.publicKeyDer));
    const one = answerCaCerts([world.device]);
    assert.ok(parseEnrolmentResponse(one, world.deviceKey.publicKeyDer));
  });

  it('refuses a container without certificates, or with more than 64', async () => {
    await refuses('EST_MALFORMED', () => parseCaCerts(answerCaCerts([])));
    assert.equal(parseCaCerts(many(64)).length, 64);
    await refuses('LIMIT', () => parseCaCerts(many(65)));
  });

  it('refuses another media type', async () => {
    const response = answerCaCerts([world.device]);
    await refuses('EST_MEDIA_TYPE', () => parseCaCerts({ ...response, mediaType: 'text/plain' }));
  });
});

function statusOf(code: PkiFaultCode): number {
  return refuseEnrolment(new PkiFault(code, 'why')).status;
}

describe('refuseEnrolment()', () => {
  it('tells the client whose fault it was', () => {
    assert.equal(statusOf('CSR_POSSESSION'), 400);
    assert.equal(statusOf('EST_MALFORMED'), 400);
    assert.equal(statusOf('DEVICE_ID'), 400);
    assert.equal(statusOf('EST_FORBIDDEN'), 403);
    assert.equal(statusOf('CSR_SUBJECT'), 403);
    assert.equal(statusOf('LIMIT'), 413);
    assert.equal(statusOf('EST_MEDIA_TYPE'), 415);
    assert.equal(statusOf('ISSUE_REFUSED'), 500);
    assert.equal(statusOf('PKCS11_FAILED'), 500);
    assert.equal(statusOf('PKCS11_PIN_LOCKED'), 500);
  });

  it('says it in plain text with the code', () => {
    const { body, mediaType, isBase64 } = refuseEnrolment(new PkiFault('LIMIT', 'Cannot: x'));
    assert.equal(Buffer.from(body).toString(), 'LIMIT: Cannot: x\n');
    assert.equal(mediaType, 'text/plain; charset=utf-8');
    assert.equal(isBase64, false);
  });
});
