/**
 * The Primary as an ECU of its own: it opens its image inside, checks it, and writes it to the slot
 * that does not run {uptane K7} {uptane K8}.
 */
import type { VerifiedAssignment } from '@immota/uptane';
import { readFileFrom } from '../download/partial-file.ts';
import { installImage } from '../slots/install-image.ts';
import type { ResumableSlots } from '../slots/resumable-slots.ts';
import type { EcuKeys } from '../state/ecu-keys.ts';
import { unwrapImageKey } from '../state/image-key.ts';
import { digestOf } from './installation.ts';

/** An ECU that installs in its own process. */
export interface OwnEcu {
  readonly keys: EcuKeys;
  readonly slots: ResumableSlots;
}

/**
 * Prepares an image: decrypted where it is encrypted, its length and every listed hash checked, and
 * durable in the other slot. What fails leaves that slot empty and the running one untouched.
 *
 * @param path - of the downloaded bytes.
 * @throws VehicleFault IMAGE_KEY; ImageFault, and UptaneFault IMAGE_HASH, IMAGE_LENGTH or
 * RELEASE_COUNTER.
 */
export async function prepareOwn(
  { keys, slots }: OwnEcu,
  assignment: VerifiedAssignment,
  path: string,
): Promise<void> {
  const { ecuIdentifier, hardwareIdentifier, name, file, releaseCounter } = assignment;
  const { lengthBytes, hashes, encrypted } = file;
  const prepared = slots.findPrepared();
  if (prepared?.name === name && digestOf(prepared) === digestOf(file)) return;
  const key = assignment.assignment.wrappedKey;
  const imageSha256 = hashes.get('sha256');
  const contentKey =
    encrypted === undefined
      ? undefined
      : unwrapImageKey(
          keys,
          { method: encrypted.method, key },
          { ecuIdentifier, hardwareIdentifier, imageSha256 },
        );
  await installImage(slots, {
    image: { name, lengthBytes, hashes, releaseCounter },
    servedLengthBytes: encrypted?.lengthBytes ?? lengthBytes,
    contentKey,
    open: (offsetBytes) => readFileFrom(path, offsetBytes),
  });
}
