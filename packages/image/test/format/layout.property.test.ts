import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  buildLayout,
  createIntelHexReader,
  createSRecordReader,
  detectFormat,
  encodeIntelHex,
  encodeSRecord,
  type ImageLayout,
  type LayoutReader,
  type Segment,
} from '@immota/image';
import { codeOf, cutAt, cutEvery } from '../bytes.ts';

/** Gaps and contents in turn, from some address on; a gap of zero makes neighbours that touch. */
const segmentLists = fc
  .tuple(
    fc.oneof(fc.nat({ max: 0x2_0000 }), fc.integer({ min: 0xffff_0000, max: 0xffff_f000 })),
    fc.array(fc.tuple(fc.nat({ max: 300 }), fc.uint8Array({ minLength: 1, maxLength: 300 })), {
      minLength: 1,
      maxLength: 6,
    }),
  )
  .map(([start, parts]) => {
    let address = start;
    return parts.map(([gap, bytes]): Segment => {
      const segment = { address: address + gap, bytes };
      address = segment.address + bytes.length;
      return segment;
    });
  });

const layouts = fc
  .tuple(segmentLists, fc.option(fc.integer({ min: 1, max: 0xffff_ffff }), { nil: undefined }))
  .map(([segments, entryPoint]) => buildLayout(segments, entryPoint));

const formats = [
  { name: 'intel-hex', create: createIntelHexReader, encode: encodeIntelHex, lengthMax: 255 },
  { name: 's-record', create: createSRecordReader, encode: encodeSRecord, lengthMax: 250 },
] as const;

function readPieces(reader: LayoutReader, pieces: Iterable<Uint8Array>): ImageLayout {
  for (const piece of pieces) reader.push(piece);
  return reader.finish();
}

describe('buildLayout()', () => {
  it('does not mind the order of segments', () => {
    fc.assert(
      fc.property(
        segmentLists.chain((segments) =>
          fc.tuple(
            fc.constant(segments),
            fc.shuffledSubarray([...segments], { minLength: segments.length }),
          ),
        ),
        ([segments, shuffled]) => {
          assert.deepEqual(buildLayout(shuffled, undefined), buildLayout(segments, undefined));
        },
      ),
    );
  });

  it('keeps every byte at its address, ascending, and merges what touches', () => {
    fc.assert(
      fc.property(segmentLists, (segments) => {
        const memory = new Map<number, number>();
        for (const { address, bytes } of segments) {
          for (const [index, byte] of bytes.entries()) memory.set(address + index, byte);
        }
        const layout = buildLayout(segments, undefined);
        let end = -1;
        for (const { address, bytes } of layout.segments) {
          assert.ok(address > end && bytes.length > 0);
          end = address + bytes.length;
          for (const [index, byte] of bytes.entries()) {
            assert.equal(memory.get(address + index), byte);
            memory.delete(address + index);
          }
        }
        assert.equal(memory.size, 0);
      }),
    );
  });

  it('refuses one byte more wherever it overlaps', () => {
    fc.assert(
      fc.property(segmentLists, fc.nat(), (segments, place) => {
        const taken = segments.flatMap(({ address, bytes }) =>
          Array.from(bytes, (_, index) => address + index),
        );
        const address = taken[place % taken.length] ?? 0;
        const more = [...segments, { address, bytes: Uint8Array.of(0) }];
        assert.equal(
          codeOf(() => buildLayout(more, undefined)),
          'OVERLAP',
        );
      }),
    );
  });

  it('refuses addresses that are none', () => {
    for (const address of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 0x1_0000_0000]) {
      const segment = { address, bytes: Uint8Array.of(0) };
      assert.equal(
        codeOf(() => buildLayout([segment], undefined)),
        'ADDRESS_RANGE',
      );
    }
    const segment = { address: 0, bytes: Uint8Array.of(0) };
    assert.equal(
      codeOf(() => buildLayout([segment], 0x1_0000_0000)),
      'ADDRESS_RANGE',
    );
    assert.equal(
      codeOf(() => buildLayout([segment], 0xffff_ffff)),
      undefined,
    );
    assert.equal(
      codeOf(() => buildLayout([], undefined)),
      'LAYOUT_EMPTY',
    );
  });

  it('does not share memory with what it was built from', () => {
    const bytes = Uint8Array.of(1, 2, 3);
    const layout = buildLayout([{ address: 0, bytes }], undefined);
    bytes.fill(0);
    assert.deepEqual(layout.segments[0]?.bytes, Uint8Array.of(1, 2, 3));
  });
});

for (const { name, create, encode, lengthMax } of formats) {
  describe(`reader and encoder of ${name}`, () => {
    it('give back every layout, for every record length and however the text is cut', () => {
      fc.assert(
        fc.property(
          layouts,
          fc.integer({ min: 1, max: lengthMax }),
          fc.array(fc.nat(), { maxLength: 8 }),
          (layout, recordLength, cuts) => {
            const text = Buffer.concat([...encode(layout, recordLength)]);
            assert.deepEqual(readPieces(create(), [text]), layout);
            assert.deepEqual(readPieces(create(), cutAt(text, cuts)), layout);
            assert.deepEqual(readPieces(create(), cutEvery(text, 1)), layout);
            assert.equal(detectFormat(text), name);
          },
        ),
        { numRuns: 60 },
      );
    });

    it('refuse every flipped bit that changes what a record says', () => {
      fc.assert(
        fc.property(layouts, fc.nat(), fc.nat({ max: 7 }), (layout, place, bit) => {
          const text = Buffer.concat([...encode(layout)]);
          const at = place % text.length;
          text[at] = (text[at] ?? 0) ^ (1 << bit);
          let read: ImageLayout | undefined;
          const code = codeOf(() => {
            read = readPieces(create(), [text]);
          });
          // Only the case of a digit may change, and then nothing has changed.
          if (code === undefined) assert.deepEqual(read, layout);
        }),
        { numRuns: 300 },
      );
    });

    it('refuse every cut as such', () => {
      fc.assert(
        fc.property(layouts, fc.nat(), (layout, place) => {
          const text = Buffer.concat([...encode(layout)]);
          // Without its last line feed the text is still whole.
          const cut = text.subarray(0, place % (text.length - 1));
          assert.equal(
            codeOf(() => readPieces(create(), [cut])),
            'TRUNCATED',
          );
        }),
      );
    });

    it('never crash, whatever comes', () => {
      const alphabet = fc.constantFrom(...Array.from('0123456789ABCDEFabcdef:S\r\n Gg\0'));
      const noise = fc.oneof(
        fc.uint8Array({ maxLength: 600 }),
        fc.string({ unit: alphabet, maxLength: 600 }).map((text) => Buffer.from(text)),
      );
      fc.assert(
        fc.property(noise, fc.array(fc.nat(), { maxLength: 4 }), (bytes, cuts) => {
          const whole = codeOf(() => readPieces(create(), [bytes]));
          assert.equal(
            codeOf(() => readPieces(create(), cutAt(bytes, cuts))),
            whole,
          );
          assert.ok(whole !== undefined);
        }),
        { numRuns: 300 },
      );
    });
  });
}
