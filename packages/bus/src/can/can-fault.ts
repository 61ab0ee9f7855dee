/** Why a CAN frame was refused. */
import { Fault } from '@immota/base';

/** What the refusal was about. */
export type CanFaultCode =
  /** An identifier that does not fit into its 11 or 29 bits: a frame that names a sender nobody is. */
  | 'IDENTIFIER_RANGE'
  /** More bytes than a frame holds, or a length that CAN FD cannot carry. */
  | 'LENGTH_RANGE'
  /** A frame from a tunnel that is none: truncated, or of an unknown version. */
  | 'FRAME_MALFORMED';

/** Thrown by whatever makes or reads CAN frames. */
export class CanFault extends Fault<CanFaultCode> {
  override readonly name = 'CanFault';
}
