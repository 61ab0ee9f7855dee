import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  CanFault,
  canFrame,
  type CannelloniDatagram,
  decodeCannelloni,
  encodeCannelloni,
  formatCandumpLine,
} from '../../src/index.ts';

const CLASSIC = canFrame({ id: 0x7e0, data: Uint8Array.of(2, 0x3e, 0) });
const FD = canFrame({
  id: 0x18da10f1,
  isExtended: true,
  isFd: true,
  isBitRateSwitched: true,
  data: new Uint8Array(12).fill(0xaa),
});
const DIGITS = `020007 0002 000007e003023e00 98da10f18c01${'aa'.repeat(12)}`;

describe('encodeCannelloni() and decodeCannelloni()', () => {
  it('write and read several frames of both kinds', () => {
    const datagram = { sequence: 7, frames: [CLASSIC, FD] };
    assert.equal(encodeCannelloni(datagram).toHex(), DIGITS.replaceAll(' ', ''));
    assert.deepEqual(decode(DIGITS), datagram);
    assert.deepEqual(decode('0200ff0000'), { sequence: 255, frames: [] });
  });

  it('give each datagram back', () => {
    const frame = fc
      .tuple(fc.nat(0x1fffffff), fc.boolean(), fc.uint8Array({ maxLength: 8 }))
      .map(([id, isFd, data]) =>
        canFrame({ id, isExtended: id > 0x7ff, isFd, isBitRateSwitched: isFd, data }),
      );
    fc.assert(
      fc.property(fc.nat(255), fc.array(frame, { maxLength: 80 }), (sequence, frames) => {
        const datagram = { sequence, frames };
        assert.deepEqual(decodeCannelloni(encodeCannelloni(datagram)), datagram);
      }),
    );
  });

  it('leave out remote and error frames', () => {
    const { frames } = decode('0200000003 400007e008 200000040801020304050607 08 000007e001aa');
    assert.deepEqual(
      frames.map(({ data }) => data.toHex()),
      ['aa'],
    );
  });

  it('hand out data that stays when the datagram is overwritten', () => {
    const datagram = Buffer.from(DIGITS.replaceAll(' ', ''), 'hex');
    const { frames } = decodeCannelloni(datagram);
    datagram.fill(0xff);
    assert.deepEqual(frames, [CLASSIC, FD]);
  });

  it('refuse more than fits into a frame of Ethernet', () => {
    const full = canFrame({ id: 1, isFd: true, data: new Uint8Array(64) });
    const frames = Array.from({ length: 20 }, () => full);
    assert.equal(encodeCannelloni({ sequence: 0, frames }).length, 5 + 20 * 70);
    const more: CannelloniDatagram = { sequence: 0, frames: [...frames, full] };
    assert.throws(() => encodeCannelloni(more), { code: 'LENGTH_RANGE' });
  });

  it('refuse datagrams that end early, go on, or are of another kind', () => {
    const refused = [
      '',
      '02000700',
      '0100070000',
      '0201070000',
      '0200070001',
      '02000700010000',
      '0200070001000007e003023e',
      '0200070001000007e08c',
      DIGITS.replace('0002', '0003'),
      DIGITS.replace('0002', 'ffff'),
      `${DIGITS}00`,
      '00'.repeat(1473),
    ];
    for (const digits of refused) assert.throws(() => decode(digits), { code: 'FRAME_MALFORMED' });
  });

  it('refuse identifiers and lengths that no frame has', () => {
    assert.throws(() => decode('0200000001 0000080000'), { code: 'IDENTIFIER_RANGE' });
    assert.throws(() => decode(`0200000001 0000070009${'00'.repeat(9)}`), { code: 'LENGTH_RANGE' });
    assert.throws(() => decode(`0200000001 000007008900${'00'.repeat(9)}`), {
      code: 'LENGTH_RANGE',
    });
  });

  it('end any bytes in a datagram or in a coded refusal', () => {
    const base = Uint8Array.fromHex(DIGITS.replaceAll(' ', ''));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 100 }),
      fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 4 }).map((changes) => {
        const changed = base.slice();
        for (const [index, byte] of changes) changed[index] = byte;
        return changed;
      }),
    );
    fc.assert(
      fc.property(bytes, (given) => {
        try {
          decodeCannelloni(given);
        } catch (error) {
          assert.ok(error instanceof CanFault);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('formatCandumpLine()', () => {
  it('writes what candump writes', () => {
    assert.equal(formatCandumpLine(CLASSIC, 1234.5678, 'can0'), '(1.234568) can0 7E0#023E00');
    assert.equal(
      formatCandumpLine(FD, 0, 'vcan1'),
      `(0.000000) vcan1 18DA10F1##1${'AA'.repeat(12)}`,
    );
    const short = canFrame({ id: 0x5, data: new Uint8Array() });
    assert.equal(formatCandumpLine(short, 999_999.9999, 'can0'), '(1000.000000) can0 005#');
  });
});

function decode(digits: string): CannelloniDatagram {
  return decodeCannelloni(Uint8Array.fromHex(digits.replaceAll(' ', '')));
}
