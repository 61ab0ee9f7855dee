import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { listDer, openDer, readDer } from '../../src/der/read.ts';
import { writeDer, writeInteger, writeSequence } from '../../src/der/write.ts';
import { refuses } from '../support/world.ts';

const bytes = (...octets: readonly number[]): Uint8Array => Uint8Array.from(octets);

const pad = (count: number): readonly number[] => Array.from({ length: count }, () => 0);

const many = (count: number): Uint8Array =>
  writeSequence(...Array.from({ length: count }, () => writeInteger(1)));

describe('readDer()', () => {
  it('gives tag, content and the whole', () => {
    const element = readDer(bytes(0x04, 2, 7, 8), 0x04, 'x');
    assert.deepEqual(element, { tag: 4, content: bytes(7, 8), raw: bytes(4, 2, 7, 8) });
    assert.deepEqual(readDer(bytes(0x04, 0), 0x04, 'x').content, bytes());
  });

  it('refuses another tag, bytes behind it, and bytes that are missing', async () => {
    for (const wrong of [
      bytes(0x05, 2, 7, 8),
      bytes(0x04, 2, 7, 8, 9),
      bytes(0x04, 2, 7),
      bytes(0x04),
      bytes(),
    ]) {
      await refuses('DER_MALFORMED', () => readDer(wrong, 0x04, 'x'));
    }
  });

  it('reads lengths of one to three octets in their shortest form', () => {
    for (const length of [0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x1_0000]) {
      const content = new Uint8Array(length);
      assert.equal(readDer(writeDer(0x04, content), 0x04, 'x').content.length, length);
    }
  });

  it('refuses lengths that are longer than needed, indefinite, reserved or too long', async () => {
    for (const wrong of [
      bytes(0x04, 0x81, 0x7f, ...pad(0x7f)),
      bytes(0x04, 0x82, 0x00, 0x80, ...pad(0x80)),
      bytes(0x04, 0x82, 0x00, 0xff, ...pad(0xff)),
      bytes(0x04, 0x83, 0x00, 0x01, 0x00, ...pad(0x100)),
      bytes(0x04, 0x80, 0x00, 0x00),
      bytes(0x04, 0x84, 0x00, 0x00, 0x00, 0x80, ...pad(0x80)),
      bytes(0x04, 0xff, ...pad(0x80)),
      bytes(0x04, 0x82, 0x01),
    ]) {
      await refuses('DER_MALFORMED', () => readDer(wrong, 0x04, 'x'));
    }
    assert.ok(readDer(bytes(0x04, 0x81, 0x80, ...pad(0x80)), 0x04, 'x'));
  });

  it('refuses tags of several octets', async () => {
    await refuses('DER_MALFORMED', () => readDer(bytes(0x1f, 1, 0), 0x1f, 'x'));
    await refuses('DER_MALFORMED', () => readDer(bytes(0xbf, 1, 0), 0xbf, 'x'));
    assert.ok(readDer(bytes(0x1e, 1, 0), 0x1e, 'x'));
  });
});

describe('listDer()', () => {
  it('lists up to 1024 elements and refuses more', async () => {
    assert.equal(listDer(readDer(many(1024), 0x30, 'x'), 'x').length, 1024);
    await refuses('LIMIT', () => listDer(readDer(many(1025), 0x30, 'x'), 'x'));
  });

  it('refuses content that is no series of elements', async () => {
    const element = readDer(bytes(0x30, 4, 0x02, 1, 5, 0x02), 0x30, 'x');
    await refuses('DER_MALFORMED', () => listDer(element, 'x'));
  });
});

describe('openDer()', () => {
  const element = readDer(writeSequence(writeInteger(1), writeInteger(2)), 0x30, 'x');

  it('takes elements in order', () => {
    const reader = openDer(element, 'x');
    assert.equal(reader.takeOptional(0x04), undefined);
    assert.deepEqual(reader.take(0x02, 'first').content, bytes(1));
    assert.deepEqual(reader.takeOptional(0x02)?.content, bytes(2));
    assert.equal(reader.takeOptional(0x02), undefined);
    reader.end('x');
  });

  it('refuses what is missing, of another tag, or left', async () => {
    await refuses('DER_MALFORMED', () => openDer(element, 'x').take(0x04, 'first'));
    await refuses('DER_MALFORMED', () => {
      openDer(element, 'x').end('x');
    });
    const reader = openDer(element, 'x');
    reader.takeAny('first');
    reader.takeAny('second');
    await refuses('DER_MALFORMED', () => reader.takeAny('third'));
    await refuses('DER_MALFORMED', () => reader.take(0x02, 'third'));
  });
});
