/** Why a gateway could not be made, or its memory not be used. */
import { Fault } from '@immota/base';

/** What the refusal was about. */
export type GatewayFaultCode =
  /** The rules are not rules, contradict one another, or open what may never be open. */
  | 'RULES_MALFORMED'
  /** The rules name a bus or a secured stream that the vehicle has not. */
  | 'RULES_UNKNOWN_NAME'
  /** The store of events is damaged in a way that no cut of the power explains. */
  | 'EVENTS_CORRUPT'
  /** An acknowledgement of events that were never handed out. */
  | 'EVENTS_UNKNOWN';

/** Thrown by the gateway's own code. What it refuses of the traffic is an event and not a fault. */
export class GatewayFault extends Fault<GatewayFaultCode> {
  override readonly name = 'GatewayFault';
}
