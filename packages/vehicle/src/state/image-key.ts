/** How an ECU comes to the content key of an encrypted image {uptane K7} {uptane B11}. */
import { type ContentKey, unwrapContentKey, type WrapContext } from '@immota/image';
import { VehicleFault } from '../vehicle-fault.ts';
import { type EcuKeys, WRAP_METHODS } from './ecu-keys.ts';

/** How images are encrypted: authenticated chunks under one content key. */
const ENCRYPTION_METHOD = 'immota-image-1';

/** What Director metadata say of an encrypted image, to one ECU. */
export interface ImageKeyNotice {
  readonly method: string;
  readonly key: { readonly method: string; readonly value: Uint8Array } | undefined;
}

/**
 * Unwraps the content key: it is for this ECU, this hardware and this very image, or it is refused.
 *
 * @param context - the ECU's own identifiers, and the image's hash from verified metadata.
 * @throws VehicleFault IMAGE_KEY when none came, or by a method that this ECU does not use; ImageFault
 * WRAP_AUTHENTICATION and others as `unwrapContentKey`.
 */
export function unwrapImageKey(
  { decryption }: EcuKeys,
  { method, key }: ImageKeyNotice,
  context: Omit<WrapContext, 'imageSha256'> & { readonly imageSha256: string | undefined },
): ContentKey {
  const { imageSha256, ...identifiers } = context;
  if (key === undefined || imageSha256 === undefined) {
    throw new VehicleFault('IMAGE_KEY', 'Cannot open image: no key came for this ECU');
  }
  if (method !== ENCRYPTION_METHOD || key.method !== WRAP_METHODS[decryption.kind]) {
    throw new VehicleFault('IMAGE_KEY', `Cannot open image: by "${method}" and "${key.method}"`);
  }
  return unwrapContentKey(key.value, decryption, { ...identifiers, imageSha256 });
}
