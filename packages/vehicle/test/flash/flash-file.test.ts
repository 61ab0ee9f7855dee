/** A flash that outlives its process. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { exportPrivateKey, generateSigner } from '@immota/pki';
import { createImageSealer, openFlashFile } from '@immota/vehicle';
import { benchOf, planBench, program, SMALL_PART } from '../support/flash-bench.ts';
import { makeFolder } from '../support/folder.ts';
import { sampleImage } from '../support/slot-images.ts';

const ZERO_PART = { ...SMALL_PART, erasedByte: 0x00 } as const;
const DATA = Uint8Array.of(1, 2, 3, 4);

describe('openFlashFile()', () => {
  for (const geometry of [SMALL_PART, ZERO_PART]) {
    it(`finds cells and wear again, where erased reads ${geometry.erasedByte}`, async (test) => {
      const path = join(makeFolder(test), 'flash');
      const first = openFlashFile({ path, geometry });
      await first.flash.erase(2);
      await first.flash.erase(2);
      await first.flash.write(2048, DATA);
      first.close();
      const second = openFlashFile({ path, geometry });
      const { flash } = second;
      const bytes = new Uint8Array(8);
      await flash.read(2048, bytes);
      const blank = geometry.erasedByte;
      assert.deepEqual(bytes, Uint8Array.of(1, 2, 3, 4, blank, blank, blank, blank));
      assert.equal(flash.wearOf(2), 2);
      await assert.rejects(flash.write(2048, DATA), { code: 'NOT_ERASED' });
      second.close();
    });
  }
  it('protects what the part protects', async (test) => {
    const path = join(makeFolder(test), 'flash');
    const protectedSectors = { first: 0, count: 1 };
    const file = openFlashFile({ path, geometry: SMALL_PART, protectedSectors });
    await assert.rejects(file.flash.erase(0), { code: 'PROTECTED' });
    file.close();
  });
  it('refuses a file of another part', (test) => {
    const path = join(makeFolder(test), 'flash');
    openFlashFile({ path, geometry: SMALL_PART }).close();
    truncateSync(path, 4096);
    assert.throws(() => openFlashFile({ path, geometry: SMALL_PART }), { code: 'FILE_MALFORMED' });
  });
  it('boots what was final after its node was killed while it wrote {uptane L1}', async (test) => {
    const path = join(makeFolder(test), 'flash');
    const layout = planBench(SMALL_PART, 2);
    const signer = generateSigner('ed25519');
    const sealer = createImageSealer(signer);
    const before = openFlashFile({ path, geometry: SMALL_PART });
    const slots = await benchOf(before.flash, layout, sealer).open();
    await slots.boot();
    await program(slots, sampleImage('old.bin', 8, 3000));
    before.close();
    const fixture = join(import.meta.dirname, '../fixture/flash-node.ts');
    const child = spawn(process.execPath, [fixture, path, exportPrivateKey(signer).toHex()], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const text of child.stdout.setEncoding('utf8')) {
      if (/^6\d\d\d$/m.test(String(text))) break;
    }
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const after = openFlashFile({ path, geometry: SMALL_PART });
    const again = await benchOf(after.flash, layout, sealer).open();
    assert.equal((await again.boot())?.name, 'old.bin');
    assert.ok(again.findReceived(sampleImage('killed.bin', 9, 12_000).image) >= 5120);
    await program(again, sampleImage('next.bin', 9, 4000));
    assert.equal(again.findRunning()?.name, 'next.bin');
    after.close();
  });
});
