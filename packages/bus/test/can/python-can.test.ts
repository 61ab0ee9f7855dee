import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CanFault, canFrame, decodePythonCan, encodePythonCan } from '../../src/index.ts';

/** What python-can 4.1.0 with msgpack 1.0.3 packs. */
const NAMES = {
  before: '8ba974696d657374616d70cb0000000000000000ae6172626974726174696f6e5f6964',
  extended: 'ae69735f657874656e6465645f6964',
  remote: 'af69735f72656d6f74655f6672616d65',
  error: 'ae69735f6572726f725f6672616d65',
  channel: 'a76368616e6e656cc0a3646c63',
  data: 'a464617461c4',
  fd: 'a569735f6664',
  rest: 'ae626974726174655f737769746368',
  end: 'b56572726f725f73746174655f696e64696361746f72c2',
};
const CLASSIC = packed('cd07e0', 'c2', '03', '03023e00', 'c2', 'c2');
const LONG = '000102030405060708090a0b0c0d0e0f'.repeat(4);
const FD = packed('ce18da10f1', 'c3', '40', `40${LONG}`, 'c3', 'c3');

describe('encodePythonCan() and decodePythonCan()', () => {
  it('write and read what python-can writes, byte by byte', () => {
    const classic = canFrame({ id: 0x7e0, data: Uint8Array.of(2, 0x3e, 0) });
    const fd = canFrame({
      id: 0x18da10f1,
      isExtended: true,
      isFd: true,
      isBitRateSwitched: true,
      data: Uint8Array.fromHex(LONG),
    });
    assert.equal(encodePythonCan(classic).toHex(), CLASSIC);
    assert.equal(encodePythonCan(fd).toHex(), FD);
    assert.deepEqual(decode(CLASSIC), classic);
    assert.deepEqual(decode(FD), fd);
  });

  it('give each frame back', () => {
    fc.assert(
      fc.property(
        fc.nat(0x1fffffff),
        fc.boolean(),
        fc.uint8Array({ maxLength: 8 }),
        (id, isFd, data) => {
          const frame = canFrame({
            id,
            isExtended: id > 0x7ff,
            isFd,
            isBitRateSwitched: isFd,
            data,
          });
          assert.deepEqual(decodePythonCan(encodePythonCan(frame)), frame);
        },
      ),
    );
  });

  it('hand out data that stays when the datagram is overwritten', () => {
    const datagram = Buffer.from(CLASSIC, 'hex');
    const frame = decodePythonCan(datagram);
    datagram.fill(0xff);
    assert.deepEqual(frame, decode(CLASSIC));
  });

  it('pass over remote and error frames', () => {
    const remote = NAMES.remote;
    assert.equal(decode(CLASSIC.replace(`${remote}c2`, `${remote}c3`)), undefined);
    assert.equal(decode(CLASSIC.replace(`${NAMES.error}c2`, `${NAMES.error}c3`)), undefined);
  });

  it('bear entries that they do not know, of any plain kind', () => {
    for (const value of [
      '01',
      'ff',
      'ca00000000',
      'cf0000000000000001',
      'd0ff',
      'd1ffff',
      'd2ffffffff',
      'd3ffffffffffffffff',
      'a161',
      'd90161',
      'c5000100',
      'c60000000100',
      'da000161',
    ]) {
      const more = `8c${CLASSIC.slice(2)}a16b${value}`;
      assert.equal(decode(more)?.id, 0x7e0, value);
    }
    assert.equal(decode(`de000b${CLASSIC.slice(2)}`)?.id, 0x7e0);
  });

  it('take an identifier without a word about it for an extended one', () => {
    assert.equal(decode('82ae6172626974726174696f6e5f696401a464617461c400')?.isExtended, true);
  });

  it('refuse what is no such map', () => {
    const refused = [
      '',
      'c0',
      '81',
      '90',
      CLASSIC.slice(0, -2),
      `${CLASSIC}00`,
      // One name twice; a name that is none; a name of 33 bytes; a list as a value.
      `8c${CLASSIC.slice(2)}${NAMES.fd}c2`,
      '8101c2',
      `81d921${'61'.repeat(33)}c2`,
      `8c${CLASSIC.slice(2)}a16b90`,
      `8c${CLASSIC.slice(2)}a16bc6ffffffff`,
      'deffff',
      // No identifier, no data, a length that is another, a flag that is a number.
      '81a464617461c400',
      '81ae6172626974726174696f6e5f696401',
      CLASSIC.replace('a3646c6303', 'a3646c6304'),
      CLASSIC.replace(`${NAMES.fd}c2`, `${NAMES.fd}01`),
      '00'.repeat(513),
    ];
    for (const digits of refused) {
      assert.throws(() => decode(digits), { code: 'FRAME_MALFORMED' }, digits.slice(0, 40));
    }
  });

  it('refuse identifiers and lengths that no frame has', () => {
    const wide = CLASSIC.replace(`${NAMES.extended}c2`, `${NAMES.extended}c2`).replace(
      'cd07e0',
      'cd0800',
    );
    assert.throws(() => decode(wide), { code: 'IDENTIFIER_RANGE' });
    const long = packed('cd07e0', 'c2', '09', `09${'00'.repeat(9)}`, 'c2', 'c2');
    assert.throws(() => decode(long), { code: 'LENGTH_RANGE' });
  });

  it('end any bytes in a frame, in nothing or in a coded refusal', () => {
    const base = Uint8Array.fromHex(CLASSIC);
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 4 }).map((changes) => {
        const changed = base.slice();
        for (const [index, byte] of changes) changed[index] = byte;
        return changed;
      }),
    );
    fc.assert(
      fc.property(bytes, (given) => {
        try {
          decodePythonCan(given);
        } catch (error) {
          assert.ok(error instanceof CanFault);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

function packed(
  ...parts: readonly [id: string, ext: string, dlc: string, data: string, fd: string, brs: string]
): string {
  const [id, isExtended, dlc, data, isFd, brs] = parts;
  const { before, extended, remote, error, channel, rest, end } = NAMES;
  return [
    before + id,
    extended + isExtended,
    `${remote}c2`,
    `${error}c2`,
    channel + dlc,
    NAMES.data + data,
    NAMES.fd + isFd,
    rest + brs,
    end,
  ].join('');
}

function decode(digits: string): ReturnType<typeof decodePythonCan> {
  return decodePythonCan(Uint8Array.fromHex(digits));
}
