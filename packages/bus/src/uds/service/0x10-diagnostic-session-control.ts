/** DiagnosticSessionControl {14229-1:2020 10.2}. */
import { makeCall, type UdsCall } from '../call.ts';
import { uintBytes } from '../message-reader.ts';
import { SERVICES, sessionCode, SUPPRESS_BIT, type UdsSession } from '../service-id.ts';

/** What a server promises for a session. */
export interface SessionTiming {
  readonly p2Ms: number;
  readonly p2StarMs: number;
}

/** The response counts P2* in tens of milliseconds. */
const P2_STAR_UNIT_MS = 10;

/** Asks for a session; the answer tells its times. */
export function startSession(session: UdsSession): UdsCall<SessionTiming> {
  const request = Uint8Array.of(SERVICES.diagnosticSessionControl, sessionCode(session));
  return makeCall([request], 1, (reader) => ({
    p2Ms: reader.uint(2),
    p2StarMs: reader.uint(2) * P2_STAR_UNIT_MS,
  }));
}

/** Asks for a session without an answer, as one asks a whole group. */
export function startSessionSilently(session: UdsSession): UdsCall<undefined> {
  const code = sessionCode(session) | SUPPRESS_BIT;
  const request = Uint8Array.of(SERVICES.diagnosticSessionControl, code);
  return makeCall([request], 1, () => undefined);
}

/** Encodes the times of a session for a response. */
export function encodeTiming({ p2Ms, p2StarMs }: SessionTiming): readonly Uint8Array[] {
  return [uintBytes(p2Ms, 2), uintBytes(Math.floor(p2StarMs / P2_STAR_UNIT_MS), 2)];
}
