import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  importAesKey,
  SecocReceiver,
  SecocSender,
  type TripClock,
  TripMaster,
  TripReceiver,
  TripSender,
  TripSlave,
  type TripState,
} from '../../src/index.ts';
import { MemoryStore } from '../support/memory-store.ts';

const key = importAesKey(Buffer.from('2b7e151628aed2a6abf7158809cf4f3c', 'hex'));
const message = new Uint8Array([1, 2, 3, 4]);
const CYCLE_MS = 1000;

describe('TripMaster', () => {
  it('makes the worked vector of a synchronisation', () => {
    const store = storeAt('secoc/trip/master', 0x11n);
    const master = masterOf(store);
    let last: Uint8Array | undefined;
    for (let reset = 0; reset <= 0x345; reset += 1) last = send(master, reset * CYCLE_MS);
    assert.equal(hex(last), '001200345070f521');
  });

  it('stores its trip before it sends', () => {
    const store = new MemoryStore();
    masterOf(store);
    assert.equal(store.values.get('secoc/trip/master'), 1n);
    assert.deepEqual(masterOf(store).current, { trip: 2, reset: 0 });
    store.isBroken = true;
    assert.throws(() => masterOf(store), RangeError);
  });

  it('sends at once, then each cycle, and resets once however late', () => {
    const master = masterOf(new MemoryStore());
    assert.equal(master.deadlineMs, 0);
    assert.equal(master.elapse(0).length, 1);
    assert.equal(master.elapse(999).length, 0);
    assert.deepEqual(master.current, { trip: 1, reset: 0 });
    assert.equal(master.elapse(50_000).length, 1);
    assert.deepEqual(master.current, { trip: 1, reset: 1 });
    assert.equal(master.deadlineMs, 51_000);
  });

  it('has no trip after the last, rather than the first again', () => {
    masterOf(storeAt('secoc/trip/master', 0xfffen));
    refuses(() => masterOf(storeAt('secoc/trip/master', 0xffffn)), 'FRESHNESS_EXHAUSTED');
    refuses(() => masterOf(storeAt('secoc/trip/master', 0x10000n)), 'FRESHNESS_CORRUPT');
  });
});

describe('TripSlave', () => {
  it('follows the master forward only', () => {
    const master = masterOf(new MemoryStore());
    const slave = slaveOf(new MemoryStore());
    assert.equal(slave.current, undefined);
    const first = send(master, 0);
    const second = send(master, 1000);
    assert.deepEqual(slave.accept(first, 0), { trip: 1, reset: 0 });
    refuses(() => slave.accept(first, 0), 'SYNC_NOT_NEWER');
    slave.accept(second, 0);
    refuses(() => slave.accept(first, 0), 'SYNC_NOT_NEWER');
    assert.deepEqual(slave.current, { trip: 1, reset: 1 });
  });

  it('goes back for no old message after its own restart, and follows the master again', () => {
    const master = masterOf(new MemoryStore());
    const store = new MemoryStore();
    const slave = slaveOf(store);
    const seen = Array.from({ length: 40 }, (_, index) => send(master, index * CYCLE_MS));
    for (const bytes of seen) slave.accept(bytes, 0);
    assert.ok(store.saves <= 2, `${store.saves} writes`);
    const again = slaveOf(store);
    for (const bytes of seen) refuses(() => again.accept(bytes, 0), 'SYNC_NOT_NEWER');
    for (let index = 40; again.current === undefined; index += 1) {
      assert.ok(index < 80, 'it follows within 32 resets');
      const bytes = send(master, index * CYCLE_MS);
      try {
        again.accept(bytes, 0);
      } catch (error) {
        assert.equal(codeOf(error), 'SYNC_NOT_NEWER');
      }
    }
  });

  it('takes no state that it could not write off', () => {
    const store = new MemoryStore();
    const slave = slaveOf(store);
    const bytes = send(masterOf(new MemoryStore()), 0);
    store.isBroken = true;
    assert.throws(() => slave.accept(bytes, 0), RangeError);
    assert.equal(slave.current, undefined);
  });

  it('refuses forged messages, and many of them at a pace', () => {
    const slave = slaveOf(new MemoryStore());
    const bytes = send(masterOf(new MemoryStore()), 0);
    for (let bit = 0; bit < 64; bit += 1) {
      const flipped = Uint8Array.from(bytes);
      flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(
        () => slave.accept(flipped, bit * 1000),
        (error) => ['MAC_MISMATCH', 'SYNC_NOT_NEWER'].includes(codeOf(error) ?? ''),
      );
    }
    const forged = Uint8Array.from(bytes, (byte, index) => (index === 7 ? byte ^ 1 : byte));
    for (let count = 0; count < 8; count += 1) {
      refuses(() => slave.accept(forged, 1e6), 'MAC_MISMATCH');
    }
    refuses(() => slave.accept(bytes, 1e6), 'THROTTLED');
    slave.accept(bytes, 1e6 + 1000);
    refuses(() => slave.accept(new Uint8Array(7), 1e7), 'PDU_LENGTH');
  });

  it('refuses a stored state that is none', () => {
    refuses(() => slaveOf(storeAt('secoc/trip/slave', 2n ** 40n)), 'FRESHNESS_CORRUPT');
  });
});

describe('TripSender and TripReceiver', () => {
  it('agree while one of them is a reset behind or ahead', () => {
    for (const [sends, receives] of [
      [5, 5],
      [5, 6],
      [6, 5],
    ] as const) {
      const { sender, receiver } = pair(clockAt(sends), clockAt(receives));
      for (let count = 0; count < 9; count += 1) receiver.verify(sender.protect(message), 0);
    }
  });

  it('disagree when one is two resets away, or in another trip', () => {
    for (const [sends, receives] of [
      [5, 7],
      [7, 5],
      [0, 4],
    ] as const) {
      const { sender, receiver } = pair(clockAt(sends), clockAt(receives));
      refuses(() => receiver.verify(sender.protect(message), 0), 'MAC_MISMATCH');
    }
    const { sender, receiver } = pair(clockAt(5), { current: { trip: 2, reset: 5 } });
    refuses(() => receiver.verify(sender.protect(message), 0), 'MAC_MISMATCH');
  });

  it('bear lost messages up to their attempts', () => {
    for (const [lost, isTaken] of [
      [15, true],
      [16, false],
    ] as const) {
      const { sender, receiver } = pair(clockAt(5), clockAt(5));
      receiver.verify(sender.protect(message), 0);
      for (let count = 0; count < lost; count += 1) sender.protect(message);
      const secured = sender.protect(message);
      if (isTaken) receiver.verify(secured, 0);
      else refuses(() => receiver.verify(secured, 0), 'MAC_MISMATCH');
    }
  });

  it('refuse replays within a reset, of the one before, and of an earlier trip', () => {
    const clock = { current: { trip: 1, reset: 5 } };
    const { sender, receiver } = pair(clock, clock);
    const first = sender.protect(message);
    receiver.verify(first, 0);
    refuses(() => receiver.verify(first, 0), 'REPLAY');
    clock.current = { trip: 1, reset: 6 };
    receiver.verify(sender.protect(message), 0);
    refuses(() => receiver.verify(first, 0), 'MAC_MISMATCH');
    clock.current = { trip: 2, reset: 5 };
    receiver.verify(sender.protect(message), 0);
    refuses(() => receiver.verify(first, 0), 'MAC_MISMATCH');
  });

  it('need a synchronisation first, and a reset after 256 messages', () => {
    const silent = pair({ current: undefined }, { current: undefined });
    refuses(() => silent.sender.protect(message), 'NOT_SYNCHRONISED');
    refuses(() => silent.receiver.verify(new Uint8Array(8), 0), 'NOT_SYNCHRONISED');
    const clock = { current: { trip: 1, reset: 5 } };
    const { sender, receiver } = pair(clock, clock);
    for (let count = 0; count < 256; count += 1) receiver.verify(sender.protect(message), 0);
    refuses(() => sender.protect(message), 'FRESHNESS_EXHAUSTED');
    clock.current = { trip: 1, reset: 6 };
    receiver.verify(sender.protect(message), 0);
  });
});

function pair(
  sends: TripClock,
  receives: TripClock,
): { readonly sender: SecocSender; readonly receiver: SecocReceiver } {
  const stream = { key, dataId: 0x2e4, profile: 'JASPAR' } as const;
  return {
    sender: new SecocSender({ ...stream, freshness: new TripSender(sends) }),
    receiver: new SecocReceiver({ ...stream, freshness: new TripReceiver(receives) }),
  };
}

function clockAt(reset: number): { readonly current: TripState } {
  return { current: { trip: 1, reset } };
}

function masterOf(store: MemoryStore): TripMaster {
  return new TripMaster({ key, dataId: 0xf, store, resetCycleMs: CYCLE_MS }, 0);
}

function slaveOf(store: MemoryStore): TripSlave {
  return new TripSlave({ key, dataId: 0xf, store });
}

function storeAt(name: string, value: bigint): MemoryStore {
  const store = new MemoryStore();
  store.values.set(name, value);
  return store;
}

function send(master: TripMaster, atMs: number): Uint8Array {
  const [output] = master.elapse(atMs);
  assert.ok(output !== undefined);
  return output.bytes;
}

function refuses(action: () => unknown, code: string): void {
  assert.throws(action, { code });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function hex(value: Uint8Array | undefined): string {
  return Buffer.from(value ?? []).toString('hex');
}
