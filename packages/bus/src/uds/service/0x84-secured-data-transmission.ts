/**
 * SecuredDataTransmission {14229-1:2020 16}: a request within a request, with a counter against
 * replay and a code over all of it. Signed alone; what is to be secret goes by an encrypted carrier.
 */
import { concatBytes } from '@immota/base';
import { MessageReader, uintBytes } from '../message-reader.ts';
import { POSITIVE_OFFSET, SERVICES } from '../service-id.ts';
import { UdsFault } from '../uds-fault.ts';

/** Bits of the administrative parameter, bit 0 being the lowest of its 16. */
export const SECURED_FLAGS = {
  isRequest: 0x01,
  isPreEstablishedKeyUsed: 0x08,
  isEncrypted: 0x10,
  isSigned: 0x20,
  isSignatureOnResponseRequested: 0x40,
} as const;

/** What stands in front of the inner message, and behind. */
export interface SecuredMessage {
  readonly administrative: number;
  /** The algorithm, by a number of the maker. */
  readonly calculation: number;
  readonly counter: number;
  /** The inner request or response, its service identifier included. */
  readonly inner: Uint8Array;
}

/** A secured message as it came. */
export interface SignedMessage extends SecuredMessage {
  /** What the code is over: everything in front of it. */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

const HEAD_BYTES = 8;

/** Reads a secured request or response, whichever `isResponse` says. */
export function readSecured(message: Uint8Array): SignedMessage {
  const reader = new MessageReader(message, 1);
  const administrative = reader.uint(2);
  const calculation = reader.uint(1);
  const signatureBytes = reader.uint(2);
  const counter = reader.uint(2);
  const innerBytes = reader.leftBytes - signatureBytes;
  if (innerBytes < 1) {
    throw new UdsFault('MESSAGE_MALFORMED', 'Cannot read secured message: nothing within');
  }
  const inner = reader.take(innerBytes);
  return {
    administrative,
    calculation,
    counter,
    inner,
    signedBytes: message.subarray(0, HEAD_BYTES + innerBytes),
    signature: reader.rest(),
  };
}

/**
 * Makes a secured request or response.
 *
 * @param signatureBytes - how long the code is: its length is under it.
 * @param sign - makes the code over what is in front of it.
 */
export function makeSecured(
  message: SecuredMessage,
  signatureBytes: number,
  sign: (bytes: Uint8Array) => Uint8Array,
): Uint8Array {
  const { administrative, calculation, counter, inner } = message;
  const isRequest = (administrative & SECURED_FLAGS.isRequest) !== 0;
  const service = SERVICES.securedDataTransmission + (isRequest ? 0 : POSITIVE_OFFSET);
  const signedBytes = concatBytes([
    Uint8Array.of(service),
    uintBytes(administrative, 2),
    uintBytes(calculation, 1),
    uintBytes(signatureBytes, 2),
    uintBytes(counter, 2),
    inner,
  ]);
  const signature = sign(signedBytes);
  if (signature.length !== signatureBytes) {
    throw new UdsFault('VALUE_RANGE', `Cannot secure message: a code of ${signature.length} bytes`);
  }
  return concatBytes([signedBytes, signature]);
}
