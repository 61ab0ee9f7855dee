/**
 * One file of the memory of events: a head, then records. Each carries a checksum, so that what a cut of
 * the power left half written is known for what it is.
 *
 * Head: `IMMOTA-EVENTS 1` and a line end, the file's generation (8 bytes), the number of its first event
 * (8 bytes), 16 bytes of SHA-256. Record: length (4 bytes), number (8 bytes), the event, 16 bytes of
 * SHA-256 over all that.
 */
import { createHash } from 'node:crypto';
import { concatBytes, equalBytes, utf8 } from '@immota/base';
import { RECORD_MAX_BYTES } from './limits.ts';

/** What a segment begins with. */
export interface SegmentHead {
  /** Rises with each segment that is begun. */
  readonly generation: number;
  readonly firstSequence: number;
}

/** An event with its number. */
export interface StoredEvent {
  /** From 1, without gaps. */
  readonly sequence: number;
  readonly bytes: Uint8Array;
}

/** A segment as it was found. */
export interface Segment {
  readonly head: SegmentHead;
  readonly events: readonly StoredEvent[];
  /** Where the next record goes. */
  readonly endBytes: number;
}

const MAGIC = utf8('IMMOTA-EVENTS 1\n');
const CHECKSUM_BYTES = 16;
/** Bytes of a head. */
export const HEAD_BYTES: number = MAGIC.length + 16 + CHECKSUM_BYTES;
const RECORD_HEAD_BYTES = 12;

/** Writes the head of a segment. */
export function encodeHead({ generation, firstSequence }: SegmentHead): Uint8Array {
  const numbers = new Uint8Array(16);
  const view = new DataView(numbers.buffer);
  view.setBigUint64(0, BigInt(generation));
  view.setBigUint64(8, BigInt(firstSequence));
  return withChecksum(concatBytes([MAGIC, numbers]));
}

/** Writes a record. */
export function encodeRecord({ sequence, bytes }: StoredEvent): Uint8Array {
  const head = new Uint8Array(RECORD_HEAD_BYTES);
  const view = new DataView(head.buffer);
  view.setUint32(0, bytes.length);
  view.setBigUint64(4, BigInt(sequence));
  return withChecksum(concatBytes([head, bytes]));
}

/** Tells how long the record of an event is. */
export function recordBytes(lengthBytes: number): number {
  return RECORD_HEAD_BYTES + lengthBytes + CHECKSUM_BYTES;
}

/** Reads a segment up to its first record that is not whole; undefined when its head is not. */
export function decodeSegment(bytes: Uint8Array): Segment | undefined {
  if (bytes.length < HEAD_BYTES || !isWhole(bytes.subarray(0, HEAD_BYTES))) return undefined;
  if (!equalBytes(bytes.subarray(0, MAGIC.length), MAGIC)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const head = {
    generation: Number(view.getBigUint64(MAGIC.length)),
    firstSequence: Number(view.getBigUint64(MAGIC.length + 8)),
  };
  const events: StoredEvent[] = [];
  let offset = HEAD_BYTES;
  while (bytes.length - offset >= RECORD_HEAD_BYTES + CHECKSUM_BYTES) {
    const lengthBytes = view.getUint32(offset);
    const end = offset + recordBytes(lengthBytes);
    if (lengthBytes > RECORD_MAX_BYTES || end > bytes.length) break;
    const sequence = Number(view.getBigUint64(offset + 4));
    // A record that was there before this segment was begun has a lower number.
    if (sequence !== head.firstSequence + events.length) break;
    if (!isWhole(bytes.subarray(offset, end))) break;
    const start = offset + RECORD_HEAD_BYTES;
    events.push({ sequence, bytes: bytes.slice(start, start + lengthBytes) });
    offset = end;
  }
  return { head, events, endBytes: offset };
}

/** Adds the checksum of what precedes it. */
export function withChecksum(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes([bytes, checksumOf(bytes)]);
}

/** Tells whether bytes end in the checksum of what precedes it. */
export function isWhole(bytes: Uint8Array): boolean {
  if (bytes.length < CHECKSUM_BYTES) return false;
  const content = bytes.subarray(0, bytes.length - CHECKSUM_BYTES);
  return equalBytes(checksumOf(content), bytes.subarray(content.length));
}

function checksumOf(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest().subarray(0, CHECKSUM_BYTES);
}
