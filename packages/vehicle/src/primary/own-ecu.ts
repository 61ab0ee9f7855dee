/**
 * The Primary as an ECU of its own: it opens its image inside, checks it, and writes it to the slot
 * that does not run {uptane K7} {uptane K8}.
 */
import { createHashTap, openImage, tapHashes, unwrapContentKey } from '@immota/image';
import { checkImage, type Measurement, type VerifiedAssignment } from '@immota/uptane';
import { measurementOf, readFileFrom } from '../download/partial-file.ts';
import { type EcuKeys, WRAP_METHODS } from '../state/ecu-keys.ts';
import type { ImageSlots } from '../slots/image-slots.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { digestOf } from './installation.ts';

/** An ECU that installs in its own process. */
export interface OwnEcu {
  readonly keys: EcuKeys;
  readonly slots: ImageSlots;
}

/**
 * Prepares an image: decrypted where it is encrypted, its length and every listed hash checked, and
 * durable in the other slot. What fails leaves that slot empty and the running one untouched.
 *
 * @param path - of the downloaded bytes.
 * @throws VehicleFault IMAGE_KEY; ImageFault and UptaneFault IMAGE_HASH or IMAGE_LENGTH.
 */
export async function prepareOwn(
  ecu: OwnEcu,
  assignment: VerifiedAssignment,
  path: string,
): Promise<void> {
  const { slots } = ecu;
  const { name, file, releaseCounter } = assignment;
  const { lengthBytes, hashes } = file;
  const prepared = slots.findPrepared();
  if (prepared?.name === name && digestOf(prepared) === digestOf(file)) return;
  const opened = openSource(ecu, assignment, path);
  const writer = await slots.write({ name, lengthBytes, hashes, releaseCounter });
  try {
    let written = 0;
    for await (const bytes of opened.source) {
      written += bytes.length;
      // A slot has a size: what is longer than the Director said is not written to its end.
      if (written > lengthBytes) break;
      await writer.write(bytes);
    }
    checkImage(assignment, written > lengthBytes ? tooLong(written) : opened.measure());
    await writer.finish();
  } catch (error) {
    await writer.discard();
    throw error;
  }
}

interface OpenSource {
  readonly source: AsyncIterable<Uint8Array>;
  /** What the image in the clear was, when the source has ended. */
  measure(): Measurement;
}

function openSource({ keys }: OwnEcu, assignment: VerifiedAssignment, path: string): OpenSource {
  const { file } = assignment;
  if (file.encrypted === undefined) {
    const tap = createHashTap({ sha512: true });
    return { source: tapHashes(readFileFrom(path, 0), tap), measure: () => measurementOf(tap) };
  }
  const key = unwrapKey(keys, assignment);
  const lengthMaxBytes = file.encrypted.lengthBytes;
  const options = { key, lengthMaxBytes, sha512: file.hashes.has('sha512'), borrow: true };
  const opened = openImage(readFileFrom(path, 0), options);
  return {
    source: opened,
    measure: () => measurementOf({ update: never, digest: () => opened.digest() }),
  };
}

/** {uptane K7}: the content key comes wrapped for this ECU, this hardware and this image. */
function unwrapKey(
  { decryption }: EcuKeys,
  assignment: VerifiedAssignment,
): ReturnType<typeof unwrapContentKey> {
  const { ecuIdentifier, hardwareIdentifier, file } = assignment;
  const { wrappedKey } = assignment.assignment;
  const imageSha256 = file.hashes.get('sha256');
  if (wrappedKey === undefined || imageSha256 === undefined) {
    throw new VehicleFault('IMAGE_KEY', 'Cannot open image: no key came for this ECU');
  }
  if (wrappedKey.method !== WRAP_METHODS[decryption.kind]) {
    throw new VehicleFault('IMAGE_KEY', `Cannot open image: its key is by "${wrappedKey.method}"`);
  }
  const context = { ecuIdentifier, hardwareIdentifier, imageSha256 };
  return unwrapContentKey(wrappedKey.value, decryption, context);
}

function tooLong(lengthBytes: number): Measurement {
  return { lengthBytes, hashes: new Map() };
}

function never(): void {
  // An opened image takes its own measure.
}
