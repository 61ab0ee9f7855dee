/**
 * Datagrams of cannelloni, version 2: a tunnel for the CAN of a Linux kernel.
 *
 * ```
 * offset length
 *      0      1  version, 2
 *      1      1  kind, 0 for data
 *      2      1  number, one more in each datagram
 *      3      2  how many frames follow, big-endian
 *
 *      0      4  identifier, big-endian, and what sort of frame it is
 *      4      1  length, and in the highest bit whether it is one of CAN FD
 *    ( 5      1  flags, of CAN FD alone )
 *             n  data, unless it is a remote frame
 * ```
 *
 * @source mguentner/cannelloni, `cannelloni.h` and `parser.cpp`
 */
import { CanFault } from './can-fault.ts';
import { canFrame, type CanFrame } from './frame.ts';
import { CANNELLONI_MAX_BYTES } from './limits.ts';

/** What a datagram holds. */
export interface CannelloniDatagram {
  /** 0 to 255, and again from 0: a gap tells that datagrams were lost. */
  readonly sequence: number;
  readonly frames: readonly CanFrame[];
}

const VERSION = 2;
const KIND_DATA = 0;
const HEAD_BYTES = 5;
const FRAME_HEAD_BYTES = 5;
const EXTENDED = 0x80000000;
const REMOTE = 0x40000000;
const ERROR = 0x20000000;
const IDENTIFIER = 0x1fffffff;
const FD = 0x80;
const LENGTH = 0x7f;
const BIT_RATE_SWITCH = 0x01;

/**
 * Writes a datagram.
 *
 * @throws CanFault LENGTH_RANGE when the frames do not fit into one.
 */
export function encodeCannelloni(datagram: CannelloniDatagram): Uint8Array<ArrayBuffer> {
  const { sequence, frames } = datagram;
  let lengthBytes = HEAD_BYTES;
  for (const { isFd, data } of frames) {
    lengthBytes += FRAME_HEAD_BYTES + (isFd ? 1 : 0) + data.length;
  }
  if (lengthBytes > CANNELLONI_MAX_BYTES) {
    throw new CanFault('LENGTH_RANGE', `Cannot write datagram: ${lengthBytes} bytes of frames`);
  }
  const bytes = new Uint8Array(lengthBytes);
  const view = new DataView(bytes.buffer);
  bytes.set([VERSION, KIND_DATA, sequence]);
  view.setUint16(3, frames.length);
  let offset = HEAD_BYTES;
  for (const { id, isExtended, isFd, isBitRateSwitched, data } of frames) {
    view.setUint32(offset, isExtended ? id + EXTENDED : id);
    view.setUint8(offset + 4, isFd ? data.length | FD : data.length);
    offset += FRAME_HEAD_BYTES;
    if (isFd) {
      view.setUint8(offset, isBitRateSwitched ? BIT_RATE_SWITCH : 0);
      offset += 1;
    }
    bytes.set(data, offset);
    offset += data.length;
  }
  return bytes;
}

/**
 * Reads a datagram. Remote and error frames, which carry nothing that we use, are left out.
 *
 * @throws CanFault FRAME_MALFORMED, IDENTIFIER_RANGE, LENGTH_RANGE.
 */
export function decodeCannelloni(bytes: Uint8Array): CannelloniDatagram {
  if (bytes.length < HEAD_BYTES) throw malformed('it has no head');
  if (bytes.length > CANNELLONI_MAX_BYTES) throw malformed(`${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint8(0);
  const kind = view.getUint8(1);
  if (version !== VERSION || kind !== KIND_DATA) {
    throw malformed(`version ${version}, kind ${kind}`);
  }
  const count = view.getUint16(3);
  const frames: CanFrame[] = [];
  let offset = HEAD_BYTES;
  // Each takes five bytes at least, so that the count is no more than a claim.
  for (let index = 0; index < count; index += 1) {
    const read = readFrame(bytes, view, offset);
    offset = read.endOffset;
    if (read.frame !== undefined) frames.push(read.frame);
  }
  if (offset !== bytes.length) throw malformed('bytes behind the last frame');
  return { sequence: view.getUint8(2), frames };
}

function readFrame(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
): { readonly frame: CanFrame | undefined; readonly endOffset: number } {
  if (offset + FRAME_HEAD_BYTES > bytes.length) throw malformed('it ends within a frame');
  const word = view.getUint32(offset);
  const lengthByte = view.getUint8(offset + 4);
  const isFd = (lengthByte & FD) !== 0;
  const isRemote = (word & REMOTE) !== 0;
  const dataOffset = offset + FRAME_HEAD_BYTES + (isFd ? 1 : 0);
  const endOffset = dataOffset + (isRemote ? 0 : lengthByte & LENGTH);
  if (endOffset > bytes.length) throw malformed('it ends within a frame');
  if (isRemote || (word & ERROR) !== 0) return { frame: undefined, endOffset };
  const flags = isFd ? view.getUint8(dataOffset - 1) : 0;
  const frame = canFrame({
    id: word & IDENTIFIER,
    isExtended: (word & EXTENDED) !== 0,
    isFd,
    isBitRateSwitched: (flags & BIT_RATE_SWITCH) !== 0,
    // A copy, which `slice` of a Buffer is not: a datagram's memory may be used again.
    data: Uint8Array.from(bytes.subarray(dataOffset, endOffset)),
  });
  return { frame, endOffset };
}

function malformed(what: string): CanFault {
  return new CanFault('FRAME_MALFORMED', `Cannot read datagram of cannelloni: ${what}`);
}
