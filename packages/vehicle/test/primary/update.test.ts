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
  });
});
