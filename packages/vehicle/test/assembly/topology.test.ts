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

/** At the plug: the gateway by eleven bits, the brake by twenty-nine. */
const OBD = {
  bus: 'obd',
  nominalBps: 500_000,
  ecus: [
    { ecu: 'GATEWAY', requestId: 0x7e0, responseId: 0x7e8 },
    { ecu: 'BRAKE', requestId: 0x18da10f1, responseId: 0x18daf110 },
  ],
};

function plug(changes: object): object {
  return { ...GOOD, obd: { ...OBD, ecus: [{ ...OBD.ecus[0], ...changes }] } };
}

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

  it('reads who answers at the plug, and files of before there was one', () => {
    assert.deepEqual(parse({ ...GOOD, obd: OBD }).obd, OBD);
    assert.equal(parse(GOOD).obd, undefined);
    const served = { ...GOOD, ecus: [GATEWAY, { ...BRAKE, serves: ['doors'] }] };
    assert.deepEqual(layoutOf(parse(served)).ecus.get('BRAKE')?.serves, ['doors']);
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
      'a plug on a bus of the vehicle': { ...GOOD, obd: { ...OBD, bus: 'chassis' } },
      'a plug at no rate': { ...GOOD, obd: { ...OBD, nominalBps: 7 } },
      'an ECU at the plug that is not there': plug({ ecu: 'OTHER' }),
      'an ECU at the plug with an entity of its own': {
        ...plug({ ecu: 'IVI' }),
        ecus: [GATEWAY, BRAKE, { ...GATEWAY, ecu: 'IVI', address: 0x1005 }],
      },
      'an ECU twice at the plug': { ...GOOD, obd: { ...OBD, ecus: [OBD.ecus[0], OBD.ecus[0]] } },
      'a group’s identifier at the plug': plug({ requestId: 0x7df }),
      'an answer as a question at the plug': plug({ requestId: 0x7e8, responseId: 0x7f0 }),
      'a pair that is none at the plug': plug({ responseId: 0x7e9 }),
      'another tester’s identifiers at the plug': plug({
        requestId: 0x18da10f2,
        responseId: 0x18daf210,
      }),
      'what nobody can lose': { ...GOOD, ecus: [{ ...GATEWAY, serves: ['radio'] }] },
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
