import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { estimate, type Experience, learn } from '../../src/transaction/experience.ts';
import { elapse, type Picker, shareOut, type Transfer } from '../../src/transaction/flow.ts';
import { createScheduler, foretell } from '../../src/transaction/forecast.ts';
import { NO_LAYOUT, type VehicleLayout } from '../../src/transaction/layout.ts';
import { readOrder } from '../../src/transaction/order.ts';
import { activationGroups, type TransactionEcu } from '../../src/transaction/record.ts';

const transfer = fc.record({
  lengthBytes: fc.integer({ min: 1, max: 5_000_000 }),
  bytesPerSecond: fc.integer({ min: 500, max: 50_000 }),
  bus: fc.constantFrom('can-1', 'can-2', 'eth'),
});
const CAPACITY = {
  busOf: (bus: string) => (bus === 'eth' ? undefined : 29_000),
  gatewayBytesPerSecond: 40_000,
};
const together: Picker = ([first]) => first;
const oneByOne: Picker = ([first], running) => (running.length === 0 ? first : undefined);

/** Seconds that no plan can beat: of the slowest ECU, of each bus, and of the gateway. */
function leastMs(transfers: readonly Transfer[]): number {
  const of = (bus: string): number =>
    transfers.reduce((sum, one) => sum + (one.bus === bus ? one.lengthBytes : 0), 0);
  const all = transfers.reduce((sum, { lengthBytes }) => sum + lengthBytes, 0);
  const alone = transfers.map(({ lengthBytes, bytesPerSecond }) => lengthBytes / bytesPerSecond);
  const buses = ['can-1', 'can-2'].map((bus) => of(bus) / 29_000);
  return 1000 * Math.max(all / 40_000, ...alone, ...buses);
}

function ecu(
  name: string,
  lengthBytes: number,
  changes: Partial<TransactionEcu> = {},
): TransactionEcu {
  return {
    ecu: name,
    hardware: name,
    kind: 'banked',
    rank: 0,
    name: `${name}.bin`,
    sha256: '',
    served: { name: `${name}.bin`, lengthBytes, path: '' },
    old: { name: 'old', sha256: '', served: null },
    step: 'idle',
    attempts: 0,
    failure: null,
    ...changes,
  };
}

const LAYOUT: VehicleLayout = {
  buses: new Map([
    ['can-1', { bytesPerSecond: 29_000 }],
    ['can-2', { bytesPerSecond: 29_000 }],
    ['eth', { bytesPerSecond: 10_000_000 }],
  ]),
  ecus: new Map([
    ['A', { bus: 'can-1', bytesPerSecond: 8000, bootMs: 1000 }],
    ['B', { bus: 'can-1', bytesPerSecond: 8000, bootMs: 1000 }],
    ['C', { bus: 'can-1', bytesPerSecond: 26_000, bootMs: 1000 }],
    ['D', { bus: 'can-2', bytesPerSecond: 12_000, bootMs: 2000 }],
    ['E', { bus: 'can-2', bytesPerSecond: 12_000, bootMs: 2000 }],
    ['F', { bus: 'eth', bytesPerSecond: 3_000_000, bootMs: 60_000 }],
  ]),
  gateways: ['F'],
  gatewayBytesPerSecond: undefined,
};
const SIX = [
  ecu('A', 500_000),
  ecu('B', 400_000),
  ecu('C', 1_000_000),
  ecu('D', 800_000),
  ecu('E', 600_000),
  ecu('F', 90_000_000),
];

describe('shareOut()', () => {
  it('gives nobody more than it takes, no bus and no gateway more than they carry, and wastes nothing', () => {
    fc.assert(
      fc.property(fc.array(transfer, { minLength: 1, maxLength: 8 }), (transfers) => {
        const rates = shareOut(transfers, CAPACITY);
        const sum = (of: (one: Transfer) => boolean): number =>
          transfers.filter(of).reduce((all, one) => all + (rates.get(one) ?? 0), 0);
        const slack = 1e-3 * transfers.length + 1e-6;
        for (const one of transfers) assert.ok((rates.get(one) ?? 0) <= one.bytesPerSecond + slack);
        for (const bus of ['can-1', 'can-2'])
          assert.ok(sum((one) => one.bus === bus) <= 29_000 + slack);
        assert.ok(sum(() => true) <= 40_000 + slack);
        const isFull = (one: Transfer): boolean =>
          (rates.get(one) ?? 0) >= one.bytesPerSecond - slack ||
          sum(() => true) >= 40_000 - slack ||
          (one.bus !== 'eth' && sum((other) => other.bus === one.bus) >= 29_000 - slack);
        assert.ok(transfers.every(isFull));
      }),
    );
  });
});

describe('elapse()', () => {
  it('is between what no plan can beat and one after the other', () => {
    fc.assert(
      fc.property(fc.array(transfer, { minLength: 1, maxLength: 8 }), (transfers) => {
        const atOnce = elapse(transfers, CAPACITY, together);
        const alone = elapse(transfers, CAPACITY, oneByOne);
        assert.ok(atOnce >= leastMs(transfers) * (1 - 1e-6));
        assert.ok(atOnce <= alone * (1 + 1e-6));
      }),
    );
  });
});

describe('foretell() and createScheduler()', () => {
  it('plan six ECUs on two CAN buses and Ethernet in less than half of the time of one after the other', (test) => {
    const forecast = foretell(SIX, { layout: LAYOUT, experience: [] });
    assert.ok(forecast !== undefined);
    const alone = SIX.reduce((sum, { ecu: name, served }) => {
      const rate = LAYOUT.ecus.get(name)?.bytesPerSecond ?? 1;
      return sum + (1000 * served.lengthBytes) / rate;
    }, 0);
    const { likely } = forecast.prepare;
    test.diagnostic(
      `${(likely / 60_000).toFixed(1)} min instead of ${(alone / 60_000).toFixed(1)}`,
    );
    assert.ok(likely < alone / 2);
    assert.ok(forecast.prepare.low <= likely && likely < forecast.prepare.high);
    assert.ok(forecast.unusable.likely >= 60_000);
  });
  it('begin the longest first, and nobody on a bus that is full', () => {
    const scheduler = createScheduler({ layout: LAYOUT, experience: [] });
    const first = scheduler.pick(SIX, []);
    assert.equal(first?.ecu, 'D');
    const busy = SIX.filter(({ ecu: name }) => name === 'C');
    const rest = SIX.filter(({ ecu: name }) => name === 'A');
    assert.equal(scheduler.pick(rest, busy)?.ecu, 'A');
    const full = SIX.filter(({ ecu: name }) => name === 'C' || name === 'A');
    assert.equal(scheduler.pick([ecu('B', 400_000)], full), undefined);
    assert.equal(scheduler.pick([ecu('E', 400_000)], full)?.ecu, 'E');
  });
  it('never wait for nothing', () => {
    fc.assert(
      fc.property(fc.subarray(SIX, { minLength: 1 }), (waiting) => {
        for (const layout of [LAYOUT, NO_LAYOUT]) {
          assert.notEqual(createScheduler({ layout, experience: [] }).pick(waiting, []), undefined);
        }
      }),
    );
  });
  it('foretell nothing of ECUs of which nothing is known, and something once they have been seen', () => {
    const one = [ecu('X', 600_000)];
    assert.equal(foretell(one, { layout: NO_LAYOUT, experience: [] }), undefined);
    let experience: Experience = learn([], { ecu: 'X', kind: 'bytesPerSecond', value: 10_000 });
    experience = learn(experience, { ecu: 'X', kind: 'bootMs', value: 5000 });
    const forecast = foretell(one, { layout: NO_LAYOUT, experience });
    assert.equal(Math.round(forecast?.prepare.likely ?? 0), 60_000);
    assert.equal(forecast?.unusable.likely, 5000);
  });
  it('count the writing of one bank among the time that the vehicle cannot be used', () => {
    const experience = learn([], { ecu: 'A', kind: 'bootMs', value: 1000 });
    const knowledge = { layout: LAYOUT, experience };
    const written = foretell([ecu('A', 800_000, { kind: 'in-place' })], knowledge);
    assert.ok((written?.unusable.likely ?? 0) > 100_000);
    assert.equal(written?.prepare.likely, 0);
  });
});

describe('learn() and estimate()', () => {
  it('are not moved by a few strange nights', () => {
    let experience: Experience = [];
    for (const value of [100, 104, 98, 9000, 101, 99, 1, 103, 97]) {
      experience = learn(experience, { ecu: 'A', kind: 'bytesPerSecond', value });
    }
    const found = estimate(experience, 'A', 'bytesPerSecond');
    assert.equal(found?.likely, 100);
    assert.ok((found?.low ?? 0) > 80 && (found?.high ?? 0) < 120);
  });
  it('follow what has changed for good, and take no nonsense', () => {
    let experience: Experience = [];
    for (let night = 0; night < 20; night += 1) {
      const value = night < 10 ? 100 : 50;
      experience = learn(experience, { ecu: 'A', kind: 'bootMs', value });
    }
    assert.equal(estimate(experience, 'A', 'bootMs')?.likely, 50);
    for (const value of [0, -1, Number.NaN, Infinity]) {
      assert.equal(learn(experience, { ecu: 'A', kind: 'bootMs', value }), experience);
    }
    assert.equal(estimate(experience, 'B', 'bootMs'), undefined);
  });
});

describe('readOrder()', () => {
  it('ranks as the Director says, gateways behind the rest, and the T-BOX behind all', () => {
    const order = readOrder({ installOrder: [['C'], ['A', 'D']] }, ['F']);
    const ecus = [...SIX, ecu('T', 1, { kind: 'self' })].map((one) => ({
      ...one,
      rank: order.rankOf(one.ecu),
    }));
    const groups = activationGroups(ecus).map((group) => group.map(({ ecu: name }) => name));
    assert.deepEqual(groups, [['C'], ['A', 'D'], ['B', 'E'], ['F'], ['T']]);
  });
  it('puts one bank behind those that go back by themselves', () => {
    const groups = activationGroups([ecu('A', 1, { kind: 'in-place' }), ecu('B', 1)]);
    assert.deepEqual(
      groups.map((group) => group.map(({ ecu: name }) => name)),
      [['B'], ['A']],
    );
  });
  it('takes what is no order for none', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (installOrder, technicianGated) => {
        const custom = JSON.parse(JSON.stringify({ installOrder, technicianGated })) as object;
        const order = readOrder(custom as never, []);
        assert.ok(order.rankOf('A') >= 0);
        assert.equal(typeof order.isTechnicianGated('A'), 'boolean');
      }),
    );
    assert.equal(readOrder({ technicianGated: ['A'] }, []).isTechnicianGated('A'), true);
    assert.equal(readOrder({}, []).isTechnicianGated('A'), false);
  });
});
