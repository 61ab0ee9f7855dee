import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  type Certificate,
  checkChain,
  generateSigner,
  issueServerCertificate,
  openAuthority,
  parseCertificate,
} from '@immota/pki';

import {
  type Der,
  writeExplicit,
  writeImplicit,
  writeSequence,
  writeText,
} from '../../src/der/write.ts';
import { OID } from '../../src/oid.ts';
import {
  attribute,
  authority,
  extension,
  forge,
  ISSUES,
  name,
  purposes,
  SIGNS,
} from '../support/forge.ts';
import { days, entropy, NOW, refuses } from '../support/world.ts';

const key = generateSigner('ecdsa-p256');
const dns = (text: string): Der => writeImplicit(2, Buffer.from(text));
const ip = (...octets: readonly number[]): Der => writeImplicit(7, Uint8Array.from(octets));
const directory = (der: Der): Der => writeExplicit(4, der);
const organization = (text: string): Der => attribute(OID.organizationName, writeText(text));
const common = (text: string): Der => attribute(OID.commonName, writeText(text));

interface Rules {
  readonly permitted?: readonly Der[];
  readonly excluded?: readonly Der[];
}
async function makeAnchor({ permitted, excluded }: Rules): Promise<Certificate> {
  const value = writeSequence(list(0, permitted), list(1, excluded));
  return parseCertificate(
    await forge({
      signer: key,
      issuer: name('R'),
      subject: name('R'),
      publicKey: Uint8Array.from(key.publicKeyDer),
      extensions: [authority(), ISSUES, extension(OID.nameConstraints, value, true)],
    }),
  );
}

async function check(rules: Rules, names: readonly Der[], subject = name('x')): Promise<unknown> {
  const leaf = parseCertificate(
    await forge({
      signer: key,
      issuer: name('R'),
      subject,
      extensions: [
        purposes(OID.serverAuth),
        SIGNS,
        extension(OID.subjectAltName, writeSequence(...names)),
      ],
    }),
  );
  const anchors = [await makeAnchor(rules)];
  return checkChain(leaf, 'server', { intermediates: [], anchors, at: NOW });
}

async function holds(rules: Rules, good: readonly Der[], bad: readonly Der[]): Promise<void> {
  for (const one of good) assert.ok(await check(rules, [one]));
  for (const one of bad) await refuses('CHAIN_NAME', () => check(rules, [one]));
}

const list = (number: number, bases: readonly Der[] | undefined): Der | undefined =>
  bases && writeExplicit(number, ...bases.map((base) => writeSequence(base)));

const sixteen = (last: number): readonly number[] => [...Array.from({ length: 15 }, () => 0), last];

const request = (host: string) => ({
  publicKeyDer: generateSigner('ecdsa-p256').publicKeyDer,
  dnsNames: [host],
  validity: days(10),
  entropy,
});

describe('name constraints', () => {
  it('permit a DNS name and what is below it', async () => {
    await holds(
      { permitted: [dns('example.com'), dns('example.org')] },
      ['example.com', 'a.example.com', 'b.a.example.com', '*.example.com', 'EXAMPLE.org'].map(dns),
      ['example.net', 'badexample.com', 'com', 'example.com.evil.net', '*.com'].map(dns),
    );
  });

  it('exclude a DNS name, what is below it, and wildcards that reach it', async () => {
    await holds(
      { excluded: [dns('example.com')] },
      ['example.org', 'badexample.com', 'com', '*.example.org', '*.badexample.com'].map(dns),
      ['example.com', 'a.example.com', '*.example.com', '*.com'].map(dns),
    );
  });

  it('exclude within what they permit', async () => {
    await holds(
      { permitted: [dns('example.com')], excluded: [dns('secret.example.com')] },
      ['a.example.com', '*.b.example.com'].map(dns),
      ['a.secret.example.com', '*.example.com', 'example.org'].map(dns),
    );
  });

  it('exclude every DNS name by the empty one, and permit every one', async () => {
    await holds({ excluded: [dns('')] }, [ip(1, 2, 3, 4)], [dns('example.com'), dns('a')]);
    await holds({ permitted: [dns('')] }, [dns('example.com'), ip(1, 2, 3, 4)], []);
  });

  it('permit and exclude ranges of addresses by their mask', async () => {
    const range = ip(10, 1, 0, 0, 255, 255, 0, 0);
    const [inside, outside] = [ip(10, 1, 2, 3), ip(10, 2, 2, 3)];
    const long = ip(...Array.from({ length: 16 }, () => 10));
    await holds({ permitted: [range] }, [inside, dns('a')], [outside, long]);
    await holds({ excluded: [range] }, [outside, long], [inside]);
    const mask = Array.from({ length: 16 }, () => 255);
    const loopback = ip(...sixteen(1), ...mask);
    await holds({ permitted: [loopback] }, [ip(...sixteen(1))], [ip(...sixteen(2)), inside]);
    const odd = ip(10, 0, 0, 0x80, 255, 255, 255, 0xc0);
    await holds(
      { permitted: [odd] },
      [ip(10, 0, 0, 0xbf)],
      [ip(10, 0, 0, 0xc0), ip(10, 0, 0, 0x7f)],
    );
  });

  it('permit and exclude names that begin alike', async () => {
    const base = directory(writeSequence(organization('A')));
    const one = writeSequence(organization('A'), common('x'));
    const other = writeSequence(organization('B'), common('x'));
    const turned = writeSequence(common('x'), organization('A'));
    const same = writeSequence(organization('A'));
    for (const subject of [one, same, writeSequence()]) {
      assert.ok(await check({ permitted: [base] }, [], subject));
    }
    for (const subject of [other, turned, name('x')]) {
      await refuses('CHAIN_NAME', () => check({ permitted: [base] }, [], subject));
      assert.ok(await check({ excluded: [base] }, [], subject));
    }
    await refuses('CHAIN_NAME', () => check({ excluded: [base] }, [], one));
    const longer = directory(one);
    await refuses('CHAIN_NAME', () => check({ permitted: [longer] }, [], same));
  });

  it('ask nothing of a certificate without alternative names', async () => {
    const rules = { permitted: [dns('example.com'), ip(1, 2, 3, 4, 255, 255, 255, 255)] };
    const leaf = parseCertificate(
      await forge({
        signer: key,
        issuer: name('R'),
        extensions: [purposes(OID.serverAuth), SIGNS],
      }),
    );
    const anchors = [await makeAnchor(rules)];
    assert.ok(checkChain(leaf, 'server', { intermediates: [], anchors, at: NOW }));
  });

  it('hold every name of a certificate, not only one', async () => {
    const rules = { permitted: [dns('example.com')] };
    const names = [dns('a.example.com'), dns('evil.net')];
    await refuses('CHAIN_NAME', () => check(rules, names));
    await refuses('CHAIN_NAME', () => check(rules, names.toReversed()));
  });

  it('keep an authority from issuing what nobody would believe', async () => {
    const certificate = parseCertificate(
      await forge({
        signer: key,
        subject: name('S'),
        publicKey: Uint8Array.from(key.publicKeyDer),
        extensions: [authority(0), ISSUES, purposes(OID.serverAuth)],
      }),
    );
    const anchor = await makeAnchor({ permitted: [dns('example.com')] });
    const issuer = openAuthority([certificate, anchor], key);
    assert.ok(await issueServerCertificate(issuer, request('a.example.com')));
    await refuses('CHAIN_NAME', () => issueServerCertificate(issuer, request('example.net')));
    const free = openAuthority([certificate], key);
    assert.ok(await issueServerCertificate(free, request('example.net')));
  });
});
