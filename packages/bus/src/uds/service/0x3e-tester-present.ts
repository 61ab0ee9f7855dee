/** TesterPresent {14229-1:2020 10.7}. */
import { makeCall, type UdsCall } from '../call.ts';
import { SERVICES, SUPPRESS_BIT } from '../service-id.ts';

/** Keeps the session, and asks whether the ECU is there. */
export function testerPresent(): UdsCall<undefined> {
  return makeCall([Uint8Array.of(SERVICES.testerPresent, 0)], 1, () => undefined);
}

/** Keeps the session without an answer. */
export function testerPresentSilently(): UdsCall<undefined> {
  return makeCall([Uint8Array.of(SERVICES.testerPresent, SUPPRESS_BIT)], 1, () => undefined);
}
