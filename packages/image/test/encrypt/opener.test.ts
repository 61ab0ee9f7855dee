import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  chunkOffset,
  createOpener,
  createSealer,
  encodeContentKey,
  generateContentKey,
  HEADER_LENGTH_BYTES,
  isEncryptedImage,
  openChunk,
  openHeader,
  parseContentKey,
  releaseBytes,
  TAG_LENGTH_BYTES,
} from '@immota/image';
import { sealChunk } from '../../src/encrypt/chunk.ts';
import { codeOf, cutEvery, seededEntropy } from '../bytes.ts';

const CHUNK_BYTES = 4096;
const SEALED_BYTES = CHUNK_BYTES + TAG_LENGTH_BYTES;

const entropy = seededEntropy('opener');
const key = generateContentKey(entropy);
const image = entropy.bytes(3 * CHUNK_BYTES + 100);

function encrypt(plaintext: Uint8Array): Buffer {
  const sealer = createSealer({ key, entropy, chunkSizeLog2: 12 });
  return Buffer.concat([...sealer.push(plaintext), ...sealer.finish()]);
}

const sealed = encrypt(image);
const lengthMaxBytes = sealed.length;
const headerOf = (bytes: Buffer): Buffer => bytes.subarray(0, HEADER_LENGTH_BYTES);

function open(bytes: Uint8Array, limit = 1 << 20): Buffer {
  const opener = createOpener({ key, lengthMaxBytes: limit });
  return Buffer.concat([...opener.push(bytes), ...opener.finish()]);
}

describe('createOpener()', () => {
  it('refuses a header that is none, of another version, chunk size or reserved bytes', () => {
    const changes: readonly (readonly [number, number])[] = [
      [0, 0x00],
      [6, 0x00],
      [7, 0],
      [7, 2],
      [8, 11],
      [8, 23],
      [8, 255],
      [9, 1],
      [11, 1],
    ];
    for (const [offset, value] of changes) {
      const changed = Buffer.from(sealed);
      changed[offset] = value;
      assert.equal(
        codeOf(() => open(changed)),
        'HEADER_MALFORMED',
        `${offset} is ${value}`,
      );
    }
  });

  it('refuses a header that another chunk size, salt or tag was written into', () => {
    for (const offset of [8, 12, 43, 44, 75]) {
      const changed = Buffer.from(sealed);
      changed[offset] = offset === 8 ? 13 : (changed[offset] ?? 0) ^ 1;
      assert.equal(
        codeOf(() => open(changed)),
        'HEADER_AUTHENTICATION',
        `${offset}`,
      );
    }
  });

  it('refuses another content key before any chunk', () => {
    const other = createOpener({ key: generateContentKey(entropy), lengthMaxBytes });
    assert.equal(
      codeOf(() => other.push(headerOf(sealed))),
      'HEADER_AUTHENTICATION',
    );
  });

  it('refuses more than was announced, and takes exactly that', () => {
    assert.deepEqual(open(sealed, sealed.length), Buffer.from(image));
    assert.equal(
      codeOf(() => open(sealed, sealed.length - 1)),
      'LENGTH_LIMIT',
    );
    const opener = createOpener({ key, lengthMaxBytes });
    opener.push(sealed);
    assert.equal(
      codeOf(() => opener.push(Uint8Array.of(0))),
      'LENGTH_LIMIT',
    );
  });

  it('stays closed after a refusal, with the same code', () => {
    const opener = createOpener({ key, lengthMaxBytes });
    const flipped = Buffer.from(sealed);
    flipped[HEADER_LENGTH_BYTES] = (flipped[HEADER_LENGTH_BYTES] ?? 0) ^ 1;
    assert.equal(
      codeOf(() => opener.push(flipped)),
      'CHUNK_AUTHENTICATION',
    );
    assert.equal(
      codeOf(() => opener.push(sealed)),
      'CHUNK_AUTHENTICATION',
    );
    assert.equal(
      codeOf(() => opener.finish()),
      'CHUNK_AUTHENTICATION',
    );
  });

  it('names a cut at every border of a chunk', () => {
    const borders = [0, 1, HEADER_LENGTH_BYTES - 1, HEADER_LENGTH_BYTES];
    for (const index of [1, 2, 3]) borders.push(chunkOffset(CHUNK_BYTES, index));
    for (const border of borders) {
      assert.equal(
        codeOf(() => open(sealed.subarray(0, border))),
        'TRUNCATED',
        `${border}`,
      );
    }
  });

  it('names bytes behind a last chunk that is full', () => {
    const full = encrypt(image.subarray(0, 2 * CHUNK_BYTES));
    assert.equal(
      codeOf(() => open(full)),
      undefined,
    );
    for (const lengthBytes of [1, TAG_LENGTH_BYTES, SEALED_BYTES, 3 * SEALED_BYTES]) {
      const longer = Buffer.concat([full, Buffer.alloc(lengthBytes)]);
      assert.equal(
        codeOf(() => open(longer)),
        'TRAILING_DATA',
        `${lengthBytes}`,
      );
    }
  });

  it('refuses an empty last chunk, even one that the key holder made', () => {
    const header = headerOf(sealed);
    const keys = openHeader(key, header);
    const inner = sealChunk(keys, { index: 0, isLast: false }, image.subarray(0, CHUNK_BYTES));
    const empty = sealChunk(keys, { index: 1, isLast: true }, new Uint8Array(0));
    const bytes = Buffer.concat([header, inner, empty]);
    assert.equal(
      codeOf(() => open(bytes)),
      'CHUNK_AUTHENTICATION',
    );
    const sole = sealChunk(keys, { index: 0, isLast: true }, new Uint8Array(0));
    assert.equal(open(Buffer.concat([header, sole])).length, 0);
  });

  it('refuses an inner chunk that is short, even one that the key holder made', () => {
    const header = headerOf(sealed);
    const keys = openHeader(key, header);
    const short = sealChunk(keys, { index: 0, isLast: false }, image.subarray(0, 10));
    assert.equal(
      codeOf(() => open(Buffer.concat([header, short]))),
      'CHUNK_AUTHENTICATION',
    );
  });

  it('hands out memory of its own, never that of the caller', () => {
    const opener = createOpener({ key, lengthMaxBytes });
    const bytes = Buffer.from(sealed);
    const opened = [...opener.push(bytes), ...opener.finish()];
    bytes.fill(0);
    assert.deepEqual(Buffer.concat(opened), Buffer.from(image));
  });

  it('keeps no reference to what was pushed', () => {
    const opener = createOpener({ key, lengthMaxBytes });
    const opened: Uint8Array[] = [];
    const reused = Buffer.alloc(1000);
    for (const piece of cutEvery(sealed, reused.length)) {
      reused.set(piece);
      opened.push(...opener.push(reused.subarray(0, piece.length)));
      reused.fill(0xff);
    }
    opened.push(...opener.finish());
    assert.deepEqual(Buffer.concat(opened), Buffer.from(image));
  });
});

describe('position() and resume', () => {
  it('go on from every chunk after a cut anywhere', () => {
    fc.assert(
      fc.property(fc.nat({ max: sealed.length }), (cut) => {
        const first = createOpener({ key, lengthMaxBytes });
        const before = Buffer.concat(first.push(sealed.subarray(0, cut)));
        const position = first.position();
        if (cut < HEADER_LENGTH_BYTES) assert.equal(position, undefined);
        else {
          assert.ok(position !== undefined);
          const { resume, offsetBytes } = position;
          assert.equal(before.length, resume.chunkIndex * CHUNK_BYTES);
          const second = createOpener({ key, lengthMaxBytes, resume });
          assert.deepEqual(second.position(), position);
          const rest = [...second.push(sealed.subarray(offsetBytes)), ...second.finish()];
          assert.deepEqual(Buffer.concat([before, ...rest]), Buffer.from(image));
        }
      }),
    );
  });

  it('keep a header of their own', () => {
    const header = Buffer.from(headerOf(sealed));
    const opener = createOpener({ key, lengthMaxBytes, resume: { header, chunkIndex: 0 } });
    header.fill(0);
    assert.deepEqual(Buffer.from(opener.position()?.resume.header ?? []), headerOf(sealed));
  });

  it('refuse to go on in another place, with another header or beyond the end', () => {
    const header = headerOf(sealed);
    const resumeAt = (chunkIndex: number, offsetBytes: number) => (): void => {
      const opener = createOpener({ key, lengthMaxBytes, resume: { header, chunkIndex } });
      opener.push(sealed.subarray(offsetBytes));
      opener.finish();
    };
    assert.equal(codeOf(resumeAt(2, chunkOffset(CHUNK_BYTES, 2))), undefined);
    assert.equal(codeOf(resumeAt(1, chunkOffset(CHUNK_BYTES, 2))), 'CHUNK_AUTHENTICATION');
    assert.equal(codeOf(resumeAt(2, chunkOffset(CHUNK_BYTES, 1))), 'LENGTH_LIMIT');
    assert.equal(codeOf(resumeAt(3, sealed.length)), 'TRUNCATED');
    assert.equal(codeOf(resumeAt(4, sealed.length)), 'LENGTH_LIMIT');
    const foreign = { header: headerOf(encrypt(image)), chunkIndex: 1 };
    const opener = createOpener({ key, lengthMaxBytes, resume: foreign });
    const rest = sealed.subarray(chunkOffset(CHUNK_BYTES, 1));
    assert.equal(
      codeOf(() => opener.push(rest)),
      'CHUNK_AUTHENTICATION',
    );
    const broken = { header: header.subarray(1), chunkIndex: 0 };
    const create = (): unknown => createOpener({ key, lengthMaxBytes, resume: broken });
    assert.equal(codeOf(create), 'HEADER_MALFORMED');
  });
});

describe('releaseBytes()', () => {
  it('empties bytes that have their memory alone, and spares what others share', () => {
    const alone = new Uint8Array(100);
    releaseBytes(alone);
    assert.equal(alone.length, 0);
    const whole = new Uint8Array(100);
    releaseBytes(whole.subarray(0, 99));
    assert.equal(whole.length, 100);
  });
});

describe('openHeader() and openChunk()', () => {
  it('open any chunk by itself', () => {
    const keys = openHeader(key, headerOf(sealed));
    assert.equal(keys.chunkSizeBytes, CHUNK_BYTES);
    for (const index of [3, 0, 2, 1]) {
      const offset = chunkOffset(CHUNK_BYTES, index);
      const chunk = sealed.subarray(offset, chunkOffset(CHUNK_BYTES, index + 1));
      const plaintext = openChunk(keys, { index, isLast: index === 3 }, chunk);
      const expected = image.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES);
      assert.deepEqual(Buffer.from(plaintext), Buffer.from(expected));
      const wrong = [
        { index: index + 1, isLast: index === 3 },
        { index, isLast: index !== 3 },
      ];
      for (const position of wrong) {
        assert.equal(
          codeOf(() => openChunk(keys, position, chunk)),
          'CHUNK_AUTHENTICATION',
        );
      }
    }
  });

  it('know an encrypted image by how it begins', () => {
    assert.ok(isEncryptedImage(sealed));
    assert.ok(isEncryptedImage(sealed.subarray(0, 7)));
    assert.ok(!isEncryptedImage(sealed.subarray(0, 6)));
    assert.ok(!isEncryptedImage(image));
  });
});

/** Encrypts the image under a limit. */
const sealWithin = (limit: number) => (): void => {
  const options = { key, entropy, chunkSizeLog2: 12, lengthMaxBytes: limit };
  const sealer = createSealer(options);
  for (const piece of cutEvery(image, 1000)) sealer.push(piece);
  sealer.finish();
};

describe('createSealer()', () => {
  it('refuses an image whose encrypted form would be too long', () => {
    assert.equal(codeOf(sealWithin(sealed.length)), undefined);
    assert.equal(codeOf(sealWithin(sealed.length - 1)), 'LENGTH_LIMIT');
  });

  it('shows no relation between two encryptions of one image under one key', () => {
    const again = encrypt(image);
    assert.equal(again.length, sealed.length);
    const same = again.subarray(HEADER_LENGTH_BYTES).filter((byte, index) => {
      return byte === sealed[HEADER_LENGTH_BYTES + index];
    });
    // By chance one byte in 256 is equal.
    assert.ok(same.length < sealed.length / 64);
  });

  it('leaves SHA-512 out of the summary where it is not wanted', () => {
    const sealer = createSealer({ key, entropy, sha512: false });
    sealer.push(image);
    sealer.finish();
    assert.ok(!('sha512' in sealer.summary().plaintext));
    assert.ok(!('sha512' in sealer.summary().ciphertext));
    assert.equal(sealer.summary().chunkSizeBytes, 256 * 1024);
  });
});

describe('ContentKey', () => {
  it('shows nothing when it is printed', () => {
    const hex = Buffer.from(encodeContentKey(key)).toString('hex');
    assert.ok(!`${inspect(key)} ${JSON.stringify({ key })}`.includes(hex));
    assert.ok(parseContentKey(Buffer.from(hex, 'hex')).equals(key));
  });
});
