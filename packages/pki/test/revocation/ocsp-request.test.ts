import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { concatBytes } from '@immota/base';
import type { PkiFaultCode } from '@immota/pki';

import {
  type Der,
  writeDer,
  writeExplicit,
  writeInteger,
  writeNull,
  writeOctets,
  writeOid,
  writeSequence,
} from '../../src/der/write.ts';
import { OID } from '../../src/oid.ts';
import { parseOcspRequest } from '../../src/revocation/ocsp-request.ts';
import { extension } from '../support/forge.ts';
import { makeNonce, makeOcspRequest, makeQuestion } from '../support/ocsp.ts';
import { makeWorld, refuses } from '../support/world.ts';

const world = await makeWorld();
const issuer = world.devices.certificate;
const question = makeQuestion(issuer, '4711');

function wrap(...parts: readonly Der[]): Der {
  return writeSequence(writeSequence(...parts));
}

function withExtensions(...extensions: readonly Der[]): Der {
  return wrap(writeSequence(question), writeExplicit(2, writeSequence(...extensions)));
}

function ask(id: Der): Der {
  return wrap(writeSequence(writeSequence(id)));
}

const digest = writeOctets(new Uint8Array(20));
const sha1 = writeSequence(writeOid(OID.sha1));

const many = (count: number): Der =>
  makeOcspRequest(
    issuer,
    Array.from({ length: count }, () => '01'),
  );

const other = (isCritical: boolean): Der => extension('1.2.3', writeNull(), isCritical);

describe('parseOcspRequest()', () => {
  it('gives questions and nonce', () => {
    const nonce = Uint8Array.of(7, 8, 9);
    const request = parseOcspRequest(makeOcspRequest(issuer, ['4711', 'ff'], nonce));
    assert.deepEqual(
      request.questions.map(({ serial }) => serial),
      ['4711', 'ff'],
    );
    assert.equal(request.questions[0]?.digest, 'sha256');
    assert.equal(request.questions[0].issuerNameDigest.length, 32);
    assert.deepEqual(request.nonce, writeOctets(nonce));
    assert.equal(parseOcspRequest(makeOcspRequest(issuer, ['4711'])).nonce, undefined);
  });

  it('passes over who asks, and a signature', () => {
    const requestor = writeExplicit(1, writeExplicit(4, writeSequence()));
    const parts = writeSequence(requestor, writeSequence(question));
    const signed = writeSequence(parts, writeExplicit(0, writeSequence()));
    assert.equal(parseOcspRequest(signed).questions.length, 1);
  });

  it('knows digests with and without parameters, and others not', () => {
    for (const [algorithm, expected] of [
      [sha1, 'sha1'],
      [writeSequence(writeOid(OID.sha1), writeNull()), 'sha1'],
      [writeSequence(writeOid(OID.sha256)), 'sha256'],
      [writeSequence(writeOid('1.2.3')), undefined],
    ] as const) {
      const id = writeSequence(algorithm, digest, digest, writeInteger(1));
      assert.equal(parseOcspRequest(ask(id)).questions[0]?.digest, expected);
    }
  });

  it('takes 1 to 16 questions', async () => {
    assert.equal(parseOcspRequest(many(16)).questions.length, 16);
    await refuses('LIMIT', () => parseOcspRequest(many(17)));
    await refuses('OCSP_MALFORMED', () => parseOcspRequest(many(0)));
  });

  it('takes nonces of 1 to 128 octets', async () => {
    for (const length of [1, 128]) {
      const nonce = new Uint8Array(length);
      assert.ok(parseOcspRequest(makeOcspRequest(issuer, ['01'], nonce)).nonce);
    }
    for (const length of [0, 129]) {
      const nonce = new Uint8Array(length);
      await refuses('OCSP_MALFORMED', () =>
        parseOcspRequest(makeOcspRequest(issuer, ['01'], nonce)),
      );
    }
  });

  it('passes over other extensions unless they are critical', async () => {
    assert.equal(parseOcspRequest(withExtensions(other(false))).nonce, undefined);
    await refuses('CERTIFICATE_UNSUPPORTED', () => parseOcspRequest(withExtensions(other(true))));
    const single = (isCritical: boolean): Der => {
      const more = writeExplicit(0, writeSequence(other(isCritical)));
      return wrap(writeSequence(makeQuestion(issuer, '01', {}, more)));
    };
    assert.ok(parseOcspRequest(single(false)));
    await refuses('CERTIFICATE_UNSUPPORTED', () => parseOcspRequest(single(true)));
    const critical = extension(OID.ocspNonce, writeOctets(Uint8Array.of(1)), true);
    assert.ok(parseOcspRequest(withExtensions(critical)).nonce);
  });

  const good = writeSequence(sha1, digest, digest, writeInteger(1));
  const bad: readonly (readonly [what: string, code: PkiFaultCode, bytes: Der])[] = [
    [
      'a version',
      'OCSP_MALFORMED',
      wrap(writeExplicit(0, writeInteger(0)), writeSequence(question)),
    ],
    ['two nonces', 'OCSP_MALFORMED', withExtensions(makeNonce(digest), makeNonce(digest))],
    [
      'a nonce that is none',
      'DER_MALFORMED',
      withExtensions(extension(OID.ocspNonce, writeNull())),
    ],
    ['nothing', 'DER_MALFORMED', writeSequence()],
    ['fields behind it', 'DER_MALFORMED', wrap(writeSequence(question), writeNull())],
    [
      'fields behind the signature',
      'DER_MALFORMED',
      writeSequence(writeSequence(writeSequence(question)), writeNull()),
    ],
    ['a question that is none', 'DER_MALFORMED', wrap(writeSequence(writeNull()))],
    ['a question that is a set', 'DER_MALFORMED', wrap(writeSequence(writeDer(0x31, good)))],
    [
      'a question with more',
      'DER_MALFORMED',
      wrap(writeSequence(writeSequence(good, writeNull()))),
    ],
    ['an id with more', 'DER_MALFORMED', ask(concat(good))],
    ['an id with less', 'DER_MALFORMED', ask(writeSequence(sha1, digest, digest))],
    [
      'a digest with more',
      'DER_MALFORMED',
      ask(
        writeSequence(
          writeSequence(writeOid(OID.sha1), writeNull(), writeNull()),
          digest,
          digest,
          writeInteger(1),
        ),
      ),
    ],
    [
      'a number of zero',
      'CERTIFICATE_MALFORMED',
      ask(writeSequence(sha1, digest, digest, writeInteger(0))),
    ],
    [
      'two lists of extensions',
      'DER_MALFORMED',
      wrap(writeSequence(question), writeExplicit(2, writeSequence(), writeSequence())),
    ],
  ];
  for (const [what, code, bytes] of bad) {
    it(`refuses ${what}`, async () => {
      await refuses(code, () => parseOcspRequest(bytes));
    });
  }

  it('takes the one that the bad ones were made from', () => {
    assert.equal(parseOcspRequest(ask(good)).questions[0]?.serial, '01');
  });

  it('refuses more than 4 KiB', async () => {
    const request = makeOcspRequest(issuer, ['01']);
    const padded = (length: number): Uint8Array =>
      concatBytes([request, new Uint8Array(length - request.length)]);
    await refuses('DER_MALFORMED', () => parseOcspRequest(padded(4096)));
    await refuses('LIMIT', () => parseOcspRequest(padded(4097)));
  });
});

function concat(id: Der): Der {
  return writeSequence(id.subarray(2), writeNull());
}
