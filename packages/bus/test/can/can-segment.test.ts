import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { canBitRate, canFrame, type CanFrame, CanSegment, frameTimeMs } from '../../src/index.ts';

const RATE = canBitRate(500_000, 2_000_000);

describe('canBitRate()', () => {
  it('takes what controllers have', () => {
    for (const [nominal, data] of [
      [10_000, undefined],
      [1_000_000, undefined],
      [500_000, 500_000],
      [1_000_000, 8_000_000],
    ] as const) {
      assert.equal(canBitRate(nominal, data).dataBps, data);
    }
  });

  it('refuses other rates, and data that is slower than the rest', () => {
    for (const [nominal, data] of [
      [9999, undefined],
      [1_000_001, undefined],
      [Number.NaN, undefined],
      [500_000, 499_999],
      [500_000, 8_000_001],
    ] as const) {
      assert.throws(() => canBitRate(nominal, data), { code: 'BIT_RATE' });
    }
  });
});

describe('frameTimeMs()', () => {
  it('gives about a quarter of a millisecond for eight bytes at 500 kbit/s', () => {
    const timeMs = frameTimeMs(frame(0x7e0, 8), RATE);
    assert.ok(timeMs > 0.22 && timeMs < 0.27, String(timeMs));
  });

  it('lets the data of CAN FD pass at the faster rate', () => {
    const slow = canFrame({ id: 1, isFd: true, data: new Uint8Array(64) });
    const fast = canFrame({ id: 1, isFd: true, isBitRateSwitched: true, data: new Uint8Array(64) });
    assert.ok(frameTimeMs(slow, RATE) > 3 * frameTimeMs(fast, RATE));
  });

  it('refuses a frame of CAN FD on a bus without', () => {
    const fd = canFrame({ id: 1, isFd: true, data: new Uint8Array(12) });
    assert.throws(() => frameTimeMs(fd, canBitRate(500_000)), { code: 'BIT_RATE' });
    assert.throws(() => new CanSegment(canBitRate(500_000)).handle(send(1, fd), 0), {
      code: 'BIT_RATE',
    });
  });
});

describe('a CanSegment', () => {
  it('carries one frame at a time, each as long as its bits take', () => {
    const segment = new CanSegment(RATE);
    const [first, second] = [frame(1, 8), frame(2, 0)];
    segment.handle(send(1, first), 10);
    segment.handle(send(2, second), 10);
    const firstEnd = 10 + frameTimeMs(first, RATE);
    assert.equal(segment.deadlineMs, firstEnd);
    assert.deepEqual(segment.elapse(firstEnd - 0.001), []);
    assert.deepEqual(segment.elapse(firstEnd), [passed(1, first, firstEnd)]);
    const secondEnd = firstEnd + frameTimeMs(second, RATE);
    assert.deepEqual(segment.elapse(secondEnd), [passed(2, second, secondEnd)]);
    assert.equal(segment.deadlineMs, undefined);
    assert.ok(Math.abs(segment.busyMs - (secondEnd - 10)) < 1e-9);
  });

  it('lets the lowest identifier go first, but interrupts nobody', () => {
    const segment = new CanSegment(RATE);
    segment.handle(send(1, frame(0x700)), 0);
    segment.handle(send(2, frame(0x300)), 0);
    segment.handle(send(3, frame(0x100)), 0);
    assert.deepEqual(order(segment), [0x700, 0x100, 0x300]);
  });

  it('puts 11 bits before 29 that begin alike, and 29 bits in the order of all of them', () => {
    const segment = new CanSegment(RATE);
    const ids = [
      frame(0x7ff),
      extended(0x100 * 2 ** 18 + 1),
      extended(0x100 * 2 ** 18),
      frame(0x100),
      frame(0x101),
    ];
    for (const [node, each] of ids.entries()) segment.handle(send(node, each), 0);
    assert.deepEqual(order(segment), [0x7ff, 0x100, 0x100 * 2 ** 18, 0x100 * 2 ** 18 + 1, 0x101]);
  });

  it('keeps the order of one node, even where that holds back an urgent frame', () => {
    const segment = new CanSegment(RATE);
    segment.handle(send(1, frame(0x500)), 0);
    segment.handle(send(1, frame(0x700)), 0);
    segment.handle(send(1, frame(0x001)), 0);
    segment.handle(send(2, frame(0x600)), 0);
    assert.deepEqual(order(segment), [0x500, 0x600, 0x700, 0x001]);
  });

  it('refuses a flood of one node, and still serves the others', () => {
    const segment = new CanSegment(RATE);
    // One of them is on the wire.
    for (let count = 0; count < 257; count += 1) segment.handle(send(1, frame(1)), 0);
    assert.throws(() => segment.handle(send(1, frame(1)), 0), { code: 'QUEUE_FULL' });
    segment.handle(send(2, frame(0)), 0);
    assert.deepEqual(order(segment).slice(0, 2), [1, 0]);
  });

  it('tells of what has passed when a frame comes late, and forgets nothing when it refuses', () => {
    const segment = new CanSegment(RATE);
    segment.handle(send(1, frame(1)), 0);
    const passedIds = segment.handle(send(2, frame(2)), 5).map(({ frame: { id } }) => id);
    assert.deepEqual(passedIds, [1]);
    for (let count = 0; count < 256; count += 1) segment.handle(send(3, frame(3)), 5);
    assert.throws(() => segment.handle(send(3, frame(3)), 50), { code: 'QUEUE_FULL' });
    assert.equal(segment.elapse(1e9).length, 257);
  });

  it('takes back what a node has waiting', () => {
    const segment = new CanSegment(RATE);
    for (const id of [1, 2]) segment.handle(send(1, frame(id)), 0);
    segment.handle(send(2, frame(3)), 0);
    segment.remove(1);
    assert.deepEqual(order(segment), [1, 3]);
  });

  it('carries each frame once, in order for each node, and never two at a time', () => {
    const steps = fc.array(
      fc.tuple(fc.nat(4), fc.nat(0x7ff), fc.nat(8), fc.float({ min: 0, max: 2, noNaN: true })),
      {
        maxLength: 60,
      },
    );
    fc.assert(
      fc.property(steps, (given) => {
        const segment = new CanSegment(RATE);
        const sent: { readonly node: number; readonly frame: CanFrame }[] = [];
        const heard: ReturnType<CanSegment['elapse']>[number][] = [];
        let nowMs = 0;
        for (const [node, id, length, delayMs] of given) {
          nowMs += delayMs;
          const each = frame(id, length);
          sent.push({ node, frame: each });
          heard.push(...segment.handle(send(node, each), nowMs));
        }
        heard.push(...segment.elapse(1e9));
        assert.equal(heard.length, sent.length);
        for (let node = 0; node <= 4; node += 1) {
          const of = (list: readonly { readonly node: number; readonly frame: CanFrame }[]) =>
            list.filter((each) => each.node === node).map((each) => each.frame);
          assert.deepEqual(of(heard), of(sent));
        }
        for (const [index, { frame: each, atMs }] of heard.entries()) {
          const earlier = heard[index - 1]?.atMs ?? 0;
          assert.ok(atMs - earlier >= frameTimeMs(each, RATE) - 1e-9);
        }
      }),
    );
  });
});

function frame(id: number, lengthBytes = 0): CanFrame {
  return canFrame({ id, data: new Uint8Array(lengthBytes).fill(0x55) });
}

function extended(id: number): CanFrame {
  return canFrame({ id, isExtended: true, data: new Uint8Array() });
}

function send(node: number, each: CanFrame): Parameters<CanSegment['handle']>[0] {
  return { kind: 'send', node, frame: each };
}

function passed(node: number, each: CanFrame, atMs: number): unknown {
  return { kind: 'passed', node, frame: each, atMs };
}

function order(segment: CanSegment): readonly number[] {
  return segment.elapse(1e9).map(({ frame: { id } }) => id);
}
