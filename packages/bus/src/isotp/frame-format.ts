/** Makes the frames of one link: its addresses, its lengths, its padding. */
import { canFrame, type CanFrame, FD_LENGTHS } from '../can/frame.ts';
import type { IsoTpAddress, IsoTpTarget } from './address.ts';
import { PADDING, SHORT_LENGTH_MAX_BYTES } from './limits.ts';
import type { IsoTpParameters } from './parameters.ts';
import { singleMaxBytes } from './pdu.ts';
import { encodeSeparationTime } from './separation-time.ts';

/** See the head of the file. */
export interface FrameFormat {
  /** Bytes that a single frame carries. */
  readonly singleMaxBytes: number;
  /** The same for a group, which is asked in single frames alone. */
  readonly functionalMaxBytes: number;
  single(message: Uint8Array, isFunctional: boolean): CanFrame;
  /** @returns the frame, and how many bytes of the message it took. */
  first(message: Uint8Array): readonly [frame: CanFrame, takenBytes: number];
  /** @returns the frame, and where in the message the next one goes on. */
  consecutive(
    message: Uint8Array,
    offset: number,
    sequence: number,
  ): readonly [frame: CanFrame, offset: number];
  flow(status: 'continue' | 'wait' | 'overflow'): CanFrame;
}

const CLASSIC_MAX_BYTES = 8;
const FLOW_STATUS = { continue: 0x30, wait: 0x31, overflow: 0x32 } as const;

/** Makes the format of a link. */
export function createFrameFormat(address: IsoTpAddress, parameters: IsoTpParameters): FrameFormat {
  const { isFd, isBitRateSwitched, frameBytes, padding, blockSize } = parameters;
  const { isExtended, tx, functionalTx } = address;
  const separation = encodeSeparationTime(parameters.separationTimeUs);
  const prefixBytes = tx.prefix === undefined ? 0 : 1;
  const shortMaxBytes = singleMaxBytes(CLASSIC_MAX_BYTES, prefixBytes);

  /** A frame with room for so many bytes behind the prefix, filled with padding. */
  const allocate = ({ prefix }: IsoTpTarget, usedBytes: number): Uint8Array => {
    const neededBytes = prefixBytes + usedBytes;
    const data = new Uint8Array(frameLength(neededBytes, padding !== undefined));
    if (data.length > neededBytes) data.fill(padding ?? PADDING, neededBytes);
    if (prefix !== undefined) data[0] = prefix;
    return data;
  };
  const wrap = ({ id }: IsoTpTarget, data: Uint8Array): CanFrame =>
    canFrame({ id, isExtended, isFd, isBitRateSwitched, data });

  return {
    singleMaxBytes: singleMaxBytes(frameBytes, prefixBytes),
    functionalMaxBytes: functionalTx === undefined ? 0 : singleMaxBytes(frameBytes, prefixBytes),
    single: (message, isFunctional) => {
      const target = isFunctional ? (functionalTx ?? tx) : tx;
      const isLong = message.length > shortMaxBytes;
      const headBytes = isLong ? 2 : 1;
      const data = allocate(target, headBytes + message.length);
      data[prefixBytes + headBytes - 1] = message.length;
      data.set(message, prefixBytes + headBytes);
      return wrap(target, data);
    },
    first: (message) => {
      const isEscape = message.length > SHORT_LENGTH_MAX_BYTES;
      const data = allocate(tx, frameBytes - prefixBytes);
      const headBytes = prefixBytes + (isEscape ? 6 : 2);
      const view = new DataView(data.buffer);
      view.setUint16(prefixBytes, isEscape ? 0x1000 : 0x1000 + message.length);
      if (isEscape) view.setUint32(prefixBytes + 2, message.length);
      const takenBytes = frameBytes - headBytes;
      data.set(message.subarray(0, takenBytes), headBytes);
      return [wrap(tx, data), takenBytes];
    },
    consecutive: (message, offset, sequence) => {
      const end = Math.min(message.length, offset + frameBytes - prefixBytes - 1);
      const data = allocate(tx, 1 + end - offset);
      data[prefixBytes] = 0x20 | sequence;
      data.set(message.subarray(offset, end), prefixBytes + 1);
      return [wrap(tx, data), end];
    },
    flow: (status) => {
      const data = allocate(tx, 3);
      data[prefixBytes] = FLOW_STATUS[status];
      data[prefixBytes + 1] = blockSize;
      data[prefixBytes + 2] = separation;
      return wrap(tx, data);
    },
  };
}

/** The length of a frame for so many bytes; above 8 CAN FD knows only some. */
function frameLength(neededBytes: number, isPadded: boolean): number {
  if (neededBytes <= CLASSIC_MAX_BYTES) return isPadded ? CLASSIC_MAX_BYTES : neededBytes;
  return FD_LENGTHS.find((lengthBytes) => lengthBytes >= neededBytes) ?? neededBytes;
}
