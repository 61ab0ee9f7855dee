import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canFrame, type CanFrame } from '@immota/bus';
import { openSocketCan, type SocketCanPackage } from '@immota/vehicle';

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
    await assert.rejects(openSocketCan({ interfaceName: 'can0' }), { code: 'DRIVER_MISSING' });
  });

  it('sends and hears frames of both kinds', async () => {
    const kernel = fakeKernel();
    const bus = await openSocketCan({ interfaceName: 'can0', socketcan: kernel.socketcan });
    const heard: CanFrame[] = [];
    bus.listen((frame) => heard.push(frame));
    await bus.send(CLASSIC);
    await bus.send(FD);
    assert.deepEqual(kernel.taken, [
      { id: 0x123, ext: false, rtr: false, data: Buffer.of(1, 2, 3) },
      { id: 0x1234567, ext: true, rtr: false, fd_brs: false, data: Buffer.alloc(12) },
    ]);
    kernel.arrive({ id: 0x123, data: Buffer.of(1, 2, 3) });
    kernel.arrive({ id: 0x1234567, ext: true, data: Buffer.alloc(12) });
    assert.deepEqual(heard, [CLASSIC, FD]);
  });

  it('passes over what is no data frame', async () => {
    const kernel = fakeKernel();
    const bus = await openSocketCan({ interfaceName: 'can0', socketcan: kernel.socketcan });
    const heard: CanFrame[] = [];
    bus.listen((frame) => heard.push(frame));
    kernel.arrive({ id: 1, rtr: true, data: Buffer.alloc(0) });
    kernel.arrive({ id: 1, err: true, data: Buffer.alloc(8) });
    kernel.arrive({ id: 1, data: Buffer.alloc(9) });
    assert.deepEqual(heard, []);
  });

  it('refuses what the kernel does not take, and everything once closed', async () => {
    const kernel = fakeKernel();
    const bus = await openSocketCan({ interfaceName: 'can0', socketcan: kernel.socketcan });
    kernel.isFull = true;
    await assert.rejects(bus.send(CLASSIC), { code: 'QUEUE_FULL' });
    await bus.close();
    await bus.close();
    assert.equal(kernel.stops, 1);
    await assert.rejects(bus.send(CLASSIC), { code: 'CLOSED' });
  });

  it('refuses an interface that is not there', async () => {
    const { socketcan } = fakeKernel();
    const options = { interfaceName: 'can9', socketcan };
    await assert.rejects(openSocketCan(options), { code: 'DRIVER_FAILED' });
  });
});

/** What the package shows of a kernel with one interface. */
function fakeKernel(): {
  readonly socketcan: SocketCanPackage;
  readonly taken: PackageFrame[];
  readonly arrive: (frame: PackageFrame) => void;
  isFull: boolean;
  stops: number;
} {
  const listeners: ((frame: PackageFrame) => void)[] = [];
  const kernel = {
    taken: [] as PackageFrame[],
    isFull: false,
    stops: 0,
    take: (frame: PackageFrame) => {
      if (kernel.isFull) return -1;
      return 16 * kernel.taken.push(frame);
    },
    arrive: (frame: PackageFrame) => {
      for (const listener of listeners) listener(frame);
    },
    socketcan: {
      createRawChannelWithOptions: (name: string): Channel => {
        if (name !== 'can0') throw new TypeError('Error while creating channel');
        return {
          addListener: (_event, callback) => listeners.push(callback),
          start: () => undefined,
          stop: () => {
            kernel.stops += 1;
          },
          send: kernel.take,
          sendFD: kernel.take,
        };
      },
    },
  };
  return kernel;
}
