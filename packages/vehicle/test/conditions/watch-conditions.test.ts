import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PARKED, type UnmetCondition, watchConditions } from '@immota/vehicle';
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
