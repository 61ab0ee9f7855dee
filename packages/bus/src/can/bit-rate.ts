/** The speeds of a bus, and how long a frame keeps it busy. */
import type { Brand } from '@immota/base';
import { countBits } from './bit-count.ts';
import { CanFault } from './can-fault.ts';
import type { CanFrame } from './frame.ts';
import { BIT_RATE_MAX_BPS, BIT_RATE_MIN_BPS, DATA_BIT_RATE_MAX_BPS } from './limits.ts';

/** Holding a CanBitRate tells you: both rates are ones that controllers have. */
export type CanBitRate = Brand<
  {
    readonly nominalBps: number;
    /** Of the data phase; undefined on a bus without CAN FD. */
    readonly dataBps: number | undefined;
  },
  'CanBitRate'
>;

/**
 * Checks the rates of a bus.
 *
 * @param dataBps - makes it a bus of CAN FD.
 * @throws CanFault BIT_RATE.
 */
export function canBitRate(nominalBps: number, dataBps?: number): CanBitRate {
  const isSound =
    nominalBps >= BIT_RATE_MIN_BPS &&
    nominalBps <= BIT_RATE_MAX_BPS &&
    (dataBps === undefined || (dataBps >= nominalBps && dataBps <= DATA_BIT_RATE_MAX_BPS));
  if (!isSound) {
    throw new CanFault('BIT_RATE', `Cannot run bus: at ${nominalBps} and ${dataBps} bit/s`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return { nominalBps, dataBps } as CanBitRate;
}

/**
 * Tells how long a frame keeps the bus, with the pause that follows each.
 *
 * @throws CanFault BIT_RATE for a frame of CAN FD on a bus without.
 */
export function frameTimeMs(frame: CanFrame, { nominalBps, dataBps }: CanBitRate): number {
  if (frame.isFd && dataBps === undefined) {
    throw new CanFault('BIT_RATE', 'Cannot send frame: this bus does not know CAN FD');
  }
  const { nominal, data } = countBits(frame);
  return 1000 * (nominal / nominalBps + data / (dataBps ?? nominalBps));
}
