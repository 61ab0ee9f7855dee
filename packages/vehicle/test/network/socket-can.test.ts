import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CanBus, canFrame, type CanFrame, normalAddress } from '@immota/bus';
import {
  openIsoTpEndpoint,
  openIsoTpTester,
  openSocketCan,
  type SocketCanPackage,
} from '@immota/vehicle';
import { type JumpingTimer, jumpingTimer } from '../support/jumping-timer.ts';

const CLASSIC = canFrame({ id: 0x123, data: Uint8Array.of(1, 2, 3) });
const FD = canFrame({ id: 0x1234567, isExtended: true, isFd: true, data: new Uint8Array(12) });

type Channel = ReturnType<SocketCanPackage['createRawChannelWithOptions']>;
type PackageFrame = Parameters<Channel['send']>[0];

describe('openSocketCan()', () => {
  it('tells how to install the package where it is not', async (t) => {
    const isThere = await import(['socket', 'can'].join('')).then(
      () => true,
      () => false,
    );
    if (isThere) {
      t.skip('not run: the package socketcan is installed');
      return;
    }
    const options = { interfaceName: 'can0', timer: jumpingTimer() };
    await assert.rejects(openSocketCan(options), { code: 'DRIVER_MISSING' });
  });

  it('sends and hears frames of both kinds, and not its own', async () => {
    const { kernel, time, bus, other } = await open();
    const heard: CanFrame[] = [];
    bus.listen((frame) => heard.push(frame));
    await time.until(bus.send(CLASSIC));
    await time.until(bus.send(FD));
    assert.deepEqual(kernel.taken, [
      { id: 0x123, ext: false, rtr: false, data: Buffer.of(1, 2, 3) },
      { id: 0x1234567, ext: true, rtr: false, fd_brs: false, data: Buffer.alloc(12) },
    ]);
    assert.deepEqual(heard, []);
    await time.until(other.send(CLASSIC));
    await time.until(other.send(FD));
    assert.deepEqual(heard, [CLASSIC, FD]);
  });

  it('keeps no more in the kernel than its queue holds, however long the message', async () => {
    const { kernel, time, bus, other } = await open();
    const address = normalAddress({ txId: 0x7e0, rxId: 0x7e8 });
    const received: number[] = [];
    openIsoTpEndpoint({ bus: other, timer: time, testers: [address] }).serve(({ bytes }) =>
      received.push(bytes.length),
    );
    const tester = openIsoTpTester({ bus, timer: time });
    await time.until(tester.channelTo(address).send(new Uint8Array(4000)));
    assert.deepEqual(received, [4000]);
    await time.until(Promise.all(Array.from({ length: 100 }, () => bus.send(CLASSIC))));
    assert.ok(kernel.most <= 4, `${kernel.most} frames at one time`);
  });

  it('passes over what is no data frame', async () => {
    const { kernel, bus } = await open();
    const heard: CanFrame[] = [];
    bus.listen((frame) => heard.push(frame));
    kernel.arrive({ id: 1, rtr: true, data: Buffer.alloc(0) });
    kernel.arrive({ id: 1, err: true, data: Buffer.alloc(8) });
    kernel.arrive({ id: 1, data: Buffer.alloc(9) });
    assert.deepEqual(heard, []);
  });

  it('gives up a frame that nobody acknowledges, and sends the next', async () => {
    const { kernel, time, bus } = await open();
    kernel.isOff = true;
    const sends = Promise.allSettled(Array.from({ length: 5 }, () => bus.send(CLASSIC)));
    await time.pass(500);
    kernel.isOff = false;
    const results = await time.until(sends);
    assert.deepEqual(
      results.map((result) =>
        result.status === 'rejected' ? (result.reason as { readonly code: string }).code : 'sent',
      ),
      [...Array<string>(4).fill('DRIVER_FAILED'), 'sent'],
    );
  });

  it('refuses what the kernel does not take, a flood, and everything once closed', async () => {
    const { kernel, bus } = await open();
    kernel.isFull = true;
    await assert.rejects(bus.send(CLASSIC), { code: 'QUEUE_FULL' });
    kernel.isFull = false;
    kernel.isOff = true;
    const sends = Promise.allSettled(Array.from({ length: 260 }, () => bus.send(CLASSIC)));
    await assert.rejects(bus.send(CLASSIC), { code: 'QUEUE_FULL' });
    await bus.close();
    await bus.close();
    assert.equal(kernel.stops, 1);
    assert.ok((await sends).every(({ status }) => status === 'rejected'));
    await assert.rejects(bus.send(CLASSIC), { code: 'CLOSED' });
  });

  it('refuses an interface that is not there', async () => {
    const { kernel, time } = await open();
    const options = { interfaceName: 'can9', socketcan: kernel.socketcan, timer: time };
    await assert.rejects(openSocketCan(options), { code: 'DRIVER_FAILED' });
  });
});

/** What the package shows of a kernel: frames come back to all channels but the one that sent them. */
interface Kernel {
  readonly socketcan: SocketCanPackage;
  readonly taken: readonly PackageFrame[];
  readonly arrive: (frame: PackageFrame) => void;
  /** The controller takes frames and does nothing with them. */
  isOff: boolean;
  isFull: boolean;
  readonly stops: number;
  /** The most frames that waited at one time. */
  readonly most: number;
}

async function open(): Promise<{
  readonly kernel: Kernel;
  readonly time: JumpingTimer;
  readonly bus: CanBus;
  readonly other: CanBus;
}> {
  const time = jumpingTimer();
  const kernel = makeKernel(time);
  const options = { interfaceName: 'can0', socketcan: kernel.socketcan, timer: time };
  return { kernel, time, bus: await openSocketCan(options), other: await openSocketCan(options) };
}

function makeKernel(time: JumpingTimer): Kernel {
  const started = new Map<Channel, (frame: PackageFrame) => void>();
  const state = { isOff: false, isFull: false, stops: 0, most: 0, waiting: 0 };
  const taken: PackageFrame[] = [];
  const take = (from: Channel, frame: PackageFrame): number => {
    if (state.isFull) return -1;
    taken.push(frame);
    if (state.isOff) return 16;
    state.waiting += 1;
    state.most = Math.max(state.most, state.waiting);
    time.schedule(0.25, () => {
      state.waiting -= 1;
      for (const [channel, callback] of started) if (channel !== from) callback(frame);
    });
    return 16;
  };
  const createRawChannelWithOptions = (name: string): Channel => {
    if (name !== 'can0') throw new TypeError('Error while creating channel');
    let listener: ((frame: PackageFrame) => void) | undefined;
    const channel: Channel = {
      addListener: (_event, callback) => {
        listener = callback;
      },
      setRxFilters: (filters) => assert.deepEqual(filters, [{ id: 0, mask: 0, invert: true }]),
      start: () => started.set(channel, (frame) => listener?.(frame)),
      stop: () => {
        state.stops += 1;
        started.delete(channel);
      },
      send: (frame) => take(channel, frame),
      sendFD: (frame) => take(channel, frame),
    };
    return channel;
  };
  return Object.assign(state, {
    taken,
    socketcan: { createRawChannelWithOptions },
    arrive: (frame: PackageFrame) => {
      for (const callback of started.values()) callback(frame);
    },
  });
}
