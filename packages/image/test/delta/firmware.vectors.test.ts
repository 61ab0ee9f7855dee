/** Deltas between two releases of real firmware for microcontrollers. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { zstdCompressSync } from 'node:zlib';
import { applyDelta, rewriteInPlace } from '@immota/image';
import JsZip from 'jszip';
import { streamOf } from '../bytes.ts';
import { bankOf, baseOf, identityOf, make } from './pairs.ts';

const OLD = dirname(fileURLToPath(import.meta.resolve('firmware-old/package.json')));
const NEW = dirname(fileURLToPath(import.meta.resolve('firmware-new/package.json')));
const archives = globSync('build/*.zip', { cwd: OLD }).toSorted();

async function firmwareOf(folder: string, archive: string): Promise<Uint8Array> {
  const zip = await JsZip.loadAsync(readFileSync(join(folder, archive)));
  const image = await zip.file('firmware-base.bin')?.async('uint8array');
  assert.ok(image !== undefined);
  return image;
}

describe('makeDelta() on real firmware', () => {
  it('finds the firmware of five hubs or more', () => {
    assert.ok(archives.length >= 5);
  });
  for (const archive of archives) {
    it(`brings ${archive} forward and back, into a slot and in place, for less than the full image`, async () => {
      const older = await firmwareOf(OLD, archive);
      const newer = await firmwareOf(NEW, archive);
      for (const [base, image] of [
        [older, newer],
        [newer, older],
      ] as const) {
        const expected = identityOf(image);
        const delta = make({ base, image }, { level: 19 });
        const pieces: Uint8Array[] = [];
        const options = { delta: streamOf([delta]), base: baseOf(base), expected };
        // A piece is lent: its memory is used again.
        for await (const piece of applyDelta(options)) pieces.push(piece.slice());
        assert.ok(Buffer.concat(pieces).equals(image));
        assert.ok(delta.length < 0.9 * zstdCompressSync(image).length, `${delta.length} bytes`);
        const paged = make({ base, image }, { level: 19, pageBytes: 2048 });
        const bank = bankOf(base, Math.max(base.length, image.length));
        await rewriteInPlace({ delta: streamOf([paged]), bank, expected });
        assert.ok(Buffer.from(bank.bytes.subarray(0, image.length)).equals(image));
      }
    });
  }
});
