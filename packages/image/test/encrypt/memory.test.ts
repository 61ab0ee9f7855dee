import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encryptImage, generateContentKey, openImage } from '@immota/image';
import { seededEntropy, streamOf } from '../bytes.ts';

const MIB = 1024 * 1024;
const IMAGE_BYTES = 256 * MIB;
const GROWTH_MAX_BYTES = 32 * MIB;

function bytesInUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe('encryptImage() and openImage()', () => {
  it('need no more memory for a large image than for a small one', async () => {
    const entropy = seededEntropy('memory');
    const key = generateContentKey(entropy);
    const piece = entropy.bytes(MIB);
    async function* image(): AsyncGenerator<Uint8Array> {
      for (let offset = 0; offset < IMAGE_BYTES; offset += piece.length) yield piece;
    }
    const before = bytesInUse();
    let peak = before;
    const encrypted = encryptImage(image(), { key, entropy, sha512: false, borrow: true });
    const opened = openImage(encrypted, { key, lengthMaxBytes: 2 * IMAGE_BYTES, borrow: true });
    let lengthBytes = 0;
    for await (const chunk of opened) {
      lengthBytes += chunk.length;
      peak = Math.max(peak, bytesInUse());
    }
    assert.equal(lengthBytes, IMAGE_BYTES);
    assert.equal(opened.digest().sha256, encrypted.summary().plaintext.sha256);
    assert.ok(peak - before < GROWTH_MAX_BYTES, `grew by ${(peak - before) / MIB} MiB`);
  });

  it('take a borrowed chunk back, and leave an owned one', async () => {
    const entropy = seededEntropy('borrowed');
    const key = generateContentKey(entropy);
    const keep = async (borrow: boolean): Promise<readonly number[]> => {
      const encrypted = encryptImage(streamOf([new Uint8Array(10_000)]), {
        key,
        entropy,
        chunkSizeLog2: 12,
      });
      const chunks: Uint8Array[] = [];
      const opened = openImage(encrypted, { key, lengthMaxBytes: 20_000, borrow });
      for await (const chunk of opened) chunks.push(chunk);
      return chunks.map((chunk) => chunk.length);
    };
    assert.deepEqual(await keep(false), [4096, 4096, 1808]);
    assert.deepEqual(await keep(true), [0, 0, 0]);
  });
});
