/**
 * What a proof of ownership signs. ISO 14229-1 leaves it to the maker; ours names who signs, for whom
 * and in which exchange, so that no signature made elsewhere fits here and none made here fits elsewhere.
 */
import { concatBytes, utf8 } from '@immota/base';
import { countedBytes } from './message-reader.ts';

/** What goes into a proof. */
export interface OwnershipToken {
  /** Who signs. */
  readonly signer: 'tester' | 'ecu';
  /** Of the certificate that the proof belongs to. */
  readonly certificateSha256: Uint8Array;
  readonly testerChallenge: Uint8Array;
  readonly ecuChallenge: Uint8Array;
  readonly testerEphemeralKey: Uint8Array;
  readonly ecuEphemeralKey: Uint8Array;
  /** Of the vehicle and the ECU that the tester means to speak to. */
  readonly vin: string;
  readonly ecuSerialNumber: string;
}

const DOMAIN = 'immota uds authentication 1';

/** Encodes it: each part behind its length, so that no two tokens have the same bytes. */
export function encodeOwnershipToken(token: OwnershipToken): Uint8Array {
  const parts = [
    utf8(`${DOMAIN} ${token.signer}`),
    utf8(token.vin),
    utf8(token.ecuSerialNumber),
    token.certificateSha256,
    token.testerChallenge,
    token.ecuChallenge,
    token.testerEphemeralKey,
    token.ecuEphemeralKey,
  ];
  return concatBytes(parts.flatMap((part) => countedBytes(part)));
}
