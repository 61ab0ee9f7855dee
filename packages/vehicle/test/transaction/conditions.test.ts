/** The vehicle's condition holds a transaction back, and lets it go on. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CheckInResult, ConditionsGate, GateScope, GateStep } from '@immota/vehicle';
import { BRAKE, makeWorld, objectAt, TBOX } from '../support/world.ts';

/** A gate that a test opens and closes. */
class Gate implements ConditionsGate {
  readonly closed = new Set<GateStep>();
  readonly asked: GateStep[] = [];
  settled = 0;
  readonly #watchers = new Map<(reason: string) => void, GateStep>();

  // oxlint-disable-next-line require-await -- the port is asynchronous
  async check(step: GateStep): Promise<{ isGo: boolean; reason: string }> {
    this.asked.push(step);
    return this.closed.has(step)
      ? { isGo: false, reason: 'the vehicle moves' }
      : { isGo: true, reason: '' };
  }

  watch(step: GateStep, _: GateScope, onViolated: (reason: string) => void): () => void {
    this.#watchers.set(onViolated, step);
    return () => this.#watchers.delete(onViolated);
  }

  async settle(): Promise<void> {
    await Promise.resolve();
    this.settled += 1;
  }

  violate(): void {
    for (const tell of this.#watchers.keys()) tell('somebody opened the bonnet');
  }
}

function codeOf(result: CheckInResult): string {
  return 'fault' in result ? result.fault.code : result.kind;
}

async function prepared(test: Parameters<typeof makeWorld>[0]) {
  const world = await makeWorld(test, { hasSecondary: true });
  const { secondary: brake } = world;
  assert.ok(brake !== undefined);
  const gate = new Gate();
  const primary = await world.run({ gate });
  await primary.checkIn();
  await world.assign({
    [TBOX]: await world.addImage('tbox/fw-2.bin', 'tbox-hw'),
    [BRAKE]: await world.addImage('brake/fw-2.bin', 'brake-hw'),
  });
  const checkIn = (): Promise<CheckInResult> => primary.checkIn();
  const progress = (): unknown => objectAt(world.lastManifest(), ['custom', 'progress'])['state'];
  return { world, brake, gate, checkIn, progress };
}

describe('the conditions of a vehicle', () => {
  it('let nothing be activated while they are not met, for as long as that takes', async (test) => {
    const { brake, gate, checkIn, progress } = await prepared(test);
    gate.closed.add('activate');
    for (let count = 0; count < 8; count += 1) assert.equal(codeOf(await checkIn()), 'CONDITIONS');
    assert.equal(progress(), 'PRECONDITION');
    assert.equal(brake.running, undefined);
    gate.closed.clear();
    assert.equal(codeOf(await checkIn()), 'installed');
    assert.deepEqual(gate.asked.slice(-2), ['boot-self', 'boot-self']);
  });
  it('hold the next ECU back when they end between two, and the first one stays on trial', async (test) => {
    const { brake, gate, checkIn, progress } = await prepared(test);
    gate.closed.add('boot-self');
    assert.equal(codeOf(await checkIn()), 'CONDITIONS');
    assert.equal(brake.running?.name, 'brake/fw-2.bin');
    assert.equal((await brake.status()).phase, 'trial');
    gate.closed.clear();
    assert.equal(codeOf(await checkIn()), 'installed');
    assert.equal(progress(), undefined);
  });
  it('hear that the vehicle fits together when nothing was begun, or all of it has ended, and not between', async (test) => {
    const { gate, checkIn } = await prepared(test);
    gate.closed.add('activate');
    let before = gate.settled;
    assert.equal(codeOf(await checkIn()), 'CONDITIONS');
    assert.ok(gate.settled > before, 'nothing was begun');
    gate.closed.clear();
    gate.closed.add('boot-self');
    // One ECU runs the new image on trial, and this one the old: nobody may drive off.
    assert.equal(codeOf(await checkIn()), 'CONDITIONS');
    before = gate.settled;
    assert.equal(codeOf(await checkIn()), 'CONDITIONS');
    assert.equal(gate.settled, before);
    gate.closed.clear();
    assert.equal(codeOf(await checkIn()), 'installed');
    assert.ok(gate.settled > before, 'all of it has ended');
  });
  it('bring all back when they stay away too long, as soon as they let that happen', async (test) => {
    const { world, brake, gate, checkIn } = await prepared(test);
    gate.closed.add('boot-self').add('roll-back');
    for (let count = 0; count < 9; count += 1) assert.equal(codeOf(await checkIn()), 'CONDITIONS');
    assert.equal((await brake.status()).phase, 'trial');
    gate.closed.delete('roll-back');
    await world.assignNothing();
    assert.equal(codeOf(await checkIn()), 'failed');
    assert.equal(brake.running?.name, undefined);
  });
  it('take back what somebody activates out of turn, since no transaction has decided it {uptane L1}', async (test) => {
    const { brake, gate, checkIn } = await prepared(test);
    gate.closed.add('activate');
    assert.equal(codeOf(await checkIn()), 'CONDITIONS');
    await brake.activate();
    assert.equal((await brake.status()).phase, 'trial');
    assert.equal(codeOf(await checkIn()), 'CONDITIONS');
    assert.equal(brake.running, undefined);
    assert.equal((await brake.status()).phase, 'prepared');
    gate.closed.clear();
    assert.equal(codeOf(await checkIn()), 'installed');
  });
  it('are watched: no ECU is begun once they are violated', async (test) => {
    const { brake, gate, checkIn } = await prepared(test);
    const status = brake.status.bind(brake);
    let isViolated = false;
    brake.status = async () => {
      const answer = await status();
      // After the check, before the first boot.
      if (gate.asked.length >= 2 && !isViolated) {
        isViolated = true;
        gate.violate();
      }
      return answer;
    };
    assert.equal(codeOf(await checkIn()), 'CONDITIONS');
    assert.equal(brake.running, undefined);
    assert.equal(codeOf(await checkIn()), 'installed');
  });
});
