/** Firmware as its makers publish it: every Intel HEX file of the avrgirl-arduino package. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import { createIntelHexReader, detectFormat, readLayout } from '@immota/image';
import { cutEvery, streamOf } from '../bytes.ts';

const packageFile = fileURLToPath(import.meta.resolve('avrgirl-arduino/package.json'));
const folder = join(dirname(packageFile), 'junk/hex');
const files = globSync('**/*.hex', { cwd: folder }).toSorted();

describe('createIntelHexReader()', () => {
  it('finds the firmware of many boards', () => {
    assert.ok(files.length >= 40);
  });
  for (const file of files) {
    it(`reads ${file} whole, by lines and byte by byte alike`, async () => {
      const bytes = readFileSync(join(folder, file));
      assert.equal(detectFormat(bytes), 'intel-hex');
      const { format, layout } = await readLayout(streamOf([bytes]));
      assert.equal(format, 'intel-hex');
      for (const lengthBytes of [1, 47]) {
        const reader = createIntelHexReader();
        for (const piece of cutEvery(bytes, lengthBytes)) reader.push(piece);
        assert.deepEqual(reader.finish(), layout);
      }
      const dataBytes = layout.segments.reduce((sum, segment) => sum + segment.bytes.length, 0);
      const text = bytes.toString('ascii');
      const counted = text
        .matchAll(/^:(..)....00/gm)
        .reduce((sum, m) => sum + parseInt(m[1] ?? '', 16), 0);
      assert.equal(dataBytes, counted);
    });
  }
});
