/** Records survive their way to flash and back, and any bytes are a record or are none. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTargetName } from '@immota/uptane';
import {
  type BankRecord,
  FlashPowerCut,
  openRecordLog,
  SimulatedFlash,
  type SlotImage,
} from '@immota/vehicle';
import fc from 'fast-check';
import { SMALL_PART } from '../support/flash-bench.ts';

const PLACES = [
  { first: 1, count: 3 },
  { first: 4, count: 3 },
] as const;
const PLAIN = { noNullPrototype: true } as const;

const image: fc.Arbitrary<SlotImage> = fc.record(
  {
    name: fc.stringMatching(/^[a-zé]{1,60}$/).map((name) => parseTargetName(name)),
    lengthBytes: fc.maxSafeNat(),
    releaseCounter: fc.maxSafeNat(),
    hashes: fc
      .tuple(fc.uint8Array({ minLength: 64, maxLength: 64 }), fc.nat(2))
      .map(([bytes, kind]) => {
        const sha256 = ['sha256', bytes.subarray(0, 32).toHex()] as const;
        const sha512 = ['sha512', bytes.toHex()] as const;
        return new Map(kind === 0 ? [sha256] : kind === 1 ? [sha512] : [sha256, sha512]);
      }),
  },
  PLAIN,
);

const codes = fc
  .uniqueArray(fc.nat(0xff_ff_ff), { maxLength: 32 })
  .map((list) => list.toSorted((left, right) => left - right));

const content = fc.record(
  {
    state: fc.constantFrom('receiving', 'prepared', 'trial', 'confirmed'),
    identity: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    durableBytes: fc.maxSafeNat(),
  },
  PLAIN,
);

const health = fc.record(
  {
    isSelfTestPassed: fc.boolean(),
    troubleCodesBefore: fc.option(codes, { nil: undefined }),
    troubleCodesAfter: codes,
    resets: fc.nat(255),
  },
  PLAIN,
);

const outcome = fc.record(
  {
    result: fc.constantFrom('trial', 'confirmed', 'fell-back', 'reverted', 'revert-failed'),
    image,
    reason: fc.stringMatching(/^[a-z ]{0,60}$/),
    health: fc.option(health, { nil: undefined }),
  },
  PLAIN,
);

const record: fc.Arbitrary<BankRecord> = fc.record(
  {
    banks: fc.array(fc.option(content, { nil: undefined }), { minLength: 2, maxLength: 2 }),
    running: fc.option(fc.nat(1), { nil: undefined }),
    trial: fc.option(fc.record({ bank: fc.nat(1), boots: fc.nat(10) }, PLAIN), { nil: undefined }),
    isReverting: fc.boolean(),
    releaseFloor: fc.maxSafeNat(),
    fallback: fc.option(image, { nil: undefined }),
    troubleCodesBefore: fc.option(codes, { nil: undefined }),
    outcome: fc.option(outcome, { nil: undefined }),
  },
  PLAIN,
);

async function save(flash: SimulatedFlash, one: BankRecord): Promise<void> {
  const log = openRecordLog(flash, PLACES);
  await log.load();
  await log.save(one);
}

describe('openRecordLog()', () => {
  it('finds the last record that was saved', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 12 }), async (records) => {
        const flash = new SimulatedFlash({ geometry: SMALL_PART });
        let log = openRecordLog(flash, PLACES);
        assert.deepEqual(await log.load(), { kind: 'new' });
        for (const [index, one] of records.entries()) {
          await log.save(one);
          if (index % 4 !== 3) continue;
          log = openRecordLog(flash, PLACES);
          await log.load();
        }
        const again = await openRecordLog(flash, PLACES).load();
        assert.deepEqual(again, { kind: 'found', record: records.at(-1) });
      }),
      { numRuns: 40 },
    );
  });
  it('finds how far an image has come, with few erasures', async () => {
    const flash = new SimulatedFlash({ geometry: SMALL_PART });
    const log = openRecordLog(flash, PLACES);
    await log.load();
    const identity = new Uint8Array(32);
    const receiving = { state: 'receiving', identity, durableBytes: 0 } as const;
    const [base] = fc.sample(record, { numRuns: 1, seed: 1 });
    assert.ok(base !== undefined);
    await log.save({ ...base, banks: [undefined, receiving] });
    for (let bytes = 1; bytes <= 200; bytes += 1) await log.saveProgress(1, bytes);
    const found = await openRecordLog(flash, PLACES).load();
    assert.ok(found.kind === 'found');
    assert.equal(found.record.banks[1]?.durableBytes, 200);
    assert.ok(flash.wearOf(1) + flash.wearOf(4) < 12);
  });
  it('believes a record whose last unit is in doubt always or never', async () => {
    const geometry = { ...SMALL_PART, writeUnitBytes: 1 };
    const [base] = fc.sample(record, { numRuns: 1, seed: 7 });
    assert.ok(base !== undefined);
    const one: BankRecord = { ...base, fallback: undefined, outcome: undefined };
    const blank = new SimulatedFlash({ geometry });
    const whole = blank.copy();
    await save(whole, one);
    const written = Buffer.from(whole.peek(1024, 1024));
    const end = written.findLastIndex((byte) => byte !== 0xff);
    let inDoubt = 0;
    let changing = 0;
    for (let seed = 0; seed < 4000; seed += 1) {
      const flash = blank.copy();
      // Three erasures, and then the write.
      flash.failPower({ operation: 4, kind: 'torn', seed, isMarginal: true });
      await assert.rejects(save(flash, one), FlashPowerCut);
      flash.powerOn();
      if (Buffer.compare(flash.peek(1024, end), written.subarray(0, end)) !== 0) continue;
      inDoubt += 1;
      const found = new Set<string>();
      for (let start = 0; start < 8; start += 1) {
        found.add((await openRecordLog(flash, PLACES).load()).kind);
      }
      if (found.size > 1) changing += 1;
    }
    assert.ok(inDoubt > 20, `${inDoubt} were torn in their last byte`);
    assert.ok(changing <= 1, `${changing} are a record at some starts and none at others`);
  });
  it('takes damage for no record, and does not stop at any', async () => {
    const noise = fc.uint8Array({ minLength: 4, maxLength: 400 });
    await fc.assert(
      fc.asyncProperty(record, noise, fc.nat(2000), async (one, bytes, at) => {
        const flash = new SimulatedFlash({ geometry: SMALL_PART });
        const log = openRecordLog(flash, PLACES);
        await log.load();
        await log.save(one);
        for (const [index, byte] of bytes.entries()) {
          for (let bit = 0; bit < 8; bit += 1) {
            if (((byte >> bit) & 1) === 1) flash.flipBit(1024 + at + index, bit);
          }
        }
        const found = await openRecordLog(flash, PLACES).load();
        // Either the damage lies where nothing is, or it is noticed.
        if (found.kind === 'found') assert.deepEqual(found.record, one);
        else assert.ok(bytes.some((byte) => byte !== 0));
      }),
      { numRuns: 60 },
    );
  });
});
