/** Evidence about a peer: whose certificate it is, checked all the way. */
import type { Brand } from '@immota/base';

import { type DeviceId, parseDeviceId } from '../device-id.ts';
import { PkiFault } from '../fault.ts';
import type { Certificate, SerialNumber } from './certificate.ts';
import { type ChainContext, checkChain, type VerifiedChain } from './chain.ts';
import { findCommonName } from './name.ts';

/**
 * Tells whether a certificate was revoked.
 *
 * @param issuer - the certificate of the authority that issued it.
 * @param serial - its serial number, which is unique under that authority.
 */
export type IsRevoked = (issuer: Certificate, serial: SerialNumber) => boolean;

/**
 * Holding a VerifiedDevice tells you: the certificate leads to one of the given anchors, was valid
 * at the instant asked for, is for devices, names this device, and neither it nor an authority
 * above it was revoked. That the peer holds its key is what the TLS handshake shows.
 */
export type VerifiedDevice = Brand<
  {
    readonly deviceId: DeviceId;
    readonly certificate: Certificate;
    readonly chain: VerifiedChain;
  },
  'VerifiedDevice'
>;

/** What a device is checked against. */
export interface DeviceContext extends ChainContext {
  readonly isRevoked: IsRevoked;
}

/**
 * Checks the certificate of a device, and so tells which vehicle is asking {uptane E6}.
 *
 * @param certificate - as the TLS peer presented it.
 * @param context - intermediates, anchors, instant and what has been revoked.
 * @throws PkiFault as `checkChain`; REVOKED; DEVICE_ID when its one common name is no device id.
 */
export function checkDevice(certificate: Certificate, context: DeviceContext): VerifiedDevice {
  const chain = checkChain(certificate, 'device', context);
  checkNotRevoked(chain, context.isRevoked);
  const deviceId = parseDeviceId(findCommonName(certificate.subject));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- minted: checked above
  return { deviceId, certificate, chain } as VerifiedDevice;
}

/**
 * Checks that nothing below the anchor was revoked.
 *
 * @throws PkiFault REVOKED.
 */
function checkNotRevoked(chain: VerifiedChain, isRevoked: IsRevoked): void {
  for (const [index, { serial }] of chain.entries()) {
    const issuer = chain[index + 1];
    if (issuer !== undefined && isRevoked(issuer, serial)) {
      throw new PkiFault('REVOKED', `Cannot trust certificate: ${serial} was revoked`);
    }
  }
}
