import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeSeparationTime, encodeSeparationTime, readPdu } from '../../src/index.ts';
import { hex } from './told.ts';

const LONG = '55'.repeat(62);

describe('readPdu()', () => {
  it('reads each kind of frame {15765-2:2016 9.6}', () => {
    reads('02 3e 00 cc', { kind: 'single', bytes: hex('3e00') });
    reads(`00 3e ${LONG}`, { kind: 'single', bytes: hex(LONG) });
    reads('10 14 01 02 03 04 05 06', {
      kind: 'first',
      lengthBytes: 20,
      bytes: hex('010203040506'),
    });
    reads('1f ff 01 02 03 04 05 06', {
      kind: 'first',
      lengthBytes: 4095,
      bytes: hex('010203040506'),
    });
    reads('10 00 00 00 10 00 aa bb', { kind: 'first', lengthBytes: 4096, bytes: hex('aabb') });
    reads('10 00 ff ff ff ff aa bb', {
      kind: 'first',
      lengthBytes: 0xffffffff,
      bytes: hex('aabb'),
    });
    reads('2f 01', { kind: 'consecutive', sequence: 15, bytes: hex('01') });
    const flow = { kind: 'flow', blockSize: 8, separation: 0xf1 };
    reads('30 08 f1', { ...flow, status: 'continue' });
    reads('31 08 f1 00', { ...flow, status: 'wait' });
    reads('32 08 f1', { ...flow, status: 'overflow' });
    reads('33 08 f1', { ...flow, status: 'reserved' });
  });

  it('reads past a prefix', () => {
    assert.deepEqual(readPdu(hex('f1 02 3e 00'), 1), { kind: 'single', bytes: hex('3e00') });
    // With it, seven bytes no longer fit into a single frame.
    const first = readPdu(hex('f1 10 07 01 02 03 04 05'), 1);
    assert.deepEqual(first, { kind: 'first', lengthBytes: 7, bytes: hex('0102030405') });
    assert.equal(readPdu(hex('10 07 01 02 03 04 05 06'), 0), undefined);
  });

  it('ignores single frames that are empty, or that say more than they hold', () => {
    for (const digits of ['00', '00 01 02', '01', '03 3e 00', '08 01 02 03 04 05 06 07'])
      ignores(digits);
  });

  it('ignores single frames in the form of another length {15765-2:2016 9.6.2.2}', () => {
    ignores(`03 010203 ${'00'.repeat(8)}`);
    ignores(`00 07 01020304050607 000000`);
    reads(`00 08 0102030405060708 0000`, { kind: 'single', bytes: hex('0102030405060708') });
    ignores(`00 0b 0102030405060708 0000`);
  });

  it('ignores First Frames that are short, or that announce too little {15765-2:2016 9.6.3}', () => {
    ignores('10 14 01 02 03 04 05');
    ignores('10 07 01 02 03 04 05 06');
    ignores('10 00 00 00 0f ff aa bb');
    ignores(`10 3e ${LONG}`);
    reads(`10 3f ${LONG}`, { kind: 'first', lengthBytes: 63, bytes: hex(LONG) });
  });

  it('ignores frames without content, and kinds that nobody defined', () => {
    for (const digits of ['', '21', '30', '30 00', '40 00 00', 'f0 00 00']) ignores(digits);
    assert.equal(readPdu(hex('f1'), 1), undefined);
  });
});

describe('decodeSeparationTime() and encodeSeparationTime()', () => {
  it('know milliseconds, and hundreds of microseconds {15765-2:2016 9.6.5.4}', () => {
    const known = [0, ...range(1, 127).map((ms) => ms * 1000), ...range(1, 9).map((n) => n * 100)];
    for (const us of known) assert.equal(decodeSeparationTime(encodeSeparationTime(us)), us);
    assert.equal(encodeSeparationTime(127_000), 0x7f);
    assert.equal(encodeSeparationTime(100), 0xf1);
    assert.equal(encodeSeparationTime(900), 0xf9);
  });

  it('ask for the next longer time that can be told', () => {
    assert.equal(decodeSeparationTime(encodeSeparationTime(1)), 100);
    assert.equal(decodeSeparationTime(encodeSeparationTime(850)), 900);
    assert.equal(decodeSeparationTime(encodeSeparationTime(901)), 1000);
    assert.equal(decodeSeparationTime(encodeSeparationTime(1001)), 2000);
  });

  it('take the longest time for a reserved value {15765-2:2016 9.6.5.5}', () => {
    for (const value of [0x80, 0xf0, 0xfa, 0xff])
      assert.equal(decodeSeparationTime(value), 127_000);
  });

  it('refuse times that cannot be told', () => {
    for (const us of [-1, 127_001, Number.NaN]) {
      assert.throws(() => encodeSeparationTime(us), { code: 'PARAMETER' });
    }
  });
});

function reads(digits: string, expected: unknown): void {
  assert.deepEqual(readPdu(hex(digits), 0), expected);
}

function ignores(digits: string): void {
  assert.equal(readPdu(hex(digits), 0), undefined, digits);
}

function range(first: number, last: number): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}
