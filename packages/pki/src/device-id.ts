/** Who a device is, as its certificate names it. */
import type { Brand } from '@immota/base';

import { PkiFault } from './fault.ts';

const DEVICE_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/;

/**
 * Holding a DeviceId tells you: 1 to 64 of `A-Za-z0-9._:-`, the first a letter or digit. It fits a
 * common name (RFC 5280 ub-common-name) and is safe in a path of a URL. A VIN is one.
 */
export type DeviceId = Brand<string, 'DeviceId'>;

/** Reads a device's identifier. @throws PkiFault DEVICE_ID when it is none. */
export function parseDeviceId(value: unknown): DeviceId {
  if (typeof value !== 'string' || !DEVICE_ID.test(value)) {
    throw new PkiFault(
      'DEVICE_ID',
      'Cannot read device id: 1 to 64 of A-Z a-z 0-9 . _ : - allowed',
    );
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return value as DeviceId;
}
