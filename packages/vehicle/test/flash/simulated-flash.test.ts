/** What a NOR flash allows, what wears it, and what a power cut leaves. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type FlashGeometry,
  FlashPowerCut,
  type PowerFailure,
  SimulatedFlash,
} from '@immota/vehicle';
import { SMALL_PART } from '../support/flash-bench.ts';

const ZERO_PART: FlashGeometry = { ...SMALL_PART, erasedByte: 0x00 };
const DATA = Uint8Array.from({ length: 64 }, (_, index) => index * 37 + 11);

function make(geometry: FlashGeometry = SMALL_PART): SimulatedFlash {
  return new SimulatedFlash({ geometry });
}

async function read(flash: SimulatedFlash, at: number, lengthBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(lengthBytes);
  await flash.read(at, bytes);
  return bytes;
}

/** Writes the data with a cut in it. */
async function cutWrite(failure: Omit<PowerFailure, 'operation'>): Promise<SimulatedFlash> {
  const flash = make();
  flash.failPower({ ...failure, operation: 1 });
  await assert.rejects(flash.write(1024, DATA), FlashPowerCut);
  return flash;
}

/** Programming and erasing take bits away on the way from one to the other: the data's own stay. */
function keepsBitsOf(bytes: Uint8Array, data: Uint8Array): boolean {
  return bytes.every((byte, index) => (byte & (data[index] ?? 0)) === data[index]);
}

describe('SimulatedFlash', () => {
  for (const geometry of [SMALL_PART, ZERO_PART]) {
    it(`keeps what is written until it is erased, where erased reads ${geometry.erasedByte}`, async () => {
      const flash = make(geometry);
      await flash.write(1024, DATA);
      assert.deepEqual(await read(flash, 1024, 64), DATA);
      await flash.erase(1);
      const erased = new Uint8Array(64).fill(geometry.erasedByte);
      assert.deepEqual(await read(flash, 1024, 64), erased);
      await flash.write(1024, DATA);
      assert.equal(flash.wearOf(1), 1);
      assert.equal(flash.operations, 3);
    });
  }
  it('writes whole units alone', async () => {
    const flash = make();
    await assert.rejects(flash.write(1026, DATA), { code: 'MISALIGNED' });
    await assert.rejects(flash.write(1024, DATA.subarray(0, 6)), { code: 'MISALIGNED' });
    await flash.write(1028, DATA.subarray(0, 8));
  });
  it('writes no unit twice without an erase, not even the same bytes', async () => {
    const flash = make();
    await flash.write(1024, DATA);
    await assert.rejects(flash.write(1084, DATA.subarray(60)), { code: 'NOT_ERASED' });
    await flash.write(1088, DATA);
  });
  it('reaches nothing behind its end', async () => {
    const flash = make();
    const lengthBytes = 48 * 1024;
    await flash.write(lengthBytes - 64, DATA);
    await assert.rejects(flash.write(lengthBytes - 60, DATA), { code: 'OUT_OF_RANGE' });
    await assert.rejects(flash.read(lengthBytes - 1, new Uint8Array(2)), { code: 'OUT_OF_RANGE' });
    await assert.rejects(flash.read(-1, new Uint8Array(2)), { code: 'OUT_OF_RANGE' });
    await assert.rejects(flash.erase(48), { code: 'OUT_OF_RANGE' });
  });
  it('lets nothing change where the boot loader lies', async () => {
    const protectedSectors = { first: 0, count: 2 };
    const flash = new SimulatedFlash({ geometry: SMALL_PART, protectedSectors });
    await assert.rejects(flash.erase(1), { code: 'PROTECTED' });
    await assert.rejects(flash.write(2044, DATA), { code: 'PROTECTED' });
    await flash.erase(2);
    await flash.write(2048, DATA);
  });
  it('wears out', async () => {
    const flash = make({ ...SMALL_PART, enduranceCycles: 2 });
    await flash.erase(1);
    await flash.erase(1);
    await assert.rejects(flash.erase(1), { code: 'ERASE_FAILED' });
    await assert.rejects(flash.write(1024, DATA), { code: 'NOT_ERASED' });
    await flash.erase(2);
  });
  it('has cells that fail, and says so or does not', async () => {
    const flash = make();
    const region = { startBytes: 1024, lengthBytes: 1024, rate: 1 };
    flash.failRegions([{ ...region, operation: 'write', isSilent: false }]);
    await assert.rejects(flash.write(1024, DATA), { code: 'WRITE_FAILED' });
    await flash.write(2048, DATA);
    flash.failRegions([{ ...region, operation: 'erase', isSilent: true }]);
    await flash.erase(1);
    await assert.rejects(flash.write(1024, DATA), { code: 'NOT_ERASED' });
    flash.failRegions([{ ...region, operation: 'write', isSilent: true }]);
    await flash.erase(1);
    await flash.write(1024, DATA);
    assert.notDeepEqual(await read(flash, 1024, 64), DATA);
  });
  it('reads a bit wrong now and then, and keeps it right', async () => {
    const flash = make();
    await flash.write(1024, DATA);
    flash.flipReads(1);
    const wrong = await read(flash, 1024, 64);
    assert.equal(wrong.filter((byte, index) => byte !== DATA[index]).length, 1);
    flash.flipReads(0);
    assert.deepEqual(await read(flash, 1024, 64), DATA);
    flash.flipBit(1024, 3);
    assert.equal((await read(flash, 1024, 1))[0], 11 ^ 8);
  });
});

describe('SimulatedFlash without power', () => {
  it('does nothing until the power is back', async () => {
    const flash = await cutWrite({ kind: 'before', seed: 1 });
    assert.equal(flash.isOn, false);
    await assert.rejects(flash.read(0, new Uint8Array(1)), FlashPowerCut);
    await assert.rejects(flash.write(4096, DATA), FlashPowerCut);
    await assert.rejects(flash.erase(3), FlashPowerCut);
    flash.powerOn();
    await flash.write(1024, DATA);
  });
  it('has done all of it when the cut comes after', async () => {
    const flash = await cutWrite({ kind: 'after', seed: 1 });
    flash.powerOn();
    assert.deepEqual(await read(flash, 1024, 64), DATA);
  });
  it('strikes at the operation that was planned, and once', async () => {
    const flash = make();
    flash.failPower({ operation: 3, kind: 'before', seed: 1 });
    await flash.write(1024, DATA);
    await flash.erase(5);
    assert.equal(flash.isFailurePlanned, true);
    await assert.rejects(flash.erase(6), FlashPowerCut);
    flash.powerOn();
    await flash.erase(6);
    assert.equal(flash.isFailurePlanned, false);
  });
  it('has written whole units, one in part, and nothing behind it when a write is torn', async () => {
    const places = new Set<number>();
    for (let seed = 0; seed < 60; seed += 1) {
      const flash = await cutWrite({ kind: 'torn', seed });
      flash.powerOn();
      const bytes = await read(flash, 1024, 64);
      const units = Array.from({ length: 16 }, (_, unit) => bytes.subarray(unit * 4, unit * 4 + 4));
      const dataOf = (unit: number): Uint8Array => DATA.subarray(unit * 4, unit * 4 + 4);
      const torn = units.findIndex((unit, index) => Buffer.compare(unit, dataOf(index)) !== 0);
      const at = torn === -1 ? 15 : torn;
      assert.ok(units.slice(at + 1).every((unit) => unit.every((byte) => byte === 0xff)));
      assert.ok(keepsBitsOf(units[at] ?? DATA, dataOf(at)));
      places.add(at);
      // The unit in part is not erased, whatever it reads.
      await assert.rejects(flash.write(1024 + at * 4, DATA.subarray(0, 4)), { code: 'NOT_ERASED' });
    }
    assert.ok(places.size > 10, 'seeds tear at different units');
  });
  it('tears the same way for the same seed', async () => {
    const one = await cutWrite({ kind: 'torn', seed: 7 });
    const two = await cutWrite({ kind: 'torn', seed: 7 });
    assert.deepEqual(one.peek(1024, 64), two.peek(1024, 64));
  });
  it('reads a marginal unit otherwise each time, until it is erased', async () => {
    const flash = await cutWrite({ kind: 'torn', seed: 4, isMarginal: true });
    flash.powerOn();
    for (const one of [flash, flash.copy()]) {
      const seen = new Set<string>();
      for (let count = 0; count < 40; count += 1) seen.add((await read(one, 1024, 64)).toHex());
      assert.ok(seen.size > 1);
    }
    await flash.erase(1);
    await flash.write(1024, DATA);
    assert.deepEqual(await read(flash, 1024, 64), DATA);
  });
  it('leaves any bits of a sector that it was erasing, and that sector must be erased again', async () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 20; seed += 1) {
      const flash = make();
      await flash.write(1024, DATA);
      flash.failPower({ operation: 1, kind: 'torn', seed });
      await assert.rejects(flash.erase(1), FlashPowerCut);
      flash.powerOn();
      const bytes = await read(flash, 1024, 64);
      assert.ok(keepsBitsOf(bytes, DATA));
      seen.add(bytes.toHex());
      await assert.rejects(flash.write(2000, DATA.subarray(0, 4)), { code: 'NOT_ERASED' });
      await flash.erase(1);
      await flash.write(1024, DATA);
    }
    assert.ok(seen.size > 5);
  });
});
