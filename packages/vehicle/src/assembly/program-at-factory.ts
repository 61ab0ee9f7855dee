/** What a factory does with an ECU that has no software yet: it programs it, starts it and is content. */
import type { SlotImage } from '../slots/image-slots.ts';
import { installImage } from '../slots/install-image.ts';
import { VehicleFault } from '../vehicle-fault.ts';
import { type EcuStorageOptions, openEcuStorage } from './ecu-storage.ts';

/**
 * Programs an ECU that does not run.
 *
 * @param open - gives the image's bytes, in the clear, from an offset on.
 * @throws UptaneFault IMAGE_HASH, IMAGE_LENGTH; VehicleFault INSTALL_FAILED when it does not start.
 */
export async function programAtFactory(
  options: EcuStorageOptions,
  image: SlotImage,
  open: (offsetBytes: number) => AsyncIterable<Uint8Array>,
): Promise<void> {
  const storage = await openEcuStorage(options);
  const { slots } = storage;
  try {
    await slots.boot();
    const { lengthBytes: servedLengthBytes } = image;
    await installImage(slots, { image, servedLengthBytes, contentKey: undefined, open });
    await slots.activate();
    const running = await slots.boot();
    if (running?.name !== image.name) {
      throw new VehicleFault('INSTALL_FAILED', `Cannot program "${image.name}": it does not start`);
    }
    await slots.confirm();
  } finally {
    storage.close();
  }
}
