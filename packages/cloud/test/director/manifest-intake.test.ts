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

async function registered(id: string): Promise<TestVehicle> {
  const vehicle = new TestVehicle(id, [[`TBOX-${id}`, 'tbox-hw']]);
  const registration = vehicle.registration();
  await registerEcus(world.context, id, { registration, policy: 'approve' });
  return vehicle;
}

describe('ManifestIntake.accept()', () => {
  it('takes manifests of many vehicles at once, and of one vehicle one after the other', async () => {
    const vehicle = await registered('one');
    const others: TestVehicle[] = [];
    for (let index = 0; index < 20; index += 1) others.push(await registered(`many-${index}`));
    const manifests = await Promise.all(others.map((other) => other.manifest()));
    const own = [await vehicle.manifest(), await vehicle.manifest()];
    await Promise.all([
      ...others.map((other, index) =>
        world.director.accept(other.id, manifests[index] ?? new Uint8Array()),
      ),
      world.director.accept(vehicle.id, own[0] ?? new Uint8Array()),
      world.director.accept(vehicle.id, own[1] ?? new Uint8Array()),
    ]);
    assert.equal(await storedCounter(vehicle), 2);
  });

  it('gives way to others of the same vehicle so often, and no more', async () => {
    const vehicle = await registered('patient');
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
