/** Reads an image file of any format as an address map. */
import { concatBytes, unreachable } from '@immota/base';
import { ImageFault } from '../image-fault.ts';
import { DETECTION_PREFIX_BYTES } from '../limits.ts';
import { detectFormat, type ImageFormat } from './detect-format.ts';
import { createIntelHexReader } from './intel-hex.ts';
import {
  createLayoutBuilder,
  LAYOUT_LIMITS,
  type ImageLayout,
  type LayoutLimits,
} from './layout.ts';
import type { LayoutReader } from './record-text.ts';
import { createSRecordReader } from './s-record.ts';

/** What is known about an image file before it is read. */
export interface ReadLayoutOptions {
  /** Its format; left out, the content tells. */
  readonly format?: Exclude<ImageFormat, 'encrypted'>;
  /** Where a raw image begins; 0 when left out. Records bring their own addresses. */
  readonly baseAddress?: number;
  readonly limits?: LayoutLimits;
}

/** An address map and the format it was read from. */
export interface LayoutOfFile {
  readonly format: Exclude<ImageFormat, 'encrypted'>;
  readonly layout: ImageLayout;
}

/**
 * Begins to read a raw image: one segment, no entry point.
 *
 * @param baseAddress - where it begins.
 * @param limits - what it may grow to.
 * @returns a reader whose faults are ADDRESS_RANGE, LAYOUT_LIMIT and LAYOUT_EMPTY.
 */
export function createRawReader(
  baseAddress: number,
  limits: LayoutLimits = LAYOUT_LIMITS,
): LayoutReader {
  const builder = createLayoutBuilder(limits);
  let address = baseAddress;
  return {
    push(bytes): void {
      builder.add(address, bytes);
      address += bytes.length;
    },
    finish: () => builder.finish(undefined),
  };
}

/**
 * Reads an image file as an address map.
 *
 * @param source - the file, in any pieces.
 * @param options - what is known about it.
 * @throws ImageFault HEADER_MALFORMED when it is an encrypted image, which has no addresses; and
 * whatever the reader of its format refuses.
 */
export async function readLayout(
  source: AsyncIterable<Uint8Array>,
  options: ReadLayoutOptions = {},
): Promise<LayoutOfFile> {
  let prefix: Uint8Array = new Uint8Array(0);
  let reader: LayoutReader | undefined;
  let format = options.format;
  for await (const bytes of source) {
    if (reader !== undefined) reader.push(bytes);
    else {
      prefix = concatBytes([prefix, bytes]);
      if (format !== undefined || prefix.length >= DETECTION_PREFIX_BYTES) {
        format ??= checkFormat(prefix);
        reader = createReader(format, options);
        reader.push(prefix);
      }
    }
  }
  if (reader === undefined) {
    format ??= checkFormat(prefix);
    reader = createReader(format, options);
    reader.push(prefix);
  }
  return { format: format ?? 'raw', layout: reader.finish() };
}

function checkFormat(prefix: Uint8Array): Exclude<ImageFormat, 'encrypted'> {
  const format = detectFormat(prefix);
  if (format === 'encrypted') {
    throw new ImageFault('HEADER_MALFORMED', 'Cannot read image: it is encrypted; open it first');
  }
  return format;
}

function createReader(
  format: Exclude<ImageFormat, 'encrypted'>,
  options: ReadLayoutOptions,
): LayoutReader {
  const limits = options.limits ?? LAYOUT_LIMITS;
  switch (format) {
    case 'raw':
      return createRawReader(options.baseAddress ?? 0, limits);
    case 'intel-hex':
      return createIntelHexReader(limits);
    case 's-record':
      return createSRecordReader(limits);
    default:
      return unreachable(format);
  }
}
