import assert from 'node:assert/strict';
import { constants, zstdCompressSync } from 'node:zlib';
import { describe, it } from 'node:test';
import { applyDelta, rewriteInPlace } from '@immota/image';
import { encodeDeltaHeader } from '../../src/delta/delta-header.ts';
import { encodeSection, type Section, type Streams } from '../../src/delta/section.ts';
import { ByteSink } from '../../src/delta/varint.ts';
import { codeOfAsync, gather, seededEntropy, streamOf } from '../bytes.ts';
import { bankOf, baseOf, identityOf, make } from './pairs.ts';

const entropy = seededEntropy('forged deltas');
const BASE = entropy.bytes(2000);
const IMAGE = Buffer.concat([BASE.subarray(0, 1000), BASE.subarray(0, 1000)]);
const NONE = new Uint8Array();
const SECTION_HEAD_BYTES = 79;

interface Forgery {
  readonly base?: Uint8Array;
  readonly image?: Uint8Array;
  readonly pageBytes?: number;
  readonly streams?: Partial<Streams>;
  readonly givesBytes?: number;
  readonly width?: Section['width'];
}

/** Numbers as a stream holds them. */
function numbers(...values: readonly number[]): Uint8Array {
  const sink = new ByteSink();
  for (const value of values) sink.putNumber(value);
  return sink.take().slice();
}

/** Numbers of either sign as a stream holds them. */
function signed(...values: readonly number[]): Uint8Array {
  const sink = new ByteSink();
  for (const value of values) sink.putSigned(value);
  return sink.take().slice();
}

/** Copies 1000 bytes twice, which is right; a test changes a part of it. */
const RIGHT: Streams = {
  pages: NONE,
  lengths: numbers(0, 1000, 0, 1000),
  sources: signed(0, -1000),
  gaps: NONE,
  values: NONE,
  literals: NONE,
};

function forge({
  base = BASE,
  image = IMAGE,
  pageBytes,
  streams = {},
  givesBytes = image.length,
  width = 1,
}: Forgery): Buffer {
  const header = encodeDeltaHeader({ base: identityOf(base), image: identityOf(image), pageBytes });
  const section = { givesBytes, width, streams: { ...RIGHT, ...streams } };
  return Buffer.concat([header, encodeSection(section, { header, index: 0 }, 3)]);
}

/** The code of the refusal, and nothing but a refusal. */
function apply(delta: Uint8Array, image: Uint8Array = IMAGE): Promise<string | undefined> {
  const options = { delta: streamOf([delta]), base: baseOf(BASE), expected: identityOf(image) };
  return codeOfAsync(() => gather(applyDelta(options)));
}

function rewrite(delta: Uint8Array, sizeBytes = 2048): Promise<string | undefined> {
  const bank = { ...bankOf(BASE, 2048), sizeBytes };
  const expected = identityOf(IMAGE);
  return codeOfAsync(() => rewriteInPlace({ delta: streamOf([delta]), bank, expected }));
}

function changed(delta: Uint8Array, at: number, byte: number): Uint8Array {
  const copy = delta.slice();
  copy[at] = byte;
  return copy;
}

/** The checksum as the format says it is made. */
function seal(section: Uint8Array, header: Uint8Array): Uint8Array {
  const head = section.subarray(0, 63);
  const body = section.subarray(SECTION_HEAD_BYTES);
  const { sha256 } = identityOf(Buffer.concat([header, new Uint8Array(4), head, body]));
  section.set(Uint8Array.fromHex(sha256).subarray(0, 16), 63);
  return section;
}

/** Puts other bytes in the place of a packed stream, with lengths and checksum that fit. */
function withStream(packed: Uint8Array, lengthBytes: number): Buffer {
  const header = encodeDeltaHeader({
    base: identityOf(BASE),
    image: identityOf(IMAGE),
    pageBytes: undefined,
  });
  const place = { header, index: 0 };
  const section = { givesBytes: IMAGE.length, width: 1, streams: RIGHT } as const;
  // The literals are the last stream.
  const honest = Buffer.concat([encodeSection(section, place, 3), packed]);
  const view = new DataView(honest.buffer, honest.byteOffset);
  const at = 9 + 5 * 9;
  view.setUint8(at, 1);
  view.setUint32(at + 1, lengthBytes);
  view.setUint32(at + 5, packed.length);
  return Buffer.concat([header, seal(honest, header)]);
}

describe('applyDelta()', () => {
  it('takes what is right', async () => {
    assert.equal(await apply(forge({})), undefined);
    // A difference of one byte, in either width.
    const image = Buffer.from(IMAGE);
    image[5] = (image[5] ?? 0) + 3;
    const gap = { streams: { gaps: numbers(5), values: Uint8Array.of(3) } };
    assert.equal(await apply(forge({ image, ...gap }), image), undefined);
    const word = { streams: { gaps: numbers(1), values: Uint8Array.of(0, 3, 0, 0) } };
    const inWord = Buffer.from(IMAGE);
    inWord.writeUInt32LE((inWord.readUInt32LE(4) + 0x300) >>> 0, 4);
    assert.equal(await apply(forge({ image: inWord, width: 4, ...word }), inWord), undefined);
  });

  const headers: Readonly<Record<string, readonly [at: number, byte: number]>> = {
    'another format': [0, 0],
    'an encrypted image': [6, 0x1a],
    'another version': [7, 2],
    'a page of a byte': [8, 1],
    'a page of 2 GiB': [8, 31],
    'reserved bytes': [9, 1],
    'a base longer than any image': [12, 1],
    'an image longer than any image': [52, 1],
  };
  for (const [what, [at, byte]] of Object.entries(headers)) {
    it(`refuses the head of ${what}`, async () => {
      assert.equal(await apply(changed(forge({}), at, byte)), 'DELTA_HEADER');
    });
  }

  it('refuses a delta for a bank in place', async () => {
    assert.equal(
      await apply(make({ base: BASE, image: IMAGE }, { pageBytes: 256 })),
      'DELTA_HEADER',
    );
  });

  it('refuses a delta to an image that metadata do not describe', async () => {
    assert.equal(await apply(forge({}), BASE), 'DELTA_MISMATCH');
    assert.equal(await apply(forge({ base: IMAGE })), 'DELTA_MISMATCH');
  });

  it('refuses another image that the delta says is the signed one', async () => {
    assert.equal(await apply(forge({ streams: { sources: signed(0, -999) } })), 'DELTA_RESULT');
  });

  it('refuses sections that would take too much memory, before they are there', async () => {
    const literals = new Uint8Array(1_048_577);
    assert.equal(await apply(forge({ streams: { literals } })), 'DELTA_LIMIT');
    const claimed = changed(forge({}), 92 + 9 + 9 + 1, 0xff);
    assert.equal(await apply(claimed), 'DELTA_SECTION');
  });

  const sections: Readonly<Record<string, readonly [at: number, byte: number]>> = {
    'that gives nothing': [7, 0],
    'with another width': [8, 2],
    'with another packing': [9, 2],
    'that claims more than Zstandard has': [14, 1],
    'with another checksum': [63, 0],
    'that gives more than any image has': [0, 0xff],
  };
  for (const [what, [at, byte]] of Object.entries(sections)) {
    it(`refuses a section ${what}`, async () => {
      const given = at === 7 ? changed(forge({}), 92 + 6, 0) : forge({});
      assert.equal(await apply(changed(given, 92 + at, byte)), 'DELTA_SECTION');
    });
  }

  const commands: Readonly<Record<string, Omit<Forgery, 'base' | 'image'>>> = {
    'reads before its base': { streams: { sources: signed(-1, 0) } },
    'reads behind its base': { streams: { sources: signed(0, 1) } },
    'does nothing': { streams: { lengths: numbers(0, 1000, 0, 0, 0, 1000) } },
    'gives more than it announced': { givesBytes: 1999 },
    'gives less than it announced': { streams: { lengths: numbers(0, 1000) } },
    'gives more than its image': { givesBytes: 2001 },
    'has sources left': { streams: { sources: signed(0, -1000, 0) } },
    'has literals left': { streams: { literals: Uint8Array.of(1) } },
    'has pages that it does not use': { streams: { pages: signed(0) } },
    'has differences left': { streams: { gaps: numbers(2000), values: Uint8Array.of(1) } },
    'has values left': { streams: { values: Uint8Array.of(1) } },
    'lacks a source': { streams: { sources: signed(0) } },
    'lacks literals': { streams: { lengths: numbers(1, 999, 0, 1000) } },
    'lacks a value': { streams: { gaps: numbers(0) } },
    'lacks a part of a word': {
      width: 4,
      streams: { gaps: numbers(0), values: Uint8Array.of(1, 2, 3) },
    },
    'has a number without end': { streams: { lengths: new Uint8Array(20).fill(0xff) } },
    'has a number beyond reason': {
      streams: { lengths: Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f) },
    },
  };
  for (const [what, forgery] of Object.entries(commands)) {
    it(`refuses a delta that ${what}`, async () => {
      assert.equal(await apply(forge(forgery)), 'DELTA_COMMAND');
    });
  }
});

describe('applyDelta() and Zstandard', () => {
  it('refuse a stream that unpacks to more than it says', async () => {
    const bomb = zstdCompressSync(new Uint8Array(50_000_000));
    assert.equal(await apply(withStream(bomb, bomb.length + 1)), 'DELTA_SECTION');
  });

  it('refuse a stream that unpacks to less than it says', async () => {
    const packed = zstdCompressSync(new Uint8Array(1000));
    assert.equal(await apply(withStream(packed, 1001)), 'DELTA_SECTION');
  });

  it('refuse a stream that asks for a window larger than a section', async () => {
    const params = { [constants.ZSTD_c_windowLog]: 27, [constants.ZSTD_c_contentSizeFlag]: 0 };
    const packed = zstdCompressSync(new Uint8Array(400_000_000), { params });
    assert.equal(await apply(withStream(packed, 1_000_000)), 'DELTA_SECTION');
  });

  it('refuse what is no frame', async () => {
    assert.equal(await apply(withStream(entropy.bytes(100), 200)), 'DELTA_SECTION');
  });
});

describe('rewriteInPlace()', () => {
  const pageBytes = 1024;
  /** The second page first: it reads the first one, and the first reads itself. */
  const right: Partial<Streams> = {
    pages: signed(1, -2),
    lengths: numbers(0, 976, 0, 1000, 0, 24),
    sources: signed(24, -1000, -1000),
  };

  it('takes what is right', async () => {
    assert.equal(await rewrite(forge({ pageBytes, streams: right })), undefined);
  });

  const refused: Readonly<Record<string, Partial<Streams>>> = {
    'reads what it has overwritten': {
      ...right,
      pages: signed(0, 0),
      lengths: numbers(0, 1000, 0, 24, 0, 976),
      sources: signed(0, -1000, 0),
    },
    'writes a page twice': { ...right, pages: signed(1, -1) },
    'writes before its image': { ...right, pages: signed(-1, 0) },
    'writes behind its image': { ...right, pages: signed(2, 0) },
    'lacks a page': { ...right, pages: signed(1) },
  };
  for (const [what, streams] of Object.entries(refused)) {
    it(`refuses a delta that ${what}`, async () => {
      assert.equal(await rewrite(forge({ pageBytes, streams })), 'DELTA_COMMAND');
    });
  }

  it('refuses a delta for another slot', async () => {
    assert.equal(await rewrite(forge({})), 'DELTA_HEADER');
  });

  it('refuses pages that the bank does not replace at a time', async () => {
    const delta = make({ base: BASE, image: IMAGE }, { pageBytes: 256 });
    for (const [bankPageBytes, code] of [
      [256, undefined],
      [512, 'DELTA_MISMATCH'],
    ] as const) {
      const bank = { ...bankOf(BASE, 2048), pageBytes: bankPageBytes };
      const options = { delta: streamOf([delta]), bank, expected: identityOf(IMAGE) };
      assert.equal(await codeOfAsync(() => rewriteInPlace(options)), code);
    }
  });

  it('refuses an image that the bank has no room for', async () => {
    const delta = make({ base: BASE, image: IMAGE }, { pageBytes: 256 });
    assert.equal(await rewrite(delta, 2000), undefined);
    assert.equal(await rewrite(delta, 1999), 'ADDRESS_RANGE');
  });

  it('goes on with no other delta than the one that was begun', async () => {
    const delta = make({ base: BASE, image: IMAGE }, { pageBytes: 256 });
    const resume = { header: changed(delta.subarray(0, 92), 91, 0), pagesWritten: 1 };
    const bank = bankOf(BASE, 2048);
    const options = { delta: streamOf([delta]), bank, expected: identityOf(IMAGE), resume };
    assert.equal(await codeOfAsync(() => rewriteInPlace(options)), 'DELTA_MISMATCH');
    assert.deepEqual(bank.bytes.subarray(0, 2000), BASE);
  });

  it('refuses a bank whose bytes are not the image in the end', async () => {
    const bank = { ...bankOf(BASE, 2048), write: () => Promise.resolve() };
    const delta = streamOf([make({ base: BASE, image: IMAGE }, { pageBytes: 256 })]);
    const options = { delta, bank, expected: identityOf(IMAGE) };
    assert.equal(await codeOfAsync(() => rewriteInPlace(options)), 'DELTA_RESULT');
  });
});
