import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { findFaultCode } from '@immota/base';
import { encodeTopology, layoutOf, parseTopology } from '@immota/vehicle';

const GATEWAY = {
  ecu: 'GATEWAY',
  address: 0x1001,
  storage: { kind: 'two-bank', part: 'stm32h7' },
  place: { kind: 'ethernet' },
};
const BRAKE = {
  ecu: 'BRAKE',
  address: 0x1002,
  storage: { kind: 'one-bank', part: 'stm32f0' },
  place: { kind: 'can', bus: 'chassis', requestId: 0x720, responseId: 0x728 },
};
const CHASSIS = { name: 'chassis', nominalBps: 500_000, dataBps: 2_000_000 };
const GOOD = { tester: 0x0e80, gateway: 'GATEWAY', buses: [CHASSIS], ecus: [GATEWAY, BRAKE] };

function parse(topology: unknown): ReturnType<typeof parseTopology> {
  return parseTopology(Buffer.from(JSON.stringify(topology)));
}

describe('parseTopology()', () => {
  it('reads what it writes', () => {
    const topology = parse(GOOD);
    assert.deepEqual(parseTopology(Buffer.from(encodeTopology(topology))), topology);
    assert.deepEqual(
      topology.ecus.map(({ ecu }) => ecu),
      ['GATEWAY', 'BRAKE'],
    );
  });

  it('refuses wiring that contradicts itself', () => {
    for (const [why, odd] of Object.entries({
      'a gateway that is not there': { ...GOOD, gateway: 'OTHER' },
      'a gateway on a bus': { ...GOOD, gateway: 'BRAKE' },
      'an ECU twice': { ...GOOD, ecus: [GATEWAY, BRAKE, { ...BRAKE, address: 0x1003 }] },
      'an address twice': { ...GOOD, ecus: [GATEWAY, { ...BRAKE, address: 0x1001 }] },
      'a bus twice': { ...GOOD, buses: [CHASSIS, CHASSIS] },
      'a bus that is not there': { ...GOOD, buses: [] },
      'a rate that there is not': { ...GOOD, buses: [{ ...CHASSIS, nominalBps: 7 }] },
      'an identifier twice': {
        ...GOOD,
        ecus: [GATEWAY, { ...BRAKE, place: { ...BRAKE.place, responseId: 0x720 } }],
      },
      'an address of a tester': { ...GOOD, ecus: [{ ...GATEWAY, address: 0x0e80 }] },
      'a tester beyond its range': { ...GOOD, tester: 0x2000 },
      'a part that nobody makes': {
        ...GOOD,
        ecus: [{ ...GATEWAY, storage: { kind: 'two-bank', part: 'toString' } }],
      },
      'no ECU': { ...GOOD, ecus: [] },
      'a member too many': { ...GOOD, more: 1 },
    })) {
      assert.throws(() => parse(odd), { code: 'BUNDLE_MALFORMED' }, why);
    }
  });

  it('refuses any bytes with the same code', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          try {
            parseTopology(bytes);
            return false;
          } catch (error) {
            return findFaultCode(error) === 'BUNDLE_MALFORMED';
          }
        },
      ),
    );
  });
});

describe('layoutOf()', () => {
  it('tells which ECUs share a bus, and what it carries', () => {
    const layout = layoutOf(parse(GOOD));
    assert.deepEqual(layout.gateways, ['GATEWAY']);
    assert.equal(layout.ecus.get('BRAKE')?.bus, 'chassis');
    // 175 kB/s by vehicle makers' reckoning; ours counts the bits of a full frame.
    const rate = layout.buses.get('chassis')?.bytesPerSecond ?? 0;
    assert.ok(rate > 150_000 && rate < 200_000, String(rate));
    const classic = layoutOf(parse({ ...GOOD, buses: [{ ...CHASSIS, dataBps: undefined }] }));
    assert.equal(classic.buses.get('chassis')?.bytesPerSecond, 29_166);
  });

  it('knows of no gateway where all are on Ethernet', () => {
    assert.deepEqual(layoutOf(parse({ ...GOOD, ecus: [GATEWAY] })).gateways, []);
  });
});
