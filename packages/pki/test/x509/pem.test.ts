import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { encodePem, parseCertificatesPem, parsePem } from '@immota/pki';

import { makeWorld, refuses } from '../support/world.ts';

const { device } = await makeWorld();
const DER = Uint8Array.from({ length: 100 }, (_, index) => index);
const PEM = encodePem('PUBLIC KEY', DER);

describe('encodePem()', () => {
  it('writes lines of 64 characters between two lines', () => {
    const lines = PEM.split('\n');
    assert.equal(lines[0], '-----BEGIN PUBLIC KEY-----');
    assert.equal(lines[1]?.length, 64);
    assert.equal(lines.at(-2), '-----END PUBLIC KEY-----');
    assert.equal(lines.at(-1), '');
    assert.equal(lines.length, 6);
    assert.equal(encodePem('PUBLIC KEY', new Uint8Array()).split('\n').length, 3);
  });
});

describe('parsePem()', () => {
  it('reads the one block, with either kind of line end and words around it', () => {
    assert.deepEqual(parsePem('PUBLIC KEY', PEM), DER);
    assert.deepEqual(parsePem('PUBLIC KEY', `words\n${PEM.replaceAll('\n', '\r\n')}more`), DER);
  });

  it('refuses none, two, another label, two labels and what is no base64', async () => {
    for (const wrong of [
      '',
      PEM + PEM,
      PEM.replaceAll('PUBLIC', 'PRIVATE'),
      PEM.replace('END PUBLIC', 'END PRIVATE'),
      PEM.replace('BEGIN PUBLIC', 'BEGIN PRIVATE'),
      PEM.replace('-----END', '-----FIN'),
      PEM.replace('AAEC', 'A*EC'),
      PEM.replace('AAEC', 'AAE'),
      PEM.replace('AAEC', 'A=EC'),
    ]) {
      await refuses('PEM_MALFORMED', () => parsePem('PUBLIC KEY', wrong));
    }
  });
});

describe('parseCertificatesPem()', () => {
  const pem = encodePem('CERTIFICATE', device.der);

  it('reads 64 certificates and refuses more', async () => {
    assert.equal(parseCertificatesPem(pem.repeat(64)).length, 64);
    await refuses('LIMIT', () => parseCertificatesPem(pem.repeat(65)));
  });

  it('refuses a text above 4 MiB', async () => {
    assert.equal(parseCertificatesPem(pem.padEnd(65_536 * 64)).length, 1);
    await refuses('LIMIT', () => parseCertificatesPem(pem.padEnd(65_536 * 64 + 1)));
  });

  it('refuses a block that is no certificate', async () => {
    await refuses('PEM_MALFORMED', () => parseCertificatesPem(''));
    await refuses('PEM_MALFORMED', () => parseCertificatesPem(pem + PEM));
    await refuses('DER_MALFORMED', () =>
      parseCertificatesPem(encodePem('CERTIFICATE', Uint8Array.of(1))),
    );
  });
});
