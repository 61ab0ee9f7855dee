import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generateSigner } from '@immota/pki';
import { AKTUALIZR, type KeyId, keyIdOf, type PublicKey, publicKeyFromDer } from '@immota/uptane';
import {
  type ApprovalContext,
  assessEnergy,
  checkEnergy,
  checkPlan,
  type EcuSafety,
  signApproval,
  type TechnicianApproval,
  verifyApproval,
} from '@immota/vehicle';
import { ConditionWorld } from '../support/condition-world.ts';

const SUPPLIED = 'Vehicle.Private.LowVoltageBattery.IsSupplied';

describe('checkEnergy()', () => {
  it('reckons with the way back, a margin, and half of the 12 V battery', () => {
    const world = new ConditionWorld();
    const budget = assessEnergy(
      [
        { watts: 120, minutes: 30 },
        { watts: 60, minutes: 10 },
      ],
      world,
      world.atMs,
    );
    assert.deepEqual(budget, {
      isCovered: true,
      neededWattHours: 175,
      lowVoltageWattHours: 288,
      tractionWattHours: 0,
      unknown: [],
    });
  });

  it('refuses what is a minute more than there is', () => {
    const world = new ConditionWorld();
    // 288 Wh are there; 115.2 Wh for one way.
    checkEnergy([{ watts: 60, minutes: 115.2 }], world, world.atMs);
    assert.throws(() => checkEnergy([{ watts: 60, minutes: 116.2 }], world, world.atMs), {
      code: 'ENERGY_SHORT',
    });
  });

  it('reckons with the traction battery while it feeds the 12 V net, above its reserve', () => {
    const world = new ConditionWorld();
    world.set(SUPPLIED, true);
    assert.equal(Math.round(assessEnergy([], world, world.atMs).tractionWattHours), 21_600);
    world.set('Vehicle.Powertrain.TractionBattery.StateOfCharge.Current', 15);
    assert.equal(assessEnergy([], world, world.atMs).tractionWattHours, 0);
  });

  it('takes for empty what it does not know', () => {
    for (const name of [
      'Vehicle.LowVoltageBattery.NominalCapacity',
      'Vehicle.Private.LowVoltageBattery.StateOfCharge',
    ]) {
      const world = new ConditionWorld();
      world.lose(name);
      const budget = assessEnergy([{ watts: 1, minutes: 1 }], world, world.atMs);
      assert.equal(budget.isCovered, false);
      assert.deepEqual(budget.unknown, [name]);
    }
    const world = new ConditionWorld();
    world.lose(SUPPLIED);
    assert.deepEqual(assessEnergy([], world, world.atMs).unknown, [SUPPLIED]);
    world.set(SUPPLIED, true, world.atMs - 6000);
    assert.equal(assessEnergy([], world, world.atMs).tractionWattHours, 0);
  });

  it('covers no load that is none', () => {
    const world = new ConditionWorld();
    for (const watts of [Number.NaN, Infinity, -60]) {
      assert.throws(() => checkEnergy([{ watts, minutes: 60 }], world, world.atMs), {
        code: 'ENERGY_SHORT',
      });
    }
  });
});

const safety = new Map<string, EcuSafety>([
  ['radio', { serves: ['other'], isTechnicianGated: false }],
  ['body', { serves: ['doors', 'other'], isTechnicianGated: false }],
  ['tbox', { serves: ['emergency-call'], isTechnicianGated: false }],
  ['camera', { serves: [], isTechnicianGated: true }],
]);
const signer = generateSigner('ed25519');
const keys = keysOf(signer.publicKeyDer);
const APPROVAL: TechnicianApproval = {
  id: 'ab'.repeat(16),
  technician: 'T-17',
  vehicle: 'WVWZZZ1',
  assignment: 'c-1',
  steps: ['activate'],
  ecus: ['body', 'camera'],
  from: Temporal.Instant.from('2026-11-22T08:00:00Z'),
  until: Temporal.Instant.from('2026-11-22T18:00:00Z'),
};

describe('checkPlan()', () => {
  it('lets a vehicle do by itself what takes nothing from people', () => {
    checkPlan(
      [
        { step: 'activate', ecus: ['radio'] },
        { step: 'wait', ecus: [] },
      ],
      safety,
    );
  });

  it('has a technician for doors, the emergency call, and what is gated', async () => {
    const bytes = await signApproval(APPROVAL, [signer]);
    const approval = verifyApproval(bytes, context());
    for (const ecu of ['body', 'tbox', 'camera']) {
      const plan = [{ step: 'activate', ecus: ['radio', ecu] }];
      assert.throws(() => checkPlan(plan, safety), { code: 'APPROVAL_MISSING' });
      const check = (): void => checkPlan(plan, safety, [approval]);
      if (ecu === 'tbox') assert.throws(check, { code: 'APPROVAL_MISSING' });
      else check();
    }
    const other = [{ step: 'erase', ecus: ['body'] }];
    assert.throws(() => checkPlan(other, safety, [approval]), { code: 'APPROVAL_MISSING' });
    // @ts-expect-error an approval that nobody verified is none
    assert.doesNotThrow(() => checkPlan([], safety, [APPROVAL]));
  });

  it('touches no ECU that nothing is known of, and has an end', () => {
    assert.throws(() => checkPlan([{ step: 'activate', ecus: ['new'] }], safety), {
      code: 'ECU_UNKNOWN',
    });
    const many = Array.from({ length: 1025 }, (_, index) => ({ step: `${index}`, ecus: [] }));
    checkPlan(many.slice(1), safety);
    assert.throws(() => checkPlan(many, safety), { code: 'CONDITION_MALFORMED' });
  });
});

describe('verifyApproval()', () => {
  it('takes an approval once', async () => {
    const bytes = await signApproval(APPROVAL, [signer]);
    const shared = context();
    assert.deepEqual({ ...verifyApproval(bytes, shared) }, APPROVAL);
    assert.throws(() => verifyApproval(bytes, shared), { code: 'APPROVAL_INVALID' });
  });

  it('refuses one for another vehicle or update, too early, too late', async () => {
    const bytes = await signApproval(APPROVAL, [signer]);
    for (const part of [
      { vehicle: 'WVWZZZ2' },
      { assignment: 'c-2' },
      { now: Temporal.Instant.from('2026-11-22T07:59:59Z') },
      { now: Temporal.Instant.from('2026-11-22T18:00:01Z') },
    ]) {
      assert.throws(() => verifyApproval(bytes, { ...context(), ...part }), {
        code: 'APPROVAL_INVALID',
      });
    }
  });

  it('refuses a signature by another key, altered bytes, and what says nothing', async () => {
    const stranger = generateSigner('ed25519');
    const bytes = await signApproval(APPROVAL, [signer]);
    const altered = Buffer.from(Buffer.from(bytes).toString().replace('"body"', '"tbox"'));
    for (const forged of [
      await signApproval(APPROVAL, [stranger]),
      altered,
      new Uint8Array(),
      Buffer.from('{}'),
      new Uint8Array(40_000).fill(0x20),
      await signApproval({ ...APPROVAL, steps: [] }, [signer]),
      await signApproval({ ...APPROVAL, id: 'x' }, [signer]),
    ]) {
      assert.throws(() => verifyApproval(forged, context()), { code: 'APPROVAL_INVALID' });
    }
    assert.throws(() => verifyApproval(bytes, { ...context(), keys: new Map() }), {
      code: 'APPROVAL_INVALID',
    });
  });

  it('uses nothing up that it refuses', async () => {
    const used: string[] = [];
    const bytes = await signApproval(APPROVAL, [signer]);
    const useOnce = (id: string): boolean => used.push(id) > 0;
    const late = Temporal.Instant.from('2027-01-01T00:00:00Z');
    assert.throws(() => verifyApproval(bytes, { ...context(), now: late, useOnce }), {
      code: 'APPROVAL_INVALID',
    });
    assert.deepEqual(used, []);
  });
});

function context(): ApprovalContext {
  const used = new Set<string>();
  return {
    keys,
    vehicle: 'WVWZZZ1',
    assignment: 'c-1',
    now: Temporal.Instant.from('2026-11-22T09:00:00Z'),
    useOnce: (id) => !used.has(id) && used.add(id).has(id),
  };
}

function keysOf(publicKeyDer: Uint8Array): ReadonlyMap<KeyId, PublicKey> {
  const key = publicKeyFromDer('ed25519', publicKeyDer);
  return new Map([[keyIdOf(AKTUALIZR, 'ed25519', publicKeyDer), key]]);
}
