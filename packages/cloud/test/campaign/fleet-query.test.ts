import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  parseHardwareIdentifier,
  parseEcuIdentifier,
  parseVehicleIdentifier,
} from '@immota/uptane';
import * as fc from 'fast-check';
import { parseFleetQuery } from '../../src/campaign/fleet-query.ts';
import { CloudFault, type VehicleInventory } from '../../src/index.ts';

const vehicle: VehicleInventory = {
  vehicleId: parseVehicleIdentifier('veh-1'),
  vin: 'WVWZZZ1JZXW000001',
  model: 'X1',
  market: 'DE',
  tags: { fleet: 'police', beta: true, __proto__: null },
  isQuarantined: false,
  primaryEcuIdentifier: parseEcuIdentifier('T-1'),
  lastSeenAt: undefined,
  lastManifestAt: undefined,
  offer: undefined,
  ecus: [
    {
      ecuIdentifier: parseEcuIdentifier('T-1'),
      isPrimary: true,
      hardwareIdentifier: parseHardwareIdentifier('tbox-hw'),
      installed: { name: 'tbox/1', sha256: '', lengthBytes: 1, at: undefined },
      hasEncryptionKey: false,
      missingSince: undefined,
      isReplacementPending: false,
      attacksDetected: '',
    },
  ],
};

describe('parseFleetQuery()', () => {
  const meant = [
    'true',
    'vehicle.id == "veh-1"',
    'vehicle.vin.startsWith("WVW") && vehicle.model in ["X1", "X2"]',
    'vehicle.market == "DE" && vehicle.tags.fleet == "police"',
    'vehicle.tags["beta"]',
    'has(vehicle.tags.fleet)',
    'vehicle.ecus.exists(e, e.hardware == "tbox-hw" && e.image == "tbox/1" && e.primary)',
    '"tbox-hw" in vehicle.hardware && "tbox/1" in vehicle.images',
    'vehicle.vin.matches("^WVW[A-Z0-9]+$")',
    'type(vehicle.id) == string',
    'vehicle.ecus.all(a, vehicle.ecus.exists(b, a.id == b.id))',
  ];
  for (const text of meant) {
    it(`means a vehicle by ${text}`, () => {
      assert.equal(parseFleetQuery(text).matches(vehicle), true);
    });
  }

  const notMeant = [
    'false',
    'vehicle.model == "X2"',
    'vehicle.model',
    '1',
    'vehicle.tags.colour == "red"',
    '!(vehicle.tags.colour == "red")',
    'vehicle.tags.colour.size() > 0',
    'vehicle.tags.toString == "x"',
    '1 / 0 == 1',
    'vehicle.ecus[7].id == "x"',
    'int(vehicle.model) > 1',
  ];
  for (const text of notMeant) {
    it(`does not mean a vehicle by ${text}`, () => {
      assert.equal(parseFleetQuery(text).matches(vehicle), false);
    });
  }

  it('means a vehicle without a VIN by its id', () => {
    const query = parseFleetQuery('vehicle.vin == "veh-1"');
    assert.equal(query.matches({ ...vehicle, vin: undefined }), true);
  });

  const refused: Readonly<Record<string, string>> = {
    nothing: '  ',
    'half an expression': 'vehicle.model ==',
    'more text than anybody reads': `true || ${'true || '.repeat(500)} true`,
    'a misspelt name': 'vehicel.model == "X1"',
    'a misspelt field': 'vehicle.modle == "X1"',
    'a misspelt field within a loop': 'vehicle.ecus.exists(e, vehicle.modle == e.id)',
    'a field that only other languages have': 'vehicle.__proto__ == 1',
    'a name of a loop outside it': 'vehicle.ecus.exists(e, true) && e.id == "x"',
    'a function that there is not': 'vehicle.model.startWith("X")',
    'three loops within one another':
      'vehicle.ecus.all(a, vehicle.ecus.all(b, vehicle.ecus.all(c, a.id == c.id)))',
    'deep nesting': `${'['.repeat(300)}1${']'.repeat(300)} == []`,
    'what nests too deep to be read': `${'['.repeat(1500)}1${']'.repeat(1500)} == []`,
  };
  for (const [what, text] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      assert.throws(() => parseFleetQuery(text), { code: 'QUERY_MALFORMED' });
    });
  }

  it('takes two loops within one another, and no more than 4,000 characters', () => {
    assert.equal(parseFleetQuery(`true${' '.repeat(3996)}`).matches(vehicle), true);
    assert.throws(() => parseFleetQuery(`true${' '.repeat(3997)}`), { code: 'QUERY_MALFORMED' });
  });

  it('reads or refuses whatever comes, and answers yes or no', () => {
    const parts = ['vehicle', '.', 'tags', 'model', '(', ')', '[', ']', '"a"', '==', '&&', '!'];
    const words = fc.array(
      fc.constantFrom(...parts, 'all', 'e', ',', '1', '?', ':', 'in', '{', '}'),
      {
        maxLength: 12,
      },
    );
    fc.assert(
      fc.property(
        fc.oneof(
          words.map((some) => some.join(' ')),
          fc.string(),
        ),
        (text) => {
          try {
            assert.equal(typeof parseFleetQuery(text).matches(vehicle), 'boolean');
          } catch (error) {
            assert.ok(error instanceof CloudFault);
          }
        },
      ),
    );
  });
});
