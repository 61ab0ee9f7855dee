/** The images of these stories: their bytes, and what verified metadata would say of them. */
import { createHash } from 'node:crypto';
import { parseTargetName } from '@immota/uptane';
import type { SlotImage } from '@immota/vehicle';

/** An image and its bytes. */
export interface Sample {
  readonly image: SlotImage;
  readonly bytes: Uint8Array;
}

/** What an ECU runs before, and what it is to run. */
export interface SamplePair {
  readonly old: Sample;
  readonly new: Sample;
}

/** Makes two images of two lengths. */
export function createSamples(oldBytes: number, newBytes: number): SamplePair {
  return { old: sampleOf('old.bin', 4, oldBytes), new: sampleOf('new.bin', 5, newBytes) };
}

function sampleOf(name: string, releaseCounter: number, lengthBytes: number): Sample {
  const bytes = new Uint8Array(lengthBytes);
  for (let offset = 0; offset < lengthBytes; offset += 32) {
    const block = createHash('sha256').update(`${name} ${offset}`).digest();
    bytes.set(block.subarray(0, Math.min(32, lengthBytes - offset)), offset);
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const hashes = new Map([['sha256', sha256]] as const);
  return { image: { name: parseTargetName(name), lengthBytes, hashes, releaseCounter }, bytes };
}
