import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { handOver, readReport, recipientOf, runNode } from '../support/nodes.ts';
import { buildImage, makeVehicleWorld, offerOf } from '../support/vehicle-world.ts';

describe('runSecondary() and connectSecondary()', () => {
  for (const verification of ['full', 'partial'] as const) {
    it(`installs an encrypted image end to end with ${verification} verification {uptane K1} {uptane K7} {uptane K8} {uptane I8}`, async (test) => {
      const world = await makeVehicleWorld();
      const { link, folder } = await runNode(test, world, {
        factory: world.factory({ verification }),
      });
      const before = await readReport(link);
      assert.equal(before.report.installedImage.name, 'noimage');
      const built = await buildImage({ lengthBytes: 1_000_001 });
      await world.assign(built, await recipientOf(link));
      await handOver(link, world);
      await link.sendImage(offerOf(built));
      assert.equal((await link.status()).phase, 'prepared');
      await link.activate();
      const { report } = await readReport(link);
      assert.equal(report.installedImage.name, built.name);
      assert.equal(report.installedImage.lengthBytes, built.plain.length);
      assert.equal(report.attacksDetected, '');
      const stored = readFileSync(join(folder, 'slots', 'slot-a.image'));
      assert.ok(stored.equals(built.plain));
    });
    it(`goes back from a trial when it is told to, and takes the image again, with ${verification} verification {uptane K7} {uptane L1}`, async (test) => {
      const world = await makeVehicleWorld();
      const { link, restart } = await runNode(test, world, {
        factory: world.factory({ verification }),
      });
      const [one, two] = [
        await buildImage({ name: 'brake/fw-1.bin', releaseCounter: 1 }),
        await buildImage({ name: 'brake/fw-2.bin', releaseCounter: 2 }),
      ];
      const bring = async (built: typeof one): Promise<void> => {
        await world.assign(built, await recipientOf(link));
        await handOver(link, world);
        await link.sendImage(offerOf(built));
        await link.activate();
      };
      await bring(one);
      await link.confirm();
      await bring(two);
      await restart();
      const { report } = await readReport(link);
      assert.deepEqual([report.installedImage.name, report.custom['trial']], [two.name, true]);
      await assert.rejects(() => link.sendImage(offerOf(two)), { code: 'ECU_REFUSED' });
      await link.revert();
      await link.revert();
      const back = (await readReport(link)).report;
      assert.deepEqual([back.installedImage.name, back.custom['trial']], [one.name, false]);
      assert.deepEqual(back.custom['lastInstallation'], {
        name: two.name,
        result: 'reverted',
        reason: '',
      });
      // The assignment stands: the next attempt needs no new metadata.
      await link.sendImage(offerOf(two));
      await link.revert();
      await assert.rejects(() => link.activate(), { code: 'ECU_REFUSED' });
      await link.sendImage(offerOf(two));
      await link.activate();
      await link.confirm();
      await restart();
      assert.equal((await readReport(link)).report.installedImage.name, two.name);
    });
  }
});
