import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { describe, it } from 'node:test';
import {
  acceptSheUpdate,
  type AesKey,
  checkSheConfirmation,
  importAesKey,
  makeSheUpdate,
  type SheFlag,
  type SheMemory,
  type SheOrder,
  type SheSlot,
  type SheUpdate,
} from '../../src/index.ts';

const MASTER = keyOf('000102030405060708090a0b0c0d0e0f');
const NEW = keyOf('0f0e0d0c0b0a09080706050403020100');
const UNIT = Uint8Array.from(Buffer.from('000000000000000000000000000001', 'hex'));
const ANY = new Uint8Array(15);

const ORDER: SheOrder = {
  unit: UNIT,
  slot: 4,
  authorisingSlot: 1,
  authorisingKey: MASTER,
  key: NEW,
  counter: 1,
  flags: new Set(),
};

describe('makeSheUpdate()', () => {
  it('makes the published vector, and the unit its proof', () => {
    const update = makeSheUpdate(ORDER);
    assert.equal(hex(update.m1), '00000000000000000000000000000141');
    assert.equal(
      hex(update.m2),
      '2b111e2d93f486566bcbba1d7f7a9797c94643b050fc5d4d7de14cff682203c3',
    );
    assert.equal(hex(update.m3), 'b9d745e5ace7d41860bc63c2b9f5bb46');
    const { slot, content, confirmation } = acceptSheUpdate(memoryOf(), update);
    assert.equal(slot, 4);
    assert.deepEqual(content.key.export(), NEW.export());
    assert.equal(content.counter, 1);
    assert.equal(
      hex(confirmation.m4),
      '00000000000000000000000000000141b472e8d8727d70d57295e74849a27917',
    );
    assert.equal(hex(confirmation.m5), '820d8d95dc11b4668878160cb2a4e23e');
    checkSheConfirmation(ORDER, UNIT, confirmation);
  });

  it('refuses fields out of range', () => {
    for (const part of [
      { unit: new Uint8Array(14) },
      { slot: 16 },
      { authorisingSlot: -1 },
      { counter: 2 ** 28 },
      { counter: 0.5 },
    ]) {
      refuses(() => makeSheUpdate({ ...ORDER, ...part }), 'FIELD_RANGE');
    }
  });
});

describe('acceptSheUpdate()', () => {
  it('carries counter and flags', () => {
    for (const flags of [
      ['write-protected'],
      ['own-unit-only', 'authenticates'],
      ['boot-protected', 'debugger-protected'],
    ] as const) {
      const counter = 2 ** 28 - 1;
      const update = makeSheUpdate({ ...ORDER, counter, flags: new Set(flags) });
      const { content } = acceptSheUpdate(memoryOf(), update);
      assert.equal(content.counter, counter);
      assert.deepEqual(content.flags, new Set<SheFlag>(flags));
    }
  });

  it('refuses a counter that does not rise', () => {
    const memory = memoryOf([[4, slotOf(NEW, 5)]]);
    for (const counter of [0, 4, 5]) {
      refuses(
        () => acceptSheUpdate(memory, makeSheUpdate({ ...ORDER, counter })),
        'UPDATE_COUNTER',
      );
    }
    acceptSheUpdate(memory, makeSheUpdate({ ...ORDER, counter: 6 }));
  });

  it('refuses any flipped bit', () => {
    const update = makeSheUpdate(ORDER);
    for (const name of ['m1', 'm2', 'm3'] as const) {
      for (let bit = 0; bit < update[name].length * 8; bit += 1) {
        const flipped = Uint8Array.from(update[name]);
        flipped[bit >>> 3] = (flipped[bit >>> 3] ?? 0) ^ (1 << (bit & 7));
        assert.throws(
          () => acceptSheUpdate(memoryOf(), { ...update, [name]: flipped }),
          (error) => ['UPDATE_MAC', 'UPDATE_SLOT'].includes(codeOf(error) ?? ''),
        );
      }
    }
  });

  it('refuses messages by another key, and those of another length', () => {
    const foreign = makeSheUpdate({ ...ORDER, authorisingKey: NEW });
    refuses(() => acceptSheUpdate(memoryOf(), foreign), 'UPDATE_MAC');
    const update: SheUpdate = { ...makeSheUpdate(ORDER), m2: new Uint8Array(16) };
    refuses(() => acceptSheUpdate(memoryOf(), update), 'UPDATE_LENGTH');
  });

  it('takes an order for any unit unless the slot forbids it', () => {
    const update = makeSheUpdate({ ...ORDER, unit: ANY });
    const { confirmation } = acceptSheUpdate(memoryOf(), update);
    checkSheConfirmation({ ...ORDER, unit: ANY }, UNIT, confirmation);
    const closed = memoryOf([[4, slotOf(NEW, 0, ['own-unit-only'])]]);
    refuses(() => acceptSheUpdate(closed, update), 'UPDATE_UNIT');
    acceptSheUpdate(closed, makeSheUpdate(ORDER));
    const other = makeSheUpdate({ ...ORDER, unit: Uint8Array.from(UNIT, (byte) => byte ^ 2) });
    refuses(() => acceptSheUpdate(memoryOf(), other), 'UPDATE_UNIT');
  });

  it('never replaces the key of a closed slot', () => {
    const memory = memoryOf([[4, slotOf(NEW, 1, ['write-protected'])]]);
    const update = makeSheUpdate({ ...ORDER, counter: 2 });
    refuses(() => acceptSheUpdate(memory, update), 'UPDATE_WRITE_PROTECTED');
  });

  it('lets only those keys authorise that may', () => {
    const slots = Array.from({ length: 16 }, (_, slot) => [slot, slotOf(MASTER, 0)] as const);
    for (let slot = 0; slot < 16; slot += 1) {
      for (let authorisingSlot = 0; authorisingSlot < 16; authorisingSlot += 1) {
        const isFit =
          slot >= 1 &&
          slot <= 13 &&
          (authorisingSlot === 1 ||
            (slot === 3 ? authorisingSlot === 2 : authorisingSlot === slot));
        const update = makeSheUpdate({ ...ORDER, slot, authorisingSlot });
        const accept = (): unknown => acceptSheUpdate(memoryOf(slots), update);
        if (isFit) accept();
        else refuses(accept, 'UPDATE_SLOT');
      }
    }
    refuses(
      () => acceptSheUpdate({ unit: UNIT, slots: new Map() }, makeSheUpdate(ORDER)),
      'UPDATE_SLOT',
    );
  });
});

describe('checkSheConfirmation()', () => {
  it('refuses the proof of another key, unit or counter', () => {
    const { confirmation } = acceptSheUpdate(memoryOf(), makeSheUpdate(ORDER));
    for (const order of [
      { ...ORDER, key: MASTER },
      { ...ORDER, counter: 2 },
    ]) {
      refuses(() => checkSheConfirmation(order, UNIT, confirmation), 'UPDATE_UNCONFIRMED');
    }
    refuses(() => checkSheConfirmation(ORDER, ANY, confirmation), 'UPDATE_UNCONFIRMED');
    const short = { ...confirmation, m5: new Uint8Array(15) };
    refuses(() => checkSheConfirmation(ORDER, UNIT, short), 'UPDATE_UNCONFIRMED');
  });
});

describe('importAesKey()', () => {
  it('makes keys that do not print themselves', () => {
    for (const text of [inspect(ORDER, { depth: 9 }), JSON.stringify(ORDER), inspect(NEW)]) {
      assert.doesNotMatch(text, /0f0e0d|15, *14, *13|0f, *0e/i);
    }
  });
});

function memoryOf(slots: Iterable<readonly [number, SheSlot]> = []): SheMemory {
  return { unit: UNIT, slots: new Map([[1, slotOf(MASTER, 0)], ...slots]) };
}

function slotOf(key: AesKey, counter: number, flags: readonly SheFlag[] = []): SheSlot {
  return { key, counter, flags: new Set(flags) };
}

function keyOf(text: string): AesKey {
  return importAesKey(Buffer.from(text, 'hex'));
}

function refuses(action: () => unknown, code: string): void {
  assert.throws(action, { code });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

function hex(value: Uint8Array): string {
  return Buffer.from(value).toString('hex');
}
