import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  canBitRate,
  canFrame,
  type CanFrame,
  frameTimeMs,
  isoTpParameters,
  normalAddress,
} from '@immota/bus';
import {
  type CanHub,
  createCanHub,
  openIsoTpEndpoint,
  openIsoTpTester,
  systemSurroundings,
} from '@immota/vehicle';
import { type JumpingTimer, jumpingTimer } from '../support/jumping-timer.ts';
import { manualSurroundings } from '../support/manual-timer.ts';

const RATE = canBitRate(500_000, 2_000_000);

describe('createCanHub()', () => {
  it('brings a frame to all others at the instant its last bit has passed', async () => {
    const { hub, time } = makeHub();
    const [sender, first, second] = [hub.connect(), hub.connect(), hub.connect()];
    const heard: (readonly [string, number])[] = [];
    sender.listen(() => heard.push(['itself', hub.timer.elapsedMs()]));
    first.listen(() => heard.push(['first', hub.timer.elapsedMs()]));
    second.listen(() => heard.push(['second', hub.timer.elapsedMs()]));
    const each = frame(0x123);
    await time.until(sender.send(each));
    const endMs = frameTimeMs(each, RATE);
    assert.deepEqual(heard, [
      ['first', endMs],
      ['second', endMs],
    ]);
    assert.equal(time.elapsedMs(), endMs);
    assert.equal(hub.busyMs, endMs);
  });

  it('lets nodes contend by identifier, and keeps the order of each', async () => {
    const { hub, time } = makeHub();
    const [first, second, listener] = [hub.connect(), hub.connect(), hub.connect()];
    const heard: number[] = [];
    listener.listen(({ id }) => heard.push(id));
    const sends = [0x500, 0x600].map((id) => first.send(frame(id)));
    sends.push(...[0x100, 0x700].map((id) => second.send(frame(id))));
    await time.until(Promise.all(sends));
    assert.deepEqual(heard, [0x500, 0x100, 0x600, 0x700]);
  });

  it('loses no frame when the next one comes before a late timer has told of its end', async () => {
    const time = manualSurroundings();
    const hub = createCanHub({ timer: time.timer, rate: RATE });
    const [first, second, listener] = [hub.connect(), hub.connect(), hub.connect()];
    const heard: number[] = [];
    listener.listen(({ id }) => heard.push(id));
    const sent = first.send(frame(0x100));
    time.advance(5);
    const late = second.send(frame(0x200));
    await sent;
    time.advance(5);
    await late;
    assert.deepEqual(heard, [0x100, 0x200]);
  });

  it('ends listening, nodes and the hub itself', async () => {
    const { hub, time } = makeHub();
    const [sender, other] = [hub.connect(), hub.connect()];
    const heard: CanFrame[] = [];
    const end = other.listen((each) => heard.push(each));
    await time.until(sender.send(frame(1)));
    end();
    await time.until(sender.send(frame(2)));
    assert.equal(heard.length, 1);
    const waiting = sender.send(frame(3));
    await sender.close();
    await assert.rejects(waiting, { code: 'CLOSED' });
    await assert.rejects(sender.send(frame(4)), { code: 'CLOSED' });
    const last = other.send(frame(5));
    hub.close();
    await assert.rejects(last, { code: 'CLOSED' });
    await assert.rejects(hub.connect().send(frame(6)), { code: 'CLOSED' });
  });

  it('refuses a flood, and still carries what was taken', async () => {
    const { hub, time } = makeHub();
    const [flooder, other] = [hub.connect(), hub.connect()];
    const sends = Array.from({ length: 400 }, () => flooder.send(frame(0)));
    const results = Promise.allSettled(sends);
    await time.until(other.send(frame(0x7ff)));
    const codes = (await time.until(results)).map((result) =>
      result.status === 'rejected' ? (result.reason as { readonly code: string }).code : 'sent',
    );
    assert.equal(codes.filter((code) => code === 'sent').length, 257);
    assert.equal(codes.filter((code) => code === 'QUEUE_FULL').length, 400 - 257);
  });

  it('has a timer of its own, in step with the bus', async () => {
    const { hub, time } = makeHub();
    const calls: string[] = [];
    hub.timer.schedule(5, () => calls.push('late'));
    hub.timer.schedule(1, () => calls.push('early'));
    hub.timer.schedule(1, () => calls.push('early too'));
    const cancel = hub.timer.schedule(2, () => calls.push('never'));
    cancel();
    await time.pass(10);
    assert.deepEqual(calls, ['early', 'early too', 'late']);
  });

  it('keeps the speed of the wire on a timer that is a millisecond late', async () => {
    const { timer } = systemSurroundings();
    const hub = createCanHub({ timer, rate: RATE });
    const settings = { messageMaxBytes: 4095 };
    const address = normalAddress({ txId: 0x7e0, rxId: 0x7e8 });
    const place = { timer: hub.timer, settings };
    const endpoint = openIsoTpEndpoint({ ...place, bus: hub.connect(), testers: [address] });
    const tester = openIsoTpTester({ ...place, bus: hub.connect() });
    const passedAtMs: number[] = [];
    hub.connect().listen(() => passedAtMs.push(hub.timer.elapsedMs()));
    await tester.channelTo(address).send(new Uint8Array(4095).fill(0x55));
    // 587 frames, each sent when the one before had passed: on the bus's clock nothing is lost between.
    const tookMs = (passedAtMs.at(-1) ?? 0) - (passedAtMs[0] ?? 0);
    assert.equal(passedAtMs.length, 587);
    assert.ok(tookMs < 1.01 * hub.busyMs, `${tookMs} ms for ${hub.busyMs} ms of frames`);
    assert.ok(hub.timer.elapsedMs() <= timer.elapsedMs(), 'and that clock never runs ahead');
    await endpoint.close();
    tester.close();
    hub.close();
  });

  it('leaves a pause of a tenth of a millisecond as short as it is', async () => {
    const { hub, time } = makeHub();
    const settings = { separationTimeUs: 100 };
    const address = normalAddress({ txId: 0x7e0, rxId: 0x7e8 });
    const place = { timer: hub.timer, settings };
    openIsoTpEndpoint({ ...place, bus: hub.connect(), testers: [address] });
    const tester = openIsoTpTester({ ...place, bus: hub.connect() });
    await time.until(tester.channelTo(address).send(new Uint8Array(6 + 7 * 10)));
    const pausesMs = time.elapsedMs() - hub.busyMs;
    assert.ok(Math.abs(pausesMs - 9 * 0.1) < 1e-6, `${pausesMs} ms between ten frames`);
    assert.equal(isoTpParameters(settings).separationTimeUs, 100);
  });
});

function makeHub(): { readonly hub: CanHub; readonly time: JumpingTimer } {
  const time = jumpingTimer();
  return { hub: createCanHub({ timer: time, rate: RATE }), time };
}

function frame(id: number): CanFrame {
  return canFrame({ id, data: new Uint8Array(8) });
}
