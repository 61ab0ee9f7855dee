/**
 * The Primary as an ECU of its own: it opens its image inside, checks it, and writes it to the slot
 * that does not run {uptane K7} {uptane K8}.
 */
import type { VerifiedAssignment } from '@immota/uptane';
import { readFileFrom } from '../download/partial-file.ts';
import { installDelta } from '../slots/install-delta.ts';
import { installImage } from '../slots/install-image.ts';
import { unwrapImageKey } from '../state/image-key.ts';
import { keepRxswins, readRxswins } from '../state/rxswins.ts';
import type { PrimaryContext } from './context.ts';
import { prepareByDelta } from './delta-offers.ts';
import { digestOf } from './installation.ts';

/**
 * Prepares an image: decrypted where it is encrypted, its length and every listed hash checked, and
 * durable in the other slot. What fails leaves that slot empty and the running one untouched.
 *
 * @param path - of the downloaded bytes; where they would be while a delta lies beside it.
 * @throws VehicleFault IMAGE_KEY; ImageFault, and UptaneFault IMAGE_HASH, IMAGE_LENGTH or
 * RELEASE_COUNTER.
 */
export async function prepareOwn(
  context: PrimaryContext,
  assignment: VerifiedAssignment,
  path: string,
): Promise<void> {
  const { keys, slots } = context;
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
  const image = { name, lengthBytes, hashes, releaseCounter };
  // In force when it is final; by then nothing of its metadata is at hand.
  keepRxswins(context, image, readRxswins(file.custom));
  await prepareByDelta(context, path, {
    delta: (delta) =>
      installDelta(slots, {
        image,
        servedLengthBytes: delta.lengthBytes,
        contentKey,
        open: () => readFileFrom(delta.path, 0),
      }),
    image: () =>
      installImage(slots, {
        image,
        servedLengthBytes: encrypted?.lengthBytes ?? lengthBytes,
        contentKey,
        open: (offsetBytes) => readFileFrom(path, offsetBytes),
      }),
  });
}
