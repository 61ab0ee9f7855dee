/**
 * Follows the messages that a tester sends in CAN frames (ISO 15765-2), to judge each by its beginning,
 * and to let nothing else through: a frame that two readers could take differently is refused, because
 * one of them is the ECU.
 */
import { MESSAGE_MAX_BYTES, MESSAGE_TIMEOUT_MS } from './limits.ts';

/** What a frame is. */
export type FollowedFrame =
  /** A message begins; `isWhole` when it ends with this frame. `head` is what is seen of it. */
  | {
      readonly kind: 'begin';
      readonly head: Uint8Array;
      readonly isWhole: boolean;
      readonly lengthBytes: number;
      readonly frameBytes: number;
    }
  /** The message that was let in goes on. */
  | { readonly kind: 'continue' }
  /** A word of the receiver on the pace of its own messages. */
  | { readonly kind: 'flow' }
  | { readonly kind: 'refuse' };

interface Open {
  remainingBytes: number;
  sequence: number;
  readonly frameBytes: number;
  lastAtMs: number;
}

const REFUSE = { kind: 'refuse' } as const;
const CLASSIC_BYTES = 8;

/** One direction between two addresses. */
export class IsotpFollower {
  /** Bytes before the protocol's own: the target byte of extended addressing. */
  readonly #offset: number;
  #open: Open | undefined;

  /** @param offset - 0, or 1 with extended addressing. */
  constructor(offset: 0 | 1) {
    this.#offset = offset;
  }

  /** Tells what a frame is. A message that begins is not let in before `admit`. */
  follow(data: Uint8Array, atMs: number): FollowedFrame {
    const body = data.subarray(this.#offset);
    const first = body[0];
    if (first === undefined) return REFUSE;
    switch (first >>> 4) {
      case 0:
        return readSingle(body, data.length);
      case 1:
        return readFirst(body, data.length, this.#offset);
      case 2:
        return this.#continue(body, data.length, first & 0xf, atMs);
      case 3:
        return readFlow(body, first & 0xf);
      default:
        return REFUSE;
    }
  }

  /** Lets a message in whose first frame was judged; the ECU gives up whatever was open. */
  admit(begun: FollowedFrame & { readonly kind: 'begin' }, atMs: number): void {
    this.#open = begun.isWhole
      ? undefined
      : {
          remainingBytes: begun.lengthBytes - begun.head.length,
          sequence: 1,
          frameBytes: begun.frameBytes,
          lastAtMs: atMs,
        };
  }

  #continue(body: Uint8Array, frameBytes: number, sequence: number, atMs: number): FollowedFrame {
    const open = this.#open;
    if (open === undefined || atMs - open.lastAtMs > MESSAGE_TIMEOUT_MS) return REFUSE;
    const room = body.length - 1;
    const isLast = open.remainingBytes <= room;
    // Wrong sequence (ISO 15765-2): the receiver gives the message up, and so do we. All but the
    // last frame are as long as the first.
    if (sequence !== open.sequence || (!isLast && frameBytes !== open.frameBytes)) {
      this.#open = undefined;
      return REFUSE;
    }
    open.remainingBytes -= room;
    open.sequence = (sequence + 1) & 0xf;
    open.lastAtMs = atMs;
    if (isLast) this.#open = undefined;
    return { kind: 'continue' };
  }
}

/** `0N`, or `00 LL` in a frame of more than eight bytes. */
function readSingle(body: Uint8Array, frameBytes: number): FollowedFrame {
  const isLong = frameBytes > CLASSIC_BYTES;
  const short = (body[0] ?? 0) & 0xf;
  // A length in the wrong place for its frame is read by some and ignored by others.
  if (isLong !== (short === 0)) return REFUSE;
  const start = isLong ? 2 : 1;
  const lengthBytes = isLong ? (body[1] ?? 0) : short;
  if (lengthBytes === 0 || start + lengthBytes > body.length) return REFUSE;
  if (isLong && lengthBytes < CLASSIC_BYTES - (frameBytes - body.length)) return REFUSE;
  return {
    kind: 'begin',
    head: body.subarray(start, start + lengthBytes),
    isWhole: true,
    lengthBytes,
    frameBytes,
  };
}

/** `1N NN`, or `10 00 LL LL LL LL` for more than 4095 bytes. */
function readFirst(body: Uint8Array, frameBytes: number, offset: number): FollowedFrame {
  const short = (((body[0] ?? 0) & 0xf) << 8) | (body[1] ?? 0);
  const isEscape = short === 0;
  const start = isEscape ? 6 : 2;
  // A first frame fills its frame, and that is at least a classic one.
  if (frameBytes < CLASSIC_BYTES || body.length <= start) return REFUSE;
  const lengthBytes = isEscape
    ? new DataView(body.buffer, body.byteOffset, body.length).getUint32(2)
    : short;
  if (lengthBytes > MESSAGE_MAX_BYTES || (isEscape && lengthBytes <= 0xfff)) return REFUSE;
  // What fits into a single frame must be one; some receivers take it all the same.
  const singleMax =
    frameBytes > CLASSIC_BYTES ? frameBytes - 2 - offset : CLASSIC_BYTES - 1 - offset;
  if (lengthBytes <= singleMax) return REFUSE;
  return { kind: 'begin', head: body.subarray(start), isWhole: false, lengthBytes, frameBytes };
}

function readFlow(body: Uint8Array, status: number): FollowedFrame {
  return status <= 2 && body.length >= 3 ? { kind: 'flow' } : REFUSE;
}
