import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadBundle } from '@immota/vehicle';
import { makeWorld, VEHICLE } from '../support/world.ts';

describe('loadBundle()', () => {
  it('reads what the factory gave {uptane H1} {uptane G3}', async (test) => {
    const { bundleFolder, director, image, gateway } = await makeWorld(test);
    const bundle = loadBundle(bundleFolder);
    assert.equal(bundle.vehicleIdentifier, VEHICLE);
    assert.equal(bundle.gatewayOrigin, gateway.origin);
    assert.equal(bundle.builtAt.toString(), '2026-05-01T00:00:00Z');
    assert.deepEqual(bundle.pinnedRoots.director, director.pinnedRoot);
    assert.deepEqual(bundle.pinnedRoots.image, image.pinnedRoot);
  });
  it('needs a server only from whoever starts it, and takes the rest from the certificate', async (test) => {
    const { bundleFolder } = await makeWorld(test);
    rmSync(join(bundleFolder, 'config.json'));
    assert.throws(() => loadBundle(bundleFolder), { code: 'BUNDLE_MALFORMED' });
    const bundle = loadBundle(bundleFolder, { server: 'https://ota.example.com:8443/' });
    assert.equal(bundle.gatewayOrigin, 'https://ota.example.com:8443');
    assert.equal(bundle.ecuIdentifier, `${VEHICLE}-tbox`);
    assert.equal(bundle.builtAt.toString(), '2020-01-01T00:00:00Z');
    assert.equal(bundle.wakeUrl, undefined);
  });
  it("reads the Image Root under the dialect's own name for the repository, too", async (test) => {
    const { bundleFolder, image } = await makeWorld(test);
    renameSync(join(bundleFolder, 'image'), join(bundleFolder, 'repo'));
    assert.deepEqual(loadBundle(bundleFolder).pinnedRoots.image, image.pinnedRoot);
  });
  it('refuses a bundle that lacks a file', async (test) => {
    const { bundleFolder } = await makeWorld(test);
    for (const name of [
      'root.crt',
      'client.pem',
      'pkey.pem',
      'director/root.json',
      'image/root.json',
    ]) {
      renameSync(join(bundleFolder, name), join(bundleFolder, 'aside'));
      assert.throws(() => loadBundle(bundleFolder), { code: 'BUNDLE_MALFORMED' }, name);
      renameSync(join(bundleFolder, 'aside'), join(bundleFolder, name));
    }
    loadBundle(bundleFolder);
  });
  it('refuses what cannot be read', async (test) => {
    const { bundleFolder } = await makeWorld(test);
    const config = join(bundleFolder, 'config.json');
    for (const text of [
      '{',
      '[]',
      '{"server":"http://plain.example.com"}',
      '{"server":"https://x.example.com","wake":"mqtt://plain.example.com"}',
      '{"server":"https://x.example.com","ecuIdentifier":""}',
      '{"server":"https://x.example.com","builtAt":"yesterday"}',
      `{"server":"https://x.example.com","vehicleIdentifier":"${'V'.repeat(65)}"}`,
      `"${' '.repeat(20_000)}"`,
    ]) {
      writeFileSync(config, text);
      assert.throws(
        () => loadBundle(bundleFolder),
        { code: 'BUNDLE_MALFORMED' },
        text.slice(0, 80),
      );
    }
    writeFileSync(config, '{"server":"https://x.example.com"}');
    writeFileSync(join(bundleFolder, 'root.crt'), 'no certificate');
    assert.throws(() => loadBundle(bundleFolder), { code: 'BUNDLE_MALFORMED' });
  });
});
