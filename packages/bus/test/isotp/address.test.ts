import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  extendedAddress,
  type IsoTpAddress,
  isoTpParameters,
  type IsoTpSettings,
  mirrorAddress,
  mixedAddress,
  mixedFixedAddress,
  normalAddress,
  normalFixedAddress,
} from '../../src/index.ts';
import { ecuLink, hex, testerLink, told } from './told.ts';

const FORMATS: readonly (readonly [
  string,
  IsoTpAddress,
  id: number,
  functionalId: number,
  head: string,
])[] = [
  ['normal', normalAddress({ txId: 0x7e0, rxId: 0x7e8, functionalId: 0x7df }), 0x7e0, 0x7df, ''],
  [
    'normal of 29 bits',
    normalAddress({ txId: 0x18db0001, rxId: 0x2, functionalId: 0x3, isExtended: true }),
    0x18db0001,
    0x3,
    '',
  ],
  [
    'normal fixed',
    normalFixedAddress({ source: 0xf1, target: 0x10, functionalTarget: 0x33 }),
    0x18da10f1,
    0x18db33f1,
    '',
  ],
  [
    'extended',
    extendedAddress({ txId: 0x6f1, rxId: 0x612, ecu: 0x12, tester: 0xf1, group: 0xdf }),
    0x6f1,
    0x6f1,
    '12',
  ],
  [
    'mixed',
    mixedAddress({ txId: 0x7e0, rxId: 0x7e8, functionalId: 0x7df, addressExtension: 0x99 }),
    0x7e0,
    0x7df,
    '99',
  ],
  [
    'mixed fixed',
    mixedFixedAddress({
      source: 0xf1,
      target: 0x10,
      functionalTarget: 0x33,
      addressExtension: 0x99,
      priority: 7,
    }),
    0x1cce10f1,
    0x1ccd33f1,
    '99',
  ],
];

describe('an address', () => {
  for (const [name, address, id, functionalId, head] of FORMATS) {
    it(`that is ${name} carries requests and answers {15765-2:2016 10.3}`, () => {
      const tester = testerLink({}, address);
      const ecu = ecuLink({}, address);
      const [request] = tester.handle({ kind: 'send', message: hex('1003') }, 0);
      assert.ok(request?.kind === 'send');
      assert.equal(request.frame.id, id);
      assert.ok(request.frame.data.toHex().startsWith(`${head}021003cc`));
      assert.deepEqual(told(ecu.handle({ kind: 'frame', frame: request.frame }, 0)), [
        'received 1003',
      ]);
      const [answer] = ecu.handle({ kind: 'send', message: hex('5003') }, 0);
      assert.ok(answer?.kind === 'send');
      assert.deepEqual(told(tester.handle({ kind: 'frame', frame: answer.frame }, 0)), [
        'received 5003',
      ]);
      assert.deepEqual(tester.handle({ kind: 'frame', frame: request.frame }, 0), []);
    });

    it(`that is ${name} asks a group`, () => {
      const [request] = testerLink({}, address).handle(
        { kind: 'send', message: hex('3e80'), isFunctional: true },
        0,
      );
      assert.ok(request?.kind === 'send');
      assert.equal(request.frame.id, functionalId);
      const ecu = ecuLink({}, address);
      assert.deepEqual(told(ecu.handle({ kind: 'frame', frame: request.frame }, 0)), ['all 3e80']);
      // A tester is in no group.
      const other = testerLink({}, address);
      assert.deepEqual(other.handle({ kind: 'frame', frame: request.frame }, 0), []);
    });
  }

  it('is its own mirror twice', () => {
    for (const [, address] of FORMATS) {
      assert.deepEqual(mirrorAddress(mirrorAddress(address)), address);
    }
  });

  it('tells the tester by its source, or by what it sends with', () => {
    assert.deepEqual(
      FORMATS.map(([, { tester }]) => tester),
      [0x7e0, 0x18db0001, 0xf1, 0x6f1, 0x7e0, 0xf1],
    );
  });

  it('is refused when it is out of range, or has both ends in one', () => {
    const refused = [
      () => normalAddress({ txId: 0x800, rxId: 1 }),
      () => normalAddress({ txId: 1, rxId: 1 }),
      () => normalAddress({ txId: 1, rxId: 2, functionalId: -1 }),
      () => normalFixedAddress({ source: 0x100, target: 1 }),
      () => normalFixedAddress({ source: 1, target: 2, priority: 8 }),
      () => normalFixedAddress({ source: 1, target: 1 }),
      () => extendedAddress({ txId: 1, rxId: 2, ecu: 256, tester: 1 }),
      () => mixedAddress({ txId: 1, rxId: 2, addressExtension: 1.5 }),
    ];
    for (const make of refused) assert.throws(make, { code: 'PARAMETER' });
    // The same identifier both ways is fine when the prefix tells the ends apart.
    extendedAddress({ txId: 1, rxId: 1, ecu: 2, tester: 3 });
  });

  it('keeps frames of other kinds out', () => {
    const fixed = normalFixedAddress({ source: 0xf1, target: 0x10 });
    const [request] = testerLink({}, fixed).handle({ kind: 'send', message: hex('1003') }, 0);
    assert.ok(request?.kind === 'send');
    const strangers = [
      { ...request.frame, id: 0x18da11f1 },
      { ...request.frame, isExtended: false },
      { ...request.frame, isFd: true },
    ];
    for (const frame of strangers) {
      assert.deepEqual(ecuLink({}, fixed).handle({ kind: 'frame', frame }, 0), []);
    }
  });
});

describe('isoTpParameters()', () => {
  it('fills in what the standard has', () => {
    const parameters = isoTpParameters();
    assert.equal(parameters.frameBytes, 8);
    assert.equal(parameters.padding, 0xcc);
    assert.equal(parameters.messageMaxBytes, 4095);
    assert.equal(parameters.crMs, 1000);
    assert.equal(isoTpParameters({ isFd: true }).frameBytes, 64);
    assert.equal(isoTpParameters({ padding: undefined }).padding, undefined);
  });

  it('refuses what no link has', () => {
    const refused: readonly IsoTpSettings[] = [
      { frameBytes: 12 },
      { isFd: true, frameBytes: 13 },
      { isFd: true, frameBytes: 7 },
      { isBitRateSwitched: true },
      { padding: 256 },
      { blockSize: 256 },
      { blockSize: -1 },
      { separationTimeUs: 128_000 },
      { messageMaxBytes: 0 },
      { messageMaxBytes: 2 ** 32 },
      { waitFramesMax: 1.5 },
      { asMs: 0 },
      { crMs: Number.POSITIVE_INFINITY },
      { brMs: 900 },
    ];
    for (const settings of refused) {
      assert.throws(
        () => isoTpParameters(settings),
        { code: 'PARAMETER' },
        JSON.stringify(settings),
      );
    }
  });
});
