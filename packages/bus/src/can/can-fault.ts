/** Why a CAN frame was refused, or did not get onto its bus. */
import { Fault } from '@immota/base';

/** What the refusal was about. */
export type CanFaultCode =
  /** An identifier that does not fit into its 11 or 29 bits: a frame that names a sender nobody is. */
  | 'IDENTIFIER_RANGE'
  /** More bytes than a frame holds, or a length that CAN FD cannot carry. */
  | 'LENGTH_RANGE'
  /** A frame from a tunnel that is none: truncated, or of an unknown version. */
  | 'FRAME_MALFORMED'
  /** A bit rate that no controller has, or a frame that this bus has no rate for. */
  | 'BIT_RATE'
  /** Too many frames of one node wait for the bus: a flood, or a bus that is jammed. */
  | 'QUEUE_FULL'
  /** The optional package that speaks with the kernel's CAN is not installed. */
  | 'DRIVER_MISSING'
  /** The operating system refused the socket, the group or the interface. */
  | 'DRIVER_FAILED'
  /** The place on the bus has been given up. */
  | 'CLOSED';

/** Thrown by whatever makes, reads or carries CAN frames. */
export class CanFault extends Fault<CanFaultCode> {
  override readonly name = 'CanFault';
}
