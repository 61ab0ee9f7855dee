import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  createOpener,
  createSealer,
  encryptedLength,
  encryptImage,
  generateContentKey,
  openImage,
} from '@immota/image';
import { codeOf, cutAt, cutEvery, gather, seededEntropy, streamOf } from '../bytes.ts';

const CHUNK_SIZE_LOG2 = 12;
const CHUNK_BYTES = 4096;
const SEALED_BYTES = CHUNK_BYTES + 16;
const HEADER_BYTES = 76;

const entropy = seededEntropy('stream laws');
const key = generateContentKey(entropy);

function encrypt(image: Uint8Array): Uint8Array {
  const sealer = createSealer({ key, entropy, chunkSizeLog2: CHUNK_SIZE_LOG2 });
  return Buffer.concat([...sealer.push(image), ...sealer.finish()]);
}

/** Opens pieces and tells what came out before the end or the refusal. */
function open(pieces: readonly Uint8Array[], lengthMaxBytes = 1 << 24): Uint8Array {
  const opener = createOpener({ key, lengthMaxBytes });
  return Buffer.concat([...pieces.flatMap((piece) => opener.push(piece)), ...opener.finish()]);
}

/** Lengths around the borders of chunks, where off-by-one faults live. */
const lengths = fc
  .tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: -17, max: 17 }))
  .map(([chunks, offset]) => Math.max(0, chunks * CHUNK_BYTES + offset));

const images = lengths.map((lengthBytes) =>
  seededEntropy(`image ${lengthBytes}`).bytes(lengthBytes),
);

describe('createSealer() and createOpener()', () => {
  it('give back every image, however both streams are cut', () => {
    fc.assert(
      fc.property(
        images,
        fc.array(fc.nat(), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 6 }),
        (image, cuts, sealedCuts) => {
          const sealer = createSealer({ key, entropy, chunkSizeLog2: CHUNK_SIZE_LOG2 });
          const pieces = cutAt(image, cuts).flatMap((piece) => sealer.push(piece));
          const sealed = Buffer.concat([...pieces, ...sealer.finish()]);
          assert.deepEqual(Buffer.from(open(cutAt(sealed, sealedCuts))), Buffer.from(image));
          assert.equal(sealed.length, encryptedLength(image.length, CHUNK_BYTES));
          const summary = sealer.summary();
          assert.equal(summary.plaintext.lengthBytes, image.length);
          assert.equal(summary.plaintext.sha256, createHash('sha256').update(image).digest('hex'));
          assert.equal(summary.ciphertext.lengthBytes, sealed.length);
          assert.equal(
            summary.ciphertext.sha512,
            createHash('sha512').update(sealed).digest('hex'),
          );
        },
      ),
    );
  });

  it('give back an image that is pushed byte by byte', () => {
    const image = entropy.bytes(2 * CHUNK_BYTES + 1);
    assert.deepEqual(Buffer.from(open(cutEvery(encrypt(image), 1))), Buffer.from(image));
  });

  it('refuse every flipped bit and release nothing at or behind it', () => {
    fc.assert(
      fc.property(images, fc.nat(), fc.nat({ max: 7 }), (image, place, bit) => {
        const sealed = encrypt(image);
        const at = place % sealed.length;
        sealed[at] = (sealed[at] ?? 0) ^ (1 << bit);
        const opener = createOpener({ key, lengthMaxBytes: sealed.length });
        const released: Uint8Array[] = [];
        const code = codeOf(() => {
          for (const piece of cutEvery(sealed, 1000)) released.push(...opener.push(piece));
          released.push(...opener.finish());
        });
        const expected =
          at >= HEADER_BYTES
            ? ['CHUNK_AUTHENTICATION']
            : ['HEADER_MALFORMED', 'HEADER_AUTHENTICATION'];
        assert.ok(code !== undefined && expected.includes(code), `code is ${code}`);
        const intactChunks = Math.max(0, Math.floor((at - HEADER_BYTES) / SEALED_BYTES));
        const before = image.subarray(0, intactChunks * CHUNK_BYTES);
        assert.deepEqual(Buffer.concat(released), Buffer.from(before));
      }),
    );
  });

  it('refuse every cut', () => {
    fc.assert(
      fc.property(images, fc.nat(), (image, place) => {
        const sealed = encrypt(image);
        const cut = sealed.subarray(0, place % sealed.length);
        const code = codeOf(() => open([cut]));
        const isAtBorder =
          cut.length <= HEADER_BYTES || (cut.length - HEADER_BYTES) % SEALED_BYTES < 16;
        assert.ok(
          code === 'TRUNCATED' || (!isAtBorder && code === 'CHUNK_AUTHENTICATION'),
          `code is ${code}`,
        );
      }),
    );
  });

  it('refuse everything appended', () => {
    fc.assert(
      fc.property(images, fc.uint8Array({ minLength: 1, maxLength: 5000 }), (image, more) => {
        const code = codeOf(() => open([encrypt(image), more]));
        assert.ok(code === 'TRAILING_DATA' || code === 'CHUNK_AUTHENTICATION', `code is ${code}`);
      }),
    );
  });

  it('refuse chunks in any other order, number or from another image', () => {
    const image = entropy.bytes(4 * CHUNK_BYTES);
    const sealed = encrypt(image);
    const header = sealed.subarray(0, HEADER_BYTES);
    const chunks = cutEvery(sealed.subarray(HEADER_BYTES), SEALED_BYTES);
    const foreign = cutEvery(encrypt(image).subarray(HEADER_BYTES), SEALED_BYTES);
    const all = [...chunks, ...foreign];
    fc.assert(
      fc.property(fc.array(fc.nat({ max: all.length - 1 }), { maxLength: 6 }), (order) => {
        fc.pre(order.join() !== '0,1,2,3');
        const pieces = order.map((index) => all[index] ?? new Uint8Array(0));
        assert.ok(codeOf(() => open([header, ...pieces])) !== undefined);
      }),
      { examples: [[[1, 0, 2, 3]], [[0, 0, 1, 2, 3]], [[0, 2, 3]], [[0, 1, 2, 7]], [[0, 1, 2]]] },
    );
    assert.deepEqual(Buffer.from(open([header, ...chunks])), Buffer.from(image));
  });

  it('never crash on bytes that nobody encrypted', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (noise, withMagic) => {
        const bytes = withMagic
          ? Buffer.concat([encrypt(new Uint8Array(0)).subarray(0, 12), noise])
          : noise;
        assert.ok(codeOf(() => open([bytes])) !== undefined);
      }),
    );
  });
});

describe('encryptImage() and openImage()', () => {
  it('give back a stream and tell what it was, before and after {uptane B11}', async () => {
    const image = entropy.bytes(3 * CHUNK_BYTES + 5);
    const encrypted = encryptImage(streamOf(cutEvery(image, 999)), {
      key,
      entropy,
      chunkSizeLog2: CHUNK_SIZE_LOG2,
    });
    const sealed = await gather(encrypted);
    const opened = openImage(streamOf(cutEvery(sealed, 777)), {
      key,
      lengthMaxBytes: sealed.length,
    });
    assert.deepEqual(await gather(opened), Buffer.from(image));
    const { sha512: _, ...plaintext } = encrypted.summary().plaintext;
    assert.deepEqual(opened.digest(), plaintext);
    assert.equal(plaintext.sha256, createHash('sha256').update(image).digest('hex'));
    const { ciphertext } = encrypted.summary();
    assert.equal(ciphertext.lengthBytes, sealed.length);
    assert.equal(ciphertext.sha256, createHash('sha256').update(sealed).digest('hex'));
  });
});
