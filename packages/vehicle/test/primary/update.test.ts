import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BRAKE, makeWorld, objectAt, TBOX } from '../support/world.ts';

describe('runPrimary()', () => {
  it('registers, attests its time and finds nothing new', async (test) => {
    const world = await makeWorld(test, { hasSecondary: true });
    const primary = await world.run();
    assert.deepEqual(await primary.checkIn(), { kind: 'nothing-new' });
    const [registration] = world.gateway.bodies('/director/ecus');
    assert.deepEqual(objectAt(registration ?? {}, [])['primary_ecu_serial'], TBOX);
    assert.equal(world.gateway.bodies('/director/ecu-keys').length, 2);
    assert.equal(world.lastReport(TBOX)['report_counter'], '1');
    assert.equal(world.secondary?.time, world.gateway.time.toString());
  });
  it('brings new images to itself and to a Secondary {uptane I1}', async (test) => {
    const world = await makeWorld(test, { hasSecondary: true });
    const primary = await world.run();
    await primary.checkIn();
    const own = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
    const brake = await world.addImage('brake/fw-2.bin', 'brake-hw');
    await world.assign({ [TBOX]: own, [BRAKE]: brake });
    const result = await primary.checkIn();
    assert.deepEqual(
      result.kind === 'installed' ? result.results.map(({ ecu, code }) => [ecu, code]) : result,
      [
        [BRAKE, 'OK'],
        [TBOX, 'OK'],
      ],
    );
    const image = objectAt(world.lastReport(TBOX), ['installed_image']);
    assert.equal(image['filepath'], 'tbox/fw-2.bin');
    assert.equal(world.secondary?.running?.name, 'brake/fw-2.bin');
    const told = objectAt(world.lastManifest(), ['installation_report', 'report', 'result']);
    assert.deepEqual([told['success'], told['code']], [true, 'OK']);
  });
  it('works with keys that no quantum computer breaks', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run({ profile: 'hybrid' });
    await primary.checkIn();
    const image = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
    await world.assign({ [TBOX]: image });
    assert.equal((await primary.checkIn()).kind, 'installed');
    assert.match(JSON.stringify(world.gateway.bodies('/director/ecus')), /"ML-DSA-65"/);
  });
  it('installs an image that is not encrypted', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    await primary.checkIn();
    const image = await world.addImage('tbox/fw 1+é.bin', 'tbox-hw');
    await world.assign({ [TBOX]: image }, {}, ({ custom, ...target }) => {
      const { encryption: _, ...clear } = custom;
      return { ...target, custom: clear };
    });
    assert.equal((await primary.checkIn()).kind, 'installed');
    const path = world.gateway.paths().find((asked) => asked.includes('/repo/targets/'));
    assert.match(path ?? '', /^GET \/repo\/targets\/tbox\/[0-9a-f]{64}\.fw%201%2B%C3%A9\.bin$/);
  });
  it('runs its old image when the new one is not healthy, and reports that {uptane J4}', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    await primary.checkIn();
    await world.assign({ [TBOX]: await world.addImage('tbox/fw-1.bin', 'tbox-hw') });
    assert.equal((await primary.checkIn()).kind, 'installed');
    world.isHealthy = false;
    await world.assign({ [TBOX]: await world.addImage('tbox/fw-2.bin', 'tbox-hw') });
    let result = await primary.checkIn();
    for (let count = 0; count < 4 && result.kind !== 'waiting'; count += 1) {
      result = await primary.checkIn();
    }
    assert.equal('fault' in result && result.fault.code, 'ATTEMPTS_EXHAUSTED');
    assert.equal(
      objectAt(world.lastReport(TBOX), ['installed_image'])['filepath'],
      'tbox/fw-1.bin',
    );
    const codes = world.gateway
      .bodies('/director/manifest')
      .map((body) => objectAt(body, ['signed', 'installation_report', 'report', 'result'])['code'])
      .filter((code) => code !== undefined);
    assert.deepEqual(codes, ['OK', 'INSTALL_FAILED', 'INSTALL_FAILED', 'INSTALL_FAILED']);
  });
  it('downloads no more than it may', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run({ policy: { downloadQuotaBytes: 100_000 } });
    await primary.checkIn();
    await world.assign({ [TBOX]: await world.addImage('tbox/fw-2.bin', 'tbox-hw') });
    const result = await primary.checkIn();
    assert.equal('fault' in result && result.fault.code, 'DISK_QUOTA');
    const progress = objectAt(world.lastManifest(), ['custom', 'progress']);
    assert.equal(progress['state'], 'DOWNLOAD_FAILED');
  });
  it('leaves the process to whoever boots the machine', async (test) => {
    const world = await makeWorld(test);
    let boots = 0;
    const reboot = (): void => {
      boots += 1;
    };
    const first = await world.run({ reboot });
    await first.checkIn();
    const image = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
    await world.assign({ [TBOX]: image });
    assert.deepEqual([(await first.checkIn()).kind, boots], ['booting', 1]);
    await first.close();
    const second = await world.run({ reboot });
    assert.deepEqual([(await second.checkIn()).kind, boots], ['installed', 1]);
  });
  it('says in its manifest that an update is under way, so that it is not taken for a refusal', async (test) => {
    const world = await makeWorld(test);
    const primary = await world.run();
    await primary.checkIn();
    const image = await world.addImage('tbox/fw-2.bin', 'tbox-hw');
    await world.assign({ [TBOX]: image });
    world.gateway.intercept = (request, response) => {
      if (request.path !== '/repo/timestamp.json') return false;
      response.destroy();
      return true;
    };
    assert.equal((await primary.checkIn()).kind, 'refused');
    await primary.checkIn();
    const progress = objectAt(world.lastManifest(), ['custom', 'progress']);
    assert.equal(progress['state'], 'AWAITING_REPORT');
    world.gateway.intercept = () => false;
    assert.equal((await primary.checkIn()).kind, 'installed');
    assert.equal(world.lastManifest()['custom'], undefined);
  });
});
