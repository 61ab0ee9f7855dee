import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { generateSigner } from '@immota/pki';
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

async function registered(id: string, secondary?: string): Promise<TestVehicle> {
  const own = [`TBOX-${id}`, 'tbox-hw'] as const;
  const vehicle = new TestVehicle(
    id,
    secondary === undefined ? [own] : [own, [secondary, 'brake-hw']],
  );
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

  it('tells of each report that it refuses, also while its ECU counts as missing', async () => {
    const vehicle = await registered('forged', 'BRAKE-forged');
    await world.director.accept(vehicle.id, await vehicle.manifest());
    const own = vehicle.ecu(1).signer;
    vehicle.ecu(1).signer = generateSigner('ed25519');
    for (let times = 0; times < 2; times += 1) {
      await world.director.accept(vehicle.id, await vehicle.manifest());
    }
    vehicle.ecu(1).signer = own;
    for (let times = 0; times < 2; times += 1) {
      vehicle.ecu(1).counter = -1;
      await world.director.accept(vehicle.id, await vehicle.manifest());
    }
    const events = await world.eventsOf(vehicle.id);
    const counted = ['report.refused', 'report.replayed', 'ecu.missing'].map(
      (kind) => events.filter((one) => one === kind).length,
    );
    assert.deepEqual(counted, [2, 2, 1]);
  });

  it('puts on record which technician has let an update go on, and takes no other words {R156 7.1.4.2}', async () => {
    const vehicle = await registered('gated');
    const word = {
      correlationId: 'urn:immota:campaign:1',
      step: 'activate',
      decision: 'go',
      technician: 'ann-17',
      workSha256: '12',
      approvalSha256: '34',
      at: '2026-06-01T12:00:00Z',
    };
    const { technician: _, ...nobody } = word;
    const technician = [word, nobody, 'ann-17', { ...word, technician: 17 }];
    await world.director.accept(vehicle.id, await vehicle.manifest({ custom: { technician } }));
    await world.director.accept(vehicle.id, await vehicle.manifest({ custom: { technician: {} } }));
    const told = (await world.eventsOf(vehicle.id)).filter((kind) => kind === 'technician.spoke');
    assert.equal(told.length, 1);
  });
});
