import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { fleetSchemas, OPERATOR_PREFIX } from '@immota/api';
import { registerEcus } from '../../src/inventory/register.ts';
import { startTestPlatform, type TestPlatform } from '../support/running-platform.ts';
import { TestVehicle } from '../support/vehicle.ts';

let world: TestPlatform;
before(async () => {
  world = await startTestPlatform();
  const vehicle = new TestVehicle('route-1', [['ECU-1', 'a-hw']]);
  const registration = vehicle.registration();
  const { context } = world.platform.cloud;
  await registerEcus(context, vehicle.id, { registration, policy: 'approve' });
  await world.platform.director.accept(vehicle.id, await vehicle.manifest());
});
after(() => world.close());

const get = async (path: string): Promise<unknown> => {
  const answer = await world.ask('GET', `${OPERATOR_PREFIX}/${path}`, { as: 'viewer' });
  assert.equal(answer.status, 200, JSON.stringify(answer.json));
  return answer.json;
};

describe('the routes of the fleet', () => {
  it('answer in the form that the API states', async () => {
    const cockpit = fleetSchemas.cockpitSchema.parse(await get('fleet/cockpit'));
    assert.equal(cockpit.vehicles, 1);
    const facets = fleetSchemas.fleetFacetsSchema.parse(await get('fleet/facets'));
    assert.deepEqual(facets.hardware, [{ value: 'a-hw', vehicles: 1 }]);
    const versions = await get('fleet/versions?hardwareId=a-hw&days=2');
    assert.equal(fleetSchemas.versionHistorySchema.parse(versions).days.length, 2);
    const lanes = fleetSchemas.vehicleLanesSchema.parse(await get('vehicles/route-1/lanes'));
    assert.deepEqual(
      lanes.lanes.map(({ laneId }) => laneId),
      ['vehicle', 'ECU-1'],
    );
    const configuration = await get('vehicles/route-1/configuration');
    const [ecu] = fleetSchemas.configurationSchema.parse(configuration).ecus;
    assert.equal(ecu?.difference, 'same');
    assert.deepEqual(await get('vehicles/route-1/consents'), { items: [] });
  });

  it('count and list by a query that may ask for the time', async () => {
    const json = { query: 'vehicle.lastSeen > now - duration("1h")', sample: 1 };
    const counted = await world.ask('POST', `${OPERATOR_PREFIX}/fleet/count`, {
      as: 'viewer',
      json,
    });
    const { vehicles, isExact, sample } = fleetSchemas.fleetCountSchema.parse(counted.json);
    assert.deepEqual([vehicles, isExact, sample[0]?.vehicleId], [1, true, 'route-1']);
    const query = encodeURIComponent('"a-hw" in vehicle.hardware');
    const list = await get(`fleet/vehicles?query=${query}&sort=-lastSeenAt`);
    assert.deepEqual((list as { items: readonly { ecus: number }[] }).items[0]?.ecus, 1);
  });

  const refused: Readonly<Record<string, readonly [string, string]>> = {
    'a query that is none': [
      'fleet/vehicles?query=vehicle.modle%20%3D%3D%20%22X%22',
      'QUERY_MALFORMED',
    ],
    'a place that is none': ['fleet/vehicles?after=x', 'REQUEST_MALFORMED'],
    'an export of what is no query': ['fleet/export?query=1', 'QUERY_MALFORMED'],
    'a vehicle that is not there': ['vehicles/none/lanes', 'NOT_FOUND'],
  };
  for (const [what, [path, code]] of Object.entries(refused)) {
    it(`refuse ${what}`, async () => {
      const answer = await world.ask('GET', `${OPERATOR_PREFIX}/${path}`, { as: 'viewer' });
      assert.equal(answer.json['code'], code);
    });
  }
});
