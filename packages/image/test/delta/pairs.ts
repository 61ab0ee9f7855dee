/** Pairs of images for tests, and what applying needs. */
import { createHash } from 'node:crypto';
import type { DeltaBank, DeltaBase, ImageIdentity, MakeDeltaOptions } from '@immota/image';
import { deltaSourceOf, makeDelta } from '@immota/image';
import * as fc from 'fast-check';

/** An image and what became of it. */
export interface Pair {
  readonly base: Uint8Array;
  readonly image: Uint8Array;
}

/** What signed metadata would say of an image. */
export function identityOf(image: Uint8Array): ImageIdentity {
  return {
    lengthBytes: image.length,
    sha256: createHash('sha256').update(image).digest('hex'),
  };
}

/** Makes a delta, whole. */
export function make({ base, image }: Pair, options: MakeDeltaOptions = {}): Uint8Array {
  const pair = { base: deltaSourceOf(base), image: deltaSourceOf(image) };
  return Buffer.concat([...makeDelta(pair, { level: 3, ...options })]);
}

/** An installed image; refuses to be read outside of itself. */
export function baseOf(bytes: Uint8Array): DeltaBase {
  return {
    lengthBytes: bytes.length,
    read(offsetBytes, into): void {
      if (offsetBytes < 0 || offsetBytes + into.length > bytes.length) {
        throw new RangeError('a read outside the base');
      }
      into.set(bytes.subarray(offsetBytes, offsetBytes + into.length));
    },
  };
}

/** A bank in memory, with what an image leaves of it erased; refuses what a bank of flash cannot do. */
export function bankOf(
  base: Uint8Array,
  sizeBytes: number,
): DeltaBank & { readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(sizeBytes).fill(0xff);
  bytes.set(base);
  return {
    bytes,
    sizeBytes,
    lengthBytes: base.length,
    async read(offsetBytes, into): Promise<void> {
      if (offsetBytes < 0 || offsetBytes + into.length > sizeBytes) {
        throw new RangeError('a read outside the bank');
      }
      into.set(bytes.subarray(offsetBytes, offsetBytes + into.length));
    },
    async write(atBytes, page): Promise<void> {
      if (atBytes + page.length > sizeBytes) throw new RangeError('a write outside the bank');
      bytes.set(page, atBytes);
    },
  };
}

/** What compilers do between two releases: bytes are changed, put in, taken out and moved. */
type Edit =
  | { readonly kind: 'change'; readonly at: number; readonly add: number }
  | { readonly kind: 'insert'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'remove'; readonly at: number; readonly count: number }
  | { readonly kind: 'move'; readonly at: number; readonly count: number; readonly to: number };

const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('change'), at: fc.nat(), add: fc.integer({ min: 1, max: 255 }) }),
  fc.record({
    kind: fc.constant('insert'),
    at: fc.nat(),
    bytes: fc.uint8Array({ maxLength: 300 }),
  }),
  fc.record({ kind: fc.constant('remove'), at: fc.nat(), count: fc.nat({ max: 500 }) }),
  fc.record({
    kind: fc.constant('move'),
    at: fc.nat(),
    count: fc.nat({ max: 2000 }),
    to: fc.nat(),
  }),
);

/** Bytes like code: words of few kinds, so that much of it occurs more than once. */
const codes: fc.Arbitrary<Uint8Array> = fc
  .array(fc.nat({ max: 40 }), { maxLength: 1500 })
  .map((words) => {
    const bytes = new Uint8Array(words.length * 4);
    for (const [index, word] of words.entries()) {
      bytes.set([word * 5, word % 3, word === 7 ? index % 256 : 0, 0x94 - (word % 4)], index * 4);
    }
    return bytes;
  });

/** Images with nothing in common, and releases of one image. */
export const pairs: fc.Arbitrary<Pair> = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({
      base: fc.uint8Array({ maxLength: 700 }),
      image: fc.uint8Array({ maxLength: 700 }),
    }),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(codes, fc.array(edits, { maxLength: 12 }))
      .map(([base, changes]) => ({ base, image: changes.reduce(applyEdit, base) })),
  },
);

function applyEdit(bytes: Uint8Array, edit: Edit): Uint8Array {
  const at = edit.at % (bytes.length + 1);
  switch (edit.kind) {
    case 'change': {
      const changed = bytes.slice();
      if (at < changed.length) changed[at] = (changed[at] ?? 0) + edit.add;
      return changed;
    }
    case 'insert':
      return Buffer.concat([bytes.subarray(0, at), edit.bytes, bytes.subarray(at)]);
    case 'remove':
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + edit.count)]);
    case 'move': {
      const moved = bytes.subarray(at, at + edit.count);
      const rest = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + edit.count)]);
      const to = edit.to % (rest.length + 1);
      return Buffer.concat([rest.subarray(0, to), moved, rest.subarray(to)]);
    }
    default:
      return edit satisfies never;
  }
}
