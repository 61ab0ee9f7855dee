import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  assert as holds,
  constantFrom,
  integer,
  nat,
  option,
  property,
  record,
  uint8Array,
} from 'fast-check';
import {
  attachSignature,
  decodeSecurityEvent,
  encodeSecurityEvent,
  IdsmFault,
  type SecurityEvent,
} from '../../src/index.ts';

const EVENT: SecurityEvent = { instance: 0x155, sensor: 0x2a, definition: 0x8004, count: 3 };
const time = { source: 'oem', seconds: 0x65000000, nanoseconds: 5 } as const;

describe('encodeSecurityEvent()', () => {
  it('writes the frame of eight bytes', () => {
    assert.equal(hex(encodeSecurityEvent(EVENT, false)), '10556a8004000300');
  });

  it('writes time and context behind it, and announces a signature', () => {
    const context = new Uint8Array([0xaa, 0xbb]);
    const bytes = encodeSecurityEvent({ ...EVENT, time, context }, true);
    assert.equal(hex(bytes), '17556a8004000300800000056500000002aabb');
    assert.equal(hex(attachSignature(bytes, new Uint8Array([1, 2, 3]))).slice(-10), '0003010203');
  });

  it('writes lengths in one byte up to 127, and in four beyond', () => {
    const short = encodeSecurityEvent({ ...EVENT, context: new Uint8Array(127) }, false);
    const long = encodeSecurityEvent({ ...EVENT, context: new Uint8Array(128) }, false);
    assert.equal(hex(short.subarray(8, 9)), '7f');
    assert.equal(hex(long.subarray(8, 12)), '80000080');
  });

  it('refuses what its fields cannot hold', () => {
    for (const part of [
      { instance: 1024 },
      { sensor: 64 },
      { definition: 0x10000 },
      { count: -1 },
      { count: 1.5 },
      { context: new Uint8Array(4097) },
      { time: { ...time, seconds: 2 ** 32 } },
      { time: { ...time, nanoseconds: 1e9 } },
    ]) {
      assert.throws(() => encodeSecurityEvent({ ...EVENT, ...part }, false), {
        code: 'EVENT_RANGE',
      });
    }
    const signed = encodeSecurityEvent(EVENT, true);
    for (const [message, length] of [
      [signed, 0],
      [signed, 8193],
      [encodeSecurityEvent(EVENT, false), 64],
    ] as const) {
      assert.throws(() => attachSignature(message, new Uint8Array(length)), {
        code: 'EVENT_RANGE',
      });
    }
  });
});

describe('decodeSecurityEvent()', () => {
  it('reads what was written', () => {
    const event = record(
      {
        instance: nat(1023),
        sensor: nat(63),
        definition: nat(0xffff),
        count: nat(0xffff),
        time: option(
          record(
            {
              source: constantFrom('autosar', 'oem'),
              seconds: integer({ min: 0, max: 2 ** 32 - 1 }),
              nanoseconds: nat(999_999_999),
            },
            { noNullPrototype: true },
          ),
          { nil: undefined },
        ),
        context: option(uint8Array({ maxLength: 300 }), { nil: undefined }),
      },
      { noNullPrototype: true },
    );
    const signature = option(uint8Array({ minLength: 1, maxLength: 300 }), { nil: undefined });
    holds(
      property(event, signature, (written, signed) => {
        const message = encodeSecurityEvent(written, signed !== undefined);
        const bytes = signed === undefined ? message : attachSignature(message, signed);
        const read = decodeSecurityEvent(bytes);
        assert.deepEqual(read.event, written);
        if (signed === undefined) assert.equal(read.signed, undefined);
        else assert.deepEqual(read.signed, { message, signature: signed });
        for (const end of [0, 7, bytes.length - 1]) {
          assert.throws(() => decodeSecurityEvent(bytes.subarray(0, end)), {
            code: 'EVENT_MALFORMED',
          });
        }
      }),
    );
  });

  it('refuses other versions, flags, lengths and anything behind', () => {
    for (const text of [
      '20556a8004000300',
      '18556a8004000300',
      '10556a8004000301',
      '10556a800400030000',
      '12556a8004000300ffffffff00000000',
      '11556a800400030080000001aa',
      '11556a8004000300ffffffff',
      '14556a8004000300',
      '14556a80040003000000',
      '14556a80040003000001',
      '14556a800400030000010101',
    ]) {
      const bytes = Uint8Array.from(Buffer.from(text, 'hex'));
      assert.throws(() => decodeSecurityEvent(bytes), { code: 'EVENT_MALFORMED' }, text);
    }
  });

  it('answers any bytes with an event that writes the same, or a coded fault', () => {
    holds(
      property(uint8Array({ maxLength: 60 }), nat(7), (bytes, flags) => {
        const opened = Uint8Array.from(bytes);
        if (opened.length > 7) {
          opened[0] = 0x10 | flags;
          opened[7] = 0;
        }
        try {
          const { event, signed } = decodeSecurityEvent(opened);
          const message = encodeSecurityEvent(event, signed !== undefined);
          const again = signed === undefined ? message : attachSignature(message, signed.signature);
          assert.deepEqual(again, opened);
        } catch (error) {
          assert.ok(error instanceof IdsmFault);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
