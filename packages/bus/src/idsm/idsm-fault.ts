/** Why a security event could not be written or read. */
import { Fault } from '@immota/base';

/** What the refusal was about. */
export type IdsmFaultCode =
  /** A number that its field cannot hold. */
  | 'EVENT_RANGE'
  /** Bytes that are no event: truncated, too long, or of another version. */
  | 'EVENT_MALFORMED'
  /** Filters that contradict themselves, or too many of them. */
  | 'FILTER_RANGE';

/** Thrown by whatever writes, reads or filters security events. */
export class IdsmFault extends Fault<IdsmFaultCode> {
  override readonly name = 'IdsmFault';
}
