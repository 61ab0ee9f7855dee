import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import {
  advanceRevocationList,
  createRootAuthority,
  emptyRevocationList,
  encodeCertificatesPem,
  encodeCrl,
  encodePem,
  generateSigner,
  parseSerialNumber,
  REVOCATION_REASONS,
  type RevocationReason,
} from '@immota/pki';

import { listDer, readDer } from '../../src/der/read.ts';
import { makeScratch, openssl, skip, tryOpenssl } from '../support/openssl.ts';
import { days, entropy, makeWorld, NOW, refuses } from '../support/world.ts';

const world = await makeWorld();
const { devices, device, root } = world;
const empty = emptyRevocationList(devices.certificate);
const edition = { number: 300, thisUpdate: NOW, nextUpdate: NOW.add({ hours: 24 }) };

const fieldsOf = (crl: Uint8Array): number => {
  const [content] = listDer(readDer(crl, 0x30, 'list'), 'list');
  assert.ok(content);
  return listDer(content, 'content').length;
};

describe('encodeCrl()', () => {
  it('makes openssl refuse what was revoked, and only that', { skip }, async () => {
    const list = advanceRevocationList(empty, [
      { serial: device.serial, reason: 'keyCompromise', at: NOW },
    ]);
    const rootCrl = await encodeCrl(root, emptyRevocationList(root.certificate), edition);
    for (const [state, expected] of [
      [empty, 0],
      [list, 2],
    ] as const) {
      using scratch = makeScratch();
      const crls = [rootCrl, await encodeCrl(devices, state, edition)];
      const { status, output } = tryOpenssl(
        'verify',
        '-x509_strict',
        '-crl_check_all',
        '-attime',
        String(NOW.epochMilliseconds / 1000),
        '-CAfile',
        scratch.write('root.pem', encodeCertificatesPem([root.certificate])),
        '-untrusted',
        scratch.write('ca.pem', encodeCertificatesPem([devices.certificate])),
        '-CRLfile',
        scratch.write('crl.pem', crls.map((crl) => encodePem('X509 CRL', crl)).join('')),
        scratch.write('leaf.pem', encodeCertificatesPem([device])),
      );
      assert.equal(status, expected, output);
      assert.equal(output.includes('certificate revoked'), expected === 2);
    }
  });

  it('says what was revoked when and why, and which edition it is', { skip }, async () => {
    using scratch = makeScratch();
    const reasons = Object.keys(REVOCATION_REASONS) as RevocationReason[];
    const revocations = reasons.map((reason, index) => {
      return { serial: parseSerialNumber(`8${index}`), reason, at: NOW.subtract({ hours: index }) };
    });
    const crl = await encodeCrl(devices, advanceRevocationList(empty, revocations), edition);
    const file = scratch.write('crl.der', crl);
    const ca = scratch.write('ca.pem', encodeCertificatesPem([devices.certificate]));
    const text = openssl('crl', '-inform', 'DER', '-in', file, '-noout', '-text', '-CAfile', ca);
    assert.match(text, /verify OK/);
    assert.match(text, /Version 2/);
    assert.match(text, /CRL Number: \n\s+300\n/);
    assert.match(text, /Last Update: Jun {2}1 12:00:00 2026 GMT/);
    assert.match(text, /Next Update: Jun {2}2 12:00:00 2026 GMT/);
    assert.match(text, /Serial Number: 81\n\s+Revocation Date: Jun {2}1 11:00:00 2026 GMT/);
    const shown = [...text.matchAll(/CRL Reason Code: \n\s+(.*)\n/g)].map(([, reason]) => reason);
    assert.deepEqual(shown, [
      'Key Compromise',
      'CA Compromise',
      'Affiliation Changed',
      'Superseded',
      'Cessation Of Operation',
      'Privilege Withdrawn',
    ]);
  });

  it('does not verify with the key of another authority', { skip }, async () => {
    using scratch = makeScratch();
    const file = scratch.write('crl.der', await encodeCrl(devices, empty, edition));
    const ca = scratch.write('ca.pem', encodeCertificatesPem([root.certificate]));
    const { output } = tryOpenssl('crl', '-inform', 'DER', '-in', file, '-noout', '-CAfile', ca);
    assert.doesNotMatch(output, /verify OK/);
  });

  it('holds many: 50,000', async () => {
    const at = NOW;
    const revocations = Array.from({ length: 50_000 }, (_, index) => {
      const serial = parseSerialNumber(`40${index.toString(16).padStart(6, '0')}`);
      return { serial, reason: 'superseded', at } as const;
    });
    const crl = await encodeCrl(devices, advanceRevocationList(empty, revocations), edition);
    assert.ok(crl.length > 50_000 * 30);
  });

  it('leaves the list out when nothing was revoked', async () => {
    const one = [{ serial: device.serial, reason: 'superseded', at: NOW }] as const;
    assert.equal(fieldsOf(await encodeCrl(devices, empty, edition)), 6);
    assert.equal(fieldsOf(await encodeCrl(devices, advanceRevocationList(empty, one), edition)), 7);
  });

  it('refuses the list of another authority', async () => {
    await refuses('ISSUE_REFUSED', () => encodeCrl(root, empty, edition));
  });

  it('refuses dates in the wrong order', async () => {
    await refuses('ISSUE_REFUSED', () =>
      encodeCrl(devices, empty, { ...edition, nextUpdate: NOW }),
    );
    const nextUpdate = NOW.add({ seconds: 1 });
    assert.ok(await encodeCrl(devices, empty, { ...edition, nextUpdate }));
  });

  it('refuses a key that does not sign X.509', async () => {
    const signer = generateSigner('ml-dsa-65');
    await refuses('ALGORITHM', () => encodeCrl({ ...devices, signer }, empty, edition));
    await refuses('ALGORITHM', () =>
      createRootAuthority({ signer, name: { commonName: 'x' }, validity: days(1), entropy }),
    );
  });
});
