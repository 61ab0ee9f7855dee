import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canFrame, type CanFrame, countBits } from '../../src/index.ts';

const FD_LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64];
/** Bytes that stuff often, and such as come. */
const byte = fc.oneof(fc.constantFrom(0, 0xff, 0x1f, 0x07, 0xf8), fc.nat(255));
const identifier = fc.oneof(
  fc.record({
    isExtended: fc.constant(false),
    id: fc.oneof(fc.constantFrom(0, 0x7ff), fc.nat(0x7ff)),
  }),
  fc.record({
    isExtended: fc.constant(true),
    id: fc.oneof(fc.constantFrom(0, 0x1fffffff), fc.nat(0x1fffffff)),
  }),
);
const classicFrame = fc
  .tuple(identifier, fc.array(byte, { maxLength: 8 }))
  .map(([id, data]) => canFrame({ ...id, data: Uint8Array.from(data) }));
const fdFrame = fc
  .tuple(
    identifier,
    fc.constantFrom(...FD_LENGTHS),
    fc.array(byte, { minLength: 64, maxLength: 64 }),
    fc.boolean(),
  )
  .map(([id, lengthBytes, data, isBitRateSwitched]) =>
    canFrame({
      ...id,
      isFd: true,
      isBitRateSwitched,
      data: Uint8Array.from(data.slice(0, lengthBytes)),
    }),
  );

describe('countBits()', () => {
  it('counts a frame of CAN 2.0 as one who writes it bit by bit', () => {
    fc.assert(
      fc.property(classicFrame, (frame) => {
        const body = classicBits(frame);
        const stuffed = body.length + stuffBits(body, true);
        assert.deepEqual(countBits(frame), { nominal: stuffed + 13, data: 0 });
      }),
      { numRuns: 2000 },
    );
  });

  it('stays within the bounds that are known for CAN 2.0', () => {
    fc.assert(
      fc.property(classicFrame, (frame) => {
        const length = frame.data.length;
        // Davis et al. 2007, equation 1: g exposed bits, 8 per byte, and at worst one in four stuffed.
        const exposed = (frame.isExtended ? 54 : 34) + 8 * length;
        const least = exposed + 13;
        const { nominal } = countBits(frame);
        assert.ok(nominal >= least && nominal <= least + Math.floor((exposed - 1) / 4));
      }),
    );
  });

  it('counts a frame of CAN FD as one who writes it bit by bit', () => {
    fc.assert(
      fc.property(fdFrame, (frame) => {
        const head = fdHeadBits(frame);
        const rest = fdDataBits(frame);
        const inHead = stuffBits(head, false);
        const inRest = stuffBits([...head, ...rest], false) - inHead;
        // Count of stuff bits, CRC, a fixed stuff bit before each four of them, delimiter.
        const crcBits = frame.data.length <= 16 ? 4 + 17 + 6 : 4 + 21 + 7;
        const data = rest.length + inRest + crcBits + 1;
        const nominal = head.length + inHead + 12;
        const expected = frame.isBitRateSwitched
          ? { nominal, data }
          : { nominal: nominal + data, data: 0 };
        assert.deepEqual(countBits(frame), expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('knows the longest and the shortest frame', () => {
    const empty = canFrame({ id: 0x555, data: new Uint8Array() });
    // 34 exposed bits and 13 others; 0x555 itself needs no stuffing.
    assert.ok(countBits(empty).nominal <= 47 + 4);
    const worst = canFrame({ id: 0x078, data: Uint8Array.fromHex('3c3c3c3c3c3c3c3c') });
    assert.ok(countBits(worst).nominal > 130);
  });
});

function bitsOf(value: number, count: number): readonly number[] {
  return Array.from(
    { length: count },
    (_, index) => Math.floor(value / 2 ** (count - 1 - index)) % 2,
  );
}

function identifierBits({ id, isExtended }: CanFrame): readonly number[] {
  if (!isExtended) return [0, ...bitsOf(id, 11)];
  return [0, ...bitsOf(id >>> 18, 11), 1, 1, ...bitsOf(id & 0x3ffff, 18)];
}

function classicBits(frame: CanFrame): readonly number[] {
  const bits = [
    ...identifierBits(frame),
    0,
    0,
    0,
    ...bitsOf(frame.data.length, 4),
    ...[...frame.data].flatMap((each) => bitsOf(each, 8)),
  ];
  let crc = 0;
  for (const bit of bits) {
    const isOdd = bit !== crc >> 14;
    crc = (crc << 1) & 0x7fff;
    if (isOdd) crc ^= 0x4599;
  }
  return [...bits, ...bitsOf(crc, 15)];
}

function fdHeadBits(frame: CanFrame): readonly number[] {
  const rate = frame.isBitRateSwitched ? 1 : 0;
  // Remote, then for 11 bits the identifier's kind, CAN FD, reserved, rate.
  const control = frame.isExtended ? [0, 1, 0, rate] : [0, 0, 1, 0, rate];
  return [...identifierBits(frame), ...control];
}

function fdDataBits(frame: CanFrame): readonly number[] {
  const data = [...frame.data].flatMap((each) => bitsOf(each, 8));
  return [0, ...bitsOf(FD_LENGTHS.indexOf(frame.data.length), 4), ...data];
}

/** One bit of the other kind after five of one; at the very end only where the CRC is stuffed too. */
function stuffBits(bits: readonly number[], isStuffedAtEnd: boolean): number {
  let count = 0;
  let run = 0;
  let last = -1;
  for (const [index, bit] of bits.entries()) {
    run = bit === last ? run + 1 : 1;
    last = bit;
    if (run < 5 || (index === bits.length - 1 && !isStuffedAtEnd)) continue;
    count += 1;
    last = 1 - bit;
    run = 1;
  }
  return count;
}
