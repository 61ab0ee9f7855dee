/** The encrypted form, read by a second reader that was written from the guide alone. */
import assert from 'node:assert/strict';
import { createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { createSealer, encodeContentKey, generateContentKey, parseContentKey } from '@immota/image';
import { seededEntropy } from '../bytes.ts';

const HEADER_BYTES = 76;

function readByTheGuide(key: Uint8Array, bytes: Buffer): Buffer {
  assert.equal(bytes.toString('latin1', 0, 7), 'IMMOTA\x1a');
  assert.equal(bytes[7], 1);
  const sealedBytes = 2 ** (bytes[8] ?? 0) + 16;
  assert.deepEqual(bytes.subarray(9, 12), Buffer.alloc(3));
  const label = 'immota encrypted image 1';
  const derived = Buffer.from(hkdfSync('sha256', key, bytes.subarray(12, 44), label, 71));
  const tag = createHmac('sha256', derived.subarray(0, 32)).update(bytes.subarray(0, 44)).digest();
  assert.deepEqual(bytes.subarray(44, HEADER_BYTES), tag);
  const plaintext: Buffer[] = [];
  for (let offset = HEADER_BYTES; offset < bytes.length; offset += sealedBytes) {
    const chunk = bytes.subarray(offset, offset + sealedBytes);
    const nonce = Buffer.alloc(12);
    nonce.set(derived.subarray(64, 71));
    nonce.writeUInt32BE(plaintext.length, 7);
    nonce[11] = offset + sealedBytes >= bytes.length ? 1 : 0;
    const decipher = createDecipheriv('aes-256-gcm', derived.subarray(32, 64), nonce);
    decipher.setAuthTag(chunk.subarray(-16));
    plaintext.push(Buffer.concat([decipher.update(chunk.subarray(0, -16)), decipher.final()]));
  }
  return Buffer.concat(plaintext);
}

describe('createSealer()', () => {
  it('writes what the guide describes', () => {
    const entropy = seededEntropy('second reader');
    for (const lengthBytes of [0, 1, 4096, 3 * 4096, 3 * 4096 + 7]) {
      const key = generateContentKey(entropy);
      const image = Buffer.from(entropy.bytes(lengthBytes));
      const sealer = createSealer({ key, entropy, chunkSizeLog2: 12 });
      const bytes = Buffer.concat([...sealer.push(image), ...sealer.finish()]);
      assert.deepEqual(readByTheGuide(encodeContentKey(key), bytes), image);
    }
  });

  it('writes the same bytes for the same key and salt: version 1 stays as it is', () => {
    const key = parseContentKey(new Uint8Array(32).fill(0x11));
    const entropy = {
      bytes: (lengthBytes: number): Uint8Array => new Uint8Array(lengthBytes).fill(0x22),
    };
    const sealer = createSealer({ key, entropy, chunkSizeLog2: 12 });
    sealer.push(new Uint8Array(10_000).fill(0x33));
    sealer.finish();
    assert.equal(
      sealer.summary().ciphertext.sha256,
      '2e49879d3279f6dfa7d066492e51148331c93231504798740e9922ba0341186a',
    );
  });
});
