/**
 * Brings an image into the slot that does not run by a delta from the one that runs {uptane K7} {uptane K8};
 * or, with one bank, over what runs, page by page.
 *
 * A delta is transport and nothing else: no metadata name it, and what comes out of it is whole only when its
 * length and every listed hash are those of verified metadata. Encrypted, it is opened inside the ECU with the
 * image's own content key. Whatever is wrong with it, the full image can still be had (ADR 84).
 */
import {
  applyDelta,
  type ContentKey,
  createHashTap,
  ImageFault,
  openImage,
  type ImageIdentity,
  rewriteInPlace,
} from '@immota/image';
import { checkMeasurement, UptaneFault } from '@immota/uptane';
import { measurementOf } from '../download/partial-file.ts';
import type { SlotImage } from './image-slots.ts';
import type { ResumableSlots, RunningBytes } from './resumable-slots.ts';

/** A delta that gives an image. */
export interface DeltaInstallation {
  /** The image in the clear, as verified metadata describe it. */
  readonly image: SlotImage;
  /** Of the delta as it is served. */
  readonly servedLengthBytes: number;
  /** Undefined for a delta that comes in the clear. */
  readonly contentKey: ContentKey | undefined;
  /** Opens the served bytes. */
  readonly open: () => AsyncIterable<Uint8Array>;
  /** Called as bytes of the image are written. */
  readonly onProgress?: ((writtenBytes: number, lengthBytes: number) => void) | undefined;
}

/**
 * Installs an image by a delta.
 *
 * Into another slot: a broken connection loses what there was, for a delta is short. With one bank: what was
 * written stays, and the next call goes on there.
 *
 * @throws ImageFault when the delta is not from what runs, not for this image, or not whole and sound; UptaneFault
 * IMAGE_HASH, IMAGE_LENGTH or RELEASE_COUNTER; and whatever `open` throws. The other slot is then empty, and what
 * runs is untouched; one bank runs what it ran as long as no page of it was changed, and nothing from then on.
 */
export async function installDelta(
  slots: ResumableSlots,
  installation: DeltaInstallation,
): Promise<void> {
  const base = await slots.openRunning?.();
  if (base === undefined) {
    await installInPlace(slots, installation);
    return;
  }
  try {
    await installFrom(base, slots, installation);
  } finally {
    await base.close();
  }
}

async function installInPlace(
  slots: ResumableSlots,
  installation: DeltaInstallation,
): Promise<void> {
  const { image, onProgress } = installation;
  const bank = await slots.rewrite?.(image);
  if (bank === undefined) {
    throw new ImageFault('DELTA_MISMATCH', 'Cannot apply delta: nothing runs that can be read');
  }
  try {
    await rewriteInPlace({
      delta: openDelta(installation),
      bank,
      expected: identityOf(image),
      ...(bank.resume === undefined ? {} : { resume: bank.resume }),
      written: async (position) => {
        await bank.written(position);
        const pageBytes = slots.condition().deltaPageBytes ?? 0;
        const writtenBytes = Math.min(position.pagesWritten * pageBytes, image.lengthBytes);
        onProgress?.(writtenBytes, image.lengthBytes);
      },
    });
    await bank.finish();
  } catch (error) {
    // What is wrong with it stays wrong; a connection that broke comes back.
    if (error instanceof ImageFault || error instanceof UptaneFault) await bank.discard();
    throw error;
  }
}

async function installFrom(
  base: RunningBytes,
  slots: ResumableSlots,
  installation: DeltaInstallation,
): Promise<void> {
  const { image, onProgress } = installation;
  const expected = identityOf(image);
  const tap = createHashTap({ sha512: image.hashes.has('sha512') });
  const writer = await slots.write(image);
  try {
    let writtenBytes = 0;
    for await (const bytes of applyDelta({ delta: openDelta(installation), base, expected })) {
      tap.update(bytes);
      await writer.write(bytes);
      writtenBytes += bytes.length;
      onProgress?.(writtenBytes, image.lengthBytes);
    }
    // {uptane I5}: every listed hash, where the delta looked at one.
    checkMeasurement(image, measurementOf(tap));
    await writer.finish();
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

function identityOf({ name, lengthBytes, hashes }: SlotImage): ImageIdentity {
  const sha256 = hashes.get('sha256');
  if (sha256 !== undefined) return { lengthBytes, sha256 };
  throw new UptaneFault('IMAGE_HASH', `Cannot apply delta: "${name}" has no SHA-256`);
}

function openDelta({
  contentKey,
  servedLengthBytes,
  open,
}: DeltaInstallation): AsyncIterable<Uint8Array> {
  const served = limited(open(), servedLengthBytes);
  if (contentKey === undefined) return served;
  return openImage(served, { key: contentKey, lengthMaxBytes: servedLengthBytes });
}

async function* limited(
  source: AsyncIterable<Uint8Array>,
  mostBytes: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let count = 0;
  for await (const bytes of source) {
    count += bytes.length;
    if (count > mostBytes) {
      throw new ImageFault('LENGTH_LIMIT', `Cannot apply delta: more than ${mostBytes} bytes`);
    }
    yield bytes;
  }
}
