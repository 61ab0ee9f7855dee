import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  CounterReceiver,
  CounterSender,
  importAesKey,
  NO_FRESHNESS,
  SecocReceiver,
  type SecocReceiverOptions,
  SecocSender,
  TripReceiver,
  TripSender,
} from '../../src/index.ts';
import { MemoryStore } from '../support/memory-store.ts';

const key = importAesKey(Buffer.from('2b7e151628aed2a6abf7158809cf4f3c', 'hex'));
const message = bytes('11223344');

describe('SecocSender, the worked vectors', () => {
  it('makes the frame of profile 1', () => {
    const store = new MemoryStore();
    store.values.set('secoc/send/291', 0x104n);
    const sender = new SecocSender({
      key,
      dataId: 0x123,
      profile: '24Bit-CMAC-8Bit-FV',
      freshness: new CounterSender(store),
    });
    assert.equal(hex(sender.protect(message)), '11223344054766d7');
  });

  it("makes the frame of JASPAR's profile", () => {
    const clock = { current: { trip: 0x12, reset: 0x345 } };
    const sender = new SecocSender({
      key,
      dataId: 0x2e4,
      profile: 'JASPAR',
      freshness: new TripSender(clock),
    });
    for (let count = 0; count < 0x67; count += 1) sender.protect(message);
    assert.equal(hex(sender.protect(bytes('deadbeef'))), 'deadbeefd5b63f04');
  });

  it('makes a frame without freshness of seven bytes', () => {
    const options = {
      key,
      dataId: 1,
      profile: '24Bit-CMAC-No-FV',
      freshness: NO_FRESHNESS,
    } as const;
    const secured = new SecocSender(options).protect(message);
    assert.equal(secured.length, 7);
    assert.deepEqual(new SecocReceiver(options).verify(secured, 0), message);
  });
});

describe('SecocReceiver', () => {
  it('takes messages in order, and across lost ones', () => {
    const { sender, receiver } = counters();
    for (const lost of [0, 1, 0, 254, 255, 300, 700]) {
      for (let count = 0; count < lost; count += 1) sender.protect(message);
      assert.deepEqual(Uint8Array.from(receiver.verify(sender.protect(message), 0)), message);
    }
  });

  it('refuses a message that was there before', () => {
    const { sender, receiver } = counters();
    const first = sender.protect(message);
    receiver.verify(first, 0);
    refuses(() => receiver.verify(first, 0), 'REPLAY');
    receiver.verify(sender.protect(message), 0);
    refuses(() => receiver.verify(first, 0), 'REPLAY');
  });

  it('refuses an older message that was lost before', () => {
    const { sender, receiver } = counters();
    const lost = sender.protect(message);
    receiver.verify(sender.protect(message), 0);
    refuses(() => receiver.verify(lost, 0), 'REPLAY');
  });

  it('refuses a message under another identifier, by another key, or with any bit flipped', () => {
    const { sender, receiver, options } = counters();
    const secured = sender.protect(message);
    const other = new SecocReceiver({ ...options(), dataId: 8 });
    refuses(() => other.verify(secured, 0), 'MAC_MISMATCH');
    const foreign = new SecocReceiver({ ...options(), key: importAesKey(new Uint8Array(16)) });
    refuses(() => foreign.verify(secured, 0), 'MAC_MISMATCH');
    for (let bit = 0; bit < secured.length * 8; bit += 1) {
      const flipped = Uint8Array.from(secured);
      flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
      // A pause after each, so that none is refused for the number of them.
      refuses(() => receiver.verify(flipped, bit * 1000), 'MAC_MISMATCH');
    }
    receiver.verify(secured, 1_000_000);
  });

  it('refuses a message beyond its attempts', () => {
    for (const [lost, isTaken] of [
      [1023, true],
      [1024, false],
    ] as const) {
      const { sender, receiver } = counters();
      for (let count = 0; count < lost; count += 1) sender.protect(message);
      const secured = sender.protect(message);
      if (isTaken) receiver.verify(secured, 0);
      else refuses(() => receiver.verify(secured, 0), 'MAC_MISMATCH');
    }
  });

  it('looks at no more than a burst of wrong ones, then at one a second', () => {
    const { sender, receiver } = counters();
    const secured = sender.protect(message);
    const wrong = Uint8Array.from(secured, (byte) => byte ^ 0x80);
    for (let count = 0; count < 8; count += 1) {
      refuses(() => receiver.verify(wrong, 0), 'MAC_MISMATCH');
    }
    refuses(() => receiver.verify(secured, 999), 'THROTTLED');
    refuses(() => receiver.verify(wrong, 1000), 'MAC_MISMATCH');
    refuses(() => receiver.verify(secured, 1999), 'THROTTLED');
    receiver.verify(secured, 2000);
    receiver.verify(sender.protect(message), 2000);
  });

  it('refuses what is too short or too long', () => {
    const { sender, receiver } = counters();
    refuses(() => receiver.verify(new Uint8Array(3), 0), 'PDU_LENGTH');
    refuses(() => receiver.verify(new Uint8Array(4101), 0), 'PDU_LENGTH');
    refuses(() => sender.protect(new Uint8Array(4097)), 'PDU_LENGTH');
    assert.equal(receiver.verify(sender.protect(new Uint8Array(4096)), 0).length, 4096);
  });

  it('refuses identifiers and attempts out of range', () => {
    const { options } = counters();
    for (const part of [{ dataId: -1 }, { dataId: 0x10000 }, { attempts: 0 }, { attempts: 17 }]) {
      refuses(() => new SecocReceiver({ ...options(), ...part }), 'FIELD_RANGE');
    }
  });
});

describe('CounterReceiver, after the power failed', () => {
  it('takes nothing again that it has seen, and follows soon', () => {
    const { sender, receiver, options, store } = counters();
    const seen = Array.from({ length: 50 }, () => sender.protect(message));
    for (const secured of seen) receiver.verify(secured, 0);
    const again = new SecocReceiver(options());
    let atMs = 0;
    for (const secured of seen) {
      atMs += 2000;
      const now = atMs;
      refuses(() => again.verify(secured, now), 'REPLAY');
    }
    let refused = 0;
    for (let isTaken = false; !isTaken; refused += 1) {
      atMs += 1000;
      try {
        again.verify(sender.protect(message), atMs);
        isTaken = true;
      } catch {
        assert.ok(refused < 40);
      }
    }
    assert.ok(store.saves < 8, `${store.saves} writes`);
  });

  it('accepts nothing that it could not write off', () => {
    const { sender, receiver, store } = counters();
    const secured = sender.protect(message);
    store.isBroken = true;
    assert.throws(() => receiver.verify(secured, 0), RangeError);
    store.isBroken = false;
    receiver.verify(secured, 0);
  });

  it('refuses a stored counter that is none', () => {
    const { receiver, store, sender } = counters();
    const secured = sender.protect(message);
    store.values.set('secoc/receive/7', -1n);
    refuses(() => receiver.verify(secured, 0), 'FRESHNESS_CORRUPT');
  });
});

describe('CounterSender', () => {
  it('never repeats a value over restarts', () => {
    const store = new MemoryStore();
    const seen = new Set<string>();
    for (let restart = 0; restart < 20; restart += 1) {
      const freshness = new CounterSender(store);
      for (let count = 0; count < restart * 3; count += 1) seen.add(hex(freshness.next(1).full));
    }
    assert.equal(seen.size, (19 * 20 * 3) / 2);
  });

  it('ends at its last value', () => {
    const store = new MemoryStore();
    store.values.set('secoc/send/1', 2n ** 64n - 2n);
    const freshness = new CounterSender(store);
    assert.equal(hex(freshness.next(1).full), 'ffffffffffffffff');
    refuses(() => freshness.next(1), 'FRESHNESS_EXHAUSTED');
  });

  it('keeps at most as many streams as a vehicle has', () => {
    const freshness = new CounterSender(new MemoryStore());
    for (let dataId = 0; dataId < 1024; dataId += 1) freshness.next(dataId);
    refuses(() => freshness.next(1024), 'FIELD_RANGE');
    const trips = new TripReceiver({ current: { trip: 1, reset: 0 } });
    const full = new Uint8Array(6);
    for (let dataId = 0; dataId < 1024; dataId += 1) trips.accept(dataId, 0, full);
    refuses(() => trips.accept(1024, 0, full), 'FIELD_RANGE');
  });
});

function counters(): {
  readonly sender: SecocSender;
  readonly receiver: SecocReceiver;
  readonly store: MemoryStore;
  readonly options: () => SecocReceiverOptions;
} {
  const store = new MemoryStore();
  const stream = { key, dataId: 7, profile: '24Bit-CMAC-8Bit-FV' } as const;
  const options = (): SecocReceiverOptions => ({
    ...stream,
    freshness: new CounterReceiver(store),
  });
  return {
    sender: new SecocSender({ ...stream, freshness: new CounterSender(new MemoryStore()) }),
    receiver: new SecocReceiver(options()),
    store,
    options,
  };
}

function refuses(action: () => unknown, code: string): void {
  assert.throws(action, { code });
}

function bytes(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'hex'));
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex');
}
