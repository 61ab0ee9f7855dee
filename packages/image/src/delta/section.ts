/**
 * A section of a delta: the commands for a stretch of the image, complete in itself.
 *
 * ```
 * offset length
 *      0      8  how many bytes of the image it gives
 *      8      1  width of its differences: 1 or 4 bytes
 *      9   6 × 9  for each stream: how it is packed (0 not at all, 1 Zstandard), its length, its packed length
 *     63     16  the first half of SHA-256 of the head of the delta, the section's number in 4 bytes, the
 *                63 bytes above, and the packed streams
 *     79         the packed streams
 * ```
 *
 * The checksum is against accidents and mix-ups: it is compared before a byte is unpacked. Against a forger
 * stands the signed hash of the image alone.
 */
import { createHash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { equalBytes } from '@immota/base';
import { releaseBytes } from '../encrypt/chunk.ts';
import { ImageFault } from '../image-fault.ts';
import { DELTA_SECTION_MAX_BYTES, DELTA_WINDOW_LOG2_MAX } from '../limits.ts';

/** The streams of a section, in their order. */
export const STREAMS = ['pages', 'lengths', 'sources', 'gaps', 'values', 'literals'] as const;

/** The name of a stream. */
export type StreamName = (typeof STREAMS)[number];

/** Bytes by stream. */
export type Streams = Readonly<Record<StreamName, Uint8Array>>;

/** How wide the units are in which base and image are compared. */
export type Width = 1 | 4;

/** A section, unpacked. */
export interface Section {
  readonly givesBytes: number;
  readonly width: Width;
  readonly streams: Streams;
}

/** Which section of which delta. */
export interface SectionPlace {
  /** The encoded head of the delta. */
  readonly header: Uint8Array;
  readonly index: number;
}

/** What stands before the packed streams. */
export interface SectionHead {
  readonly givesBytes: number;
  readonly width: Width;
  readonly packings: readonly Packing[];
  /** Of all streams together, packed: what follows the head. */
  readonly packedBytes: number;
}

interface Packing {
  readonly isPacked: boolean;
  readonly lengthBytes: number;
  readonly packedBytes: number;
}

/** How long the head of a section is. */
export const SECTION_HEAD_LENGTH_BYTES = 79;

const PACKING_LENGTH_BYTES = 9;
const PACKINGS_OFFSET = 9;
const CHECKSUM_OFFSET = 63;
const CHECKSUM_LENGTH_BYTES = 16;
const { ZSTD_c_compressionLevel, ZSTD_c_windowLog, ZSTD_d_windowLogMax } = constants;

/**
 * Encodes a section.
 *
 * @param level - of Zstandard, 1 to 19.
 * @returns its head and its streams.
 */
export function encodeSection(section: Section, place: SectionPlace, level: number): Uint8Array {
  const packed = STREAMS.map((name) => pack(section.streams[name], level));
  const head = new Uint8Array(SECTION_HEAD_LENGTH_BYTES);
  const view = new DataView(head.buffer);
  view.setBigUint64(0, BigInt(section.givesBytes));
  view.setUint8(8, section.width);
  for (const [index, name] of STREAMS.entries()) {
    const offset = PACKINGS_OFFSET + index * PACKING_LENGTH_BYTES;
    const plain = section.streams[name];
    const bytes = packed[index] ?? plain;
    view.setUint8(offset, bytes === plain ? 0 : 1);
    view.setUint32(offset + 1, plain.length);
    view.setUint32(offset + 5, bytes.length);
  }
  const body = Buffer.concat(packed);
  head.set(checksumOf(place, head, body), CHECKSUM_OFFSET);
  return Buffer.concat([head, body]);
}

/** Tells how many bytes the streams take, packed as an applier would find them; a quick estimate. */
export function estimatePacked(streams: readonly Uint8Array[]): number {
  return streams.reduce((sum, bytes) => sum + pack(bytes, 3).length, 0);
}

/**
 * Decodes the head of a section, before its streams are there.
 *
 * @throws ImageFault DELTA_SECTION when it is none; DELTA_LIMIT when it asks for more memory than a section has.
 */
export function decodeSectionHead(head: Uint8Array): SectionHead {
  const view = new DataView(head.buffer, head.byteOffset, head.length);
  const width = view.getUint8(8);
  if (width !== 1 && width !== 4) throw malformed(`differences of ${width} bytes`);
  let lengthBytes = 0;
  let packedBytes = 0;
  const packings = STREAMS.map((_, index): Packing => {
    const offset = PACKINGS_OFFSET + index * PACKING_LENGTH_BYTES;
    const packing = {
      isPacked: view.getUint8(offset) === 1,
      lengthBytes: view.getUint32(offset + 1),
      packedBytes: view.getUint32(offset + 5),
    };
    const { isPacked } = packing;
    const isSound = isPacked
      ? packing.packedBytes < packing.lengthBytes
      : packing.packedBytes === packing.lengthBytes && view.getUint8(offset) === 0;
    if (!isSound) throw malformed('a stream whose lengths do not fit');
    lengthBytes += packing.lengthBytes;
    packedBytes += packing.packedBytes;
    return packing;
  });
  if (lengthBytes > DELTA_SECTION_MAX_BYTES) {
    throw new ImageFault('DELTA_LIMIT', `Cannot read delta: a section of ${lengthBytes} bytes`);
  }
  const gives = view.getBigUint64(0);
  if (gives > BigInt(Number.MAX_SAFE_INTEGER)) throw malformed('more bytes than any image has');
  return { givesBytes: Number(gives), width, packings, packedBytes };
}

/**
 * Decodes a section.
 *
 * @param head - its encoded head.
 * @param body - its packed streams, as many bytes as the head says.
 * @throws ImageFault DELTA_SECTION when it is another section, or was changed; as `decodeSectionHead`.
 */
export function decodeSection(
  head: Uint8Array,
  body: Uint8Array,
  place: SectionPlace,
): { readonly section: Section; release(): void } {
  const { givesBytes, width, packings } = decodeSectionHead(head);
  const checksum = head.subarray(CHECKSUM_OFFSET, SECTION_HEAD_LENGTH_BYTES);
  if (!equalBytes(checksum, checksumOf(place, head, body))) {
    throw malformed(`section ${place.index} was changed, or is another`);
  }
  let offset = 0;
  const unpacked = packings.map((packing) => {
    const bytes = body.subarray(offset, offset + packing.packedBytes);
    offset += packing.packedBytes;
    return packing.isPacked ? unpack(bytes, packing.lengthBytes) : bytes;
  });
  const [pages, lengths, sources, gaps, values, literals] = unpacked;
  const none = new Uint8Array();
  return {
    section: {
      givesBytes,
      width,
      streams: {
        pages: pages ?? none,
        lengths: lengths ?? none,
        sources: sources ?? none,
        gaps: gaps ?? none,
        values: values ?? none,
        literals: literals ?? none,
      },
    },
    // Left to the collector, the streams of many sections would be in memory at once.
    release(): void {
      for (const [index, bytes] of unpacked.entries()) {
        const room = packings[index]?.isPacked === true ? roomFor(bytes.length) : undefined;
        // Small ones share a pool of the library's, which is longer.
        if (bytes.buffer.byteLength === room) releaseBytes(new Uint8Array(bytes.buffer));
      }
    },
  };
}

function pack(bytes: Uint8Array, level: number): Uint8Array {
  if (bytes.length === 0) return bytes;
  const packed = zstdCompressSync(bytes, {
    params: {
      [ZSTD_c_compressionLevel]: level,
      [ZSTD_c_windowLog]: DELTA_WINDOW_LOG2_MAX,
    },
  });
  return packed.length < bytes.length ? packed : bytes;
}

function unpack(bytes: Uint8Array, lengthBytes: number): Uint8Array {
  let unpacked: Uint8Array;
  try {
    unpacked = zstdDecompressSync(bytes, {
      // One piece of memory, and a byte to spare: the library takes as much again when one is full.
      chunkSize: roomFor(lengthBytes),
      maxOutputLength: lengthBytes,
      params: { [ZSTD_d_windowLogMax]: DELTA_WINDOW_LOG2_MAX },
    });
  } catch (cause) {
    throw new ImageFault('DELTA_SECTION', 'Cannot read delta: a stream does not unpack', { cause });
  }
  if (unpacked.length !== lengthBytes) throw malformed('a stream of another length');
  return unpacked;
}

/** Less the library does not take. */
function roomFor(lengthBytes: number): number {
  return Math.max(lengthBytes + 1, 64);
}

function checksumOf(
  { header, index }: SectionPlace,
  head: Uint8Array,
  body: Uint8Array,
): Uint8Array {
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, index);
  const digest = createHash('sha256')
    .update(header)
    .update(number)
    .update(head.subarray(0, CHECKSUM_OFFSET))
    .update(body)
    .digest();
  return digest.subarray(0, CHECKSUM_LENGTH_BYTES);
}

function malformed(what: string): ImageFault {
  return new ImageFault('DELTA_SECTION', `Cannot read delta: ${what}`);
}
