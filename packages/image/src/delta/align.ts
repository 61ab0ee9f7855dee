/** Finds which parts of two images belong together. */
import { findCovers, type Cover } from './find-covers.ts';
import type { DeltaPair, DeltaSource } from './delta-source.ts';

/**
 * Finds what an image has from its base.
 *
 * @yields covers in the order of the image.
 */
export function* alignImages({ base, image }: DeltaPair): Generator<Cover, void, undefined> {
  yield* findCovers(load(base), load(image));
}

function load(source: DeltaSource): Uint8Array {
  const bytes = new Uint8Array(source.lengthBytes);
  source.read(0, bytes);
  return bytes;
}
