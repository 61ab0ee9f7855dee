import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  buildLayout,
  createRawReader,
  createSealer,
  detectFormat,
  encodeIntelHex,
  encodeSRecord,
  generateContentKey,
  readLayout,
} from '@immota/image';
import { codeOf, codeOfAsync, cutEvery, seededEntropy, streamOf } from '../bytes.ts';

const entropy = seededEntropy('read layout');
const code = entropy.bytes(5000);
const layout = buildLayout([{ address: 0x0800_8000, bytes: code }], undefined);
const intelHex = Buffer.concat([...encodeIntelHex(layout)]);
const sRecord = Buffer.concat([...encodeSRecord(layout)]);

function encrypted(): Uint8Array {
  const sealer = createSealer({ key: generateContentKey(entropy), entropy });
  return Buffer.concat([...sealer.push(code), ...sealer.finish()]);
}

describe('detectFormat()', () => {
  it('knows each format by how it begins', () => {
    assert.equal(detectFormat(intelHex.subarray(0, 528)), 'intel-hex');
    assert.equal(detectFormat(sRecord.subarray(0, 528)), 's-record');
    assert.equal(detectFormat(code.subarray(0, 528)), 'raw');
    assert.equal(detectFormat(encrypted().subarray(0, 528)), 'encrypted');
    assert.equal(detectFormat(Buffer.from(':00000001FF')), 'intel-hex');
    assert.equal(detectFormat(Buffer.from('S9030000FC\n')), 's-record');
  });

  it('takes neither prose nor bare digits nor nothing for records', () => {
    for (const text of [
      '',
      ':',
      'Some settings: see below. '.repeat(30),
      '0123456789abcdef'.repeat(40),
    ]) {
      assert.equal(detectFormat(Buffer.from(text)), 'raw', text);
    }
  });

  it('still knows a record file in which a bit flipped, so that its reader refuses it', async () => {
    for (const [format, text] of [
      ['intel-hex', intelHex],
      ['s-record', sRecord],
    ] as const) {
      const refusals = Array.from({ length: 60 * 8 }, (_, place) => {
        const flipped = Buffer.from(text);
        flipped[place >> 3] = (flipped[place >> 3] ?? 0) ^ (1 << (place & 7));
        assert.equal(detectFormat(flipped), format);
        return codeOfAsync(() => readLayout(streamOf([flipped])));
      });
      const codes = await Promise.all(refusals);
      // What passes are digits whose case changed.
      assert.ok(codes.filter((refusal) => refusal === undefined).length < 60);
    }
  });
});

describe('readLayout()', () => {
  it('reads every format alike, whole and byte by byte', async () => {
    for (const text of [intelHex, sRecord]) {
      for (const lengthBytes of [1, 527, 528, 529, 100_000]) {
        // oxlint-disable-next-line no-await-in-loop -- one after the other keeps the report readable
        const read = await readLayout(streamOf(cutEvery(text, lengthBytes)));
        assert.deepEqual(read.layout, layout);
      }
    }
    const raw = await readLayout(streamOf(cutEvery(code, 999)), { baseAddress: 0x0800_8000 });
    assert.deepEqual(raw, { format: 'raw', layout });
  });

  it('believes a format that is named', async () => {
    const raw = await readLayout(streamOf([intelHex]), { format: 'raw' });
    assert.deepEqual(raw.layout.segments[0]?.bytes, new Uint8Array(intelHex));
    const text = { format: 's-record' } as const;
    assert.notEqual(await codeOfAsync(() => readLayout(streamOf([code]), text)), undefined);
  });

  it('refuses an encrypted image, which has no addresses', async () => {
    const refusal = await codeOfAsync(() => readLayout(streamOf([encrypted()])));
    assert.equal(refusal, 'HEADER_MALFORMED');
  });

  it('refuses an empty file', async () => {
    assert.equal(await codeOfAsync(() => readLayout(streamOf([]))), 'LAYOUT_EMPTY');
  });

  it('keeps to its limits', async () => {
    const limits = { segmentCountMax: 1, lengthMaxBytes: 5000, addressSpaceBytes: 2 ** 32 };
    assert.equal(await codeOfAsync(() => readLayout(streamOf([intelHex]), { limits })), undefined);
    const tight = { ...limits, lengthMaxBytes: 4999 };
    const read = (): Promise<unknown> => readLayout(streamOf([intelHex]), { limits: tight });
    assert.equal(await codeOfAsync(read), 'LAYOUT_LIMIT');
  });
});

describe('createRawReader()', () => {
  it('refuses bytes beyond the address space, and takes those up to its end', () => {
    const read = (baseAddress: number) => (): void => {
      const reader = createRawReader(baseAddress);
      for (const piece of cutEvery(code, 1000)) reader.push(piece);
      reader.finish();
    };
    assert.equal(codeOf(read(2 ** 32 - code.length)), undefined);
    assert.equal(codeOf(read(2 ** 32 - code.length + 1)), 'ADDRESS_RANGE');
    assert.equal(codeOf(read(-1)), 'ADDRESS_RANGE');
  });
});
