/**
 * Frames as python-can sends them to a multicast group, interface `udp_multicast`: a map in MessagePack,
 * one frame a datagram.
 *
 * @source python-can 4.1, `interfaces/udp_multicast/utils.py`
 */
import { concatBytes, utf8 } from '@immota/base';
import { CanFault } from './can-fault.ts';
import { canFrame, type CanFrame } from './frame.ts';
import { decodePackedMap, type PackedValue } from './message-pack.ts';

/** Where python-can meets unless told otherwise. */
export const PYTHON_CAN_GROUP = '239.74.163.2';
/** The same for IPv6. */
export const PYTHON_CAN_GROUP_IPV6 = 'ff15:7079:7468:6f6e:6465:6d6f:6d63:6173';
/** The port there. */
export const PYTHON_CAN_PORT = 43_113;

const ENTRIES = 11;

/** Writes a datagram. The time stamp is 0: who receives it puts the time of its arrival there. */
export function encodePythonCan(frame: CanFrame): Uint8Array<ArrayBuffer> {
  const { id, isExtended, isFd, isBitRateSwitched, data } = frame;
  return concatBytes([
    Uint8Array.of(0x80 | ENTRIES),
    entry('timestamp', Uint8Array.of(0xcb, 0, 0, 0, 0, 0, 0, 0, 0)),
    entry('arbitration_id', packUnsigned(id)),
    entry('is_extended_id', packTruth(isExtended)),
    entry('is_remote_frame', packTruth(false)),
    entry('is_error_frame', packTruth(false)),
    entry('channel', Uint8Array.of(0xc0)),
    entry('dlc', packUnsigned(data.length)),
    entry('data', Uint8Array.of(0xc4, data.length)),
    data,
    entry('is_fd', packTruth(isFd)),
    entry('bitrate_switch', packTruth(isBitRateSwitched)),
    entry('error_state_indicator', packTruth(false)),
  ]);
}

/**
 * Reads a datagram.
 *
 * @returns undefined for remote and error frames, which carry nothing that we use.
 * @throws CanFault FRAME_MALFORMED, IDENTIFIER_RANGE, LENGTH_RANGE.
 */
export function decodePythonCan(bytes: Uint8Array): CanFrame | undefined {
  const map = decodePackedMap(bytes);
  const isTrue = (name: string): boolean => {
    const value = map.get(name);
    if (typeof value !== 'boolean' && value !== undefined) throw wrong(name, value);
    return value === true;
  };
  const id = map.get('arbitration_id');
  const data = map.get('data');
  const lengthBytes = map.get('dlc');
  if (typeof id !== 'number') throw wrong('arbitration_id', id);
  if (isTrue('is_remote_frame') || isTrue('is_error_frame')) return undefined;
  if (!(data instanceof Uint8Array)) throw wrong('data', data);
  if (lengthBytes !== undefined && lengthBytes !== data.length) throw wrong('dlc', lengthBytes);
  return canFrame({
    id,
    // python-can itself takes an identifier for an extended one unless it is told otherwise.
    isExtended: map.get('is_extended_id') === undefined || isTrue('is_extended_id'),
    isFd: isTrue('is_fd'),
    isBitRateSwitched: isTrue('bitrate_switch'),
    // A copy, which `slice` of a Buffer is not: a datagram's memory may be used again.
    data: Uint8Array.from(data),
  });
}

function entry(name: string, value: Uint8Array): Uint8Array {
  return concatBytes([Uint8Array.of(0xa0 | name.length), utf8(name), value]);
}

function packTruth(value: boolean): Uint8Array {
  return Uint8Array.of(value ? 0xc3 : 0xc2);
}

function packUnsigned(value: number): Uint8Array {
  if (value < 0x80) return Uint8Array.of(value);
  if (value < 0x100) return Uint8Array.of(0xcc, value);
  if (value < 0x10000) return Uint8Array.of(0xcd, value >> 8, value & 0xff);
  const bytes = new Uint8Array(5);
  bytes[0] = 0xce;
  new DataView(bytes.buffer).setUint32(1, value);
  return bytes;
}

function wrong(name: string, value: PackedValue): CanFault {
  const what = value instanceof Uint8Array ? 'bytes' : String(value);
  return new CanFault('FRAME_MALFORMED', `Cannot read frame of python-can: ${name} is ${what}`);
}
