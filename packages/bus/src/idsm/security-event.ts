/**
 * Security events on their way from a sensor to whoever watches the fleet: eight bytes, then what the
 * header announces: a time, a context, a signature over everything before.
 *
 * @source AUTOSAR PRS Intrusion Detection System 981; the bits of the time are after the SWS
 */
import { concatBytes } from '@immota/base';
import { IdsmFault } from './idsm-fault.ts';
import { CONTEXT_MAX_BYTES, SIGNATURE_MAX_BYTES } from './limits.ts';

/** When it happened. */
export interface SecurityEventTime {
  /** `autosar`: the vehicle's time base. `oem`: as the maker says, here the clock of the world. */
  readonly source: 'autosar' | 'oem';
  /** 32 bits. */
  readonly seconds: number;
  /** Below 10^9. */
  readonly nanoseconds: number;
}

/** One event, or several of one kind. */
export interface SecurityEvent {
  /** Which manager tells it: 10 bits. */
  readonly instance: number;
  /** Which of its sensors: 6 bits. */
  readonly sensor: number;
  /** Of what kind: 16 bits. */
  readonly definition: number;
  /** How often it happened: 16 bits. */
  readonly count: number;
  readonly time?: SecurityEventTime | undefined;
  readonly context?: Uint8Array | undefined;
}

/** An event as it came. Nothing about its signature was checked. */
export interface ReceivedSecurityEvent {
  readonly event: SecurityEvent;
  /** The bytes that were signed, and by what. */
  readonly signed?: { readonly message: Uint8Array; readonly signature: Uint8Array } | undefined;
}

const VERSION = 1;
const HAS_CONTEXT = 1;
const HAS_TIME = 2;
const HAS_SIGNATURE = 4;
const FRAME_BYTES = 8;
/** Lengths up to here take one byte, longer ones four. */
const SHORT_MAX = 127;
const NANOSECONDS_END = 1_000_000_000;

/**
 * Writes an event as it is to be signed, or to be sent without a signature.
 *
 * @param isSigned - a signature will follow: see `attachSignature`.
 * @throws IdsmFault EVENT_RANGE.
 */
export function encodeSecurityEvent(event: SecurityEvent, isSigned: boolean): Uint8Array {
  const { instance, sensor, definition, count, time, context } = event;
  const isFit =
    isBelow(instance, 1024) &&
    isBelow(sensor, 64) &&
    isBelow(definition, 0x10000) &&
    isBelow(count, 0x10000) &&
    (context?.length ?? 0) <= CONTEXT_MAX_BYTES;
  if (!isFit) throw new IdsmFault('EVENT_RANGE', 'Cannot write event: a field is out of range');
  const head = new Uint8Array(FRAME_BYTES);
  const view = new DataView(head.buffer);
  const flags =
    (context === undefined ? 0 : HAS_CONTEXT) |
    (time === undefined ? 0 : HAS_TIME) |
    (isSigned ? HAS_SIGNATURE : 0);
  view.setUint8(0, (VERSION << 4) | flags);
  view.setUint16(1, (instance << 6) | sensor);
  view.setUint16(3, definition);
  view.setUint16(5, count);
  const parts: Uint8Array[] = [head];
  if (time !== undefined) parts.push(encodeTime(time));
  if (context !== undefined) parts.push(encodeLength(context.length), context);
  return concatBytes(parts);
}

/** Puts the signature behind the event that it is over. @throws IdsmFault EVENT_RANGE. */
export function attachSignature(message: Uint8Array, signature: Uint8Array): Uint8Array {
  const isAnnounced = ((message[0] ?? 0) & HAS_SIGNATURE) !== 0;
  if (!isAnnounced || signature.length === 0 || signature.length > SIGNATURE_MAX_BYTES) {
    throw new IdsmFault('EVENT_RANGE', `Cannot attach signature: ${signature.length} bytes`);
  }
  const length = new Uint8Array([signature.length >>> 8, signature.length & 0xff]);
  return concatBytes([message, length, signature]);
}

/**
 * Reads an event.
 *
 * @param bytes - from outside; what comes back shares their memory.
 * @throws IdsmFault EVENT_MALFORMED.
 */
export function decodeSecurityEvent(bytes: Uint8Array): ReceivedSecurityEvent {
  if (bytes.length < FRAME_BYTES) throw malformed('it is truncated');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const first = view.getUint8(0);
  if (first >>> 4 !== VERSION || (first & 8) !== 0 || view.getUint8(7) !== 0) {
    throw malformed('it is of another version');
  }
  const place = view.getUint16(1);
  let offset = FRAME_BYTES;
  let time: SecurityEventTime | undefined;
  if ((first & HAS_TIME) !== 0) {
    time = decodeTime(bytes.subarray(offset));
    offset += FRAME_BYTES;
  }
  let context: Uint8Array | undefined;
  if ((first & HAS_CONTEXT) !== 0) {
    const { lengthBytes, start } = decodeLength(bytes, offset);
    context = bytes.subarray(start, start + lengthBytes);
    offset = start + lengthBytes;
    if (context.length < lengthBytes) throw malformed('its context is truncated');
  }
  const event = {
    instance: place >>> 6,
    sensor: place & 0x3f,
    definition: view.getUint16(3),
    count: view.getUint16(5),
    time,
    context,
  };
  if ((first & HAS_SIGNATURE) === 0) {
    if (offset !== bytes.length) throw malformed('more follows than it announces');
    return { event };
  }
  if (bytes.length < offset + 2) throw malformed('its signature is truncated');
  const signature = bytes.subarray(offset + 2);
  if (signature.length === 0 || signature.length !== view.getUint16(offset)) {
    throw malformed('its signature is not as long as it says');
  }
  return { event, signed: { message: bytes.subarray(0, offset), signature } };
}

/** One bit for the source, one that is kept free, 30 for nanoseconds, 32 for seconds. */
function encodeTime({ source, seconds, nanoseconds }: SecurityEventTime): Uint8Array<ArrayBuffer> {
  if (!isBelow(seconds, 2 ** 32) || !isBelow(nanoseconds, NANOSECONDS_END)) {
    throw new IdsmFault('EVENT_RANGE', 'Cannot write event: its time is out of range');
  }
  const frame = new Uint8Array(FRAME_BYTES);
  const view = new DataView(frame.buffer);
  view.setUint32(0, (source === 'oem' ? 0x80000000 : 0) + nanoseconds);
  view.setUint32(4, seconds);
  return frame;
}

function decodeTime(bytes: Uint8Array): SecurityEventTime {
  if (bytes.length < FRAME_BYTES) throw malformed('its time is truncated');
  const view = new DataView(bytes.buffer, bytes.byteOffset, FRAME_BYTES);
  const word = view.getUint32(0);
  const nanoseconds = word & 0x7fffffff;
  if (nanoseconds >= NANOSECONDS_END) throw malformed('its time is none');
  const source = word >>> 31 === 1 ? 'oem' : 'autosar';
  return { source, nanoseconds, seconds: view.getUint32(4) };
}

function encodeLength(lengthBytes: number): Uint8Array<ArrayBuffer> {
  if (lengthBytes <= SHORT_MAX) return new Uint8Array([lengthBytes]);
  const long = new Uint8Array(4);
  new DataView(long.buffer).setUint32(0, 0x80000000 + lengthBytes);
  return long;
}

function decodeLength(
  bytes: Uint8Array,
  offset: number,
): { readonly lengthBytes: number; readonly start: number } {
  const first = bytes[offset];
  if (first === undefined) throw malformed('its context is truncated');
  if (first <= SHORT_MAX) return { lengthBytes: first, start: offset + 1 };
  if (bytes.length < offset + 4) throw malformed('its context is truncated');
  const lengthBytes = new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset) & 0x7fffffff;
  if (lengthBytes <= SHORT_MAX || lengthBytes > CONTEXT_MAX_BYTES) {
    throw malformed('its context has a length that it may not have');
  }
  return { lengthBytes, start: offset + 4 };
}

function isBelow(value: number, end: number): boolean {
  return Number.isInteger(value) && value >= 0 && value < end;
}

function malformed(why: string): IdsmFault {
  return new IdsmFault('EVENT_MALFORMED', `Cannot read event: ${why}`);
}
