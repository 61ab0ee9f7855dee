/**
 * New keys for a unit with a Secure Hardware Extension: three messages to it (M1 to M3), two back as the
 * proof (M4, M5). No key travels in the clear, and the counter of a slot only rises.
 *
 * @source SHE functional specification 1.1, chapter 9; AUTOSAR Secure Hardware Extensions
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concatBytes, equalBytes } from '@immota/base';
import {
  type AesKey,
  BLOCK_BYTES,
  computeCmac,
  encryptBlock,
  importAesKey,
  isSameMac,
} from './cmac.ts';
import { SecocFault } from './secoc-fault.ts';
import { SHE_FLAGS, type SheFlag, type SheMemory, type SheSlot } from './she-memory.ts';

/** What a new key is to become. */
export interface SheOrder {
  /** 15 bytes; all zero for any unit, where the slot allows that. */
  readonly unit: Uint8Array;
  readonly slot: number;
  /** The slot of the key that authorises. */
  readonly authorisingSlot: number;
  readonly authorisingKey: AesKey;
  readonly key: AesKey;
  /** Above that of the key that is there; up to 2^28 - 1. */
  readonly counter: number;
  readonly flags: ReadonlySet<SheFlag>;
}

/** What is sent to the unit. */
export interface SheUpdate {
  readonly m1: Uint8Array;
  readonly m2: Uint8Array;
  readonly m3: Uint8Array;
}

/** What the unit answers. */
export interface SheConfirmation {
  readonly m4: Uint8Array;
  readonly m5: Uint8Array;
}

/** Bytes of a unit's number. */
const UNIT_BYTES = 15;
const COUNTER_MAX = 2 ** 28 - 1;
const SLOT_MAX = 15;
const ZERO_BLOCK = new Uint8Array(BLOCK_BYTES);
const ENCRYPTION_CONSTANT = Buffer.from('010153484500800000000000000000b0', 'hex');
const MAC_CONSTANT = Buffer.from('010253484500800000000000000000b0', 'hex');

const MASTER_SLOT = 1;
const BOOT_MAC_KEY_SLOT = 2;
const BOOT_MAC_SLOT = 3;
const LAST_KEY_SLOT = 13;

/** Makes the messages for the unit. @throws SecocFault FIELD_RANGE. */
export function makeSheUpdate(order: SheOrder): SheUpdate {
  const { unit, slot, authorisingSlot, authorisingKey, key, counter, flags } = order;
  const isFit =
    unit.length === UNIT_BYTES &&
    isUpTo(slot, SLOT_MAX) &&
    isUpTo(authorisingSlot, SLOT_MAX) &&
    isUpTo(counter, COUNTER_MAX);
  if (!isFit)
    throw new SecocFault('FIELD_RANGE', 'Cannot make key update: a field is out of range');
  const m1 = concatBytes([unit, new Uint8Array([(slot << 4) | authorisingSlot])]);
  const head = new Uint8Array(BLOCK_BYTES);
  const bits = SHE_FLAGS.reduce((sum, flag) => sum * 2 + (flags.has(flag) ? 1 : 0), 0);
  const view = new DataView(head.buffer);
  view.setUint32(0, counter * 16 + (bits >>> 1));
  view.setUint8(4, (bits & 1) << 7);
  const secret = key.export();
  const cipher = createCipheriv(
    'aes-128-cbc',
    deriveKey(authorisingKey, ENCRYPTION_CONSTANT),
    ZERO_BLOCK,
  ).setAutoPadding(false);
  const m2 = concatBytes([cipher.update(head), cipher.update(secret)]);
  secret.fill(0);
  return { m1, m2, m3: computeCmac(deriveKey(authorisingKey, MAC_CONSTANT), m1, m2) };
}

/**
 * Takes a new key, as the unit does.
 *
 * @param memory - of the unit; it is not changed.
 * @param update - from outside.
 * @returns the slot as it becomes, and the proof. The slot is to be stored before the proof is sent.
 * @throws SecocFault UPDATE_LENGTH, UPDATE_SLOT, UPDATE_MAC, UPDATE_UNIT, UPDATE_WRITE_PROTECTED,
 * UPDATE_COUNTER.
 */
export function acceptSheUpdate(
  memory: SheMemory,
  { m1, m2, m3 }: SheUpdate,
): { readonly slot: number; readonly content: SheSlot; readonly confirmation: SheConfirmation } {
  if (m1.length !== BLOCK_BYTES || m2.length !== 2 * BLOCK_BYTES || m3.length !== BLOCK_BYTES) {
    throw new SecocFault('UPDATE_LENGTH', 'Cannot take key: the messages are not of their lengths');
  }
  const ids = m1[UNIT_BYTES] ?? 0;
  const slot = ids >>> 4;
  const authorisingSlot = ids & 0xf;
  const authorising = memory.slots.get(authorisingSlot);
  if (!mayAuthorise(slot, authorisingSlot) || authorising === undefined) {
    throw new SecocFault('UPDATE_SLOT', `Cannot take key: slot ${slot} by key ${authorisingSlot}`);
  }
  // Verified before anything of it is decrypted or told apart.
  if (!isSameMac(computeCmac(deriveKey(authorising.key, MAC_CONSTANT), m1, m2), m3)) {
    throw new SecocFault('UPDATE_MAC', 'Cannot take key: M3 is wrong');
  }
  const present = memory.slots.get(slot);
  checkUnit(memory, present, m1.subarray(0, UNIT_BYTES));
  if (present?.flags.has('write-protected') === true) {
    throw new SecocFault('UPDATE_WRITE_PROTECTED', `Cannot take key: slot ${slot} is closed`);
  }
  const content = decryptContent(authorising.key, m2);
  if (content.counter <= (present?.counter ?? 0)) {
    throw new SecocFault('UPDATE_COUNTER', 'Cannot take key: its counter does not rise');
  }
  const confirmation = confirm(memory.unit, ids, content);
  return { slot, content, confirmation };
}

/**
 * Checks that a unit has the new key now.
 *
 * @param unit - the unit that was meant, also where the order was for any.
 * @throws SecocFault UPDATE_UNCONFIRMED.
 */
export function checkSheConfirmation(
  order: SheOrder,
  unit: Uint8Array,
  { m4, m5 }: SheConfirmation,
): void {
  const ids = (order.slot << 4) | order.authorisingSlot;
  const expected = confirm(unit, ids, order);
  if (isSameMac(expected.m4, m4) && isSameMac(expected.m5, m5)) return;
  throw new SecocFault('UPDATE_UNCONFIRMED', 'Cannot confirm key: M4 or M5 is wrong');
}

function confirm(
  unit: Uint8Array,
  ids: number,
  { key, counter }: { readonly key: AesKey; readonly counter: number },
): SheConfirmation {
  const proof = new Uint8Array(BLOCK_BYTES);
  new DataView(proof.buffer).setUint32(0, counter * 16 + 8);
  const m4 = concatBytes([
    unit,
    new Uint8Array([ids]),
    encryptBlock(deriveKey(key, ENCRYPTION_CONSTANT), proof),
  ]);
  return { m4, m5: computeCmac(deriveKey(key, MAC_CONSTANT), m4) };
}

function checkUnit(memory: SheMemory, present: SheSlot | undefined, unit: Uint8Array): void {
  const isAny = unit.every((byte) => byte === 0);
  const isAllowed = isAny
    ? present?.flags.has('own-unit-only') !== true
    : equalBytes(unit, memory.unit);
  if (!isAllowed) throw new SecocFault('UPDATE_UNIT', 'Cannot take key: it is for another unit');
}

/** A key of use is authorised by itself or by the master, those of the boot by them. */
function mayAuthorise(slot: number, authorisingSlot: number): boolean {
  if (slot < MASTER_SLOT || slot > LAST_KEY_SLOT) return false;
  if (authorisingSlot === MASTER_SLOT) return true;
  if (slot === BOOT_MAC_SLOT) return authorisingSlot === BOOT_MAC_KEY_SLOT;
  return authorisingSlot === slot;
}

function decryptContent(authorisingKey: AesKey, m2: Uint8Array): SheSlot {
  const key = deriveKey(authorisingKey, ENCRYPTION_CONSTANT);
  const decipher = createDecipheriv('aes-128-cbc', key, ZERO_BLOCK).setAutoPadding(false);
  const plain = decipher.update(m2);
  try {
    const view = new DataView(plain.buffer, plain.byteOffset, plain.length);
    const head = view.getUint32(0);
    const bits = ((head & 0xf) << 1) | (view.getUint8(4) >>> 7);
    return {
      key: importAesKey(plain.subarray(BLOCK_BYTES)),
      counter: head >>> 4,
      flags: new Set(
        SHE_FLAGS.filter((_, index) => ((bits >>> (SHE_FLAGS.length - 1 - index)) & 1) === 1),
      ),
    };
  } finally {
    plain.fill(0);
  }
}

/** Miyaguchi-Preneel over key and constant, each one block. */
function deriveKey(key: AesKey, constant: Uint8Array): AesKey {
  const secret = key.export();
  let chained: Uint8Array = ZERO_BLOCK;
  for (const block of [secret, constant]) {
    const encrypted = encryptBlock(importAesKey(chained), block);
    const previous = chained;
    chained = encrypted.map((byte, index) => byte ^ (block[index] ?? 0) ^ (previous[index] ?? 0));
  }
  secret.fill(0);
  return importAesKey(chained);
}

function isUpTo(value: number, max: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= max;
}
