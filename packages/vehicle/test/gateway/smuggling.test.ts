import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GatewayWorld, RULES } from '../support/gateway-world.ts';

const OBD_REQUEST = 0x7e0;
const PLAIN = { ...RULES, frames: [] };
const LIMITED = {
  ...PLAIN,
  diagnostics: [
    {
      ...RULES.diagnostics[0],
      allow: [
        { service: 0x22 },
        { service: 0x31, subFunctions: [1], identifiers: [{ first: 0x203, last: 0x203 }] },
      ],
    },
  ],
};

/** Frames in order, and which of them pass. */
const ATTEMPTS: readonly (readonly [string, readonly (readonly [string, boolean])[]])[] = [
  [
    'a message whose beginning is allowed',
    [
      ['10 09 22 f1 90 f1 91 f1', true],
      ['21 92 f1 93 00 00 00 00', true],
    ],
  ],
  [
    'a message whose beginning is not',
    [
      ['10 09 2e f1 90 f1 91 f1', false],
      ['21 92 f1 93 00 00 00 00', false],
    ],
  ],
  [
    'a first frame that takes the place of another',
    [
      ['10 09 22 f1 90 f1 91 f1', true],
      ['10 09 2e f1 90 f1 91 f1', false],
      ['21 92 f1 93 00 00 00 00', true],
    ],
  ],
  [
    'a single frame between',
    [
      ['10 09 22 f1 90 f1 91 f1', true],
      ['02 10 02 00 00 00 00 00', false],
      ['02 22 f1 00 00 00 00 00', true],
      ['21 92 f1 93 00 00 00 00', false],
    ],
  ],
  [
    'a frame out of sequence',
    [
      ['10 10 22 f1 90 f1 91 f1', true],
      ['22 92 f1 93 00 00 00 00', false],
      ['21 92 f1 93 00 00 00 00', false],
    ],
  ],
  [
    'a shorter frame within',
    [
      ['10 10 22 f1 90 f1 91 f1', true],
      ['21 92 f1 93', false],
      ['21 92 f1 93 00 00 00 00', false],
    ],
  ],
  [
    'frames beyond the end',
    [
      ['10 09 22 f1 90 f1 91 f1', true],
      ['21 92 f1 93 00 00 00 00', true],
      ['22 92 f1 93 00 00 00 00', false],
    ],
  ],
  ['the pace of answers that nobody awaits', [['30 00 00', false]]],
  [
    'the pace of answers that are awaited',
    [
      ['03 22 f1 90', true],
      ['30 00 00', true],
      ['33 00 00', false],
      ['30 00', false],
    ],
  ],
  ['a first frame that would fit into a single one', [['10 07 22 f1 90 00 00 00', false]]],
  ['a first frame that does not fill its frame', [['10 09 22 f1 90', false]]],
  ['the escape for long lengths with a short one', [['10 00 00 00 0f ff 22 f1', false]]],
  [
    'the escape for long lengths',
    [
      ['10 00 00 00 10 00 22 f1', true],
      ['21 90 f1 90 f1 90 f1 90', true],
    ],
  ],
  ['the escape with more than an ECU can take', [['10 00 ff ff ff ff 22 f1', false]]],
  ['the escape before an identifier can be seen', [['10 00 00 00 10 00 31 01', false]]],
  ['a routine that is allowed, over frames', [['10 09 31 01 02 03 00 00', true]]],
  ['a routine that is not, over frames', [['10 09 31 01 ff 00 00 00', false]]],
  ['the escape of longer frames in a classic one', [['00 02 10 02 00 00 00 00', false]]],
  [
    'a length beyond the frame',
    [
      ['08 22 f1 90 f1 90 f1 90', false],
      ['03 22 f1', false],
    ],
  ],
  [
    'a length of zero, and kinds that there are not',
    [
      ['00', false],
      ['40 02 10 02 00 00 00 00', false],
      ['f2 10 02', false],
    ],
  ],
  ['a frame without a byte', [['', false]]],
];

/** The same with frames of up to 64 bytes. */
const FD_ATTEMPTS: readonly (readonly [string, boolean])[] = [
  [`00 0a 22 f1 90 f1 90 f1 90 f1 90 f1`, true],
  [`00 0a 2e f1 90 f1 90 f1 90 f1 90 f1`, false],
  [`00 07 22 f1 90 f1 90 f1 90 f1 90 f1`, false],
  [`00 0b 22 f1 90 f1 90 f1 90 f1 90 f1`, false],
  [`07 22 f1 90 f1 90 f1 90 00 00 00 00`, false],
  ['07 0a 22 f1 90 f1 90 f1 90 f1 90 f1', false],
  [`02 22 f1 90`, true],
  [`10 0a 22 f1 90 f1 90 f1 90 f1 90 f1`, false],
  [`10 0b 22 f1 90 f1 90 f1 90 f1 90 f1`, true],
  [`21 90 00 00 00 00 00 00 00 00 00 00`, true],
];

describe('createGateway(), with messages cut into frames', () => {
  for (const [title, frames] of ATTEMPTS) {
    it(`judges ${title}`, async () => {
      const world = new GatewayWorld(LIMITED);
      for (const [hex, passes] of frames) {
        await world.send('obd', OBD_REQUEST, hex);
        assert.equal(world.heard('chassis').length, passes ? 1 : 0, hex);
        assert.equal(world.reasons().length, passes ? 0 : 1, hex);
      }
    });
  }

  it('judges frames of CAN FD by their own rules', async () => {
    const world = new GatewayWorld(LIMITED);
    for (const [hex, passes] of FD_ATTEMPTS) {
      await world.send('obd', OBD_REQUEST, hex, { isFd: true });
      assert.equal(world.heard('chassis').length, passes ? 1 : 0, hex);
    }
  });

  it('judges extended addressing behind its first byte', async () => {
    const world = new GatewayWorld(PLAIN);
    for (const [hex, passes] of [
      ['40 02 3e 80', true],
      ['40 02 10 02', false],
      ['41 02 3e 80', false],
      ['40', false],
      ['40 10 08 22 f1 90 f1 91', false],
      ['40 10 07 19 02 09 00 00', true],
      ['40 21 00 00 00 00 00 00', true],
      ['40 10 06 19 02 09 00 00', false],
    ] as const) {
      await world.send('obd', 0x6f1, hex);
      assert.equal(world.heard('body').length, passes ? 1 : 0, hex);
    }
  });

  it('gives up a message that does not go on', async () => {
    const world = new GatewayWorld(LIMITED);
    await world.send('obd', OBD_REQUEST, '10 10 22 f1 90 f1 91 f1');
    world.atMs += 10_001;
    await world.send('obd', OBD_REQUEST, '21 92 f1 93 00 00 00 00');
    assert.deepEqual(world.reasons(), ['diagnostic-framing']);
  });
});
