/** What a gateway did not let through, and why. Each becomes a security event. */
import type { SecocFaultCode } from '@immota/bus';

/** Why, each with its number on the wire of security events. */
export const REFUSAL_EVENT_IDS = {
  /** No rule speaks of the identifier on this bus. */
  'unknown-identifier': 0x8001,
  /** Not of the length or the kind that the rule has. */
  'frame-length': 0x8002,
  /** More often than the rule allows. */
  'frame-rate': 0x8003,
  /** The authenticator is wrong, or it was there before. */
  'frame-authenticator': 0x8004,
  /** The bus it was for does not take frames fast enough. */
  congestion: 0x8005,
  /** Frames of a diagnostic message that could mean one thing here and another in the ECU. */
  'diagnostic-framing': 0x8006,
  /** No rule lets this tester ask this of this ECU. */
  'diagnostic-service': 0x8007,
  /** Not in the session that the ECU is in. */
  'diagnostic-session': 0x8008,
  /** The ECU has not authenticated the tester. */
  'diagnostic-unauthenticated': 0x8009,
  /** The vehicle is not known to stand still. */
  'diagnostic-not-parked': 0x800a,
  /** More often than the rule allows. */
  'diagnostic-rate': 0x800b,
  /** An answer to nothing that was asked. */
  'diagnostic-unsolicited': 0x800c,
} as const;

/** See REFUSAL_EVENT_IDS. */
export type RefusalReason = keyof typeof REFUSAL_EVENT_IDS;

/** One refusal. It holds no payload: that may be a secret. */
export interface Refusal {
  readonly reason: RefusalReason;
  /** Where it came from: a bus, or `doip`. */
  readonly from: string;
  /** The rule that came nearest. */
  readonly rule?: string | undefined;
  readonly id?: number | undefined;
  readonly isExtended?: boolean | undefined;
  readonly lengthBytes?: number | undefined;
  readonly tester?: number | undefined;
  readonly target?: number | undefined;
  readonly service?: number | undefined;
  readonly subFunction?: number | undefined;
  /** Why the authenticator was refused. */
  readonly code?: SecocFaultCode | undefined;
}
