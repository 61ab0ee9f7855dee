/** Why a message did not pass over ISO-TP. */
import { Fault } from '@immota/base';

/** What the refusal was about; the standard's own name of the result stands behind each. */
export type IsoTpFaultCode =
  /** An address, a time or a size that the standard does not know: a link that would hear nobody. */
  | 'PARAMETER'
  /** An empty message, one beyond the limit, or one for a group that needs more than one frame. */
  | 'MESSAGE_LENGTH'
  /** A message was handed over while another is under way, and no room is left to wait (N_ERROR). */
  | 'BUSY'
  /** A frame of ours did not get onto the bus in time: a bus that is jammed or broken (N_TIMEOUT_A). */
  | 'TIMEOUT_A'
  /** The receiver told us neither to go on nor to wait (N_TIMEOUT_Bs). */
  | 'TIMEOUT_BS'
  /** The sender went silent within a message: half a message is none (N_TIMEOUT_Cr). */
  | 'TIMEOUT_CR'
  /** A part is missing, repeated or out of order (N_WRONG_SN). */
  | 'WRONG_SEQUENCE'
  /** A flow control frame with a status that nobody defined (N_INVALID_FS). */
  | 'INVALID_FLOW_STATUS'
  /** A new message began within an old one, which is lost (N_UNEXP_PDU). */
  | 'UNEXPECTED_PDU'
  /** One side asked to wait too often: a peer that never gets ready (N_WFT_OVRN). */
  | 'WAIT_OVERRUN'
  /** A message that announces itself as larger than the receiver takes: exhaustion (N_BUFFER_OVFLW). */
  | 'BUFFER_OVERFLOW'
  /** The link was closed while the message was under way. */
  | 'CLOSED';

/** Thrown by the link for mistakes of its user, and handed out for those of the peer or the bus. */
export class IsoTpFault extends Fault<IsoTpFaultCode> {
  override readonly name = 'IsoTpFault';
}
