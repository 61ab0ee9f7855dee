import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { findStops, workSha256Of } from '@immota/vehicle';

const ECUS = ['BRAKE', 'CAMERA', 'DOOR'];
const nobody = (): boolean => false;
const calibrate = { en: 'Calibrate the camera', de: 'Kamera kalibrieren' };

describe('findStops() {R156 7.1.4.2}', () => {
  it('lets a vehicle do by itself what nobody is asked for', () => {
    assert.deepEqual(findStops({}, ECUS, nobody), []);
    assert.deepEqual(findStops({ technician: [], technicianGated: [] }, ECUS, nobody), []);
    // Asked for an ECU that this update leaves alone.
    const custom = { technician: [{ step: 'commit', ecus: ['RADAR'], task: calibrate }] };
    assert.deepEqual(findStops(custom, ECUS, nobody), []);
  });

  it('stops before the change-over, and again before the end where work follows', () => {
    const custom = {
      technicianGated: ['BRAKE'],
      technician: [{ step: 'commit', ecus: ['CAMERA', 'RADAR'], task: calibrate }],
    };
    assert.deepEqual(findStops(custom, ECUS, nobody), [
      { step: 'activate', ecus: ['BRAKE', 'CAMERA'], tasks: [calibrate] },
      { step: 'commit', ecus: ['CAMERA'], tasks: [calibrate] },
    ]);
  });

  it('stops at what doors and emergency call need, whatever was ordered', () => {
    assert.deepEqual(
      findStops({}, ECUS, (ecu) => ecu === 'DOOR'),
      [{ step: 'activate', ecus: ['DOOR'], tasks: [] }],
    );
  });

  it('gates every ECU when what was ordered cannot be read', () => {
    const all = [{ step: 'activate', ecus: ECUS, tasks: [] }];
    for (const custom of [
      { technicianGated: 'BRAKE' },
      { technicianGated: [7] },
      { technician: {} },
      { technician: [{ step: 'later', ecus: ['BRAKE'], task: {} }] },
      { technician: [{ step: 'commit', ecus: ['BRAKE'], task: { en: 'x'.repeat(2001) } }] },
      { technician: Array.from({ length: 65 }, () => ({ step: 'commit', ecus: [], task: {} })) },
    ]) {
      assert.deepEqual(findStops(custom, ECUS, nobody), all);
    }
  });

  it('finds no stop for a step after which nobody stood by before, whatever stands there', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (technician, technicianGated) => {
        const custom = JSON.parse(JSON.stringify({ technician, technicianGated })) as object;
        const stops = findStops({ ...custom }, ECUS, nobody);
        assert.ok(stops.length === 0 || stops[0]?.step === 'activate');
      }),
    );
  });
});

describe('workSha256Of()', () => {
  const stop = { step: 'activate', ecus: ['A', 'B'], tasks: [calibrate] } as const;
  const images = [
    { ecu: 'A', name: 'a-2', sha256: '11' },
    { ecu: 'B', name: 'b-2', sha256: '22' },
  ];
  const work = workSha256Of({ ...stop, ecus: [...stop.ecus], tasks: [...stop.tasks] }, images);

  it('does not depend on an order', () => {
    const other = { ...stop, ecus: ['B', 'A'], tasks: [{ de: calibrate.de, en: calibrate.en }] };
    assert.equal(workSha256Of(other, images.toReversed()), work);
  });

  it('changes with step, ECUs, words and images', () => {
    const base = { ...stop, ecus: [...stop.ecus], tasks: [...stop.tasks] };
    const others = [
      workSha256Of({ ...base, step: 'commit' }, images),
      workSha256Of({ ...base, ecus: ['A'] }, images),
      workSha256Of({ ...base, tasks: [{ en: 'Look at it' }] }, images),
      workSha256Of(base, images.slice(1)),
      workSha256Of(
        base,
        images.map((image) => ({ ...image, sha256: '33' })),
      ),
    ];
    assert.equal(new Set([work, ...others]).size, 6);
  });
});
