import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { placeByHash, placeByIndex } from '../../../src/campaign/statistics/stratified-sample.ts';

const CUT = { upToPermille: [10, 100, 1000], controlPermille: 50 };

function shareOf(places: readonly { readonly wave: number }[], wave: number): number {
  return places.filter((place) => place.wave === wave).length / places.length;
}

describe('placeByIndex()', () => {
  it('gives every stretch of the order its share of each wave, and of the controls', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), (from) => {
        const places = Array.from({ length: 2000 }, (_, index) => placeByIndex(from + index, CUT));
        const controls = places.filter(({ isControl }) => isControl).length / places.length;
        assert.ok(Math.abs(controls - 0.05) < 0.005);
        assert.ok(Math.abs(shareOf(places, 1) - 0.01 * 0.95) < 0.004);
        assert.ok(Math.abs(shareOf(places, 2) - 0.09 * 0.95) < 0.008);
      }),
    );
  });

  it('puts every vehicle of one wave into it', () => {
    const cut = { upToPermille: [1000], controlPermille: 200 };
    for (let index = 0; index < 1000; index += 1) {
      assert.deepEqual(placeByIndex(index, cut), { wave: 1, isControl: false });
    }
  });

  it('keeps controls for the last wave', () => {
    for (let index = 0; index < 1000; index += 1) {
      const { wave, isControl } = placeByIndex(index, CUT);
      assert.ok(!isControl || wave === 3);
    }
  });
});

describe('placeByHash()', () => {
  it('gives waves and controls their shares of many hashes', () => {
    const hash = new Uint8Array(8);
    const view = new DataView(hash.buffer);
    const places = Array.from({ length: 100_000 }, (_, index) => {
      view.setUint32(0, Math.imul(index, 2_654_435_761) >>> 0);
      view.setUint32(4, Math.imul(index, 2_246_822_519) >>> 0);
      return placeByHash(hash, CUT);
    });
    assert.ok(Math.abs(shareOf(places, 1) - 0.0095) < 0.002);
    assert.ok(Math.abs(places.filter(({ isControl }) => isControl).length / 1e5 - 0.05) < 0.005);
  });
});
