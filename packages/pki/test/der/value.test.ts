import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { readDer } from '../../src/der/read.ts';
import {
  readAscii,
  readBoolean,
  readNamedBits,
  readOctetsOfBits,
  readOid,
  readSmallUnsigned,
  readText,
  readTime,
  readUnsigned,
} from '../../src/der/value.ts';
import {
  writeGeneralizedTime,
  writeInteger,
  writeNamedBits,
  writeOid,
  writeTime,
} from '../../src/der/write.ts';
import { refuses } from '../support/world.ts';
import type { DerElement } from '../../src/der/read.ts';

function element(tag: number, ...octets: readonly number[]): DerElement {
  return {
    tag,
    content: Uint8Array.from(octets),
    raw: Uint8Array.of(tag, octets.length, ...octets),
  };
}

function text(tag: number, value: string | Uint8Array): DerElement {
  return element(tag, ...Buffer.from(value));
}

function utc(value: string): DerElement {
  return text(0x17, value);
}

function generalized(value: string): DerElement {
  return text(0x18, value);
}

const ones = (count: number): DerElement =>
  element(0x06, 0x2a, ...Array.from({ length: count }, () => 1));

const long = (count: number): DerElement =>
  element(0x06, 0x2a, ...Array.from({ length: count }, () => 0xff), 0x7f);

const read = (value: DerElement): string => readTime(value, 'x').toString();

describe('readOid()', () => {
  it('reads what is written', () => {
    for (const oid of ['0.0', '0.39', '1.0', '1.39', '2.0', '2.999.1', '1.2.840.113549.1.9.22.1']) {
      assert.equal(readOid(readDer(writeOid(oid), 0x06, 'oid')), oid);
    }
    assert.equal(readOid(element(0x06, 0x2a, 0x86, 0x48)), '1.2.840');
  });

  it('refuses what is empty, cut short or padded', async () => {
    for (const wrong of [[], [0x2a, 0x86], [0x2a, 0x80, 0x01], [0x80]]) {
      await refuses('DER_MALFORMED', () => readOid(element(0x06, ...wrong)));
    }
  });

  it('reads 32 components and refuses more, and components above 47 bits', async () => {
    assert.equal(readOid(ones(30)).split('.').length, 32);
    await refuses('LIMIT', () => readOid(ones(31)));
    assert.equal(readOid(long(5)), `1.2.${2 ** 42 - 1}`);
    await refuses('DER_MALFORMED', () => readOid(long(6)));
  });
});

describe('readBoolean()', () => {
  it('reads 00 and FF and nothing else', async () => {
    assert.equal(readBoolean(element(0x01, 0x00)), false);
    assert.equal(readBoolean(element(0x01, 0xff)), true);
    for (const wrong of [[], [0x01], [0xff, 0xff], [0x00, 0x00]]) {
      await refuses('DER_MALFORMED', () => readBoolean(element(0x01, ...wrong)));
    }
  });
});

describe('readUnsigned()', () => {
  it('gives the octets without the sign', () => {
    assert.deepEqual(readUnsigned(element(2, 0)), Uint8Array.of(0));
    assert.deepEqual(readUnsigned(element(2, 0x7f)), Uint8Array.of(0x7f));
    assert.deepEqual(readUnsigned(element(2, 0, 0x80)), Uint8Array.of(0x80));
  });

  it('refuses what is empty, negative or padded', async () => {
    for (const wrong of [[], [0x80], [0xff, 0], [0, 0x7f], [0, 0]]) {
      await refuses('DER_MALFORMED', () => readUnsigned(element(2, ...wrong)));
    }
  });
});

describe('readSmallUnsigned()', () => {
  it('reads up to 2^31 - 1', async () => {
    for (const value of [0, 1, 127, 128, 255, 256, 65_536, 2 ** 31 - 1]) {
      assert.equal(readSmallUnsigned(readDer(writeInteger(value), 2, 'x')), value);
    }
    for (const value of [2 ** 31, 2 ** 32, 2 ** 40]) {
      await refuses('DER_MALFORMED', () => readSmallUnsigned(readDer(writeInteger(value), 2, 'x')));
    }
  });
});

describe('readOctetsOfBits()', () => {
  it('reads whole octets and nothing else', async () => {
    assert.deepEqual(readOctetsOfBits(element(3, 0, 7)), Uint8Array.of(7));
    assert.deepEqual(readOctetsOfBits(element(3, 0)), Uint8Array.of());
    for (const wrong of [[], [1, 8]]) {
      await refuses('DER_MALFORMED', () => readOctetsOfBits(element(3, ...wrong)));
    }
  });
});

describe('readNamedBits()', () => {
  it('reads what is written', () => {
    for (const bits of [[], [0], [7], [8], [0, 5, 6], [5, 6, 15], [0, 1, 2, 3, 4, 5, 6, 7, 8]]) {
      assert.deepEqual(readNamedBits(readDer(writeNamedBits(bits), 3, 'x')), bits);
    }
  });

  it('refuses padding that is too much, set, or more than needed', async () => {
    for (const wrong of [[], [1], [8, 0x80], [6, 0x80], [7, 0x81], [0, 0x00], [0, 0x80, 0x00]]) {
      await refuses('DER_MALFORMED', () => readNamedBits(element(3, ...wrong)));
    }
    assert.deepEqual(readNamedBits(element(3, 7, 0x80)), [0]);
    assert.deepEqual(readNamedBits(element(3, 0, 0x01)), [7]);
  });
});

describe('readText()', () => {
  it('reads UTF-8, printable and IA5 strings', () => {
    assert.equal(readText(text(0x0c, 'Škoda'), 'x'), 'Škoda');
    assert.equal(readText(text(0x13, "AZaz09 '()+,-./:=?"), 'x'), "AZaz09 '()+,-./:=?");
    assert.equal(readText(text(0x16, 'a@b.c'), 'x'), 'a@b.c');
  });

  it('refuses other types, and characters that a type does not have', async () => {
    for (const wrong of [
      text(0x14, 'teletex'),
      text(0x1e, 'bmp'),
      text(0x13, 'a@b'),
      text(0x13, 'a\n'),
      text(0x16, 'é'),
      element(0x16, 0x1f),
      element(0x16, 0x7f),
      element(0x0c, 0xff),
      element(0x0c, 0xed, 0xa0, 0x80),
    ]) {
      await refuses('DER_MALFORMED', () => readText(wrong, 'x'));
    }
  });
});

describe('readAscii()', () => {
  it('reads 20 to 7E and nothing else', async () => {
    assert.equal(readAscii(Uint8Array.of(0x20, 0x7e), 'x'), ' ~');
    for (const octet of [0x00, 0x1f, 0x7f, 0xc3]) {
      await refuses('DER_MALFORMED', () => readAscii(Uint8Array.of(octet), 'x'));
    }
  });
});

describe('readTime()', () => {
  it('reads both forms, and years as RFC 5280 counts them', () => {
    assert.equal(read(utc('491231235959Z')), '2049-12-31T23:59:59Z');
    assert.equal(read(utc('500101000000Z')), '1950-01-01T00:00:00Z');
    assert.equal(read(utc('991231235959Z')), '1999-12-31T23:59:59Z');
    assert.equal(read(utc('000229120000Z')), '2000-02-29T12:00:00Z');
    assert.equal(read(generalized('20500101000000Z')), '2050-01-01T00:00:00Z');
    assert.equal(read(generalized('99991231235959Z')), '9999-12-31T23:59:59Z');
  });

  it('refuses other forms and days that do not exist', async () => {
    for (const wrong of [
      utc('2601010000Z'),
      utc('260101000000'),
      utc('260101000000+0000'),
      utc('20260101000000Z'),
      utc('x260101000000Z'),
      utc('260101000000ZZ'),
      utc('2601010000001Z'),
      utc('260230000000Z'),
      utc('261301000000Z'),
      utc('260101240000Z'),
      utc('260101006000Z'),
      utc('260101000060Z'),
      utc('260101000061Z'),
      utc(''),
      generalized('260101000000Z'),
      generalized('20260101000000.5Z'),
      generalized('x20260101000000Z'),
      generalized('20260101000000ZZ'),
      generalized('202601010000001Z'),
      text(0x0c, '260101000000Z'),
      text(0x0c, '20260101000000Z'),
    ]) {
      await refuses('DER_MALFORMED', () => read(wrong));
    }
  });

  it('reads what is written, which is UTCTime from 1950 to 2049', () => {
    for (const [at, tag] of [
      ['1949-12-31T23:59:59Z', 0x18],
      ['1950-01-01T00:00:00Z', 0x17],
      ['2049-12-31T23:59:59Z', 0x17],
      ['2050-01-01T00:00:00Z', 0x18],
    ] as const) {
      const written = writeTime(Temporal.Instant.from(at));
      assert.equal(written[0], tag);
      assert.equal(read(readDer(written, tag, 'x')), at);
    }
    const written = writeGeneralizedTime(Temporal.Instant.from('2026-01-02T03:04:05.999Z'));
    assert.equal(read(readDer(written, 0x18, 'x')), '2026-01-02T03:04:05Z');
  });
});
