import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  type BootRecord,
  decodeBootRecord,
  encodeBootRecord,
  type SlotContent,
} from '../../src/slots/boot-record.ts';
import { BOOT_RECORD_LENGTH_BYTES } from '../../src/slots/limits.ts';
import { sampleImage } from '../support/slot-images.ts';

const image = fc
  .record({
    name: fc.string({ minLength: 1, maxLength: 400, unit: 'grapheme' }),
    releaseCounter: fc.nat(),
    lengthBytes: fc.nat(5000),
  })
  .map((made) => ({ ...sampleImage('any', made.releaseCounter, made.lengthBytes).image, ...made }));
const content = fc.record({
  state: fc.constantFrom('receiving', 'prepared', 'trial', 'confirmed'),
  image,
  durableBytes: fc.nat(),
});
const slot = fc.constantFrom('a', 'b');
const record = fc.record({
  sequence: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  slots: fc.record({
    a: fc.option(content, { nil: undefined }),
    b: fc.option(content, { nil: undefined }),
  }),
  running: fc.option(slot, { nil: undefined }),
  trial: fc.option(fc.record({ slot, boots: fc.nat(9) }), { nil: undefined }),
  isReverting: fc.boolean(),
  releaseFloor: fc.nat(),
  outcome: fc.option(
    fc.record({
      result: fc.constantFrom('trial', 'confirmed', 'fell-back', 'reverted', 'revert-failed'),
      image,
      reason: fc.string({ maxLength: 60 }),
    }),
    { nil: undefined },
  ),
}) as fc.Arbitrary<BootRecord>;

describe('encodeBootRecord() and decodeBootRecord()', () => {
  it('gives every record back from one block of fixed length', () => {
    fc.assert(
      fc.property(record, (made) => {
        const block = encodeBootRecord(made);
        assert.equal(block.length, BOOT_RECORD_LENGTH_BYTES);
        assert.deepEqual(decodeBootRecord(block), plain(made));
      }),
      { numRuns: 60 },
    );
  });
  it('finds every flipped bit of what it says', () => {
    fc.assert(
      fc.property(record, fc.nat(), fc.nat(7), (made, at, bit) => {
        const block = encodeBootRecord(made);
        const position = at % block.indexOf(0);
        block[position] = (block[position] ?? 0) ^ (1 << bit);
        assert.equal(decodeBootRecord(block), undefined);
      }),
      { numRuns: 120 },
    );
  });
  it('takes no mixture of an older and a newer record for either of them', () => {
    fc.assert(
      fc.property(record, record, fc.nat(1200), (older, newer, cut) => {
        const [before, after] = [encodeBootRecord(older), encodeBootRecord(newer)];
        const torn = Uint8Array.from(before);
        torn.set(after.subarray(0, cut));
        const read = decodeBootRecord(torn);
        assert.ok(read === undefined || isOneOf(read, [older, newer]));
      }),
      { numRuns: 120 },
    );
  });
  it('takes no other bytes for a record', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        assert.equal(decodeBootRecord(bytes), undefined);
        const block = new Uint8Array(BOOT_RECORD_LENGTH_BYTES);
        block.set(bytes);
        assert.equal(decodeBootRecord(block), undefined);
      }),
    );
  });
  it('refuses to write what does not fit its block', () => {
    const long = { ...sampleImage('x'.repeat(1024), 1).image };
    const filled: SlotContent = { state: 'confirmed', image: long, durableBytes: 1 };
    const made: BootRecord = {
      sequence: 1,
      slots: { a: filled, b: filled },
      running: 'a',
      trial: undefined,
      isReverting: false,
      releaseFloor: 1,
      outcome: { result: 'fell-back', image: long, reason: 'y'.repeat(20_000) },
    };
    assert.throws(() => encodeBootRecord(made), { code: 'STATE_CORRUPT' });
    const fits = { ...made, outcome: { result: 'fell-back', image: long, reason: '' } } as const;
    assert.deepEqual(decodeBootRecord(encodeBootRecord(fits)), fits);
  });
});

/** The generator's objects have no prototype; those of the reader are ordinary ones. */
function plain(made: BootRecord): BootRecord {
  return structuredClone(made);
}

function isOneOf(read: BootRecord, records: readonly BootRecord[]): boolean {
  return records.some((made) => {
    try {
      assert.deepEqual(read, plain(made));
      return true;
    } catch {
      return false;
    }
  });
}
