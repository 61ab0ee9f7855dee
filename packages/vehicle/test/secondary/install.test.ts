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
  }
});
