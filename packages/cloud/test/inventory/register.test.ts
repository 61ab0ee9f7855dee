import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Registration } from '@immota/api';
import { generateSigner } from '@immota/pki';
import { openTestDatabase, type TestDatabase } from '@immota/store/testing';
import type { CloudContext } from '../../src/context.ts';
import { eventLog } from '../../src/event-log/event-log.ts';
import {
  approveReplacement,
  type CloudSchema,
  listReplacements,
  MIGRATIONS,
  rejectReplacement,
  saveVehicle,
} from '../../src/index.ts';
import { registerEcus, type ReplacementPolicy } from '../../src/inventory/register.ts';
import { repeatingEntropy, standingClock } from '../support/ports.ts';
import { clientKey, TestVehicle } from '../support/vehicle.ts';

let test: TestDatabase<CloudSchema>;
let context: CloudContext;
let vehicle: TestVehicle;
before(async () => {
  test = await openTestDatabase<CloudSchema>(MIGRATIONS);
  const entropy = repeatingEntropy('inventory');
  context = { database: test.database, events: eventLog, clock: standingClock(), entropy };
});
after(() => test.drop());
beforeEach(async () => {
  await test.database.kysely.deleteFrom('vehicle').execute();
  await test.database.kysely.deleteFrom('event').execute();
  vehicle = new TestVehicle('veh-1', [
    ['TBOX-1', 'tbox-hw'],
    ['BRAKE-1', 'brake-hw'],
  ]);
});

function register(
  registration: Registration = vehicle.registration(),
  policy: ReplacementPolicy = 'approve',
  vehicleId = vehicle.id,
): Promise<string> {
  return registerEcus(context, vehicleId, { registration, policy });
}

async function ecus(): Promise<readonly (readonly [string, string, boolean])[]> {
  const rows = await test.database.kysely
    .selectFrom('ecu')
    .select(['ecu_id', 'key_algorithm', 'is_primary'])
    .where('vehicle_id', '=', vehicle.id)
    .orderBy('ecu_id')
    .execute();
  return rows.map((row) => [row.ecu_id, row.key_algorithm, row.is_primary]);
}

async function events(): Promise<readonly string[]> {
  const rows = await test.database.kysely
    .selectFrom('event')
    .select('kind')
    .orderBy('sequence')
    .execute();
  return rows.map(({ kind }) => kind);
}

/** The same vehicle with another key, or other hardware, in place of its second ECU. */
function changed(ecu: Partial<Registration['ecus'][number]>): Registration {
  const registration = vehicle.registration();
  const [first, second] = registration.ecus;
  assert.ok(first !== undefined && second !== undefined);
  return { ...registration, ecus: [first, { ...second, ...ecu }] };
}

const newKey = (): { clientKey: Registration['ecus'][number]['clientKey'] } => ({
  clientKey: clientKey(generateSigner('ed25519')),
});
const unknownKey = { clientKey: { keytype: 'unknown', keyval: { public: '' } } };

describe('registerEcus()', () => {
  it('takes Ed25519 in capitals, RSA in PEM, and a Secondary that cannot be reached {uptane F1} {uptane F3} {uptane F4}', async () => {
    const registration = changed({ clientKey: clientKey(generateSigner('rsa-pss')) });
    const third = { ecu_serial: 'IVI-1', hardware_identifier: 'ivi-hw', ...unknownKey };
    const all = { ...registration, ecus: [...registration.ecus, third] };
    assert.equal(await register(all), 'created');
    assert.deepEqual(await ecus(), [
      ['BRAKE-1', 'rsa-pss', false],
      ['IVI-1', 'unknown', false],
      ['TBOX-1', 'ed25519', true],
    ]);
    assert.deepEqual(await events(), ['vehicle.registered']);
  });

  it('changes nothing when the same comes again', async () => {
    await register();
    assert.equal(await register(), 'unchanged');
    assert.equal(await register(changed(unknownKey)), 'unchanged');
    assert.deepEqual(await events(), ['vehicle.registered']);
  });

  it('takes the key of a Secondary that can be reached at last', async () => {
    await register(changed(unknownKey));
    assert.equal(await register(), 'updated');
    assert.deepEqual((await ecus())[0], ['BRAKE-1', 'ed25519', false]);
  });

  const waiting: Readonly<Record<string, () => Registration>> = {
    'another key': () => changed(newKey()),
    'other hardware': () => changed({ hardware_identifier: 'brake-hw-2' }),
    'another serial': () => changed({ ecu_serial: 'BRAKE-2' }),
    'another Primary': () => ({ ...vehicle.registration(), primary_ecu_serial: 'BRAKE-1' }),
    'an ECU less': () => {
      const registration = vehicle.registration();
      return { ...registration, ecus: registration.ecus.slice(0, 1) };
    },
  };
  for (const [what, make] of Object.entries(waiting)) {
    it(`lets ${what} wait for an operator, and tells so once`, async () => {
      await register();
      const known = await ecus();
      const registration = make();
      for (let times = 0; times < 2; times += 1) {
        await assert.rejects(register(registration), { code: 'ECU_REPLACEMENT' });
      }
      assert.deepEqual(await ecus(), known);
      const requests = (await events()).filter((kind) => kind === 'ecu.replacement-requested');
      const pending = await listReplacements(context);
      assert.equal(requests.length, pending.length);
      for (const { ecu_id: ecuId } of pending) {
        await approveReplacement(context, { vehicleId: vehicle.id, ecuId, by: 'operator' });
      }
      assert.equal(await register(registration), 'unchanged');
      assert.deepEqual(await listReplacements(context), []);
    });
  }

  it('lets a vehicle change by itself where the policy says so', async () => {
    await register();
    assert.equal(await register(changed(newKey()), 'allow'), 'updated');
    assert.ok((await events()).includes('ecu.replaced'));
  });

  it('refuses a serial that is another vehicle’s, also when both come at once', async () => {
    const registration = vehicle.registration();
    const outcomes = await Promise.allSettled([
      register(registration),
      register(registration, 'approve', 'veh-2'),
    ]);
    const refused = outcomes.filter(({ status }) => status === 'rejected');
    assert.equal(refused.length, 1);
    const rows = await test.database.kysely.selectFrom('ecu').select('vehicle_id').execute();
    assert.equal(new Set(rows.map((row) => row.vehicle_id)).size, 1);
    await assert.rejects(register(registration, 'approve', 'veh-3'), { code: 'ECU_REUSE' });
  });

  const malformed: Readonly<Record<string, () => Registration>> = {
    'a key that is none': () =>
      changed({ clientKey: { keytype: 'ED25519', keyval: { public: 'zz' } } }),
    'a serial twice': () => changed({ ecu_serial: 'TBOX-1' }),
    'no Primary': () => ({ ...vehicle.registration(), primary_ecu_serial: 'IVI-1' }),
    'a Primary without a key': () => {
      const registration = vehicle.registration();
      const [first] = registration.ecus;
      assert.ok(first !== undefined);
      return { ...registration, ecus: [{ ...first, ...unknownKey }] };
    },
    'no hardware': () => changed({ hardware_identifier: '' }),
    'a control character': () => changed({ ecu_serial: 'BRAKE\u0000' }),
  };
  for (const [what, make] of Object.entries(malformed)) {
    it(`refuses ${what}`, async () => {
      await assert.rejects(register(make()), { code: 'ECU_MALFORMED' });
      assert.deepEqual(await ecus(), []);
    });
  }
});

describe('approveReplacement()', () => {
  it('begins the counter anew and forgets the old encryption key', async () => {
    await register();
    const { kysely } = test.database;
    await kysely
      .updateTable('ecu')
      .set({ report_counter: 9, encryption_key: Buffer.from('old') })
      .execute();
    await assert.rejects(register(changed(newKey())), { code: 'ECU_REPLACEMENT' });
    const decision = { vehicleId: vehicle.id, ecuId: 'BRAKE-1', by: 'operator' };
    await approveReplacement(context, decision);
    const row = await kysely
      .selectFrom('ecu')
      .select(['report_counter', 'encryption_key'])
      .where('ecu_id', '=', 'BRAKE-1')
      .executeTakeFirstOrThrow();
    assert.deepEqual(row, { report_counter: null, encryption_key: null });
    await assert.rejects(approveReplacement(context, decision), { code: 'NOT_FOUND' });
  });
});

describe('rejectReplacement()', () => {
  it('leaves the key as it is', async () => {
    await register();
    await assert.rejects(register(changed(newKey())), { code: 'ECU_REPLACEMENT' });
    const decision = { vehicleId: vehicle.id, ecuId: 'BRAKE-1', by: 'operator' };
    await rejectReplacement(context, decision);
    assert.deepEqual(await listReplacements(context), []);
    assert.equal(await register(), 'unchanged');
    await assert.rejects(rejectReplacement(context, decision), { code: 'NOT_FOUND' });
  });
});

describe('saveVehicle()', () => {
  it('adds to what is known and takes nothing away {uptane F2}', async () => {
    await saveVehicle(context, { vehicleId: 'veh-5', vin: 'VIN5', tags: { plant: 'A' } });
    await saveVehicle(context, { vehicleId: 'veh-5', model: 'M' });
    const row = await test.database.kysely
      .selectFrom('vehicle')
      .select(['vin', 'model', 'tags'])
      .where('vehicle_id', '=', 'veh-5')
      .executeTakeFirstOrThrow();
    assert.deepEqual(row, { vin: 'VIN5', model: 'M', tags: { plant: 'A' } });
  });

  it('refuses names that no vehicle can have', async () => {
    await assert.rejects(saveVehicle(context, { vehicleId: 'a b' }), { code: 'MALFORMED' });
    await assert.rejects(saveVehicle(context, { vehicleId: 'bootstrap:x' }), {
      code: 'REQUEST_MALFORMED',
    });
  });
});
