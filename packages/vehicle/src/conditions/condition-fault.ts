/** Why a condition, a plan or a step was refused. */
import { Fault } from '@immota/base';

/** What the refusal was about. */
export type ConditionFaultCode =
  /** Not a condition: not CEL, too long, too deep, or with parts that conditions have not. */
  | 'CONDITION_MALFORMED'
  /** It names a signal that the catalogue has not. */
  | 'CONDITION_SIGNAL'
  /** It compares or adds what does not fit together, or is not a question. */
  | 'CONDITION_TYPE'
  /** The vehicle is not as it has to be. */
  | 'CONDITION_UNMET'
  /** The batteries do not hold enough for the update and the way back from it. */
  | 'ENERGY_SHORT'
  /** The vehicle cannot be kept from driving off, so nothing unsafe may begin. */
  | 'IMMOBILISER_REFUSED'
  /** A step would touch an ECU that nothing is known of. */
  | 'ECU_UNKNOWN'
  /** A step needs a technician, and none has approved it. */
  | 'APPROVAL_MISSING'
  /** An approval that is none: malformed, for another vehicle, too early, too late, or used before. */
  | 'APPROVAL_INVALID';

/** Thrown by whatever keeps an update from doing harm. */
export class ConditionFault extends Fault<ConditionFaultCode> {
  override readonly name = 'ConditionFault';
}
