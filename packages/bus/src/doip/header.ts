/** The eight bytes before every DoIP payload: version, its complement, type, length. */
import { DoipFault } from './doip-fault.ts';

/** How long a header is. */
export const HEADER_BYTES = 8;
/** ISO 13400-2:2019. Each end answers in the version it was spoken to. */
export const VERSION_2019 = 0x03;
/** What a tester says who does not know the vehicle yet; good for identification requests alone. */
export const VERSION_DEFAULT = 0xff;
/** ISO 13400-2:2012 and what came after: their headers and payloads are the same. */
const VERSIONS: ReadonlySet<number> = new Set([0x02, VERSION_2019, 0x04]);
const BYTE_MAX = 0xff;

/** A header as it was read. */
export interface DoipHeader {
  readonly version: number;
  readonly type: number;
  /** A claim of the sender. */
  readonly lengthBytes: number;
}

/** Writes a header to the beginning of `bytes`. */
export function writeHeader(bytes: Uint8Array, { version, type, lengthBytes }: DoipHeader): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint8(0, version);
  view.setUint8(1, version ^ BYTE_MAX);
  view.setUint16(2, type);
  view.setUint32(4, lengthBytes);
}

/**
 * Reads a header.
 *
 * @param bytes - at least eight.
 * @param allowsDefault - true where the default version is a version: identification by UDP.
 * @throws DoipFault HEADER_PATTERN when the complement is not that of the version, or nobody speaks it.
 */
export function decodeHeader(bytes: Uint8Array, allowsDefault = false): DoipHeader {
  if (bytes.length < HEADER_BYTES) {
    throw new DoipFault('HEADER_PATTERN', `Cannot read DoIP header: ${bytes.length} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint8(0);
  const isKnown = VERSIONS.has(version) || (allowsDefault && version === VERSION_DEFAULT);
  if (!isKnown || view.getUint8(1) !== (version ^ BYTE_MAX)) {
    throw new DoipFault('HEADER_PATTERN', 'Cannot read DoIP header: no version and complement');
  }
  return { version, type: view.getUint16(2), lengthBytes: view.getUint32(4) };
}
