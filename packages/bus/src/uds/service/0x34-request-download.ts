/** RequestDownload {14229-1:2020 15.2}. */
import { makeCall, type UdsCall } from '../call.ts';
import { BLOCK_HEAD_BYTES } from '../limits.ts';
import { MessageReader, uintBytes, uintLength } from '../message-reader.ts';
import { SERVICES } from '../service-id.ts';
import { UdsFault } from '../uds-fault.ts';

/** Where bytes go, and how they come. */
export interface DownloadRequest {
  /** High nibble: the method of compression; low nibble: of encryption; both the maker's. */
  readonly dataFormat: number;
  readonly address: number;
  /** Of the data in the memory. */
  readonly sizeBytes: number;
}

/** Asks to write memory. @returns how many data bytes one block carries. */
export function requestDownload({
  dataFormat,
  address,
  sizeBytes,
}: DownloadRequest): UdsCall<number> {
  const lengths = [uintLength(address), uintLength(sizeBytes)] as const;
  const head = Uint8Array.of(SERVICES.requestDownload, dataFormat, lengths[1] * 0x10 + lengths[0]);
  const parts = [head, uintBytes(address, lengths[0]), uintBytes(sizeBytes, lengths[1])];
  return makeCall(parts, 0, (reader) => readBlockLength(reader, reader.uint(1) >> 4));
}

/** Reads a request. */
export function readDownload(request: Uint8Array): DownloadRequest {
  const reader = new MessageReader(request, 1);
  const dataFormat = reader.uint(1);
  const [address, sizeBytes] = readAddressAndSize(reader);
  reader.end();
  return { dataFormat, address, sizeBytes };
}

/** Reads a format byte, an address and a size. @throws UdsFault MESSAGE_MALFORMED for an empty one. */
export function readAddressAndSize(reader: MessageReader): readonly [number, number] {
  const format = reader.uint(1);
  const [sizeLength, addressLength] = [format >> 4, format & 0x0f];
  if (sizeLength === 0 || addressLength === 0) {
    throw new UdsFault('MESSAGE_MALFORMED', 'Cannot read range of memory: no address or no size');
  }
  const address = reader.uint(addressLength);
  return [address, reader.uint(sizeLength)];
}

/**
 * Reads the greatest length of a block and takes its head off.
 *
 * @returns how many data bytes one block carries.
 * @throws UdsFault ANSWER_UNEXPECTED when there is no room for any.
 */
export function readBlockLength(reader: MessageReader, lengthBytes: number): number {
  const blockBytes = reader.uint(lengthBytes);
  if (blockBytes <= BLOCK_HEAD_BYTES) {
    throw new UdsFault('ANSWER_UNEXPECTED', `Cannot transfer in blocks of ${blockBytes} bytes`);
  }
  return blockBytes - BLOCK_HEAD_BYTES;
}

/** Encodes the greatest length of a block, its head included, for a response. */
export function encodeBlockLength(blockBytes: number): readonly Uint8Array[] {
  const lengthBytes = uintLength(blockBytes);
  return [Uint8Array.of(lengthBytes * 0x10), uintBytes(blockBytes, lengthBytes)];
}
