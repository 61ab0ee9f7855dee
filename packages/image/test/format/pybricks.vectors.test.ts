/** Firmware of STM32 hubs as its maker publishes it: raw images in archives, two versions of each. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import JsZip from 'jszip';
import {
  createOpener,
  createSealer,
  encodeIntelHex,
  encodeSRecord,
  generateContentKey,
  readLayout,
} from '@immota/image';
import { seededEntropy, streamOf } from '../bytes.ts';

const FLASH_ADDRESS = 0x0800_8000;
const entropy = seededEntropy('pybricks');

const releases = [
  { name: 'firmware-old', manifest: import.meta.resolve('firmware-old/package.json') },
  { name: 'firmware-new', manifest: import.meta.resolve('firmware-new/package.json') },
];

for (const { name, manifest } of releases) {
  const folder = dirname(fileURLToPath(manifest));
  const archives = globSync('build/*.zip', { cwd: folder }).toSorted();

  describe(`readLayout() and createSealer() on ${name}`, () => {
    it('finds the firmware of five hubs or more', () => {
      assert.ok(archives.length >= 5);
    });
    for (const archive of archives) {
      it(`carry ${archive} through every format and the encrypted form`, async () => {
        const zip = await JsZip.loadAsync(readFileSync(join(folder, archive)));
        const image = await zip.file('firmware-base.bin')?.async('uint8array');
        assert.ok(image !== undefined);
        const { format, layout } = await readLayout(streamOf([image]), {
          baseAddress: FLASH_ADDRESS,
        });
        assert.equal(format, 'raw');
        assert.deepEqual((await readLayout(streamOf(encodeIntelHex(layout)))).layout, layout);
        assert.deepEqual((await readLayout(streamOf(encodeSRecord(layout)))).layout, layout);
        const key = generateContentKey(entropy);
        const sealer = createSealer({ key, entropy });
        const sealed = [...sealer.push(image), ...sealer.finish()];
        const { lengthBytes } = sealer.summary().ciphertext;
        const opener = createOpener({ key, lengthMaxBytes: lengthBytes });
        const opened = [...sealed.flatMap((piece) => opener.push(piece)), ...opener.finish()];
        assert.ok(Buffer.concat(opened).equals(image));
      });
    }
  });
}
