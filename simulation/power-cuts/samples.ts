/** The images of these stories: their bytes, and what verified metadata would say of them. */
import { createHash } from 'node:crypto';
import { deltaSourceOf, makeDelta } from '@immota/image';
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
  /** From the old one to the new one, for pages of a bank; undefined where full images are brought. */
  readonly delta?: Uint8Array | undefined;
}

/** Makes two images of two lengths. */
export function createSamples(oldBytes: number, newBytes: number): SamplePair {
  return { old: sampleOf('old.bin', 4, oldBytes), new: sampleOf('new.bin', 5, newBytes) };
}

/** Makes an image and one that a compiler might make of it: code is put in and changed, and all moves. */
export function createRelated(oldBytes: number, newBytes: number, pageBytes: number): SamplePair {
  const old = sampleOf('old.bin', 4, oldBytes);
  const most = Math.floor((2 * oldBytes) / 3);
  const rest = Math.floor((most + oldBytes) / 2);
  // Most of it moves by less than a page, so that a page is made from itself; and two parts change places,
  // so that pages wait for each other.
  const parts = [
    old.bytes.subarray(0, 100),
    sampleOf('added', 0, newBytes - oldBytes).bytes,
    old.bytes.subarray(100, most),
    old.bytes.subarray(rest),
    old.bytes.subarray(most, rest),
  ];
  const bytes = new Uint8Array(Buffer.concat(parts));
  for (let at = 50; at < bytes.length; at += 400) bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  const pair = { base: deltaSourceOf(old.bytes), image: deltaSourceOf(bytes) };
  const delta = new Uint8Array(Buffer.concat([...makeDelta(pair, { pageBytes })]));
  return { old, new: describe('new.bin', 5, bytes), delta };
}

function sampleOf(name: string, releaseCounter: number, lengthBytes: number): Sample {
  const bytes = new Uint8Array(lengthBytes);
  for (let offset = 0; offset < lengthBytes; offset += 32) {
    const block = createHash('sha256').update(`${name} ${offset}`).digest();
    bytes.set(block.subarray(0, Math.min(32, lengthBytes - offset)), offset);
  }
  return describe(name, releaseCounter, bytes);
}

function describe(name: string, releaseCounter: number, bytes: Uint8Array): Sample {
  const lengthBytes = bytes.length;
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const hashes = new Map([['sha256', sha256]] as const);
  return { image: { name: parseTargetName(name), lengthBytes, hashes, releaseCounter }, bytes };
}
