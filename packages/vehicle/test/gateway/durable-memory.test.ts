import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { importAesKey, TripMaster, TripSlave } from '@immota/bus';
import { freshnessStoreOf, openState } from '@immota/vehicle';
import { GatewayWorld, RULES } from '../support/gateway-world.ts';
import { makeFolder } from '../support/folder.ts';
import { volatileCounters } from '../support/volatile-counters.ts';

const key = importAesKey(new Uint8Array(16).fill(3));

describe('freshnessStoreOf()', () => {
  it('keeps counters over restarts, whole or not at all', (test) => {
    const path = join(makeFolder(test), 'state.db');
    let isCut = false;
    const onWrite = (): void => {
      if (isCut) throw new RangeError('the power is off');
    };
    for (let trip = 1; trip <= 3; trip += 1) {
      const state = openState(path, { onWrite });
      const options = { key, dataId: 15, store: freshnessStoreOf(state), resetCycleMs: 1000 };
      assert.deepEqual(new TripMaster(options, 0).current, { trip, reset: 0 });
      isCut = true;
      assert.throws(() => new TripMaster(options, 0), RangeError);
      isCut = false;
      state.close();
    }
  });

  it('keeps all 64 bits, and refuses what is no counter', (test) => {
    const state = openState(join(makeFolder(test), 'state.db'));
    const store = freshnessStoreOf(state);
    assert.equal(store.load('a'), undefined);
    for (const value of [0n, 1n, 2n ** 64n - 1n]) {
      store.save('a', value);
      assert.equal(store.load('a'), value);
    }
    store.save('a', -1n);
    assert.throws(() => store.load('a'), { code: 'STATE_CORRUPT' });
    state.close();
  });
});

describe('createGateway(), with a master of freshness', () => {
  it('follows the master, forwards its messages once, and tells of forged ones', async () => {
    const shared = { key, dataId: 0x0f };
    const master = new TripMaster({ ...shared, store: volatileCounters(), resetCycleMs: 100 }, 0);
    const slave = new TripSlave({ ...shared, store: volatileCounters() });
    const [speed] = RULES.frames;
    const sync = { ...speed, ids: { first: 0x0f, last: 0x0f }, to: ['body'] };
    const world = new GatewayWorld({ ...RULES, frames: [sync] }, new Map(), [
      { bus: 'chassis', id: 0x0f, slave },
    ]);
    const [message] = master.elapse(0);
    assert.ok(message !== undefined);
    const hex = Buffer.from(message.bytes).toString('hex');
    await world.send('chassis', 0x0f, hex);
    assert.deepEqual(slave.current, { trip: 1, reset: 0 });
    assert.deepEqual(world.heard('body'), [hex]);
    await world.send('chassis', 0x0f, hex);
    await world.send('chassis', 0x0f, hex.replace(/^0001/, '0002'));
    assert.deepEqual(
      world.refusals.map(({ code }) => code),
      ['SYNC_NOT_NEWER', 'MAC_MISMATCH'],
    );
    assert.deepEqual(world.heard('body'), []);
    await world.send('obd', 0x0f, hex);
    assert.deepEqual(world.reasons().at(-1), 'unknown-identifier');
  });
});
