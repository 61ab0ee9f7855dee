import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  array,
  assert as holds,
  boolean,
  constantFrom,
  integer,
  nat,
  property,
  record,
  uint8Array,
} from 'fast-check';
import {
  acceptSheUpdate,
  checkSheConfirmation,
  CounterReceiver,
  CounterSender,
  importAesKey,
  makeSheUpdate,
  SecocFault,
  SecocReceiver,
  SecocSender,
  TokenBucket,
  TripMaster,
  TripReceiver,
  TripSender,
  TripSlave,
} from '../../src/index.ts';
import { MemoryStore } from '../support/memory-store.ts';

const key = importAesKey(new Uint8Array(16).fill(7));
const keyBytes = uint8Array({ minLength: 16, maxLength: 16 });

/** What may happen to a message on its way. */
const step = record({
  fate: constantFrom('deliver', 'lose', 'replay', 'restart sender', 'restart receiver', 'reset'),
  pick: nat(1000),
});

describe('SecocReceiver, over any history', () => {
  it('takes each message at most once and in order, counted by 64 bits', () => {
    holds(
      property(array(step, { maxLength: 120 }), (steps) => {
        const sendStore = new MemoryStore();
        const receiveStore = new MemoryStore();
        const stream = { key, dataId: 9, profile: '24Bit-CMAC-8Bit-FV' } as const;
        playHistory(steps, {
          sender: () => new SecocSender({ ...stream, freshness: new CounterSender(sendStore) }),
          receiver: () =>
            new SecocReceiver({ ...stream, freshness: new CounterReceiver(receiveStore) }),
          reset: () => undefined,
        });
      }),
      { numRuns: 60 },
    );
  });

  it('takes each message at most once and in order, by trip and reset', () => {
    holds(
      property(array(step, { maxLength: 120 }), (steps) => {
        const shared = { key, dataId: 0xf };
        const master = new TripMaster({ ...shared, store: new MemoryStore(), resetCycleMs: 1 }, 0);
        const sendStore = new MemoryStore();
        const receiveStore = new MemoryStore();
        let sendClock = new TripSlave({ ...shared, store: sendStore });
        let receiveClock = new TripSlave({ ...shared, store: receiveStore });
        const stream = { key, dataId: 9, profile: 'JASPAR' } as const;
        playHistory(steps, {
          sender: () => {
            sendClock = new TripSlave({ ...shared, store: sendStore });
            return new SecocSender({ ...stream, freshness: new TripSender(sendClock) });
          },
          receiver: () => {
            receiveClock = new TripSlave({ ...shared, store: receiveStore });
            return new SecocReceiver({ ...stream, freshness: new TripReceiver(receiveClock) });
          },
          reset: (atMs) => {
            for (const { bytes } of master.elapse(atMs)) {
              for (const slave of [sendClock, receiveClock]) {
                tryOrUndefined(() => slave.accept(bytes, atMs));
              }
            }
          },
        });
      }),
      { numRuns: 60 },
    );
  });

  it('answers any bytes with a message or a coded fault', () => {
    const store = new MemoryStore();
    const receivers = (['24Bit-CMAC-8Bit-FV', '24Bit-CMAC-No-FV', 'JASPAR'] as const).map(
      (profile) =>
        new SecocReceiver({ key, dataId: 1, profile, freshness: new CounterReceiver(store) }),
    );
    const slave = new TripSlave({ key, dataId: 1, store });
    const memory = { unit: new Uint8Array(15), slots: new Map([[1, slot()]]) };
    let atMs = 0;
    holds(
      property(uint8Array({ maxLength: 80 }), (bytes) => {
        atMs += 1000;
        const [m1, m2, m3] = [
          bytes.subarray(0, 16),
          bytes.subarray(16, 48),
          bytes.subarray(48, 64),
        ];
        for (const receiver of receivers) tryOrUndefined(() => receiver.verify(bytes, atMs));
        tryOrUndefined(() => slave.accept(bytes, atMs));
        tryOrUndefined(() => acceptSheUpdate(memory, { m1, m2, m3 }));
      }),
    );
    assert.equal(store.saves, 0);
  });
});

describe('acceptSheUpdate(), for any order', () => {
  it('takes what was made for it, and proves it', () => {
    const order = record({
      key: keyBytes,
      authorising: keyBytes,
      unit: uint8Array({ minLength: 15, maxLength: 15 }),
      counter: integer({ min: 1, max: 2 ** 28 - 1 }),
      slot: integer({ min: 4, max: 13 }),
      isForAny: boolean(),
    });
    holds(
      property(order, ({ key: secret, authorising, unit, isForAny, ...rest }) => {
        const made = {
          ...rest,
          unit: isForAny ? new Uint8Array(15) : unit,
          key: importAesKey(secret),
          authorisingSlot: 1,
          authorisingKey: importAesKey(authorising),
          flags: new Set(['authenticates'] as const),
        };
        const master = { key: made.authorisingKey, counter: 0, flags: new Set<never>() };
        const memory = { unit, slots: new Map([[1, master]]) };
        const { content, confirmation } = acceptSheUpdate(memory, makeSheUpdate(made));
        assert.deepEqual(Uint8Array.from(content.key.export()), secret);
        checkSheConfirmation(made, unit, confirmation);
      }),
      { numRuns: 50 },
    );
  });
});

describe('TokenBucket', () => {
  it('gives at most its burst and one more each period, whatever the times', () => {
    const times = array(integer({ min: -50, max: 400 }), { maxLength: 200 });
    holds(
      property(times, integer({ min: 1, max: 9 }), (pauses, capacity) => {
        const bucket = new TokenBucket({ capacity, refillMs: 100 });
        let atMs = 0;
        let latestMs = 0;
        let taken = 0;
        bucket.has(0);
        for (const pause of pauses) {
          atMs += pause;
          latestMs = Math.max(latestMs, atMs);
          if (bucket.take(atMs)) taken += 1;
          assert.ok(taken <= capacity + latestMs / 100);
        }
      }),
    );
  });
});

interface Parts {
  readonly sender: () => SecocSender;
  readonly receiver: () => SecocReceiver;
  readonly reset: (atMs: number) => void;
}

function playHistory(
  steps: readonly { readonly fate: string; readonly pick: number }[],
  parts: Parts,
): void {
  let sender = parts.sender();
  let receiver = parts.receiver();
  const sent: Uint8Array[] = [];
  let last = -1;
  let atMs = 0;
  parts.reset(atMs);
  for (const { fate, pick } of steps) {
    // Beyond the pause after wrong ones.
    atMs += 2000;
    if (fate === 'restart sender') sender = parts.sender();
    else if (fate === 'restart receiver') receiver = parts.receiver();
    else if (fate === 'reset') parts.reset(atMs);
    else if (fate === 'replay') deliver(sent[pick % Math.max(1, sent.length)]);
    else {
      const number = new Uint8Array([sent.length >>> 8, sent.length & 0xff]);
      const secured = tryOrUndefined(() => sender.protect(number));
      if (secured === undefined) continue;
      sent.push(secured);
      if (fate === 'deliver') deliver(secured);
    }
  }

  function deliver(secured: Uint8Array | undefined): void {
    if (secured === undefined) return;
    const message = tryOrUndefined(() => receiver.verify(secured, atMs));
    if (message === undefined) return;
    const number = (message[0] ?? 0) * 256 + (message[1] ?? 0);
    assert.ok(number > last, `message ${number} is taken after ${last}`);
    last = number;
  }
}

function slot(): { key: typeof key; counter: number; flags: ReadonlySet<never> } {
  return { key, counter: 0, flags: new Set() };
}

function tryOrUndefined<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch (error) {
    assert.ok(error instanceof SecocFault, String(error));
    return undefined;
  }
}
