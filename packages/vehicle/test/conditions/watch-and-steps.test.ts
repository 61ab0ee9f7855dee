import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Immobiliser,
  PARKED,
  runImmobilised,
  type StepEnding,
  type UnmetCondition,
  watchConditions,
} from '@immota/vehicle';
import { ConditionWorld } from '../support/condition-world.ts';

const SPEED = 'Vehicle.Speed';

describe('watchConditions()', () => {
  it('says at once, and once, when a condition does not hold', () => {
    const world = new ConditionWorld();
    world.set(SPEED, 1);
    assert.deepEqual(watch(world).told, [['standing-still']]);
    assert.equal(world.waiting, 0);
    assert.equal(world.listening, 0);
  });

  it('says when a signal changes, without waiting for its turn', () => {
    const world = new ConditionWorld();
    const { told } = watch(world);
    world.advance(30);
    world.set(SPEED, 2);
    assert.deepEqual(told, [['standing-still']]);
    world.set(SPEED, 3);
    world.advance(1000);
    assert.equal(told.length, 1);
  });

  it('says when signals fall silent', () => {
    const world = new ConditionWorld();
    const { told } = watch(world);
    for (let turn = 0; turn < 5; turn += 1) world.advance(100);
    assert.deepEqual(told, []);
    world.advance(100);
    assert.deepEqual(told, [['standing-still', 'gear-park', 'parking-brake']]);
  });

  it('bears what is shorter than its grace, and no more', () => {
    const world = new ConditionWorld();
    const { told } = watch(world, 300);
    for (const [pauseMs, speed] of [
      [30, 1],
      [250, 0],
      [120, 0],
      [30, 1],
    ] as const) {
      world.advance(pauseMs);
      world.refresh();
      world.set(SPEED, speed);
    }
    world.advance(100);
    world.advance(199);
    assert.deepEqual(told, []);
    world.advance(100);
    assert.deepEqual(told, [['standing-still']]);
  });

  it('says nothing after it was ended', () => {
    const world = new ConditionWorld();
    const { told, stop } = watch(world);
    stop();
    world.set(SPEED, 9);
    world.advance(1000);
    assert.deepEqual(told, []);
    assert.equal(world.waiting + world.listening, 0);
  });

  it('looks no more often in a flood of signals', () => {
    const world = new ConditionWorld();
    const { stop } = watch(world);
    world.reads = 0;
    for (let count = 0; count < 10_000; count += 1) world.set(SPEED, 0);
    assert.equal(world.reads, 0);
    assert.equal(world.waiting, 1);
    stop();
  });
});

describe('runImmobilised()', () => {
  it('asks the immobiliser first, and lets go when the vehicle is fit to drive', async () => {
    const world = new ConditionWorld();
    const calls: string[] = [];
    const result = await runImmobilised({
      ...partsOf(world, calls),
      run: async (signal) => {
        calls.push('run');
        await Promise.resolve();
        assert.equal(signal.aborted, false);
        return 'fit-to-drive';
      },
    });
    assert.deepEqual(calls, ['hold: update', 'run', 'release']);
    assert.deepEqual(result, { ending: 'fit-to-drive', ceased: [] });
    assert.equal(world.waiting + world.listening, 0);
  });

  it('holds on when the step fails, or leaves the vehicle unfit', async () => {
    for (const isFailing of [true, false]) {
      const world = new ConditionWorld();
      const calls: string[] = [];
      const step = runImmobilised({
        ...partsOf(world, calls),
        run: async () => {
          await Promise.resolve();
          if (isFailing) throw new RangeError('flash is worn');
          return 'unfit';
        },
      });
      if (isFailing) await assert.rejects(step, RangeError);
      else assert.equal((await step).ending, 'unfit');
      assert.deepEqual(calls, ['hold: update']);
      assert.equal(world.waiting + world.listening, 0);
    }
  });

  it('begins nothing when a condition does not hold, before or after the hold', async () => {
    const world = new ConditionWorld();
    const calls: string[] = [];
    const parts = partsOf(world, calls);
    world.set(SPEED, 1);
    const run = unreached(calls);
    await assert.rejects(runImmobilised({ ...parts, run }), { code: 'CONDITION_UNMET' });
    assert.deepEqual(calls, []);
    world.set(SPEED, 0);
    const immobiliser: Immobiliser = {
      ...parts.immobiliser,
      hold: async (reason) => {
        await parts.immobiliser.hold(reason);
        world.set(SPEED, 1);
      },
    };
    await assert.rejects(runImmobilised({ ...parts, immobiliser, run }), {
      code: 'CONDITION_UNMET',
    });
    assert.deepEqual(calls, ['hold: update', 'release']);
  });

  it('begins nothing when the immobiliser refuses', async () => {
    const world = new ConditionWorld();
    const calls: string[] = [];
    const immobiliser: Immobiliser = {
      hold: async () => Promise.reject(new RangeError('no answer')),
      release: async () => {
        calls.push('release');
        await Promise.resolve();
      },
    };
    const parts = { ...partsOf(world, calls), immobiliser, run: unreached(calls) };
    await assert.rejects(runImmobilised(parts), { code: 'IMMOBILISER_REFUSED' });
    assert.deepEqual(calls, []);
  });

  it('tells the step when a condition ceases, and the caller which', async () => {
    const world = new ConditionWorld();
    const calls: string[] = [];
    const { ending, ceased } = await runImmobilised({
      ...partsOf(world, calls),
      run: async (signal) => {
        world.advance(50);
        world.set('Vehicle.Chassis.ParkingBrake.IsEngaged', false);
        assert.ok(signal.aborted);
        await Promise.resolve();
        return 'unfit';
      },
    });
    assert.equal(ending, 'unfit');
    assert.deepEqual(
      ceased.map(({ id }) => id),
      ['parking-brake'],
    );
    assert.deepEqual(calls, ['hold: update']);
  });
});

function watch(
  world: ConditionWorld,
  graceMs?: number,
): { readonly told: string[][]; readonly stop: () => void } {
  const told: string[][] = [];
  const onCeased = (unmet: readonly UnmetCondition[]): void => {
    told.push(unmet.map(({ id }) => id));
  };
  const options = { conditions: PARKED, signals: world, timer: world.timer, onCeased, graceMs };
  return { told, stop: watchConditions(options) };
}

function partsOf(
  world: ConditionWorld,
  calls: string[],
): Omit<Parameters<typeof runImmobilised>[0], 'run'> {
  const immobiliser: Immobiliser = {
    hold: async (reason) => {
      calls.push(`hold: ${reason}`);
      await Promise.resolve();
    },
    release: async () => {
      calls.push('release');
      await Promise.resolve();
    },
  };
  return { immobiliser, reason: 'update', conditions: PARKED, signals: world, timer: world.timer };
}

function unreached(calls: string[]): () => Promise<StepEnding> {
  return async () => {
    calls.push('run');
    return Promise.resolve('fit-to-drive');
  };
}
