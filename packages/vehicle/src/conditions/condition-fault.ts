/** Why a condition, an energy budget or an approval was refused. */
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
  /** An approval that is none. */
  | 'APPROVAL_MALFORMED'
  /** No workshop vouches for whoever has signed an approval, or somebody changed it: arbitrary consent. */
  | 'APPROVAL_UNTRUSTED'
  /** An approval for another vehicle, update, step, work or stop: diversion. */
  | 'APPROVAL_FOREIGN'
  /** An approval that is too early, too late, or good for too long. */
  | 'APPROVAL_TIME'
  /** An approval that was used before: replay. */
  | 'APPROVAL_REPLAYED';

/** Thrown by whatever keeps an update from doing harm. */
export class ConditionFault extends Fault<ConditionFaultCode> {
  override readonly name = 'ConditionFault';
}
