import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { concatBytes } from '@immota/base';
import { type Certificate, parseCertificate, type PkiFaultCode } from '@immota/pki';

import {
  type Der,
  writeBoolean,
  writeDer,
  writeExplicit,
  writeImplicit,
  writeInteger,
  writeNull,
  writeOctets,
  writeOid,
  writeSequence,
} from '../../src/der/write.ts';
import { OID } from '../../src/oid.ts';
import { authority, extension, forge, name, purposes, usage } from '../support/forge.ts';
import { refuses } from '../support/world.ts';

async function parse(...extensions: readonly Der[]): Promise<Certificate> {
  return parseCertificate(await forge({ extensions }));
}

async function refusesExtension(code: PkiFaultCode, ...extensions: readonly Der[]): Promise<void> {
  const der = await forge({ extensions });
  await refuses(code, () => parseCertificate(der));
}

function constraints(...parts: readonly Der[]): Der {
  return extension(OID.basicConstraints, writeSequence(...parts), true);
}

const UNKNOWN = '1.2.3.4';

const unknownExtensions = (count: number): readonly Der[] =>
  Array.from({ length: count }, (_, index) => extension(`1.2.3.${index}`, writeNull()));

const altNames = (...parts: readonly Der[]): Der =>
  extension(OID.subjectAltName, writeSequence(...parts));

const dns = (value: string): Der => writeImplicit(2, Buffer.from(value, 'latin1'));

const manyNames = (count: number): Der =>
  altNames(...Array.from({ length: count }, () => dns('a')));

const makeConstraints = (...parts: readonly Der[]): Der =>
  extension(OID.nameConstraints, writeSequence(...parts), true);

const dnsName = (text: string): Der => writeImplicit(2, Buffer.from(text));

const manySubtrees = (count: number): Der =>
  permit(...Array.from({ length: count }, () => writeImplicit(2, Buffer.from('a'))));

const forgeSubject = (count: number, length: number): Promise<Der> => {
  const value = writeDer(0x0c, Buffer.from('x'.repeat(length)));
  const relative = writeDer(0x31, writeSequence(writeOid(OID.commonName), value));
  return forge({ subject: writeSequence(...Array.from({ length: count }, () => relative)) });
};

const permit = (...bases: readonly Der[]): Der =>
  makeConstraints(writeExplicit(0, ...bases.map((base) => writeSequence(base))));

describe('the extensions of a certificate', () => {
  it('passes over an unknown one that is not critical', async () => {
    assert.ok(await parse(extension(UNKNOWN, writeNull())));
    assert.ok(await parse(extension(UNKNOWN, Uint8Array.of(0xff))));
  });

  it('refuses an unknown one that is critical', async () => {
    await refusesExtension('CERTIFICATE_UNSUPPORTED', extension(UNKNOWN, writeNull(), true));
    await refusesExtension(
      'CERTIFICATE_UNSUPPORTED',
      extension(OID.authorityKeyIdentifier, writeSequence(), true),
    );
  });

  it('takes those that it understands when they are critical', async () => {
    const names = extension(OID.subjectAltName, writeSequence(), true);
    const critical = writeSequence(writeOid(OID.clientAuth));
    const permitted = extension(OID.nameConstraints, writeSequence(), true);
    const purpose = extension(OID.extendedKeyUsage, critical, true);
    const { purposes: read } = await parse(names, purpose, permitted, usage(7, 0x80), authority());
    assert.deepEqual(read, [OID.clientAuth]);
  });

  it('refuses one that repeats', async () => {
    await refusesExtension('CERTIFICATE_MALFORMED', authority(), authority());
    const unknown = extension(UNKNOWN, writeNull());
    await refusesExtension('CERTIFICATE_MALFORMED', unknown, unknown);
  });

  it('takes 32 and refuses more', async () => {
    assert.ok(await parse(...unknownExtensions(32)));
    await refusesExtension('LIMIT', ...unknownExtensions(33));
  });

  it('refuses what is no extension', async () => {
    for (const wrong of [
      writeNull(),
      writeSequence(writeOid(UNKNOWN)),
      writeSequence(writeOid(UNKNOWN), writeBoolean(false), writeOctets(writeNull())),
      writeSequence(writeOid(UNKNOWN), writeOctets(writeNull()), writeNull()),
      writeDer(0x31, concatBytes([writeOid(UNKNOWN), writeOctets(writeNull())])),
    ]) {
      await refusesExtension('DER_MALFORMED', wrong);
    }
    const twice = writeExplicit(3, writeSequence(), writeSequence());
    const der = await forge({ extensions: undefined, tail: twice });
    await refuses('DER_MALFORMED', () => parseCertificate(der));
  });
});

describe('basicConstraints', () => {
  it('tells authorities from others, with their path length', async () => {
    assert.equal((await parse(constraints())).isAuthority, false);
    assert.equal((await parse(authority())).isAuthority, true);
    assert.equal((await parse(authority())).pathLength, undefined);
    assert.equal((await parse(authority(0))).pathLength, 0);
    assert.equal((await parse(authority(3))).pathLength, 3);
  });

  it('refuses a path length without an authority, and a default written out', async () => {
    await refusesExtension('CERTIFICATE_MALFORMED', constraints(writeInteger(1)));
    await refusesExtension('CERTIFICATE_MALFORMED', constraints(writeBoolean(false)));
    await refusesExtension('DER_MALFORMED', constraints(writeBoolean(true), writeNull()));
  });
});

describe('keyUsage', () => {
  it('names every bit', async () => {
    const { keyUsages } = await parse(usage(7, 0xff, 0x80));
    assert.deepEqual(
      [...(keyUsages ?? [])],
      [
        'digitalSignature',
        'nonRepudiation',
        'keyEncipherment',
        'dataEncipherment',
        'keyAgreement',
        'keyCertSign',
        'cRLSign',
        'encipherOnly',
        'decipherOnly',
      ],
    );
  });

  it('refuses no bit at all, and a bit without a name', async () => {
    await refusesExtension('CERTIFICATE_MALFORMED', usage(0));
    await refusesExtension('CERTIFICATE_MALFORMED', usage(6, 0x80, 0x40));
  });
});

describe('extendedKeyUsage', () => {
  it('lists purposes in order', async () => {
    const { purposes: read } = await parse(purposes(OID.serverAuth, OID.clientAuth));
    assert.deepEqual(read, [OID.serverAuth, OID.clientAuth]);
  });

  it('refuses none at all, and what is no purpose', async () => {
    await refusesExtension('CERTIFICATE_MALFORMED', purposes());
    const wrong = extension(OID.extendedKeyUsage, writeSequence(writeNull()));
    await refusesExtension('CERTIFICATE_MALFORMED', wrong);
  });
});

describe('key identifiers', () => {
  it('are read', async () => {
    const id = Uint8Array.of(1, 2, 3);
    const certificate = await parse(
      extension(OID.subjectKeyIdentifier, writeOctets(id)),
      extension(OID.authorityKeyIdentifier, writeSequence(writeImplicit(0, id))),
    );
    assert.deepEqual(certificate.subjectKeyId, id);
    assert.deepEqual(certificate.authorityKeyId, id);
  });

  it('may be absent inside the authority’s', async () => {
    const other = writeSequence(writeImplicit(2, Uint8Array.of(1)));
    const { authorityKeyId } = await parse(extension(OID.authorityKeyIdentifier, other));
    assert.equal(authorityKeyId, undefined);
  });

  it('are refused when they are none', async () => {
    await refusesExtension('DER_MALFORMED', extension(OID.subjectKeyIdentifier, writeNull()));
    await refusesExtension('DER_MALFORMED', extension(OID.authorityKeyIdentifier, writeNull()));
  });
});

describe('subjectAltName', () => {
  it('gives names by form and passes over other forms', async () => {
    const { alternativeNames } = await parse(
      altNames(
        dns('A.Example.COM'),
        writeImplicit(1, Buffer.from('mail@example.com')),
        writeImplicit(6, Buffer.from('urn:x:y')),
        writeImplicit(7, Uint8Array.of(1, 2, 3, 4)),
        writeImplicit(7, new Uint8Array(16)),
        writeExplicit(4, name('someone')),
      ),
    );
    assert.deepEqual(alternativeNames, {
      dnsNames: ['a.example.com'],
      uris: ['urn:x:y'],
      ipAddresses: [Uint8Array.of(1, 2, 3, 4), new Uint8Array(16)],
    });
  });

  it('takes host names and refuses what is none', async () => {
    const label = 'a'.repeat(63);
    const long = `${label}.${label}.${label}.${'a'.repeat(61)}`;
    for (const value of ['a', 'a-b.c', '*.a.b', '_x.a', 'xn--4ca.de', '1.2', label, long]) {
      assert.ok(await parse(altNames(dns(value))), value);
    }
    for (const value of [
      '',
      '.',
      'a.',
      '.a',
      'a..b',
      '-a',
      'a-',
      'a.b-',
      '*',
      '*.',
      'a.*.b',
      '**.a',
      'a b',
      'a/b',
      `a${label}`,
      `a${long}`,
    ]) {
      await refusesExtension('CERTIFICATE_MALFORMED', altNames(dns(value)));
    }
    await refusesExtension('DER_MALFORMED', altNames(dns('a\0b')));
    await refusesExtension('DER_MALFORMED', altNames(dns('é')));
  });

  it('refuses addresses of other lengths', async () => {
    for (const length of [0, 3, 5, 8, 15, 17, 32]) {
      const wrong = altNames(writeImplicit(7, new Uint8Array(length)));
      await refusesExtension('CERTIFICATE_MALFORMED', wrong);
    }
  });

  it('takes 128 names and refuses more', async () => {
    assert.equal((await parse(manyNames(128))).alternativeNames?.dnsNames.length, 128);
    await refusesExtension('LIMIT', manyNames(129));
  });
});

describe('nameConstraints', () => {
  it('refuses forms that are not checked', async () => {
    for (const base of [
      writeImplicit(1, Buffer.from('example.com')),
      writeImplicit(6, Buffer.from('example.com')),
      writeImplicit(7, new Uint8Array(4)),
      writeImplicit(1, new Uint8Array(8)),
      writeImplicit(1, new Uint8Array(32)),
      writeImplicit(7, new Uint8Array(16)),
    ]) {
      await refusesExtension('CERTIFICATE_UNSUPPORTED', permit(base));
    }
  });

  it('reads both sides and each form', async () => {
    const example = writeImplicit(2, Buffer.from('Example.com'));
    const every = writeImplicit(2, Buffer.from(''));
    const range = writeImplicit(7, new Uint8Array(8));
    const { nameConstraints } = await parse(
      makeConstraints(
        writeExplicit(0, writeSequence(example), writeSequence(writeExplicit(4, name('x')))),
        writeExplicit(1, writeSequence(every), writeSequence(range)),
      ),
    );
    assert.deepEqual(nameConstraints?.permitted.dnsNames, ['example.com']);
    assert.deepEqual(nameConstraints.permitted.directoryNames[0]?.der, name('x'));
    assert.deepEqual(nameConstraints.excluded.dnsNames, ['']);
    assert.deepEqual(nameConstraints.excluded.ipRanges, [new Uint8Array(8)]);
    assert.deepEqual(nameConstraints.excluded.directoryNames, []);
  });

  it('refuses a base with a leading dot, with minimum or maximum, and other fields', async () => {
    await refusesExtension('CERTIFICATE_MALFORMED', permit(dnsName('.example.com')));
    const minimum = writeSequence(dnsName('a'), writeImplicit(0, Uint8Array.of(0)));
    await refusesExtension('DER_MALFORMED', makeConstraints(writeExplicit(0, minimum)));
    await refusesExtension('DER_MALFORMED', makeConstraints(writeExplicit(2)));
  });

  it('takes 128 subtrees and refuses more', async () => {
    assert.ok(await parse(manySubtrees(128)));
    await refusesExtension('LIMIT', manySubtrees(129));
  });
});

describe('names', () => {
  it('refuses a name that is no list of sets of attributes', async () => {
    const type = writeOid(OID.commonName);
    const text = writeDer(0x0c, Buffer.from('x'));
    for (const subject of [
      writeSequence(writeSequence(type, text)),
      writeSequence(writeSequence(writeSequence(type, text))),
      writeSequence(writeDer(0x31, writeDer(0x31, concatBytes([type, text])))),
      writeSequence(writeDer(0x31, new Uint8Array())),
      writeSequence(writeDer(0x31, writeDer(0x31, type))),
      writeSequence(writeDer(0x31, writeSequence(type))),
      writeSequence(writeDer(0x31, writeSequence(type, text, text))),
      writeSequence(writeDer(0x31, writeSequence(type, writeInteger(1)))),
      writeSequence(writeDer(0x31, writeSequence(text, text))),
    ]) {
      const der = await forge({ subject });
      await refuses('DER_MALFORMED', () => parseCertificate(der));
    }
  });

  it('takes 32 attributes of 256 characters and refuses more', async () => {
    const full = parseCertificate(await forgeSubject(32, 256));
    assert.equal(full.subject.attributes.length, 32);
    assert.equal(full.subject.relativeNames.length, 32);
    const [many, long] = [await forgeSubject(33, 1), await forgeSubject(1, 257)];
    await refuses('LIMIT', () => parseCertificate(many));
    await refuses('LIMIT', () => parseCertificate(long));
  });
});
