/** Secured data transmission on the server's side {14229-1:2020 16}: the envelope of a request. */
import { RESPONSE_CODES } from '../response-code.ts';
import {
  readSecured,
  SECURED_FLAGS,
  type SignedMessage,
} from '../service/0x84-secured-data-transmission.ts';
import { isResponseId, SERVICES } from '../service-id.ts';
import type { UdsDescription } from './description.ts';
import { refusal } from './reaction.ts';
import type { SessionState } from './session-state.ts';

/**
 * Takes a request out of its envelope, when the code is right and the counter was never there.
 *
 * @throws UdsFault REFUSED with 0x39, 0x31 or 0x3a; MESSAGE_MALFORMED.
 */
export function unwrapRequest(
  { secured }: UdsDescription,
  state: SessionState,
  bytes: Uint8Array,
): SignedMessage {
  if (secured === undefined) throw refusal(RESPONSE_CODES.secureDataTransmissionNotAllowed);
  const envelope = readSecured(bytes);
  const { administrative, calculation, signature, signedBytes, inner } = envelope;
  const needed = SECURED_FLAGS.isRequest | SECURED_FLAGS.isSigned;
  const isSigned = (administrative & needed) === needed;
  const isReadable = (administrative & SECURED_FLAGS.isEncrypted) === 0;
  if (!isSigned || !isReadable || calculation !== secured.calculation) {
    throw refusal(RESPONSE_CODES.requestOutOfRange);
  }
  const isGenuine =
    signature.length === secured.signatureBytes && secured.verify(signedBytes, signature);
  // The counter of a forged message must not use up the counters of genuine ones.
  if (!isGenuine || !state.takeSecuredCounter(envelope.counter)) {
    throw refusal(RESPONSE_CODES.secureDataVerificationFailed);
  }
  const innerId = inner[0] ?? 0;
  if (innerId === SERVICES.securedDataTransmission || isResponseId(innerId)) {
    throw refusal(RESPONSE_CODES.secureDataTransmissionNotAllowed);
  }
  return envelope;
}

/** The administrative parameter of a signed response. */
export function responseFlags(): number {
  return SECURED_FLAGS.isSigned;
}
