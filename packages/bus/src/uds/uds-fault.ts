/** Why a diagnostic request, or what came as one, was refused. */
import { Fault } from '@immota/base';

/** What the refusal was about. */
export type UdsFaultCode =
  /** Bytes that are no message of the service: too short, too long, or with lengths that lie. */
  | 'MESSAGE_MALFORMED'
  /** A value that the service cannot carry: our own caller's mistake. */
  | 'VALUE_RANGE'
  /** The server said no; `responseCode` says why. */
  | 'REFUSED'
  /** No answer in time: the ECU is gone, or somebody eats its answers. */
  | 'TIMEOUT'
  /** The server asked for more time too often, or for too long: an ECU that holds up a campaign. */
  | 'PENDING_EXHAUSTED'
  /** An answer that contradicts the request or an answer before: not the server we talked to. */
  | 'ANSWER_UNEXPECTED'
  /** Another request of the same client is under way. */
  | 'BUSY'
  /** A routine of the programming sequence ended without success: the ECU does not take the software. */
  | 'ROUTINE_FAILED'
  /** The carrier is closed. */
  | 'CLOSED';

/** Thrown by whatever makes, reads or exchanges diagnostic messages. */
export class UdsFault extends Fault<UdsFaultCode> {
  override readonly name = 'UdsFault';
  /** The negative response code of `REFUSED`. */
  readonly responseCode: number | undefined;

  constructor(
    code: UdsFaultCode,
    message: string,
    options?: ErrorOptions & { readonly responseCode?: number },
  ) {
    super(code, message, options);
    this.responseCode = options?.responseCode;
  }
}
