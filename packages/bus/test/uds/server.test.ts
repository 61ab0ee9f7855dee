import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ServiceRule } from '../../src/index.ts';
import { OTHER, UdsBench } from './support/bench.ts';

const WRONG_KEY = '2712 00';
const KEY = '2712 09080706';

describe('UdsServer: sessions', () => {
  it('tells the times of a session and ends it after silence {14229-2:2021 7.3}', () => {
    const bench = new UdsBench();
    assert.equal(bench.ask('1003'), '5003003201f4');
    assert.equal(bench.pass(4900), '');
    assert.equal(bench.ask('3e00'), '7e00');
    bench.pass(4900);
    assert.equal(bench.ask('1101'), '5101');
    bench.ask('1003');
    bench.pass(5000);
    assert.deepEqual(bench.ecu.operations.at(-1), {
      kind: 'enterSession',
      session: 'default',
      cause: 'timeout',
    });
    assert.equal(bench.ask('1101'), '7f117f');
  });

  it('lets nobody but its tester keep, use, end or take over a session', () => {
    const bench = new UdsBench();
    bench.authenticate();
    const other = { tester: OTHER };
    assert.equal(bench.ask('1101', other), '7f117f');
    assert.equal(bench.ask('1003', other), '7f1021');
    assert.equal(bench.ask('1001', other), '5001003201f4');
    assert.equal(bench.ask('22f190', other), '62f190aabb');
    bench.pass(4000);
    assert.equal(bench.ask('3e00', other), '7e00');
    bench.ask('22f190', other);
    bench.pass(1000);
    assert.equal(bench.ask('1003', other), '5003003201f4');
  });

  it('takes a session from a tester without rights, who would keep all others out', () => {
    const bench = new UdsBench();
    bench.ask('1003');
    assert.equal(bench.ask('1003', { tester: OTHER }), '5003003201f4');
    assert.equal(bench.ask('2908'), '7f297f');
    bench.ask('2711', { tester: OTHER });
    bench.ask(KEY, { tester: OTHER });
    assert.equal(bench.ask('1002'), '7f1021');
  });

  it('does not begin a session that the ECU refuses', () => {
    const bench = new UdsBench();
    bench.ecu.refusals.set('enterSession', 0x22);
    assert.equal(bench.ask('1002'), '7f1022');
    assert.equal(bench.ask('2711'), '7f277f');
    assert.equal(bench.ask('1005'), '7f1012');
  });

  it('resets when the answer is on its way, and is silent until it is back', () => {
    const bench = new UdsBench();
    bench.ask('1003');
    bench.isHolding = true;
    bench.ask('1101');
    assert.equal(bench.held[0]?.operation.kind, 'prepareReset');
    assert.equal(bench.release(), '5101');
    assert.deepEqual(bench.held[0]?.operation, { kind: 'reset', reset: 'hard' });
    assert.equal(bench.ask('22f190'), '');
    bench.isHolding = false;
    bench.release();
    assert.equal(bench.ask('22f190'), '62f190aabb');
    assert.equal(bench.ask('1101'), '7f117f');
    bench.ask('1003');
    assert.equal(bench.ask('1104'), '510407');
    assert.equal(bench.ask('1105'), '5105');
    assert.equal(bench.ask('110300'), '7f1113');
  });
});

describe('UdsServer: time for work', () => {
  it('says "not yet" within P2, spaced, and answers then {14229-2:2021 7.2}', () => {
    const bench = new UdsBench();
    bench.isHolding = true;
    assert.equal(bench.ask('22f190'), '');
    assert.equal(bench.pass(40), '7f2278');
    assert.equal(bench.pass(2499), '');
    assert.equal(bench.pass(1), '7f2278');
    bench.isHolding = false;
    assert.equal(bench.release(), '62f190aabb');
  });

  it('turns others away while it works, but for "I am still here"', () => {
    const bench = new UdsBench();
    bench.isHolding = true;
    bench.ask('22f190');
    assert.equal(bench.ask('22f190', { tester: OTHER }), '7f2221');
    assert.equal(bench.ask('3e80'), '');
    assert.equal(bench.ask('3e80', { isFunctional: true }), '');
    assert.equal(bench.ask('1001', { isFunctional: true }), '');
  });

  it('says no when the work has no end, and builds nothing on what comes of it', () => {
    const bench = new UdsBench();
    bench.authenticate();
    bench.isHolding = true;
    bench.ask('3101ff00 0101');
    const words = bench.pass(600_000).split(' ');
    assert.equal(words.at(-1), '7f3110');
    assert.ok(words.length < 250);
    assert.equal(bench.ask('3e00'), '7f3e21');
    assert.equal(bench.release(), '');
    bench.isHolding = false;
    assert.equal(bench.ask('340011 00 01'), '7f3431');
    assert.equal(bench.ask('340022 1000 0100'), '7f3470');
  });

  it('tells a group of a refusal, once it has asked it for time', () => {
    const bench = new UdsBench();
    bench.isHolding = true;
    bench.ask('22f190', { isFunctional: true });
    assert.equal(bench.pass(40), '7f2278');
    assert.equal(bench.release({ kind: 'refused', responseCode: 0x31 }), '7f2231');
  });

  it('answers aloud what was to be answered silently, once it has asked for time', () => {
    const bench = new UdsBench();
    bench.isHolding = true;
    bench.ask('1083');
    assert.equal(bench.pass(40), '7f1078');
    bench.isHolding = false;
    assert.equal(bench.release(), '5003003201f4');
  });
});

describe('UdsServer: the order of checks {14229-1:2020 8.7}', () => {
  it('refuses by service, session, rights, length and sub-function, in this order', () => {
    const bench = new UdsBench();
    assert.equal(bench.ask('ba'), '7fba11');
    assert.equal(bench.ask('27'), '7f277f');
    bench.ask('1003');
    assert.equal(bench.ask('34'), '7f3434');
    assert.equal(bench.ask('27'), '7f2713');
    assert.equal(bench.ask('2701'), '7f2712');
    assert.equal(bench.ask('1002'), '5002003201f4');
    assert.equal(bench.ask('8502'), '7f857f');
    assert.equal(bench.ask('2ef101 01'), '7f2e33');
  });

  it('keeps what belongs to a session out of the default one, whatever a table says', () => {
    const anywhere = { sessions: ['default', 'extended'] } as const;
    const subFunctions = new Map([[0x11, anywhere]]);
    const services = new Map<number, ServiceRule>([
      [0x10, { ...anywhere, subFunctions: new Map([[3, anywhere]]) }],
      [0x27, { ...anywhere, subFunctions }],
      [0x36, anywhere],
    ]);
    const bench = new UdsBench({ services });
    assert.equal(bench.ask('2711'), '7f277f');
    assert.equal(bench.ask('3601aa'), '7f367f');
    bench.ask('1003');
    assert.equal(bench.ask('2711'), '671101020311');
    assert.equal(bench.ask('3601aa'), '7f3624');
  });

  it('looks at the rights of a sub-function after its session', () => {
    const extended = { sessions: ['extended'] } as const;
    const both = { sessions: ['default', 'extended'] } as const;
    const locked = { ...extended, levels: [0x11] };
    const services = new Map<number, ServiceRule>([
      [0x10, { ...both, subFunctions: new Map([[3, both]]) }],
      [0x11, { ...both, subFunctions: new Map([[1, locked]]) }],
    ]);
    const bench = new UdsBench({ services });
    assert.equal(bench.ask('1101'), '7f117e');
    bench.ask('1003');
    assert.equal(bench.ask('1101'), '7f1133');
  });

  it('ignores what is a response, or nothing', () => {
    const bench = new UdsBench();
    assert.equal(bench.ask('7f2211'), '');
    assert.equal(bench.ask('50030000'), '');
    assert.equal(bench.ask(''), '');
  });

  it('does not tell a group what most of it cannot serve {14229-1:2020 7.5.6}', () => {
    const bench = new UdsBench();
    const toAll = { isFunctional: true };
    for (const silent of ['ba', '2711', '1009', '22ffff', '1183']) {
      assert.equal(bench.ask(silent, toAll), '');
    }
    assert.equal(bench.ask('22f1', toAll), '7f2213');
    assert.equal(bench.ask('22f190', toAll), '62f190aabb');
    assert.equal(bench.ask('3e80', toAll), '');
    assert.equal(bench.refused.length, 6);
  });
});

describe('UdsServer: data, trouble codes, communication', () => {
  it('reads several records and leaves out what it does not know', () => {
    const bench = new UdsBench();
    assert.equal(bench.ask('22f190f18c'), '62f190aabbf18caabb');
    assert.equal(bench.ask('22f190ffff'), '62f190aabb');
    assert.equal(bench.ask('22ffff'), '7f2231');
    assert.equal(bench.ask('22f190f1'), '7f2213');
    assert.equal(bench.ask(`22${'f190'.repeat(33)}`), '7f2213');
    assert.equal(bench.ask('22f103'), '7f2214');
  });

  it('reads and writes what is locked after the key alone', () => {
    const bench = new UdsBench();
    assert.equal(bench.ask('22f101'), '7f2231');
    bench.ask('1003');
    assert.equal(bench.ask('22f101'), '7f2233');
    assert.equal(bench.ask('2711'), '671101020311');
    assert.equal(bench.ask(KEY), '6712');
    assert.equal(bench.ask('22f101'), '62f101aabb');
    assert.equal(bench.ask('2ef101 01020304'), '6ef101');
    assert.equal(bench.ask('2ef101 0102030405'), '7f2e13');
    assert.equal(bench.ask('2ef190 01'), '7f2e31');
    bench.ecu.refusals.set('writeData', 0x72);
    assert.equal(bench.ask('2ef101 01'), '7f2e72');
  });

  it('serves trouble codes, their setting, and communication', () => {
    const bench = new UdsBench();
    assert.equal(bench.ask('1901ff'), '59017f010001');
    assert.equal(bench.ask('1902ff'), '59027f12345608');
    assert.equal(bench.ask('190a'), '590a7f12345608');
    assert.equal(bench.ask('1906123456ff'), '59067f12345608');
    assert.equal(bench.ask('1901'), '7f1913');
    assert.equal(bench.ask('190a00'), '7f1913');
    assert.equal(bench.ask('14ffffff'), '54');
    assert.equal(bench.ask('14ffffff00'), '7f1413');
    bench.ask('1003');
    assert.equal(bench.ask('8502'), 'c502');
    assert.equal(bench.ask('850201'), '7f8513');
    assert.equal(bench.ask('280101'), '6801');
    assert.equal(bench.ask('280401'), '7f2812');
    assert.equal(bench.ask('28010101'), '7f2813');
  });
});

describe('UdsServer: security access {14229-1:2020 10.4}', () => {
  it('gives each seed one key, and zeros once it is open', () => {
    const bench = new UdsBench();
    bench.ask('1003');
    assert.equal(bench.ask(KEY), '7f2724');
    bench.ask('2711');
    assert.equal(bench.ask('2712'), '7f2713');
    assert.equal(bench.ask(WRONG_KEY), '7f2735');
    assert.equal(bench.ask(KEY), '7f2724');
    bench.ask('2711');
    assert.equal(bench.ask(KEY), '6712');
    assert.equal(bench.ask('2711'), '671100000000');
    assert.deepEqual(bench.kept, [1, 2, 0]);
    bench.ask('1003');
    assert.equal(bench.ask('22f101'), '7f2233');
  });

  it('closes after three wrong keys, for ten seconds, a restart or not', () => {
    const bench = new UdsBench();
    bench.ask('1003');
    for (const code of ['35', '35', '36']) {
      bench.ask('2711');
      assert.equal(bench.ask(WRONG_KEY), `7f27${code}`);
    }
    assert.deepEqual(bench.kept, [1, 2, 3]);
    assert.equal(bench.ask('2711'), '7f2737');
    for (let index = 0; index < 4; index += 1) {
      bench.pass(2500);
      bench.ask('3e80');
    }
    assert.equal(bench.ask('2711'), '671101020311');
    assert.equal(bench.ask(WRONG_KEY), '7f2736');
    const restarted = new UdsBench({}, 3);
    restarted.atMs = 9999;
    restarted.ask('1003');
    assert.equal(restarted.ask('2711'), '7f2737');
    restarted.atMs = 10_000;
    assert.equal(restarted.ask('2711'), '671101020311');
  });

  it('waits a second after each start', () => {
    const bench = new UdsBench();
    bench.atMs = 999;
    bench.ask('1003');
    assert.equal(bench.ask('2711'), '7f2737');
  });

  it('gives no seed that says "open"', () => {
    const bench = new UdsBench();
    bench.ask('1003');
    bench.isHolding = true;
    bench.ask('2711');
    const zeros = { kind: 'record', record: new Uint8Array(4) } as const;
    assert.equal(bench.release({ kind: 'done', result: zeros }), '7f2722');
  });
});

describe('UdsServer: authentication {14229-1:2020 10.6}', () => {
  it('gives a role for a certificate and a proof, until the session ends', () => {
    const bench = new UdsBench();
    bench.ask('1003');
    assert.equal(bench.ask('2908'), '690802');
    assert.equal(bench.ask('290100 0001aa 0000'), `6901110010${'05'.repeat(16)}0000`);
    assert.equal(bench.ask('2903 0001bb 0000'), '6903120000');
    assert.equal(bench.ask('3101ff000101'), '7101ff0000');
    assert.equal(bench.ask('2903 0001bb 0000'), '7f2924');
    bench.ask('1002');
    assert.equal(bench.ask('3101ff000101'), '7101ff0000');
    assert.equal(bench.ask('2900'), '690010');
    assert.equal(bench.ask('3101ff000101'), '7f3134');
    bench.authenticate();
    bench.ask('1001');
    bench.ask('1003');
    assert.equal(bench.ask('3101ff000101'), '7f3134');
    bench.authenticate();
    bench.pass(5000);
    bench.ask('1003');
    assert.equal(bench.ask('3101ff000101'), '7f3134');
  });

  it('shows and proves the ECU where both directions are asked for', () => {
    const bench = new UdsBench();
    bench.ask('1003');
    assert.equal(
      bench.ask(`290200 0001aa 0010 ${'01'.repeat(16)}`),
      `6902110010${'05'.repeat(16)}0001070001080000`,
    );
    assert.equal(bench.ask('290200 0001aa 000101'), '7f2959');
  });

  it('refuses what the ECU refuses, and takes the old role away', () => {
    const bench = new UdsBench();
    bench.authenticate();
    bench.ecu.refusals.set('verifyCertificate', 0x51);
    assert.equal(bench.ask('290100 0001aa 0000'), '7f2951');
    assert.equal(bench.ask('3101ff000101'), '7f3134');
    bench.ecu.refusals.clear();
    bench.ecu.refusals.set('verifyProof', 0x58);
    bench.ask('290100 0001aa 0000');
    assert.equal(bench.ask('2903 0001bb 0000'), '7f2958');
    assert.equal(bench.ask('2903 0001bb 0000'), '7f2924');
    assert.equal(bench.ask('2904'), '7f2912');
    assert.equal(bench.ask('290100 0005aa 0000'), '7f2913');
    assert.equal(bench.ask('290000'), '7f2913');
  });
});
