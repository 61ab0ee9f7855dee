/** Nodes that break the rules: whatever they send, links neither hang nor grow, and recover. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canBitRate, type CanBus, canFrame, type IsoTpFault, normalAddress } from '@immota/bus';
import {
  createCanHub,
  type DiagnosticChannel,
  type DiagnosticRequest,
  openIsoTpEndpoint,
  openIsoTpTester,
} from '@immota/vehicle';
import fc from 'fast-check';
import { type JumpingTimer, jumpingTimer } from '../support/jumping-timer.ts';

const ADDRESS = normalAddress({ txId: 0x7e0, rxId: 0x7e8, functionalId: 0x7df });

describe('an ISO-TP link at a bus with a hostile node', () => {
  it('fails with a code while a babbler keeps the wire, and works when it is gone', async () => {
    const world = makeWorld();
    const babbler = world.hostile;
    const babbling = new AbortController();
    const babble = async (): Promise<void> => {
      while (!babbling.signal.aborted)
        await babbler.send(canFrame({ id: 0, data: new Uint8Array(8) }));
    };
    const babbles = [babble(), babble()];
    const send = world.time.until(world.channel.send(pattern(100)));
    await assert.rejects(send, { code: 'TIMEOUT_A' });
    babbling.abort();
    await world.time.until(Promise.all(babbles));
    // The frame that came too late is nothing to anybody; the next message passes whole.
    await world.time.pass(2000);
    await world.time.until(world.channel.send(pattern(50)));
    assert.deepEqual(world.served.at(-1)?.bytes, pattern(50));
  });

  it('answers a flood of beginnings with one frame each at the most, and keeps none', async () => {
    const world = makeWorld();
    const before = process.memoryUsage().arrayBuffers;
    const announcement = Uint8Array.of(0x1f, 0xff, 1, 2, 3, 4, 5, 6);
    let flows = 0;
    world.hostile.listen(({ id }) => {
      if (id === 0x7e8) flows += 1;
    });
    for (let count = 0; count < 2000; count += 1) {
      await world.time.until(world.hostile.send(canFrame({ id: 0x7e0, data: announcement })));
    }
    await world.time.pass(5000);
    assert.ok(flows <= 2000, `${flows} answers`);
    assert.equal(world.lost.filter((code) => code === 'UNEXPECTED_PDU').length, 1999);
    const grownBytes = process.memoryUsage().arrayBuffers - before;
    assert.ok(grownBytes < 4_000_000, `${grownBytes} bytes are kept`);
    assert.equal(world.served.length, 0);
  });

  it('is not kept for ever by one that asks to wait', async () => {
    const world = makeWorld({ isServing: false });
    world.hostile.listen(({ id }) => {
      if (id !== 0x7e0) return;
      void world.hostile.send(canFrame({ id: 0x7e8, data: Uint8Array.of(0x31, 0, 0) }));
    });
    const waits = Array.from({ length: 20 }, (_, index) =>
      world.time.schedule(500 * index, () => {
        void world.hostile.send(canFrame({ id: 0x7e8, data: Uint8Array.of(0x31, 0, 0) }));
      }),
    );
    const send = world.time.until(world.channel.send(pattern(100)));
    await assert.rejects(send, { code: 'WAIT_OVERRUN' });
    assert.ok(world.time.elapsedMs() < 9000);
    for (const cancel of waits) cancel();
  });

  it('bears any frames, and carries the next message', async () => {
    const frame = fc
      .tuple(fc.constantFrom(0x7e0, 0x7e8, 0x7df), fc.nat(0x3f), fc.uint8Array({ maxLength: 7 }))
      .map(([id, control, rest]) => canFrame({ id, data: Uint8Array.of(control, ...rest) }));
    const step = fc.tuple(frame, fc.constantFrom(0, 0, 0, 1, 300));
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const world = makeWorld();
        for (const [each, pauseMs] of steps) {
          void world.hostile.send(each);
          if (pauseMs > 0) await world.time.pass(pauseMs);
        }
        await world.time.pass(3000);
        await world.time.until(world.channel.send(pattern(200)));
        assert.deepEqual(world.served.at(-1)?.bytes, pattern(200));
      }),
      { numRuns: 60 },
    );
  });
});

interface World {
  readonly time: JumpingTimer;
  readonly channel: DiagnosticChannel;
  readonly hostile: CanBus;
  readonly served: readonly DiagnosticRequest[];
  readonly lost: readonly string[];
}

function makeWorld({ isServing = true } = {}): World {
  const time = jumpingTimer();
  const hub = createCanHub({ timer: time, rate: canBitRate(500_000) });
  const served: DiagnosticRequest[] = [];
  const lost: string[] = [];
  if (isServing) {
    const endpoint = openIsoTpEndpoint({
      bus: hub.connect(),
      timer: hub.timer,
      testers: [ADDRESS],
      onLost: ({ code }: IsoTpFault) => lost.push(code),
    });
    endpoint.serve((request) => served.push(request));
  }
  const tester = openIsoTpTester({ bus: hub.connect(), timer: hub.timer });
  return { time, channel: tester.channelTo(ADDRESS), hostile: hub.connect(), served, lost };
}

function pattern(lengthBytes: number): Uint8Array {
  return Uint8Array.from({ length: lengthBytes }, (_, index) => index * 31);
}
