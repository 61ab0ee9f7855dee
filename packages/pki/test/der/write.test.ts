import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { concatBytes } from '@immota/base';

import {
  writeBits,
  writeBoolean,
  writeDer,
  writeEnumerated,
  writeExplicit,
  writeImplicit,
  writeInteger,
  writeNamedBits,
  writeNull,
  writeOctets,
  writeOid,
  writeSequence,
  writeSetOf,
  writeText,
  writeUnsigned,
} from '../../src/der/write.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const head = (length: number): string => hex(writeDer(4, new Uint8Array(length))).slice(0, 10);

describe('writing DER', () => {
  it('writes lengths in their shortest form', () => {
    assert.equal(head(0x7f).slice(0, 4), '047f');
    assert.equal(head(0x80).slice(0, 6), '048180');
    assert.equal(head(0xff).slice(0, 6), '0481ff');
    assert.equal(head(0x100).slice(0, 8), '04820100');
    assert.equal(head(0x1_0000), '0483010000');
  });

  it('writes the simple types', () => {
    assert.equal(hex(writeBoolean(true)), '0101ff');
    assert.equal(hex(writeBoolean(false)), '010100');
    assert.equal(hex(writeNull()), '0500');
    assert.equal(hex(writeEnumerated(9)), '0a0109');
    assert.equal(hex(writeOctets(Uint8Array.of(1))), '040101');
    assert.equal(hex(writeBits(Uint8Array.of(1))), '03020001');
    assert.equal(hex(writeText('é')), '0c02c3a9');
    assert.equal(hex(writeExplicit(3, writeNull())), 'a3020500');
    assert.equal(hex(writeImplicit(2, Uint8Array.of(7))), '820107');
    assert.equal(hex(writeOid('2.5.29.15')), '0603551d0f');
    assert.equal(hex(writeOid('2.999.3')), '0603883703');
  });

  it('writes integers that are never negative and never padded', () => {
    assert.equal(hex(writeInteger(0)), '020100');
    assert.equal(hex(writeInteger(127)), '02017f');
    assert.equal(hex(writeInteger(128)), '02020080');
    assert.equal(hex(writeInteger(256)), '02020100');
    assert.equal(hex(writeInteger(2 ** 53 - 1)), '02071fffffffffffff');
    assert.equal(hex(writeUnsigned(Uint8Array.of(0, 0, 1))), '020101');
    assert.equal(hex(writeUnsigned(Uint8Array.of(0, 1, 2))), '02020102');
    assert.equal(hex(writeUnsigned(Uint8Array.of(0, 0))), '020100');
    assert.equal(hex(writeUnsigned(Uint8Array.of(0xff))), '020200ff');
    assert.throws(() => writeInteger(-1), { name: 'AssertionFailure' });
    assert.throws(() => writeInteger(2 ** 53), { name: 'AssertionFailure' });
  });

  it('writes named bits without what they do not need', () => {
    assert.equal(hex(writeNamedBits([])), '030100');
    assert.equal(hex(writeNamedBits([0])), '03020780');
    assert.equal(hex(writeNamedBits([5, 6])), '03020106');
    assert.equal(hex(writeNamedBits([8, 0])), '0303078080');
  });

  it('leaves out what is absent, and sorts a set', () => {
    assert.equal(hex(writeSequence(undefined, writeNull(), undefined)), '30020500');
    const [one, two] = [writeInteger(1), writeInteger(2)];
    assert.deepEqual(writeSetOf([two, one]), writeDer(0x31, concatBytes([one, two])));
  });
});
