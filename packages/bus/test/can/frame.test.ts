import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { canFrame, type CanFrameParts } from '../../src/index.ts';

const data = new Uint8Array(8);

describe('canFrame()', () => {
  it('takes identifiers and lengths up to their limits', () => {
    for (const parts of [
      { id: 0x7ff, data },
      { id: 0x1fffffff, isExtended: true, data },
      { id: 0, isFd: true, isBitRateSwitched: true, data: new Uint8Array(64) },
    ]) {
      const frame = canFrame(parts);
      assert.equal(frame.id, parts.id);
      assert.equal(frame.data, parts.data);
      assert.equal(frame.isFd, parts.isFd ?? false);
    }
  });

  it('refuses identifiers that do not fit', () => {
    for (const id of [-1, 0x800, 1.5, Number.NaN]) refuses({ id, data }, 'IDENTIFIER_RANGE');
    refuses({ id: 0x20000000, isExtended: true, data }, 'IDENTIFIER_RANGE');
  });

  it('refuses lengths that no frame has', () => {
    refuses({ id: 1, data: new Uint8Array(9) }, 'LENGTH_RANGE');
    refuses({ id: 1, isFd: true, data: new Uint8Array(9) }, 'LENGTH_RANGE');
    refuses({ id: 1, isFd: true, data: new Uint8Array(65) }, 'LENGTH_RANGE');
    refuses({ id: 1, isBitRateSwitched: true, data }, 'LENGTH_RANGE');
  });
});

function refuses(parts: CanFrameParts, code: string): void {
  assert.throws(() => canFrame(parts), { code });
}
