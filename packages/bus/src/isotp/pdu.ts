/**
 * The protocol's own bytes at the head of a frame {15765-2:2016 9.6}.
 *
 * ```
 * single       0L …            L = 1 to 7
 *              00 LL …         longer than 8 bytes (FD): LL to 62
 * first        1L LL …         up to 4095
 *              10 00 LLLLLLLL … above
 * consecutive  2S …            S = 1, 2, … 15, 0, 1 …
 * flow         3F BS ST        F = 0 go on, 1 wait, 2 too large
 * ```
 */

/** What a flow control frame says. */
export type FlowStatus = 'continue' | 'wait' | 'overflow' | 'reserved';

/** One frame, read; `bytes` are views into it. */
export type Pdu =
  | { readonly kind: 'single'; readonly bytes: Uint8Array }
  | {
      readonly kind: 'first';
      /** A claim: nothing is allocated from it. */
      readonly lengthBytes: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'consecutive'; readonly sequence: number; readonly bytes: Uint8Array }
  | {
      readonly kind: 'flow';
      readonly status: FlowStatus;
      readonly blockSize: number;
      /** As it came; `decodeSeparationTime` reads it. */
      readonly separation: number;
    };

const CLASSIC_MAX_BYTES = 8;
const STATUSES: readonly FlowStatus[] = ['continue', 'wait', 'overflow'];
const SHORT_MAX = 0xfff;

/**
 * Reads a frame.
 *
 * @param data - a frame's data, whole.
 * @param prefixBytes - 1 when an address stands before the protocol's bytes, else 0.
 * @returns undefined for what the standard tells a receiver to ignore: too short for what it says,
 *   longer lengths than needed, reserved kinds.
 */
export function readPdu(data: Uint8Array, prefixBytes: number): Pdu | undefined {
  const control = data[prefixBytes];
  if (control === undefined) return undefined;
  switch (control >> 4) {
    case 0:
      return readSingle(data, prefixBytes, control & 0xf);
    case 1:
      return readFirst(data, prefixBytes, control & 0xf);
    case 2: {
      const bytes = data.subarray(prefixBytes + 1);
      return bytes.length === 0
        ? undefined
        : { kind: 'consecutive', sequence: control & 0xf, bytes };
    }
    case 3: {
      const blockSize = data[prefixBytes + 1];
      const separation = data[prefixBytes + 2];
      if (blockSize === undefined || separation === undefined) return undefined;
      const status = STATUSES[control & 0xf] ?? 'reserved';
      return { kind: 'flow', status, blockSize, separation };
    }
    default:
      return undefined;
  }
}

/** Tells how much a single frame of so many bytes carries. */
export function singleMaxBytes(frameBytes: number, prefixBytes: number): number {
  return frameBytes - prefixBytes - (frameBytes > CLASSIC_MAX_BYTES ? 2 : 1);
}

function readSingle(data: Uint8Array, prefixBytes: number, nibble: number): Pdu | undefined {
  const isLong = data.length > CLASSIC_MAX_BYTES;
  // {15765-2:2016 9.6.2.2}: longer frames have the escape and no other form, shorter ones never.
  if (isLong === nibble > 0) return undefined;
  const lengthBytes = isLong ? (data[prefixBytes + 1] ?? 0) : nibble;
  const headBytes = prefixBytes + (isLong ? 2 : 1);
  if (isLong && lengthBytes <= singleMaxBytes(CLASSIC_MAX_BYTES, prefixBytes)) return undefined;
  if (headBytes + lengthBytes > data.length) return undefined;
  return { kind: 'single', bytes: data.subarray(headBytes, headBytes + lengthBytes) };
}

function readFirst(data: Uint8Array, prefixBytes: number, nibble: number): Pdu | undefined {
  // {15765-2:2016 9.6.3.2}: a First Frame is full, and its length tells that of all that follow.
  if (data.length < CLASSIC_MAX_BYTES) return undefined;
  const short = nibble * 0x100 + (data[prefixBytes + 1] ?? 0);
  const isEscape = short === 0;
  const headBytes = prefixBytes + (isEscape ? 6 : 2);
  const lengthBytes = isEscape ? readUint32(data, prefixBytes + 2) : short;
  if (isEscape && lengthBytes <= SHORT_MAX) return undefined;
  // What fits into a single frame must come in one.
  if (lengthBytes <= singleMaxBytes(data.length, prefixBytes)) return undefined;
  return { kind: 'first', lengthBytes, bytes: data.subarray(headBytes) };
}

function readUint32(data: Uint8Array, offset: number): number {
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getUint32(offset);
}
