import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  parseEcuIdentifier,
  parseHardwareIdentifier,
  parseVehicleIdentifier,
} from '@immota/uptane';
import { ReleasePlanner } from '../../src/campaign/vehicle-plan.ts';
import type { EcuInventory, VehicleInventory } from '../../src/index.ts';
import { parseRelease } from '../../src/release/release-document.ts';

const release = parseRelease({
  _type: 'Release',
  name: 'line',
  version: '1',
  goal: { a: 'a3' },
  images: [
    { hardwareId: 'a', name: 'a2', installsOver: ['a1'] },
    { hardwareId: 'a', name: 'a3', installsOver: ['a2'] },
  ],
  description: { en: 'Better' },
  unavailable: ['radio'],
});
const planner = new ReleasePlanner(
  release,
  new Map([
    ['a2', 'hash of a2'],
    ['a3', 'hash of a3'],
  ]),
);

function ecu(
  id: string,
  name: string | undefined,
  changes: Partial<EcuInventory> = {},
): EcuInventory {
  return {
    ecuIdentifier: parseEcuIdentifier(id),
    isPrimary: false,
    hardwareIdentifier: parseHardwareIdentifier('a'),
    installed:
      name === undefined
        ? undefined
        : { name, sha256: `hash of ${name}`, lengthBytes: 1, at: undefined },
    hasEncryptionKey: false,
    missingSince: undefined,
    isReplacementPending: false,
    attacksDetected: '',
    ...changes,
  };
}

function vehicle(
  ecus: readonly EcuInventory[],
  changes: Partial<VehicleInventory> = {},
): VehicleInventory {
  return {
    vehicleId: parseVehicleIdentifier('v'),
    vin: undefined,
    model: '',
    market: '',
    tags: {},
    isQuarantined: false,
    primaryEcuIdentifier: parseEcuIdentifier('P'),
    lastSeenAt: undefined,
    lastManifestAt: undefined,
    offer: undefined,
    ecus,
    ...changes,
  };
}

function sorted(images: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return [...images].toSorted(([left], [right]) => left.localeCompare(right));
}

describe('ReleasePlanner.decide()', () => {
  it('gives the next bundle, by the ECUs’ own names {uptane E7}', () => {
    const decision = planner.decide(vehicle([ecu('X', 'a1'), ecu('Y', 'a2'), ecu('Z', 'a3')]));
    assert.equal(decision.kind, 'install');
    assert.deepEqual(sorted(decision.images), [
      ['X', 'a2'],
      ['Y', 'a3'],
    ]);
    assert.equal(decision.bundles, 2);
  });

  it('gives vehicles alike the same way, whatever their ECUs are called', () => {
    const one = planner.decide(vehicle([ecu('A', 'a2'), ecu('B', 'a1')]));
    const two = planner.decide(vehicle([ecu('K', 'a1'), ecu('L', 'a2')]));
    assert.deepEqual(one.kind === 'install' && sorted(one.images), [
      ['A', 'a3'],
      ['B', 'a2'],
    ]);
    assert.deepEqual(two.kind === 'install' && sorted(two.images), [
      ['K', 'a2'],
      ['L', 'a3'],
    ]);
  });

  it('is done when every ECU runs its goal', () => {
    assert.deepEqual(planner.decide(vehicle([ecu('X', 'a3')])), { kind: 'done' });
  });

  it('takes no name for an image whose bytes are others', () => {
    const forged = ecu('X', 'a3');
    const installed = { name: 'a3', sha256: 'forged', lengthBytes: 1, at: undefined };
    const decision = planner.decide(vehicle([{ ...forged, installed }]));
    assert.deepEqual(decision.kind === 'none' && [decision.reason, decision.ecus], [
      'NO_PATH',
      ['X'],
    ]);
  });

  const waiting: Readonly<Record<string, readonly [string, VehicleInventory, readonly string[]]>> =
    {
      'a vehicle that is barred': ['QUARANTINED', vehicle([], { isQuarantined: true }), []],
      'a vehicle that has not registered': [
        'NEVER_REGISTERED',
        vehicle([], { primaryEcuIdentifier: undefined }),
        [],
      ],
      'an ECU whose new key waits': [
        'ECU_REPLACED',
        vehicle([ecu('X', 'a1', { isReplacementPending: true }), ecu('Y', 'a1')]),
        ['X'],
      ],
      'an ECU that is missing': [
        'ECU_MISSING',
        vehicle([ecu('X', 'a1', { missingSince: Temporal.Instant.fromEpochMilliseconds(0) })]),
        ['X'],
      ],
      'an ECU that never reported': ['NOT_SEEN', vehicle([ecu('X', undefined)]), ['X']],
      'an ECU with an image that no way leads from': ['NO_PATH', vehicle([ecu('X', 'a0')]), ['X']],
      'a vehicle without the hardware': [
        'HARDWARE_UNKNOWN',
        vehicle([ecu('X', 'a1', { hardwareIdentifier: parseHardwareIdentifier('z') })]),
        ['X'],
      ],
    };
  for (const [what, [reason, inventory, ecus]] of Object.entries(waiting)) {
    it(`says ${reason} for ${what}`, () => {
      const decision = planner.decide(inventory);
      assert.deepEqual(decision.kind === 'none' && [decision.reason, decision.ecus], [
        reason,
        ecus,
      ]);
    });
  }

  it('does not wait for ECUs that the release does not name', () => {
    const hardwareIdentifier = parseHardwareIdentifier('z');
    const missing = ecu('Z', undefined, { hardwareIdentifier, isReplacementPending: true });
    assert.equal(planner.decide(vehicle([ecu('X', 'a2'), missing])).kind, 'install');
  });
});

describe('ReleasePlanner.notice()', () => {
  it('says what the owner is told {uptane E8}', () => {
    assert.deepEqual(planner.notice(), {
      description: { en: 'Better' },
      unusableSeconds: 0,
      unavailable: ['radio'],
      security: false,
    });
  });
});

describe('ReleasePlanner.technician()', () => {
  const gated = new ReleasePlanner(
    parseRelease({
      _type: 'Release',
      name: 'line',
      version: '1',
      goal: { a: 'a2' },
      images: [
        { hardwareId: 'a', name: 'a2', installsOver: 'any' },
        { hardwareId: 'b', name: 'b2', installsOver: 'any' },
      ],
      technician: [
        { hardwareId: 'a', step: 'commit', task: { en: 'Calibrate' } },
        { hardwareId: 'b', step: 'activate', task: {} },
      ],
    }),
    new Map(),
  );

  it('names the ECUs of this vehicle that get something, and no others {R156 7.1.4.2}', () => {
    const ecus = vehicle([ecu('Y', 'a1'), ecu('X', 'a1'), ecu('Z', 'a2')]);
    const decision = gated.decide(ecus);
    assert.ok(decision.kind === 'install');
    assert.deepEqual(gated.technician(ecus, decision.images), {
      technicianGated: ['X', 'Y'],
      technician: [{ step: 'commit', ecus: ['X', 'Y'], task: { en: 'Calibrate' } }],
    });
  });

  it('says nothing where the vehicle does it by itself', () => {
    const ecus = vehicle([ecu('X', 'a1')]);
    assert.deepEqual(gated.technician(ecus, new Map()), {});
    assert.deepEqual(planner.technician(ecus, new Map([[parseEcuIdentifier('X'), 'a2']])), {});
  });
});
