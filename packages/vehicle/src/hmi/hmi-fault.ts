/** Why a screen was refused. */
import { Fault } from '@immota/base';

/** What the refusal was about. */
export type HmiFaultCode =
  /** Not a code that was shown, or one that was used. */
  | 'PAIRING_CODE'
  /** No session, or one that ended. */
  | 'SESSION'
  /** Too many attempts or requests in a short time. */
  | 'RATE'
  /** Asked from another page, or by another name of this machine: cross-site request forgery, DNS rebinding. */
  | 'CROSS_SITE'
  /** The request is none of ours. */
  | 'MALFORMED'
  /** There is nothing at this path. */
  | 'NOT_FOUND'
  /** Not with this method. */
  | 'METHOD'
  /** More bytes than any request of ours has. */
  | 'TOO_LARGE';

/** Thrown where a screen is refused. */
export class HmiFault extends Fault<HmiFaultCode> {
  override readonly name = 'HmiFault';
}
