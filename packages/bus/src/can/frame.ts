/** One frame of CAN 2.0 or CAN FD (ISO 11898-1). */
import type { Brand } from '@immota/base';
import { CanFault } from './can-fault.ts';

/** What a frame is made of. */
export interface CanFrameParts {
  /** 11 bits, or 29 when `isExtended`. */
  readonly id: number;
  readonly isExtended?: boolean | undefined;
  /** CAN FD: up to 64 bytes. */
  readonly isFd?: boolean | undefined;
  /** The data phase runs at the faster rate; CAN FD alone. */
  readonly isBitRateSwitched?: boolean | undefined;
  readonly data: Uint8Array;
}

/** A frame. Holding a `CanFrame` means that its identifier fits and its length is one that CAN can carry. */
export type CanFrame = Brand<
  {
    readonly id: number;
    readonly isExtended: boolean;
    readonly isFd: boolean;
    readonly isBitRateSwitched: boolean;
    readonly data: Uint8Array;
  },
  'CanFrame'
>;

/** Bytes that a frame of CAN FD can hold, by its data length code (ISO 11898-1). */
export const FD_LENGTHS: readonly number[] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64,
];

const CLASSIC_LENGTH_MAX = 8;
const STANDARD_ID_MAX = 0x7ff;
const EXTENDED_ID_MAX = 0x1fffffff;

/**
 * Makes a frame.
 *
 * @throws CanFault IDENTIFIER_RANGE, LENGTH_RANGE.
 */
export function canFrame(parts: CanFrameParts): CanFrame {
  const { id, isExtended = false, isFd = false, isBitRateSwitched = false, data } = parts;
  const idMax = isExtended ? EXTENDED_ID_MAX : STANDARD_ID_MAX;
  if (!Number.isInteger(id) || id < 0 || id > idMax) {
    throw new CanFault('IDENTIFIER_RANGE', `Cannot make CAN frame: identifier ${id}`);
  }
  const fits = isFd ? FD_LENGTHS.includes(data.length) : data.length <= CLASSIC_LENGTH_MAX;
  if (!fits || (isBitRateSwitched && !isFd)) {
    throw new CanFault('LENGTH_RANGE', `Cannot make CAN frame: ${data.length} bytes`);
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return { id, isExtended, isFd, isBitRateSwitched, data } as CanFrame;
}
