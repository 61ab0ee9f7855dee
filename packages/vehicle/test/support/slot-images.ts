/** Images for tests of slots: their bytes, and what verified metadata would say of them. */
import { createHash } from 'node:crypto';
import { parseTargetName } from '@immota/uptane';
import type { ImageSlots, SlotImage } from '@immota/vehicle';

/** An image and its bytes. */
export interface SlotSample {
  readonly image: SlotImage;
  readonly bytes: Uint8Array;
}

/** Makes an image whose bytes follow from its name. */
export function sampleImage(name: string, releaseCounter: number, lengthBytes = 3000): SlotSample {
  const bytes = new Uint8Array(lengthBytes);
  for (let offset = 0; offset < lengthBytes; offset += 32) {
    const block = createHash('sha256').update(`${name} ${offset}`).digest();
    bytes.set(block.subarray(0, Math.min(32, lengthBytes - offset)), offset);
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const hashes = new Map([['sha256', sha256]] as const);
  return { image: { name: parseTargetName(name), lengthBytes, hashes, releaseCounter }, bytes };
}

/** Writes an image into the other slot, in pieces. */
export async function writeImage(
  slots: ImageSlots,
  { image, bytes }: SlotSample,
  pieceBytes = 700,
): Promise<void> {
  const writer = await slots.write(image);
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    await writer.write(bytes.subarray(offset, offset + pieceBytes));
  }
  await writer.finish();
}
