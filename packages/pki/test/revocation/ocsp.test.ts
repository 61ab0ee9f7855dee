import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import {
  advanceRevocationList,
  answerOcsp,
  type Certificate,
  emptyRevocationList,
  encodeCertificatesPem,
  encodeOcspRefusal,
  type OcspContext,
  type RevocationReason,
} from '@immota/pki';

import { writeSequence } from '../../src/der/write.ts';
import { makeQuestion, type OddQuestion, statusOf } from '../support/ocsp.ts';
import { makeScratch, openssl, type Scratch, skip, tryOpenssl } from '../support/openssl.ts';
import { makeWorld, NOW, refuses } from '../support/world.ts';

const world = await makeWorld();
const { devices, device, root, servers, server } = world;
const empty = emptyRevocationList(devices.certificate);
const context: OcspContext = {
  issuer: devices,
  list: empty,
  isIssued: (serial) => serial === device.serial,
  thisUpdate: NOW,
  nextUpdate: NOW.add({ hours: 1 }),
};

function writePem(scratch: Scratch, name: string, certificate: Certificate): string {
  return scratch.write(name, encodeCertificatesPem([certificate]));
}

/** Makes a request with openssl. */
function ask(
  scratch: Scratch,
  certificate: Certificate,
  ...options: readonly string[]
): Uint8Array {
  const issuer = writePem(scratch, 'issuer.pem', devices.certificate);
  const cert = writePem(scratch, 'cert.pem', certificate);
  const out = scratch.path('request.der');
  openssl('ocsp', '-issuer', issuer, ...options, '-cert', cert, '-reqout', out);
  return readFileSync(out);
}

/** Has openssl check an answer to the request made before, and tell what it says. */
function check(scratch: Scratch, answer: Uint8Array, ...options: readonly string[]): string {
  const { output } = tryOpenssl(
    'ocsp',
    ...options,
    '-respin',
    scratch.write('response.der', answer),
    '-reqin',
    scratch.path('request.der'),
    '-CAfile',
    writePem(scratch, 'root.pem', root.certificate),
    '-verify_other',
    scratch.path('issuer.pem'),
    '-attime',
    String(NOW.epochMilliseconds / 1000),
    '-resp_text',
  );
  return output;
}

const ask166 = async (odd: OddQuestion, list = empty): Promise<number | undefined> => {
  const question = makeQuestion(devices.certificate, device.serial, odd);
  const request = writeSequence(writeSequence(writeSequence(question)));
  return statusOf(await answerOcsp(request, { ...context, list }));
};

describe('answerOcsp()', () => {
  for (const digest of ['-sha1', '-sha256']) {
    it(`answers good, with the nonce, to a question by ${digest}`, { skip }, async () => {
      using scratch = makeScratch();
      const answer = await answerOcsp(ask(scratch, device, digest), context);
      const output = check(scratch, answer);
      assert.match(output, /Response verify OK/);
      assert.match(output, /Cert Status: good/);
      assert.match(output, /OCSP Nonce: \n/);
      assert.doesNotMatch(output, /WARNING: no nonce|Nonce Verify error/);
      assert.match(output, /Produced At: Jun {2}1 12:00:00 2026 GMT/);
      assert.match(output, /Next Update: Jun {2}1 13:00:00 2026 GMT/);
    });
  }

  it('answers without a nonce where none was asked', { skip }, async () => {
    using scratch = makeScratch();
    const answer = await answerOcsp(ask(scratch, device, '-no_nonce'), context);
    const output = check(scratch, answer, '-no_nonce');
    assert.match(output, /Cert Status: good/);
    assert.doesNotMatch(output, /OCSP Nonce/);
  });

  for (const [reason, shown] of [
    ['keyCompromise', 'keyCompromise'],
    ['unspecified', undefined],
  ] as const satisfies readonly (readonly [RevocationReason, string | undefined])[]) {
    it(`answers revoked, when and why: ${reason}`, { skip }, async () => {
      using scratch = makeScratch();
      const at = NOW.subtract({ hours: 2 });
      const list = advanceRevocationList(empty, [{ serial: device.serial, reason, at }]);
      const answer = await answerOcsp(ask(scratch, device), { ...context, list });
      const output = check(scratch, answer);
      assert.match(output, /Response verify OK/);
      assert.match(output, /Cert Status: revoked/);
      assert.match(output, /Revocation Time: Jun {2}1 10:00:00 2026 GMT/);
      assert.equal(/Revocation Reason: (\w+)/.exec(output)?.[1], shown);
    });
  }

  it('answers unknown for a number that was never issued', { skip }, async () => {
    using scratch = makeScratch();
    const answer = await answerOcsp(ask(scratch, device), { ...context, isIssued: () => false });
    assert.match(check(scratch, answer), /Cert Status: unknown/);
  });

  it('answers unknown for another authority’s certificate, revoked or not', { skip }, async () => {
    using scratch = makeScratch();
    const list = advanceRevocationList(emptyRevocationList(servers.certificate), [
      { serial: device.serial, reason: 'superseded', at: NOW },
    ]);
    const request = ask(scratch, device);
    const answer = await answerOcsp(request, {
      ...context,
      issuer: servers,
      list,
      isIssued: () => true,
    });
    writePem(scratch, 'issuer.pem', servers.certificate);
    assert.match(check(scratch, answer), /Cert Status: unknown/);
  });

  it('answers each of several questions', { skip }, async () => {
    using scratch = makeScratch();
    const second = writePem(scratch, 'second.pem', server);
    const request = ask(scratch, device, '-cert', second);
    const output = check(scratch, await answerOcsp(request, context));
    assert.match(
      output,
      /Cert Status: good[^]*Cert Status: unknown|Cert Status: unknown[^]*Cert Status: good/,
    );
  });

  it('is not believed when it is signed by another', { skip }, async () => {
    using scratch = makeScratch();
    const answer = await answerOcsp(ask(scratch, device), {
      ...context,
      issuer: { ...devices, signer: servers.signer },
    });
    assert.match(check(scratch, answer), /Response Verify Failure/);
  });

  it('tells that a request is malformed, as openssl understands it', { skip }, async () => {
    using scratch = makeScratch();
    ask(scratch, device);
    const answer = await answerOcsp(new Uint8Array([0x30, 0x00]), context);
    assert.match(check(scratch, answer), /malformedrequest \(1\)/);
    assert.match(check(scratch, encodeOcspRefusal('internalError')), /internalerror \(2\)/);
  });

  it('refuses to answer from the list of another authority', { skip }, async () => {
    const list = emptyRevocationList(root.certificate);
    await refuses('ISSUE_REFUSED', () => answerOcsp(new Uint8Array(), { ...context, list }));
  });
});

describe('answerOcsp(), asked by hand', () => {
  it('answers good when digest, name and key are right', async () => {
    assert.equal(await ask166({}), 0x80);
  });

  it('answers unknown to another digest, name or key', async () => {
    for (const odd of [
      { algorithm: '1.2.3' },
      { name: new Uint8Array(32) },
      { key: new Uint8Array(32) },
    ]) {
      assert.equal(await ask166(odd), 0x82);
    }
  });

  it('answers revoked', async () => {
    const revocation = { serial: device.serial, reason: 'superseded', at: NOW } as const;
    assert.equal(await ask166({}, advanceRevocationList(empty, [revocation])), 0xa1);
  });
});
