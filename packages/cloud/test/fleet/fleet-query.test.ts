import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  parseHardwareIdentifier,
  parseEcuIdentifier,
  parseVehicleIdentifier,
} from '@immota/uptane';
import * as fc from 'fast-check';
import { parseFleetQuery } from '../../src/fleet/query/fleet-query.ts';
import type { VehicleInventory } from '../../src/director/ports.ts';
import { CloudFault } from '../../src/fault.ts';

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
    'vehicle.ecus.filter(e, e.primary).size() == 1',
    'vehicle.ecus.exists_one(e, e.hardware == "tbox-hw")',
    'vehicle.registered && !vehicle.quarantined && !has(vehicle.lastSeen)',
    'size(vehicle.hardware) == 1 && size(vehicle.rxswins) == 0',
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
    'vehicle.tags.colour == "red"',
    '!(vehicle.tags.colour == "red")',
    'vehicle.tags.colour.size() > 0',
    'vehicle.tags.toString == "x"',
    'vehicle.tags.fleet',
    'vehicle.tags.fleet > 1',
    'vehicle.lastSeen < timestamp("2099-01-01T00:00:00Z")',
    'vehicle.campaigns.exists(c, c.state == "failed")',
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
    'a result that is a text': 'vehicle.model',
    'a result that is a number': '1',
    'what has no value': '1 / 0 == 1',
    'a text and a number': 'vehicle.model == 1',
    'an order that there is not': 'vehicle.model < 1',
    'a field that no ECU has': 'vehicle.ecus.exists(e, e.version == "1")',
    'a place in a list': 'vehicle.ecus[7].id == "x"',
    'a conversion of what is asked': 'int(vehicle.model) > 1',
    'a type that is asked for': 'type(vehicle.id) == string',
    'a map of a list': 'vehicle.ecus.map(e, e.image).size() > 1',
    'a loop over a text': 'vehicle.model.exists(c, c == "a")',
    'the time where nobody says what time it is': 'vehicle.lastSeen < now',
    'a text that no database holds': String.raw`vehicle.model == "\u0000"`,
    'a number that is not exact': 'vehicle.tags.n == 9007199254740993',
    'a repetition within a repetition': 'vehicle.vin.matches("(a+)+$")',
    'a back reference': String.raw`vehicle.vin.matches("(a)\\1")`,
    'a choice that doubles too often': `${'('.repeat(14)}true${' ? vehicle.tags.a : vehicle.tags.b)'.repeat(14)}`,
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
