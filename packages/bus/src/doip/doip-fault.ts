/** Why a DoIP message, connection or request was refused. */
import { Fault } from '@immota/base';

/** What the refusal was about. */
export type DoipFaultCode =
  /** No DoIP header, or of a version that nobody speaks: another protocol, or a stream out of step. */
  | 'HEADER_PATTERN'
  /** A payload type that this end of this carrier does not take. */
  | 'PAYLOAD_TYPE'
  /** More bytes announced than this end takes: endless data. */
  | 'PAYLOAD_TOO_LARGE'
  /** A payload whose length its type does not have. */
  | 'PAYLOAD_LENGTH'
  /** A field that does not fit: an address beyond 16 bits, a VIN that is none. */
  | 'FIELD_RANGE'
  /** The entity does not let this tester in; `wireCode` tells why, in the words of the standard. */
  | 'ACTIVATION_REFUSED'
  /** The entity wants this tester to come by TLS. */
  | 'TLS_REQUIRED'
  /** The entity did not take a diagnostic message; `wireCode` tells why. */
  | 'MESSAGE_REFUSED'
  /** The entity did not answer in time. */
  | 'TIMEOUT'
  /** More requests at one time than may wait. */
  | 'QUEUE_FULL'
  /** The connection is over, by either side. */
  | 'CONNECTION_CLOSED';

/** Thrown, or handed on as an output, by whatever speaks DoIP. */
export class DoipFault extends Fault<DoipFaultCode> {
  override readonly name = 'DoipFault';
  /** The code that the other side gave, where it gave one. */
  readonly wireCode: number | undefined;

  constructor(code: DoipFaultCode, message: string, wireCode?: number) {
    super(code, message);
    this.wireCode = wireCode;
  }
}
