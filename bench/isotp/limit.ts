/**
 * What the protocol allows on a bus, reckoned from the frames that a message needs and the pauses that its
 * receiver asks for: not a bit between frames beside these. Nothing of our ISO-TP takes part in it.
 */
import { canFrame, type CanBitRate, frameTimeMs } from '@immota/bus';

/** How a message is carried. */
export interface Carriage {
  readonly rate: CanBitRate;
  /** Bytes of a full frame: 8, or 64 with CAN FD. */
  readonly frameBytes: number;
  readonly blockSize: number;
  readonly separationTimeUs: number;
}

const PADDING = 0xcc;
const FD_LENGTHS = [8, 12, 16, 20, 24, 32, 48, 64];
const SHORT_MAX_BYTES = 4095;

/** Tells how long a message takes at least, to the end of its last frame. */
export function limitMs(
  message: Uint8Array,
  ids: readonly [to: number, from: number],
  by: Carriage,
): number {
  const { frameBytes, blockSize, separationTimeUs } = by;
  const [to, from] = ids;
  const isLong = message.length > SHORT_MAX_BYTES;
  const firstBytes = frameBytes - (isLong ? 6 : 2);
  const head = isLong
    ? [0x10, 0, ...bigEndian(message.length, 4)]
    : bigEndian(0x1000 + message.length, 2);
  let sumMs = timeOf(to, [...head, ...message.subarray(0, firstBytes)], by);
  const flowMs = timeOf(from, [0x30, blockSize, separationCode(separationTimeUs)], by);
  let inBlock = 0;
  sumMs += flowMs;
  for (let offset = firstBytes, sequence = 1; offset < message.length; sequence += 1) {
    const part = message.subarray(offset, offset + frameBytes - 1);
    if (inBlock === blockSize && blockSize > 0) {
      sumMs += flowMs;
      inBlock = 0;
    } else if (offset > firstBytes) {
      sumMs += separationTimeUs / 1000;
    }
    sumMs += timeOf(to, [0x20 + (sequence % 16), ...part], by);
    offset += part.length;
    inBlock += 1;
  }
  return sumMs;
}

function timeOf(id: number, used: readonly number[], { rate, frameBytes }: Carriage): number {
  const isFd = frameBytes > 8;
  const lengthBytes = FD_LENGTHS.find((each) => each >= used.length) ?? used.length;
  const data = new Uint8Array(lengthBytes).fill(PADDING);
  data.set(used);
  return frameTimeMs(canFrame({ id, data, isFd, isBitRateSwitched: isFd }), rate);
}

function separationCode(us: number): number {
  return us > 0 && us < 1000 ? 0xf0 + us / 100 : us / 1000;
}

function bigEndian(value: number, lengthBytes: number): readonly number[] {
  return Array.from(
    { length: lengthBytes },
    (_, index) => Math.floor(value / 2 ** (8 * (lengthBytes - 1 - index))) % 256,
  );
}
