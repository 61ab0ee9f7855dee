/** The address map of an image: which bytes go where in an ECU's memory, and where it starts. */
import type { Brand } from '@immota/base';
import { ImageFault } from '../image-fault.ts';
import { ADDRESS_SPACE_BYTES, LAYOUT_LENGTH_MAX_BYTES, SEGMENT_COUNT_MAX } from '../limits.ts';

/** Bytes that lie one after the other from an address on. */
export interface Segment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/**
 * Holding an ImageLayout tells you: it has a segment; each has at least one byte; they ascend,
 * do not overlap and do not touch; none leaves the address space; their number and sum are within
 * the limits; the entry point, where there is one, is an address.
 */
export type ImageLayout = Brand<
  { readonly segments: readonly Segment[]; readonly entryPoint: number | undefined },
  'ImageLayout'
>;

/** What a layout may grow to. */
export interface LayoutLimits {
  /** How often addresses may jump, counted in the order of the file. */
  readonly segmentCountMax: number;
  /** How many bytes all segments may hold together. */
  readonly lengthMaxBytes: number;
  /** One past the highest address, at most 2^32. */
  readonly addressSpaceBytes: number;
}

/** The limits that hold where a caller names none. */
export const LAYOUT_LIMITS: LayoutLimits = {
  segmentCountMax: SEGMENT_COUNT_MAX,
  lengthMaxBytes: LAYOUT_LENGTH_MAX_BYTES,
  addressSpaceBytes: ADDRESS_SPACE_BYTES,
};

/** Gathers the bytes of records in whatever order they come. */
export interface LayoutBuilder {
  /**
   * Takes bytes for an address; copies them.
   *
   * @throws ImageFault ADDRESS_RANGE or LAYOUT_LIMIT.
   */
  add(address: number, bytes: Uint8Array): void;
  /**
   * Puts the segments in order and checks them.
   *
   * @throws ImageFault OVERLAP, LAYOUT_EMPTY or ADDRESS_RANGE.
   */
  finish(entryPoint: number | undefined): ImageLayout;
}

/** Bytes that came in sequence. `capacity` doubles, so that appending stays linear. */
interface Run {
  readonly address: number;
  capacity: Uint8Array;
  lengthBytes: number;
}

const RUN_CAPACITY_BYTES = 64;

/**
 * Begins a layout.
 *
 * @param limits - what it may grow to.
 */
export function createLayoutBuilder(limits: LayoutLimits = LAYOUT_LIMITS): LayoutBuilder {
  const runs: Run[] = [];
  let totalBytes = 0;
  return {
    add(address, bytes): void {
      if (bytes.length === 0) return;
      checkRange(address, bytes.length, limits);
      totalBytes += bytes.length;
      if (totalBytes > limits.lengthMaxBytes) {
        throw new ImageFault(
          'LAYOUT_LIMIT',
          `Cannot lay out image: more than ${limits.lengthMaxBytes} bytes`,
        );
      }
      const last = runs.at(-1);
      if (last !== undefined && last.address + last.lengthBytes === address) append(last, bytes);
      else {
        if (runs.length >= limits.segmentCountMax) {
          throw new ImageFault(
            'LAYOUT_LIMIT',
            `Cannot lay out image: more than ${limits.segmentCountMax} segments`,
          );
        }
        const run: Run = {
          address,
          capacity: new Uint8Array(Math.max(bytes.length, RUN_CAPACITY_BYTES)),
          lengthBytes: 0,
        };
        append(run, bytes);
        runs.push(run);
      }
    },
    finish(entryPoint): ImageLayout {
      if (entryPoint !== undefined) checkRange(entryPoint, 1, limits);
      return mintLayout(mergeRuns(runs), entryPoint);
    },
  };
}

/**
 * Lays out segments that did not come from a file.
 *
 * @param segments - in any order; their bytes are copied.
 * @param entryPoint - where execution starts, if known.
 * @param limits - what the layout may grow to.
 * @throws ImageFault OVERLAP, ADDRESS_RANGE, LAYOUT_LIMIT or LAYOUT_EMPTY.
 */
export function buildLayout(
  segments: Iterable<Segment>,
  entryPoint: number | undefined,
  limits: LayoutLimits = LAYOUT_LIMITS,
): ImageLayout {
  const builder = createLayoutBuilder(limits);
  for (const segment of segments) builder.add(segment.address, segment.bytes);
  return builder.finish(entryPoint);
}

function checkRange(address: number, lengthBytes: number, limits: LayoutLimits): void {
  const end = address + lengthBytes;
  if (!Number.isSafeInteger(address) || address < 0 || end > limits.addressSpaceBytes) {
    throw new ImageFault(
      'ADDRESS_RANGE',
      `Cannot lay out image: ${lengthBytes} bytes at ${formatAddress(address)} leave the address space of ${formatAddress(limits.addressSpaceBytes)}`,
    );
  }
}

function append(run: Run, bytes: Uint8Array): void {
  const needed = run.lengthBytes + bytes.length;
  if (needed > run.capacity.length) {
    const grown = new Uint8Array(Math.max(needed, run.capacity.length * 2));
    grown.set(run.capacity.subarray(0, run.lengthBytes));
    run.capacity = grown;
  }
  run.capacity.set(bytes, run.lengthBytes);
  run.lengthBytes = needed;
}

function mergeRuns(runs: readonly Run[]): readonly Segment[] {
  const ascending = runs.toSorted((left, right) => left.address - right.address);
  const merged: Run[] = [];
  for (const run of ascending) {
    const last = merged.at(-1);
    const end = last === undefined ? -1 : last.address + last.lengthBytes;
    if (run.address < end) {
      throw new ImageFault(
        'OVERLAP',
        `Cannot lay out image: two records claim address ${formatAddress(run.address)}`,
      );
    }
    if (last !== undefined && run.address === end) {
      append(last, run.capacity.subarray(0, run.lengthBytes));
    } else merged.push(run);
  }
  return merged.map((run) => ({
    address: run.address,
    bytes: run.capacity.subarray(0, run.lengthBytes),
  }));
}

function mintLayout(segments: readonly Segment[], entryPoint: number | undefined): ImageLayout {
  if (segments.length === 0) {
    throw new ImageFault('LAYOUT_EMPTY', 'Cannot lay out image: it holds no bytes');
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: merged and checked by the builder
  return { segments, entryPoint } as ImageLayout;
}

function formatAddress(address: number): string {
  return `0x${address.toString(16)}`;
}
