/** TransferData {14229-1:2020 15.4}. */
import { makeCall, type UdsCall } from '../call.ts';
import { BLOCK_HEAD_BYTES } from '../limits.ts';
import { SERVICES } from '../service-id.ts';

/** The counter of the first block. */
export const FIRST_BLOCK = 1;

/**
 * Sends a block, or asks for one.
 *
 * @param counter - of this block, 0 to 255.
 * @param data - empty when the server is to send data.
 * @returns what the server sends.
 */
export function transferData(counter: number, data: Uint8Array): UdsCall<Uint8Array> {
  const head = Uint8Array.of(SERVICES.transferData, counter);
  return makeCall([head, data], 1, (reader) => reader.rest());
}

/** Counts on: after 255 comes 0. */
export function nextBlock(counter: number): number {
  return (counter + 1) & 0xff;
}

/** Reads a request; the data are part of it, not a copy. */
export function readBlock(request: Uint8Array): {
  readonly counter: number;
  readonly data: Uint8Array;
} {
  return { counter: request[1] ?? 0, data: request.subarray(BLOCK_HEAD_BYTES) };
}
