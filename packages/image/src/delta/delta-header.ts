/**
 * The head of a delta.
 *
 * ```
 * offset length
 *      0      7  "IMMOTA" and 0x1d
 *      7      1  version: 1
 *      8      1  page size: 2 to this power; 0 when the image is given from its beginning to its end
 *      9      3  reserved: 0
 *     12      8  length of the base, big-endian as all numbers here
 *     20     32  SHA-256 of the base
 *     52      8  length of the image
 *     60     32  SHA-256 of the image
 * ```
 *
 * What it says of the image is compared with signed metadata and never trusted instead of them.
 */
import { equalBytes } from '@immota/base';
import { ImageFault } from '../image-fault.ts';
import {
  DELTA_IMAGE_MAX_BYTES,
  DELTA_PAGE_LOG2_MAX,
  DELTA_PAGE_LOG2_MIN,
  DELTA_PAGES_MAX,
} from '../limits.ts';

/** An image by its length and its SHA-256 in lower-case hexadecimal. */
export interface ImageIdentity {
  readonly lengthBytes: number;
  readonly sha256: string;
}

/** What the head of a delta says. */
export interface DeltaHeader {
  readonly base: ImageIdentity;
  readonly image: ImageIdentity;
  /** The page of the bank it rewrites in place; undefined when it is applied from one slot into another. */
  readonly pageBytes: number | undefined;
}

/** How long the head is. */
export const DELTA_HEADER_LENGTH_BYTES = 92;

const MAGIC: Uint8Array = Uint8Array.of(0x49, 0x4d, 0x4d, 0x4f, 0x54, 0x41, 0x1d);
const VERSION = 1;
const PAGE_OFFSET = 8;
const BASE_OFFSET = 12;
const IMAGE_OFFSET = 52;
const HASH_LENGTH_BYTES = 32;

/** Encodes the head. */
export function encodeDeltaHeader(header: DeltaHeader): Uint8Array {
  const bytes = new Uint8Array(DELTA_HEADER_LENGTH_BYTES);
  bytes.set(MAGIC);
  bytes[MAGIC.length] = VERSION;
  bytes[PAGE_OFFSET] = header.pageBytes === undefined ? 0 : Math.log2(header.pageBytes);
  encodeIdentity(bytes.subarray(BASE_OFFSET, IMAGE_OFFSET), header.base);
  encodeIdentity(bytes.subarray(IMAGE_OFFSET), header.image);
  return bytes;
}

/**
 * Decodes the head of a delta.
 *
 * @param bytes - the first 92 of it.
 * @throws ImageFault DELTA_HEADER when it is no head of version 1.
 */
export function decodeDeltaHeader(bytes: Uint8Array): DeltaHeader {
  const log2 = bytes[PAGE_OFFSET] ?? 0;
  const isHead =
    bytes.length === DELTA_HEADER_LENGTH_BYTES &&
    equalBytes(bytes.subarray(0, MAGIC.length), MAGIC) &&
    bytes[MAGIC.length] === VERSION &&
    bytes.subarray(PAGE_OFFSET + 1, BASE_OFFSET).every((byte) => byte === 0);
  if (!isHead) throw malformed('it is no delta of version 1');
  const base = decodeIdentity(bytes.subarray(BASE_OFFSET, IMAGE_OFFSET));
  const image = decodeIdentity(bytes.subarray(IMAGE_OFFSET));
  if (log2 === 0) return { base, image, pageBytes: undefined };
  const pageBytes = 2 ** log2;
  const isPaged =
    log2 >= DELTA_PAGE_LOG2_MIN &&
    log2 <= DELTA_PAGE_LOG2_MAX &&
    image.lengthBytes <= pageBytes * DELTA_PAGES_MAX;
  if (!isPaged) throw malformed(`pages of 2^${log2} bytes`);
  return { base, image, pageBytes };
}

function encodeIdentity(into: Uint8Array, { lengthBytes, sha256 }: ImageIdentity): void {
  new DataView(into.buffer, into.byteOffset).setBigUint64(0, BigInt(lengthBytes));
  into.set(Uint8Array.fromHex(sha256), into.length - HASH_LENGTH_BYTES);
}

function decodeIdentity(bytes: Uint8Array): ImageIdentity {
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0);
  if (length > BigInt(DELTA_IMAGE_MAX_BYTES)) throw malformed(`an image of ${length} bytes`);
  return {
    lengthBytes: Number(length),
    sha256: bytes.subarray(bytes.length - HASH_LENGTH_BYTES).toHex(),
  };
}

function malformed(what: string): ImageFault {
  return new ImageFault('DELTA_HEADER', `Cannot read delta: ${what}`);
}
