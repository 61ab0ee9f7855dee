import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applyDelta, ImageFault, type RewritePosition, rewriteInPlace } from '@immota/image';
import * as fc from 'fast-check';
import { cutAt, streamOf } from '../bytes.ts';
import { bankOf, baseOf, identityOf, make, pairs } from './pairs.ts';

/** Applies pieces of a delta; tells what came out, and the code of the refusal. */
async function apply(
  pieces: readonly Uint8Array[],
  base: Uint8Array,
  image: Uint8Array,
): Promise<{ readonly given: Uint8Array; readonly code: string | undefined }> {
  const given: Uint8Array[] = [];
  const options = { delta: streamOf(pieces), base: baseOf(base), expected: identityOf(image) };
  try {
    for await (const piece of applyDelta(options)) given.push(piece.slice());
  } catch (error) {
    if (!(error instanceof ImageFault)) throw error;
    return { given: Buffer.concat(given), code: error.code };
  }
  return { given: Buffer.concat(given), code: undefined };
}

const pageSizes = fc.constantFrom(256, 512, 1024);
const sectionSizes = fc.constantFrom(1024, 4096, 1_048_576);

describe('makeDelta() and applyDelta()', () => {
  it('give any image from any other, however the delta is cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        pairs,
        fc.array(fc.nat(), { maxLength: 5 }),
        sectionSizes,
        async (pair, cuts, sectionBytes) => {
          const { given, code } = await apply(
            cutAt(make(pair, { sectionBytes }), cuts),
            pair.base,
            pair.image,
          );
          assert.equal(code, undefined);
          assert.ok(Buffer.from(given).equals(pair.image));
        },
      ),
    );
  });

  it('give any image from any other when both are too long to be searched whole', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, fc.array(pairs, { maxLength: 4 }), async (pair, more) => {
        const base = Buffer.concat([...more.map((one) => one.base), pair.base]);
        const image = Buffer.concat([pair.image, ...more.map((one) => one.image)]);
        const delta = make({ base, image }, { searchWindowBytes: 4096 });
        const { given, code } = await apply([delta], base, image);
        assert.equal(code, undefined);
        assert.ok(Buffer.from(given).equals(image));
      }),
      { numRuns: 300 },
    );
  });

  it('make the same delta from the same images', () => {
    fc.assert(
      fc.property(pairs, (pair) => {
        assert.deepEqual(make(pair), make(pair));
      }),
      { numRuns: 20 },
    );
  });

  it('refuse every flipped bit, and give no byte that the image has not', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, fc.nat(), fc.nat({ max: 7 }), async (pair, place, bit) => {
        const delta = make(pair, { sectionBytes: 4096 });
        const at = place % delta.length;
        delta[at] = (delta[at] ?? 0) ^ (1 << bit);
        const { given, code } = await apply([delta], pair.base, pair.image);
        assert.notEqual(code, undefined);
        assert.ok(Buffer.from(given).equals(pair.image.subarray(0, given.length)));
      }),
    );
  });

  it('refuse every cut, and everything that is appended', async () => {
    await fc.assert(
      fc.asyncProperty(
        pairs,
        fc.nat(),
        fc.uint8Array({ minLength: 1, maxLength: 9 }),
        async (pair, place, tail) => {
          const delta = make(pair);
          const cut = await apply([delta.subarray(0, place % delta.length)], pair.base, pair.image);
          assert.equal(cut.code, 'TRUNCATED');
          const longer = await apply([delta, tail], pair.base, pair.image);
          assert.equal(longer.code, 'TRAILING_DATA');
        },
      ),
    );
  });

  it('refuse a base that differs in a bit', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, fc.nat(), async (pair, place) => {
        fc.pre(pair.base.length > 0);
        const other = pair.base.slice();
        const at = place % other.length;
        other[at] = (other[at] ?? 0) ^ 1;
        const { given, code } = await apply([make(pair)], other, pair.image);
        assert.equal(code, 'DELTA_MISMATCH');
        assert.equal(given.length, 0);
      }),
    );
  });
});

describe('makeDelta() and rewriteInPlace()', () => {
  it('turn the image in a bank into any other', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, pageSizes, sectionSizes, async (pair, pageBytes, sectionBytes) => {
        const bank = bankOf(pair.base, Math.max(pair.base.length, pair.image.length));
        const delta = streamOf([make(pair, { pageBytes, sectionBytes })]);
        await rewriteInPlace({ delta, bank, expected: identityOf(pair.image) });
        assert.ok(Buffer.from(bank.bytes.subarray(0, pair.image.length)).equals(pair.image));
      }),
    );
  });

  it('go on from any page after the power failed', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, pageSizes, fc.nat(), async (pair, pageBytes, place) => {
        const bank = bankOf(pair.base, Math.max(pair.base.length, pair.image.length));
        const delta = make(pair, { pageBytes });
        const pages = Math.ceil(pair.image.length / pageBytes);
        fc.pre(pages > 0);
        const cutAfter = place % pages;
        const common = { bank, expected: identityOf(pair.image) };
        let resume: RewritePosition | undefined;
        const powerCut = new RangeError('the power failed');
        const written = async (position: RewritePosition): Promise<void> => {
          if (position.pagesWritten > cutAfter) throw powerCut;
          resume = position;
        };
        await assert.rejects(
          rewriteInPlace({ ...common, delta: streamOf([delta]), written }),
          (error) => error === powerCut,
        );
        // The page that was written when the power failed is not in the journal: it cannot be made again
        // from what it has become, so the bank gives it back as its spare page holds it.
        await rewriteInPlace({
          ...common,
          delta: streamOf([delta]),
          resume: { header: delta.subarray(0, 92), pagesWritten: (resume?.pagesWritten ?? 0) + 1 },
        });
        assert.ok(Buffer.from(bank.bytes.subarray(0, pair.image.length)).equals(pair.image));
      }),
    );
  });

  it('refuse a flipped or cut delta, and write no page that the image has not', async () => {
    await fc.assert(
      fc.asyncProperty(pairs, fc.nat(), fc.boolean(), async (pair, place, isCut) => {
        const sizeBytes = Math.max(pair.base.length, pair.image.length) + 64;
        const delta = make(pair, { pageBytes: 256, sectionBytes: 4096 });
        const at = place % delta.length;
        delta[at] = (delta[at] ?? 0) ^ 0x10;
        const bank = bankOf(pair.base, sizeBytes);
        const before = bank.bytes.slice();
        const broken = isCut ? delta.subarray(0, at) : delta;
        await assert.rejects(
          rewriteInPlace({ delta: streamOf([broken]), bank, expected: identityOf(pair.image) }),
          ImageFault,
        );
        for (const [index, byte] of bank.bytes.entries()) {
          if (byte !== before[index]) assert.equal(byte, pair.image[index]);
        }
      }),
    );
  });
});
