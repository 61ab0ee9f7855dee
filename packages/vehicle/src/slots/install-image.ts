/**
 * Brings an image into the slot that does not run {uptane K7} {uptane K8}: pulled from an offset on,
 * opened chunk by chunk where it is encrypted, hashed and written as it comes, and called whole only
 * when its length and every listed hash are those of verified metadata.
 */
import {
  chunkOffset,
  type ContentKey,
  createHashTap,
  createOpener,
  type HashTap,
  HEADER_LENGTH_BYTES,
  ImageFault,
  type Opener,
  openHeader,
  releaseBytes,
  type ResumePoint,
} from '@immota/image';
import { concatBytes } from '@immota/base';
import { checkMeasurement, UptaneFault } from '@immota/uptane';
import { measurementOf } from '../download/partial-file.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import type { SlotImage } from './image-slots.ts';
import type { ResumableSlots, ResumableWriter } from './resumable-slots.ts';

/** What is to be installed, and where its bytes come from. */
export interface ImageInstallation {
  /** The image in the clear, as verified metadata describe it. */
  readonly image: SlotImage;
  /** Of the bytes that `open` gives: the encrypted form's where there is one. */
  readonly servedLengthBytes: number;
  /** Undefined for an image that comes in the clear. */
  readonly contentKey: ContentKey | undefined;
  /** Opens the served bytes from an offset on. */
  open(offsetBytes: number): AsyncIterable<Uint8Array>;
  /** Called as bytes come. */
  readonly onProgress?: ((receivedBytes: number, lengthBytes: number) => void) | undefined;
}

/** Where an installation goes on. */
interface StartingPoint {
  /** In the image in the clear. */
  readonly fromBytes: number;
  /** In the served bytes. */
  readonly offsetBytes: number;
  readonly resume: ResumePoint | undefined;
}

const FROM_THE_BEGINNING: StartingPoint = { fromBytes: 0, offsetBytes: 0, resume: undefined };

/**
 * Installs an image into the other slot.
 *
 * What verified metadata do not vouch for is discarded; what a broken connection has brought so far
 * is kept, and the next call goes on there.
 *
 * @throws UptaneFault IMAGE_HASH, IMAGE_LENGTH or RELEASE_COUNTER, ImageFault when a chunk is not
 * genuine, and whatever `open` throws.
 */
export async function installImage(
  slots: ResumableSlots,
  installation: ImageInstallation,
): Promise<void> {
  const { image } = installation;
  const start = await findStart(slots, installation);
  const tap = createHashTap({ sha512: image.hashes.has('sha512') });
  const isResumed = start.fromBytes > 0;
  if (isResumed) for await (const bytes of slots.readReceived(start.fromBytes)) tap.update(bytes);
  const writer = isResumed ? await slots.resume(image, start.fromBytes) : await slots.write(image);
  try {
    await transfer(installation, start, async (bytes) => {
      tap.update(bytes);
      await writer.write(bytes);
    });
    checkWhole(image, tap);
    await writer.finish();
  } catch (error) {
    await letGo(writer, error);
    throw error;
  }
}

/** {uptane I5}: every listed hash and the length, before anybody may call the image whole. */
function checkWhole(image: SlotImage, tap: HashTap): void {
  checkMeasurement(image, measurementOf(tap));
}

/** Bytes that were found wrong are thrown away; those before a broken connection were not. */
async function letGo(writer: ResumableWriter, error: unknown): Promise<void> {
  const isWrong = error instanceof UptaneFault || error instanceof ImageFault;
  await (isWrong ? writer.discard() : writer.pause());
}

async function transfer(
  installation: ImageInstallation,
  start: StartingPoint,
  take: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  const { contentKey, servedLengthBytes, image, onProgress } = installation;
  let receivedBytes = start.offsetBytes;
  let opener: Opener | undefined;
  if (contentKey !== undefined) {
    opener = createOpener({
      key: contentKey,
      lengthMaxBytes: servedLengthBytes,
      ...(start.resume === undefined ? {} : { resume: start.resume }),
    });
  }
  for await (const bytes of installation.open(start.offsetBytes)) {
    receivedBytes += bytes.length;
    if (receivedBytes > servedLengthBytes) throw tooLong(image, servedLengthBytes);
    if (opener === undefined) await take(bytes);
    else await takeAll(opener.push(bytes), take);
    onProgress?.(receivedBytes, servedLengthBytes);
  }
  if (receivedBytes < servedLengthBytes) {
    throw new VehicleFault('NETWORK', `Cannot install "${image.name}": the transfer broke off`);
  }
  if (opener !== undefined) await takeAll(opener.finish(), take);
}

async function takeAll(
  chunks: readonly Uint8Array[],
  take: (bytes: Uint8Array) => Promise<void>,
): Promise<void> {
  for (const chunk of chunks) {
    await take(chunk);
    releaseBytes(chunk);
  }
}

async function findStart(
  slots: ResumableSlots,
  installation: ImageInstallation,
): Promise<StartingPoint> {
  const { image, contentKey } = installation;
  const received = slots.findReceived(image);
  if (received === 0) return FROM_THE_BEGINNING;
  if (contentKey === undefined) {
    return { fromBytes: received, offsetBytes: received, resume: undefined };
  }
  const header = await readHeader(installation.open(0));
  if (header === undefined) return FROM_THE_BEGINNING;
  const { chunkSizeBytes } = openHeader(contentKey, header);
  // The last chunk has at least a byte: it is opened again even when all of it was received.
  const lastIndex = Math.max(0, Math.ceil(image.lengthBytes / chunkSizeBytes) - 1);
  const chunkIndex = Math.min(Math.floor(received / chunkSizeBytes), lastIndex);
  const resume = { header, chunkIndex };
  const offsetBytes = chunkOffset(chunkSizeBytes, chunkIndex);
  return { fromBytes: chunkIndex * chunkSizeBytes, offsetBytes, resume };
}

async function readHeader(source: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let lengthBytes = 0;
  for await (const bytes of source) {
    parts.push(bytes.slice(0, HEADER_LENGTH_BYTES));
    lengthBytes += bytes.length;
    if (lengthBytes >= HEADER_LENGTH_BYTES) break;
  }
  if (lengthBytes < HEADER_LENGTH_BYTES) return undefined;
  return concatBytes(parts).subarray(0, HEADER_LENGTH_BYTES);
}

function tooLong({ name }: SlotImage, lengthBytes: number): UptaneFault {
  return new UptaneFault(
    'IMAGE_LENGTH',
    `Cannot install "${name}": more than ${lengthBytes} bytes`,
  );
}
