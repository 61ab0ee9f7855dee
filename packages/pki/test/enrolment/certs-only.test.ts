import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { concatBytes, utf8 } from '@immota/base';
import { type Certificate, parseCaCerts, type PkiFaultCode } from '@immota/pki';

import {
  type Der,
  writeDer,
  writeExplicit,
  writeInteger,
  writeNull,
  writeOid,
  writeSequence,
} from '../../src/der/write.ts';
import { OID } from '../../src/oid.ts';
import { makeWorld, refuses } from '../support/world.ts';

const { device } = await makeWorld();

interface Parts {
  readonly type?: string;
  readonly version?: number;
  readonly certificates?: Der;
  readonly lists?: Der;
  readonly signers?: Der;
  readonly tail?: Der;
  readonly outerTail?: Der;
  readonly wrapperTail?: Der;
}

const EMPTY = writeDer(0x31, new Uint8Array());

function make(parts: Parts = {}): Der {
  const signedData = writeSequence(
    writeInteger(parts.version ?? 1),
    EMPTY,
    writeSequence(writeOid(OID.data)),
    parts.certificates ?? writeDer(0xa0, device.der),
    parts.lists,
    parts.signers ?? EMPTY,
    parts.tail,
  );
  const content = writeExplicit(0, signedData, parts.wrapperTail);
  return writeSequence(writeOid(parts.type ?? OID.signedData), content, parts.outerTail);
}

function read(der: Uint8Array): readonly Certificate[] {
  const body = utf8(Buffer.from(der).toString('base64'));
  return parseCaCerts({ mediaType: 'application/pkcs7-mime', body });
}

const body = (length: number): Uint8Array =>
  utf8(Buffer.from(make()).toString('base64').padEnd(length));

describe('parseCaCerts()', () => {
  it('reads certificates, with or without empty lists of revocation', () => {
    assert.deepEqual(read(make()), [device]);
    assert.deepEqual(read(make({ lists: writeDer(0xa1, new Uint8Array()) })), [device]);
  });

  const bad: readonly (readonly [what: string, code: PkiFaultCode, parts: Parts])[] = [
    ['another type', 'EST_MALFORMED', { type: OID.data }],
    ['another version', 'EST_MALFORMED', { version: 3 }],
    ['no certificate', 'EST_MALFORMED', { certificates: writeDer(0xa0, new Uint8Array()) }],
    ['a signer', 'EST_MALFORMED', { signers: writeDer(0x31, writeSequence()) }],
    ['what is no certificate', 'DER_MALFORMED', { certificates: writeExplicit(0, writeNull()) }],
    ['fields behind the signers', 'DER_MALFORMED', { tail: writeNull() }],
    ['fields behind the content', 'DER_MALFORMED', { outerTail: writeNull() }],
    ['two contents', 'DER_MALFORMED', { wrapperTail: writeNull() }],
  ];
  for (const [what, code, parts] of bad) {
    it(`refuses ${what}`, async () => {
      await refuses(code, () => read(make(parts)));
    });
  }

  it('refuses a body above 256 KiB', async () => {
    const mediaType = 'application/pkcs7-mime';
    assert.ok(parseCaCerts({ mediaType, body: body(262_144) }));
    await refuses('LIMIT', () => parseCaCerts({ mediaType, body: body(262_145) }));
    await refuses('DER_MALFORMED', () => read(concatBytes([make(), Uint8Array.of(0)])));
  });
});
