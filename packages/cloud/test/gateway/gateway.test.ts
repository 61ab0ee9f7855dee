import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startTestCloud, type TestCloud } from '../support/running-cloud.ts';
import { TestVehicle } from '../support/vehicle.ts';

let cloud: TestCloud;
before(async () => {
  cloud = await startTestCloud();
});
after(() => cloud.close());

describe('a vehicle', () => {
  it('registers, reports and fetches its metadata', async () => {
    const vehicle = new TestVehicle('veh-1', [['TBOX-1', 'tbox-hw']]);
    const client = await cloud.client('veh-1');
    const registration = JSON.stringify(vehicle.registration());
    assert.equal((await client.ask('POST', '/director/ecus', { body: registration })).status, 201);
    assert.equal((await client.ask('POST', '/director/ecus', { body: registration })).status, 200);
    const manifest = await vehicle.manifest();
    assert.equal((await client.ask('PUT', '/director/manifest', { body: manifest })).status, 200);
    assert.equal((await client.ask('GET', '/director/1.root.json')).status, 200);
    const absent = await client.ask('GET', '/director/2.root.json');
    assert.deepEqual([absent.status, absent.body.length], [404, 0]);
    const targets = await client.ask('GET', '/director/targets.json');
    assert.equal(targets.status, 200);
    assert.equal(targets.headers['content-encoding'], undefined);
    const timestamp = await client.ask('GET', '/director/timestamp.json');
    const { etag = '' } = timestamp.headers;
    const headers = { 'if-none-match': etag };
    const again = await client.ask('GET', '/director/timestamp.json', { headers });
    assert.equal(again.status, 304);
  });
});
