/** A Secondary that is a microcontroller: verified metadata, an encrypted image, flash, and a signed report. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SelfTest } from '@immota/vehicle';
import { createFlashBench, SMALL_PART } from '../support/flash-bench.ts';
import { handOver, readReport, recipientOf, runNode } from '../support/nodes.ts';
import { buildImage, makeVehicleWorld, offerOf } from '../support/vehicle-world.ts';

/** Room for the images of the bench world. */
const PART = { ...SMALL_PART, sectors: Array.from({ length: 140 }, () => 4096) };

describe('openSecondary() over flash', () => {
  for (const banks of [1, 2] as const) {
    it(`installs what is assigned with ${banks} bank(s), and reports its health {uptane J4} {uptane K7}`, async (test) => {
      const world = await makeVehicleWorld();
      let codes: readonly number[] = [0x01_02_03];
      const selfTest: SelfTest = {
        readTroubleCodes: async () => codes,
        check: async (image) => {
          if (image.name === 'brake/fw-2.bin') codes = [0x01_02_03, 0xd0_01_00];
          return true;
        },
      };
      const bench = createFlashBench(banks, PART);
      const { link, restart } = await runNode(test, world, {
        slots: await bench.open({ selfTest }),
      });
      assert.equal((await readReport(link)).report.installedImage.name, 'noimage');
      const one = await buildImage({ name: 'brake/fw-1.bin', releaseCounter: 1 });
      await world.assign(one, await recipientOf(link));
      await handOver(link, world);
      await link.sendImage(offerOf(one));
      await link.activate();
      await link.confirm();
      const good = (await readReport(link)).report;
      assert.equal(good.installedImage.name, 'brake/fw-1.bin');
      assert.deepEqual(good.custom['boot'], { slot: 'a', health: 'healthy' });
      const two = await buildImage({ name: 'brake/fw-2.bin', releaseCounter: 2 });
      await world.assign(two, await recipientOf(link));
      await handOver(link, world);
      await link.sendImage(offerOf(two));
      await link.activate();
      await restart({ slots: await bench.open({ selfTest }) });
      const { installedImage, custom } = (await readReport(link)).report;
      // One bank has lost what it ran, and waits in its boot loader.
      assert.equal(installedImage.name, banks === 1 ? 'noimage' : 'brake/fw-1.bin');
      assert.deepEqual(custom['lastInstallation'], {
        name: 'brake/fw-2.bin',
        result: 'fell-back',
        reason: 'new trouble codes: d00100',
        health: {
          isSelfTestPassed: true,
          resets: 0,
          troubleCodesBefore: ['010203'],
          troubleCodesAfter: ['010203', 'd00100'],
        },
      });
      assert.equal((await link.status()).canRevert, banks === 2);
    });
  }
});
