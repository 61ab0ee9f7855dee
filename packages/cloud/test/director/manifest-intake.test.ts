import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { refusalOf } from '../../src/gateway/refusal-table.ts';
import { registerEcus } from '../../src/inventory/register.ts';
import { MANIFEST_ATTEMPTS_MAX } from '../../src/limits.ts';
import { TestVehicle } from '../support/vehicle.ts';
import { type DirectorWorld, openDirectorWorld } from '../support/world.ts';

let world: DirectorWorld;
before(async () => {
  world = await openDirectorWorld();
});
after(() => world.close());

async function storedCounter(vehicle: TestVehicle): Promise<number | null> {
  const { report_counter: counter } = await world.test.database.kysely
    .selectFrom('ecu')
    .select('report_counter')
    .where('vehicle_id', '=', vehicle.id)
    .executeTakeFirstOrThrow();
  return counter;
}

describe('ManifestIntake.accept()', () => {
  it('gives way to others of the same vehicle so often, and no more', async () => {
    const vehicle = new TestVehicle('veh-1', [['TBOX-1', 'tbox-hw']]);
    const registration = vehicle.registration();
    await registerEcus(world.context, vehicle.id, { registration, policy: 'approve' });
    const manifests: Uint8Array[] = [];
    for (let index = 0; index <= MANIFEST_ATTEMPTS_MAX; index += 1) {
      manifests.push(await vehicle.manifest());
    }
    // All come at once: in each round the first that waits is stored, and the others look again.
    const outcomes = await Promise.allSettled(
      manifests.map((manifest) => world.director.accept(vehicle.id, manifest)),
    );
    const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    assert.deepEqual(
      refused.map((error: unknown) => refusalOf(error)).map(({ status, code }) => [status, code]),
      [[409, 'MANIFEST_CONFLICT']],
    );
    assert.equal(outcomes.at(-1)?.status, 'rejected');
    assert.equal(await storedCounter(vehicle), MANIFEST_ATTEMPTS_MAX);
    // It is sent again, as vehicles do, and nothing is lost.
    await world.director.accept(vehicle.id, manifests.at(-1) ?? new Uint8Array());
    assert.equal(await storedCounter(vehicle), MANIFEST_ATTEMPTS_MAX + 1);
  });
});
