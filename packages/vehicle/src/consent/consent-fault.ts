/** Why an answer to a question, or a rule about who may answer, was refused. */
import { Fault } from '@immota/base';

/** What the refusal was about. */
export type ConsentFaultCode =
  /** The rules about who may decide cannot be read, or leave nobody who may. */
  | 'AUTHORITY_MALFORMED'
  /** Nobody of that name is known to the rules. */
  | 'ROLE_UNKNOWN'
  /** Whoever answered may not decide on this step. */
  | 'NOT_AUTHORISED'
  /** The vehicle moves, or cannot say that it stands: nobody is asked, and no answer counts. */
  | 'DRIVING'
  /** It was put off as often as the signed terms allow. */
  | 'POSTPONE_BUDGET'
  /** The time named is past, too far away, behind the last date, or not for this step. */
  | 'TIME_NOT_ALLOWED'
  /** The words that were read are not those that are asked now. */
  | 'TEXT_CHANGED'
  /** Nothing is asked now, or something else. */
  | 'NOT_ASKED';

/** Thrown where an answer cannot count. */
export class ConsentFault extends Fault<ConsentFaultCode> {
  override readonly name = 'ConsentFault';
}
