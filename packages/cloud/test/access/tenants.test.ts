import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { parseDeviceId } from '@immota/pki';
import { createTenant } from '../../src/access/tenants.ts';
import { issueCredentials, saveVehicle } from '../../src/index.ts';
import { provisionVehicle } from '../../src/inventory/credentials.ts';
import { startTestPlatform, type TestPlatform } from '../support/running-platform.ts';

let world: TestPlatform;
before(async () => {
  world = await startTestPlatform();
  await createTenant(world.platform.cloud.context, { tenantId: 'acme', name: 'Acme' });
});
after(() => world.close());

async function tenantOf(vehicleId: string): Promise<string | undefined> {
  const row = await world.platform.cloud.context.database.kysely
    .selectFrom('vehicle')
    .select('tenant')
    .where('vehicle_id', '=', vehicleId)
    .executeTakeFirst();
  return row?.tenant;
}

describe('a vehicle', () => {
  it('gets its tenant from the credentials that provision it', async () => {
    const { context } = world.platform.cloud;
    const days = undefined;
    await provisionVehicle(context, 'new-1', { days, by: 'bootstrap:line-1' });
    await provisionVehicle(context, 'new-2', { days, by: 'bootstrap:acme:line-1' });
    assert.deepEqual([await tenantOf('new-1'), await tenantOf('new-2')], ['main', 'acme']);
    await assert.rejects(
      provisionVehicle(context, 'new-3', { days, by: 'bootstrap:nobody:line-1' }),
      { code: 'DEVICE_UNLISTED' },
    );
    assert.equal(await tenantOf('new-3'), undefined);
  });

  it('that another tenant has listed is not to be had', async () => {
    const { context } = world.platform.cloud;
    await saveVehicle(context, { vehicleId: 'listed-1' }, { tenant: 'acme' });
    await assert.rejects(
      provisionVehicle(context, 'listed-1', { days: undefined, by: 'bootstrap:line-1' }),
      { code: 'DEVICE_UNLISTED' },
    );
    await provisionVehicle(context, 'listed-1', { days: undefined, by: 'bootstrap:acme:x' });
    assert.equal(await tenantOf('listed-1'), 'acme');
  });

  it('cannot have the name of a fleet’s record', async () => {
    const { context } = world.platform.cloud;
    for (const name of ['fleet', 'fleet:acme']) {
      await assert.rejects(saveVehicle(context, { vehicleId: name }), {
        code: 'REQUEST_MALFORMED',
      });
      await assert.rejects(issueCredentials(context, parseDeviceId(name)), {
        code: 'REQUEST_MALFORMED',
      });
      await assert.rejects(
        provisionVehicle(context, name, { days: undefined, by: 'bootstrap:x' }),
        { code: 'DEVICE_UNLISTED' },
      );
    }
  });
});

describe('createTenant()', () => {
  it('refuses a name that is taken, or none', async () => {
    const { context } = world.platform.cloud;
    await assert.rejects(createTenant(context, { tenantId: 'acme', name: 'x' }), {
      code: 'TENANT_EXISTS',
    });
    for (const tenantId of ['', 'Acme', '1a', 'a_b', 'a'.repeat(64)]) {
      await assert.rejects(createTenant(context, { tenantId, name: 'x' }), {
        code: 'REQUEST_MALFORMED',
      });
    }
    await createTenant(context, { tenantId: 'a'.repeat(63), name: 'x' });
  });
});
