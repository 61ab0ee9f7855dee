/**
 * The CAN of the Linux kernel, by the npm package `socketcan`. It is native and no dependency of ours:
 * whoever has an interface installs it beside, and everybody else needs no compiler (ADR 71).
 */
import { type CanBus, CanFault, canFrame, type CanFrame } from '@immota/bus';
import type { Timer } from '../ports.ts';
import { createKernelBus } from './socket-can-bus.ts';

/** A frame as the package has it. */
interface PackageFrame {
  readonly id: number;
  readonly ext?: boolean;
  readonly rtr?: boolean;
  readonly data: Buffer;
  readonly fd_brs?: boolean;
  readonly err?: boolean;
}

/** A channel of the package. */
interface PackageChannel {
  addListener(event: 'onMessage', callback: (frame: PackageFrame) => void): void;
  setRxFilters(
    filters: readonly {
      readonly id: number;
      readonly mask: number;
      readonly invert: boolean;
    }[],
  ): void;
  start(): void;
  stop(): void;
  /** @returns how many bytes the kernel took, or less than 1. */
  send(frame: PackageFrame): unknown;
  sendFD(frame: PackageFrame): unknown;
}

/** What we use of the package. */
export interface SocketCanPackage {
  createRawChannelWithOptions(
    name: string,
    options: { readonly non_block_send: boolean },
  ): PackageChannel;
}

/** Which interface. */
export interface SocketCanOptions {
  /** Such as `can0`; it is up, with its bit rates set. */
  readonly interfaceName: string;
  readonly timer: Timer;
  /** The package, where it is not to be looked for by its name. */
  readonly socketcan?: SocketCanPackage | undefined;
}

const PACKAGE = 'socketcan';
const CLASSIC_MAX_BYTES = 8;
/** The opposite of everything: a channel that only sends. */
const NOTHING = { id: 0, mask: 0, invert: true };

/**
 * Opens an interface. A frame counts as sent when the kernel gives it back.
 *
 * @throws CanFault DRIVER_MISSING when the package is not installed; DRIVER_FAILED when there is no such
 *   interface.
 */
export async function openSocketCan(options: SocketCanOptions): Promise<CanBus> {
  const { interfaceName, timer } = options;
  const driver = options.socketcan ?? (await loadPackage());
  const [sender, receiver] = attempt(interfaceName, () => {
    const flags = { non_block_send: true };
    return [
      driver.createRawChannelWithOptions(interfaceName, flags),
      driver.createRawChannelWithOptions(interfaceName, flags),
    ] as const;
  });
  const bus = createKernelBus((frame) => writeFrame(sender, frame), timer);
  attempt(interfaceName, () => {
    // Never started, so never stopped: it goes with its last reference.
    sender.setRxFilters([NOTHING]);
    receiver.addListener('onMessage', (message) => {
      const frame = readFrame(message);
      if (frame !== undefined) bus.hear(frame);
    });
    receiver.start();
  });
  let isOpen = true;
  return {
    send: (frame) => bus.send(frame),
    listen: (listener) => bus.listen(listener),
    close: async () => {
      await bus.close();
      if (isOpen) receiver.stop();
      isOpen = false;
    },
  };
}

/** @returns false when the kernel has no room. */
function writeFrame(channel: PackageChannel, frame: CanFrame): boolean {
  const { id, isExtended, isFd, isBitRateSwitched, data } = frame;
  const message = { id, ext: isExtended, rtr: false, data: Buffer.from(data) };
  const takenBytes = isFd
    ? channel.sendFD({ ...message, fd_brs: isBitRateSwitched })
    : channel.send(message);
  return typeof takenBytes === 'number' && takenBytes > 0;
}

/** Remote and error frames carry nothing that we use; the package does not tell FD from the rest. */
function readFrame({ id, ext, rtr, err, data }: PackageFrame): CanFrame | undefined {
  if (rtr === true || err === true) return undefined;
  const isFd = data.length > CLASSIC_MAX_BYTES;
  try {
    return canFrame({ id, isExtended: ext, isFd, data: Uint8Array.from(data) });
  } catch (error) {
    // Programs can write lengths to a virtual interface that no wire could carry.
    if (error instanceof CanFault) return undefined;
    throw error;
  }
}

async function loadPackage(): Promise<SocketCanPackage> {
  let loaded: unknown;
  try {
    // By a variable: to the type checker and to bundlers the package need not exist.
    loaded = await import(PACKAGE);
  } catch (error) {
    throw new CanFault(
      'DRIVER_MISSING',
      'Cannot use CAN of the kernel: npm install socketcan (needs python3, make and a C++ compiler)',
      { cause: error },
    );
  }
  if (!isPackage(loaded)) {
    throw new CanFault(
      'DRIVER_MISSING',
      'Cannot use CAN of the kernel: another socketcan is there',
    );
  }
  return loaded;
}

function isPackage(loaded: unknown): loaded is SocketCanPackage {
  return (
    typeof loaded === 'object' &&
    loaded !== null &&
    'createRawChannelWithOptions' in loaded &&
    typeof loaded.createRawChannelWithOptions === 'function'
  );
}

function attempt<Result>(interfaceName: string, open: () => Result): Result {
  try {
    return open();
  } catch (error) {
    throw new CanFault('DRIVER_FAILED', `Cannot open interface: ${interfaceName}`, {
      cause: error,
    });
  }
}
