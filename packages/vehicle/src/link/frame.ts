/**
 * Frames on the in-vehicle link.
 *
 * ```
 * offset length
 *      0      4  length of the payload, big-endian
 *      4      1  kind
 *      5      1  flags: bit 0 says that more of the same message follows
 *      6      2  number of the request or of the pull, big-endian
 *      8      n  payload
 * ```
 *
 * The length is a claim: it is held against the limit at once, and memory is taken for bytes that
 * have come and not for those that were announced.
 */
import { concatBytes } from '@immota/base';
import { VehicleFault } from '../vehicle-fault.ts';
import { BUNDLE_MAX_BYTES, FRAME_PAYLOAD_MAX_BYTES, MESSAGE_MAX_BYTES } from './limits.ts';

/** Every kind of frame, with who sends it. */
export const FRAME_KINDS = {
  /** Primary: requests. */
  info: 0x01,
  report: 0x02,
  drawTimeNonce: 0x03,
  putTime: 0x04,
  putMetadata: 0x05,
  offerImage: 0x06,
  activate: 0x07,
  status: 0x08,
  confirm: 0x09,
  revert: 0x0a,
  /** Primary: bytes of an image, and that there are none. */
  data: 0x20,
  dataFailed: 0x21,
  /** Secondary: begin to send from an offset; so many bytes more may come. */
  pull: 0x40,
  credit: 0x41,
  /** Secondary: how a request ended. */
  answer: 0x80,
  refusal: 0x81,
} as const;

/** A name of a kind. */
export type FrameKind = keyof typeof FRAME_KINDS;

/** A frame to be sent. */
export interface Frame {
  readonly kind: FrameKind;
  readonly number: number;
  readonly payload: Uint8Array;
  /** True when the message goes on in the next frame of this kind and number. */
  readonly hasMore: boolean;
}

/** What a decoder gives. */
export interface FrameSink {
  /** A whole message. */
  readonly onMessage: (kind: FrameKind, number: number, payload: Uint8Array) => void;
  /** Bytes of an image as they come, in memory that the caller of `push` owns. */
  readonly onData: (number: number, bytes: Uint8Array, isLast: boolean) => void;
}

/** Cuts a stream of bytes into messages. */
export interface FrameDecoder {
  /** @throws VehicleFault LINK_PROTOCOL; the stream is of no use after that. */
  push(bytes: Uint8Array): void;
  /** Tells whether a message has begun and not ended. */
  isWithin(): boolean;
}

/** How long the head of a frame is. */
const FRAME_HEAD_LENGTH_BYTES = 8;
const HAS_MORE = 1;
const NUMBER_MAX = 0xffff;
const KINDS: ReadonlyMap<number, FrameKind> = new Map(
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the keys of a constant
  (Object.keys(FRAME_KINDS) as FrameKind[]).map((kind) => [FRAME_KINDS[kind], kind]),
);

/** Puts a message into frames, one or more. */
export function* encodeMessage(
  kind: FrameKind,
  number: number,
  payload: Uint8Array,
): Generator<Uint8Array> {
  let offset = 0;
  do {
    const part = payload.subarray(offset, offset + FRAME_PAYLOAD_MAX_BYTES);
    offset += part.length;
    yield encodeFrame({ kind, number, payload: part, hasMore: offset < payload.length });
  } while (offset < payload.length);
}

/** Puts the head before a payload. */
export function encodeFrame(frame: Frame): Uint8Array<ArrayBuffer> {
  return concatBytes([encodeFrameHead(frame), frame.payload]);
}

/** The head alone, for a payload that is sent as it lies. */
export function encodeFrameHead({
  kind,
  number,
  payload,
  hasMore,
}: Frame): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(FRAME_HEAD_LENGTH_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, payload.length);
  view.setUint8(4, FRAME_KINDS[kind]);
  view.setUint8(5, hasMore ? HAS_MORE : 0);
  view.setUint16(6, number);
  return head;
}

/** Tells the number after a number; they begin again behind 65535. */
export function nextNumber(number: number): number {
  return number >= NUMBER_MAX ? 1 : number + 1;
}

/**
 * Begins to decode.
 *
 * @param accepted - the kinds that this peer may send; any other is a breach of the protocol.
 */
export function createFrameDecoder(
  accepted: ReadonlySet<FrameKind>,
  sink: FrameSink,
): FrameDecoder {
  const head = new Uint8Array(FRAME_HEAD_LENGTH_BYTES);
  let headBytes = 0;
  let frame: Omit<Frame, 'payload'> | undefined;
  let missingBytes = 0;
  /** The message under way: one at a time, whatever its kind. */
  let message: { readonly kind: FrameKind; readonly number: number } | undefined;
  let parts: Uint8Array[] = [];
  let partsBytes = 0;

  const begin = (): void => {
    const { lengthBytes, ...read } = readHead(head, accepted);
    const isData = read.kind === 'data';
    if (
      !isData &&
      message !== undefined &&
      (message.kind !== read.kind || message.number !== read.number)
    ) {
      throw breach('a message within a message');
    }
    if (!isData && partsBytes + lengthBytes > messageLimit(read.kind)) {
      throw breach(`a message of more than ${messageLimit(read.kind)} bytes`);
    }
    // A message of many empty parts would never end and cost no byte.
    if (read.hasMore && lengthBytes === 0) throw breach('an empty frame that goes on');
    if (!isData) message = read;
    frame = read;
    missingBytes = lengthBytes;
  };

  const take = (bytes: Uint8Array): void => {
    missingBytes -= bytes.length;
    if (frame?.kind === 'data') {
      sink.onData(frame.number, bytes, !frame.hasMore && missingBytes === 0);
    } else if (bytes.length > 0) {
      // A copy: the caller's buffer may be large, and these few bytes would keep it.
      parts.push(Uint8Array.from(bytes));
      partsBytes += bytes.length;
    }
    if (missingBytes > 0 || frame === undefined) return;
    const { kind, number, hasMore } = frame;
    frame = undefined;
    headBytes = 0;
    if (kind === 'data' || hasMore) return;
    const payload = parts.length === 1 && parts[0] !== undefined ? parts[0] : concatBytes(parts);
    parts = [];
    partsBytes = 0;
    message = undefined;
    sink.onMessage(kind, number, payload);
  };

  return {
    push(bytes): void {
      let rest = bytes;
      while (rest.length > 0) {
        if (frame === undefined) {
          const part = rest.subarray(0, FRAME_HEAD_LENGTH_BYTES - headBytes);
          head.set(part, headBytes);
          headBytes += part.length;
          rest = rest.subarray(part.length);
          if (headBytes < FRAME_HEAD_LENGTH_BYTES) return;
          begin();
          if (missingBytes === 0) take(new Uint8Array());
          continue;
        }
        const part = rest.subarray(0, missingBytes);
        rest = rest.subarray(part.length);
        take(part);
      }
    },
    isWithin: () => headBytes > 0 || message !== undefined,
  };
}

function readHead(
  head: Uint8Array,
  accepted: ReadonlySet<FrameKind>,
): Omit<Frame, 'payload'> & { readonly lengthBytes: number } {
  const view = new DataView(head.buffer);
  const lengthBytes = view.getUint32(0);
  const kind = KINDS.get(view.getUint8(4));
  const flags = view.getUint8(5);
  if (lengthBytes > FRAME_PAYLOAD_MAX_BYTES) throw breach(`a frame of ${lengthBytes} bytes`);
  if (kind === undefined || !accepted.has(kind)) throw breach('a frame of a kind not expected');
  if (flags > HAS_MORE) throw breach('unknown flags');
  return { lengthBytes, kind, hasMore: flags === HAS_MORE, number: view.getUint16(6) };
}

function messageLimit(kind: FrameKind): number {
  return kind === 'putMetadata' ? BUNDLE_MAX_BYTES : MESSAGE_MAX_BYTES;
}

function breach(what: string): VehicleFault {
  return new VehicleFault('LINK_PROTOCOL', `Cannot go on with peer: ${what}`);
}
